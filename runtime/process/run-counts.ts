/**
 * @module What a run counts for its summary, and the summary itself. Pure.
 *
 * The counts are bounded: numbers, and the first versions that were used.
 */
import { z } from "zod";
import { MICROS_PER_USD, type SpentBy, totalSpent, usedOf } from "../budget.ts";
import { entryOf } from "../entries.ts";
import { LIMITS } from "../limits.ts";
import { doerName } from "../slip.ts";
import type { RunSummary, WorkFacts } from "../summary.ts";
import type { ProcessEvent } from "./events.ts";
import type { ProcessState } from "./state.ts";

const Count = z.int().positive().optional();

/** Counts of one run. A count of 0 is absent. Persisted: changing this needs a version bump. */
export const RunCounts = z.strictObject({
  retries: Count,
  takeovers: Count,
  waits: Count,
  requests: Count,
  repairs: Count,
  fallbacks: Count,
  refusals: Count,
  claims: Count,
  ungrounded: Count,
  compensated: Count,
  slowest: z.strictObject({ stop: z.string(), ms: z.int().nonnegative() }).optional(),
  versions: z.array(z.string()).optional(),
});
export type RunCounts = z.infer<typeof RunCounts>;

type CountName = Exclude<keyof RunCounts, "slowest" | "versions">;

/** `next`, with what an event that led to it from `before` counts. */
export function withCounts(before: ProcessState, next: ProcessState, event: ProcessEvent): ProcessState {
  switch (event.e) {
    case "asked-again":
      return counted(next, { retries: 1 });
    case "wait-begun":
      return counted(next, { waits: 1, ...(event.wait.for.kind === "person" ? { requests: 1 } : {}) });
    case "sent-back":
      return counted(next, { refusals: 1 });
    case "judged":
      return "fault" in event.result ? counted(next, { refusals: 1 }) : next;
    case "undone":
      return withUndone(before, event.report.undone > 0 ? counted(next, { compensated: 1 }) : next, event);
    case "answered":
    case "handed-off":
    case "failed":
      return ended(before, next, event);
    default:
      return next;
  }
}

function counted(state: ProcessState, more: { readonly [name in CountName]?: number | undefined }): ProcessState {
  const counts: RunCounts = { ...state.counts };
  for (const [name, count] of Object.entries(more) as [CountName, number | undefined][])
    if (count !== undefined) counts[name] = (counts[name] ?? 0) + count;
  return { ...state, counts };
}

interface EndOfWork {
  readonly workId: string;
  readonly atMs: number;
  readonly facts?: WorkFacts | undefined;
}

function ended(before: ProcessState, next: ProcessState, { workId, atMs, facts }: EndOfWork): ProcessState {
  const work = entryOf(before.works, workId);
  if (work === undefined) return next;
  const ms = Math.max(0, atMs - work.askedAtMs);
  const { slowest } = before.counts ?? {};
  const isSlower = work.kind === "do" && ms >= LIMITS.slowStopMsMin && ms > (slowest?.ms ?? 0);
  const timed = isSlower ? { ...next, counts: { ...next.counts, slowest: { stop: work.stop, ms } } } : next;
  if (facts === undefined) return timed;
  const { version, tries, ...more } = facts;
  const told = counted(timed, { ...more, ...(tries === undefined ? {} : { retries: tries }) });
  return version === undefined ? told : withVersion(told, `${doerName(work.target)}@${version}`);
}

/** A work item that timed out tells only so which version it had used. */
function withUndone(before: ProcessState, next: ProcessState, { workId, version }: Extract<ProcessEvent, { e: "undone" }>): ProcessState {
  const work = entryOf(before.works, workId);
  return work === undefined || version === undefined ? next : withVersion(next, `${doerName(work.target)}@${version}`);
}

function withVersion(state: ProcessState, version: string): ProcessState {
  const { versions = [] } = state.counts ?? {};
  if (versions.includes(version) || versions.length >= LIMITS.summaryVersionsMax) return state;
  return { ...state, counts: { ...state.counts, versions: [...versions, version].sort() } };
}

/** The {@link RunSummary} of a run that has ended, as facts of an index entry. */
export function summaryOf({
  task,
  outcome,
  counts = {},
  ending,
  acts = [],
  run,
  runs = [],
  account,
}: ProcessState): Record<string, string | number> {
  if (task === undefined || outcome === undefined) return {};
  const { slowest, versions, ...numbers } = counts;
  const own = spendingOf(outcome.spent);
  const earlier = spendingOf(account?.before);
  const begunAtMs = acts.find(({ opened }) => opened === run)?.atMs ?? task.acceptedAtMs;
  const failed = ending?.work;
  return withoutZeros({
    ...numbers,
    durationMs: Math.max(0, outcome.atMs - begunAtMs),
    ...{ ...own.calls, inputTokens: own.inputTokens, outputTokens: own.outputTokens, usd: own.usd },
    earlierRuns: runs.length,
    ...{ earlierModelCalls: earlier.calls.modelCalls, earlierToolCalls: earlier.calls.toolCalls },
    ...{ earlierInputTokens: earlier.inputTokens, earlierOutputTokens: earlier.outputTokens, earlierUsd: earlier.usd },
    ...(ending === undefined ? {} : { failedStop: ending.stop, ...(failed === undefined ? {} : { failedAgent: doerName(failed.target) }) }),
    ...(slowest === undefined ? {} : { slowestStop: slowest.stop, slowestMs: slowest.ms }),
    ...(versions === undefined ? {} : { versions: versions.join(" ") }),
  });
}

interface Spending {
  readonly calls: { readonly modelCalls: number; readonly toolCalls: number };
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: number;
}

function spendingOf(spent: SpentBy = {}): Spending {
  const total = totalSpent(spent);
  const { modelCalls, toolCalls, costMicros } = usedOf(total);
  const sum = (of: "inputTokens" | "outputTokens"): number => Object.values(total.models).reduce((all, model) => all + model[of], 0);
  const tokens = { inputTokens: sum("inputTokens"), outputTokens: sum("outputTokens") };
  return { calls: { modelCalls, toolCalls }, ...tokens, usd: costMicros / MICROS_PER_USD };
}

/** Only facts that say something: no zeros. */
function withoutZeros(summary: RunSummary): Record<string, string | number> {
  const facts = new Map<string, string | number>();
  for (const [name, value] of Object.entries(summary)) if (value !== undefined && value !== 0) facts.set(name, value);
  return Object.fromEntries(facts);
}
