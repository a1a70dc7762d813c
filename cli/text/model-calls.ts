/** @module Formats the model calls of a work item for people. Pure. */
import type { CallView } from "../../client/index.ts";

const USD_DIGITS = 4;

/** One line for each model call: its model, its endpoint and the model that answered there, how it stands, and what it has cost. */
export function modelCallTexts(calls: readonly CallView[] = []): readonly string[] {
  return calls.filter(({ kind }) => kind === "model").map(modelCallText);
}

function modelCallText({ name, endpoint, answered, state, tries = 1, inputTokens = 0, outputTokens = 0, usd = 0, code }: CallView): string {
  const by = answered === undefined || answered === endpoint ? "" : ` (${answered})`;
  const at = endpoint === undefined ? name : `${name} at ${endpoint}${by}`;
  const often = tries === 1 ? "" : `, ${tries} tries`;
  const cost = `${inputTokens} + ${outputTokens} tokens${usd === 0 ? "" : `, $${usd.toFixed(USD_DIGITS)}`}`;
  return `${at}: ${state}${code === undefined ? "" : ` ${code}`}${often}, ${cost}`;
}
