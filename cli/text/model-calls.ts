/** @module Formats the model calls of a work item for people. Pure. */
import type { CallView } from "../../client/index.ts";

const USD_DIGITS = 4;

/** One line for each model call: its model and endpoint, how it stands, and what it has cost. */
export function modelCallTexts(calls: readonly CallView[] = []): readonly string[] {
  return calls.filter(({ kind }) => kind === "model").map(modelCallText);
}

function modelCallText({ name, endpoint, state, tries = 1, inputTokens = 0, outputTokens = 0, usd = 0, code }: CallView): string {
  const at = endpoint === undefined ? name : `${name} at ${endpoint}`;
  const often = tries === 1 ? "" : `, ${tries} tries`;
  const cost = `${inputTokens} + ${outputTokens} tokens${usd === 0 ? "" : `, $${usd.toFixed(USD_DIGITS)}`}`;
  return `${at}: ${state}${code === undefined ? "" : ` ${code}`}${often}, ${cost}`;
}
