/**
 * @module The summary of an ended run: what its index entry says of it beside route and outcome. Lists, costs, drift, releases and digests
 * are sums over these facts, so nothing else has to be counted or kept. Pure.
 */
import { z } from "zod";

const Count = z.int().nonnegative();

/** Facts of an ended run. A fact of value 0 is absent. */
export const RunSummary = z.object({
  durationMs: Count.optional(),
  modelCalls: Count.optional(),
  toolCalls: Count.optional(),
  inputTokens: Count.optional(),
  outputTokens: Count.optional(),
  usd: z.number().nonnegative().optional(),
  earlierRuns: Count.optional().describe("Earlier runs of the process, which failed and were redriven."),
  earlierModelCalls: Count.optional().describe("Of the earlier runs of the process, as all that is earlier."),
  earlierToolCalls: Count.optional(),
  earlierInputTokens: Count.optional(),
  earlierOutputTokens: Count.optional(),
  earlierUsd: z.number().nonnegative().optional(),
  retries: Count.optional().describe("Further attempts of work items, and further tries of model calls."),
  takeovers: Count.optional().describe("Handlers that another host took over."),
  waits: Count.optional().describe("Waits of stops and handlers for timers, signals and people."),
  requests: Count.optional().describe("Requests to people."),
  repairs: Count.optional().describe("Model calls for the repair of an answer."),
  fallbacks: Count.optional().describe("Model calls by another model than the first."),
  refusals: Count.optional().describe("Outputs that a validator sent back or refused."),
  claims: Count.optional().describe("Claims of answers that were checked against their evidence."),
  ungrounded: Count.optional().describe("Claims of answers without evidence in their prompts."),
  compensated: Count.optional().describe("Work items that were compensated."),
  failedStop: z.string().optional(),
  failedAgent: z.string().optional(),
  slowestStop: z.string().optional(),
  slowestMs: Count.optional(),
  versions: z.string().optional().describe("Versions that it used: `Agent@prompt/model`, separated by spaces."),
});
/** Facts of an ended run. */
export type RunSummary = z.infer<typeof RunSummary>;

/** What the process of a run has spent in all its runs, in US dollars. */
export function usdOfAll({ usd = 0, earlierUsd = 0 }: Pick<RunSummary, "usd" | "earlierUsd">): number {
  return usd + earlierUsd;
}

/** Adds what was counted later. A later version replaces the earlier one. */
export function addWorkFacts(facts: WorkFacts, more: WorkFacts): WorkFacts {
  const sum: WorkFacts = { ...facts, ...(more.version === undefined ? {} : { version: more.version }) };
  for (const name of ["takeovers", "tries", "repairs", "fallbacks", "claims", "ungrounded"] as const) {
    const count = (facts[name] ?? 0) + (more[name] ?? 0);
    if (count > 0) sum[name] = count;
  }
  return sum;
}

/** Facts of a work item that only its agent knows, as its answer tells them to its process. A fact of value 0 is absent. */
export const WorkFacts = z.strictObject({
  takeovers: z.int().positive().optional(),
  tries: z.int().positive().optional(),
  repairs: z.int().positive().optional(),
  fallbacks: z.int().positive().optional(),
  claims: z.int().positive().optional(),
  ungrounded: z.int().positive().optional(),
  /** `prompt/model` that the work item used. */
  version: z.string().optional(),
});
export type WorkFacts = z.infer<typeof WorkFacts>;
