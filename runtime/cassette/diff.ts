/** @module The difference of two runs: path, calls, arguments, cost and outcome. Pure. */
import { z } from "zod";
import { AnyJson } from "../process-view.ts";

/** One thing that both runs did, or one of them. */
export const DiffLine = z.object({
  what: z.enum(["stop", "model", "tool", "step", "ask", "person", "result", "outcome"]),
  stop: z.string(),
  agent: z.string().optional(),
  name: z.string(),
  how: z.enum(["same", "changed", "only-a", "only-b"]),
  a: AnyJson.optional().describe("Arguments, result or outcome of the first run."),
  b: AnyJson.optional(),
});
/** One thing that both runs did, or one of them. */
export type DiffLine = z.infer<typeof DiffLine>;

const Cost = z.object({
  modelCalls: z.int().nonnegative(),
  toolCalls: z.int().nonnegative(),
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  usd: z.number().nonnegative(),
});

/** The difference of two runs. */
export const RunDiff = z.object({
  a: z.string().describe("The first run."),
  b: z.string().describe("The second run."),
  same: z.boolean(),
  lines: z.array(DiffLine).describe("In the order of the first run; what only the second did stands where it did it."),
  cost: z.object({ a: Cost, b: Cost }),
  outcome: z.object({ a: z.string(), b: z.string() }),
});
/** The difference of two runs. */
export type RunDiff = z.infer<typeof RunDiff>;

/** How a forked run ended. Nothing of it is in a journal. */
export const ForkReport = z.object({
  id: z.string().describe("The process that it was forked from."),
  at: z.string().describe("The call from which on models were asked again."),
  status: z.string().describe("Status of the outcome, or `unrecorded`: it came to a call that is not in the record."),
  unrecorded: z
    .object({ agent: z.string(), what: z.string(), name: z.string(), input: AnyJson.optional() })
    .optional()
    .describe("The call at which it stopped."),
  output: AnyJson.optional(),
  code: z.string().optional(),
  modelCalls: z.int().nonnegative().describe("Model calls that were really made."),
  usd: z.number().nonnegative(),
  diff: RunDiff,
});
/** How a forked run ended. */
export type ForkReport = z.infer<typeof ForkReport>;
