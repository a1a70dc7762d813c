/** @module Formats what a handler recorded, its model calls, calls of tools and steps, for people. Pure. */
import type { CallView } from "../../client/index.ts";
import { usdText } from "../../runtime/budget.ts";

/** One line for each call and step: what it is, how it stands, and for a model call why it was made, who answered, and what it has cost. */
export function callTexts(calls: readonly CallView[] = []): readonly string[] {
  return calls.map((call) => (call.kind === "model" ? modelText(call) : `${call.kind === "call" ? "tool" : "step"} ${standing(call)}`));
}

function standing({ name, state, failures, code }: CallView): string {
  const often = failures === 0 ? "" : `, failed ${failures === 1 ? "once" : `${failures} times`}`;
  return `${name}: ${state}${code === undefined ? "" : ` ${code}`}${often}`;
}

function modelText({
  name,
  rung,
  endpoint,
  answered,
  state,
  tries = 1,
  inputTokens = 0,
  outputTokens = 0,
  usd = 0,
  code,
}: CallView): string {
  const by = answered === undefined || answered === endpoint ? "" : ` (${answered})`;
  const at = endpoint === undefined ? name : `${name} at ${endpoint}${by}`;
  const why = rung === undefined ? "" : `, to repair (${rung})`;
  const often = tries === 1 ? "" : `, ${tries} tries`;
  const cost = `${inputTokens} + ${outputTokens} tokens${usd === 0 ? "" : `, ${usdText(usd)}`}`;
  return `model ${at}${why}: ${state}${code === undefined ? "" : ` ${code}`}${often}, ${cost}`;
}
