/** @module The ended runs that drift and digests are sums of: the facts of index entries, checked and compact. Pure. */
import { isNested } from "../process-filter.ts";
import type { IndexEntry } from "../protocol/bodies.ts";
import { OUTCOMES, type OutcomeStatus } from "../protocol.ts";
import { RunSummary } from "../summary.ts";

/** What is counted of each ended run, per process. `failed` is 1 or 0. */
export const DRIFT_KINDS = [
  ...(["failed", "retries", "takeovers", "waits", "repairs", "fallbacks", "refusals", "ungrounded", "durationMs", "usd"] as const),
] as const;
/** One of {@link DRIFT_KINDS}. */
export type DriftKind = (typeof DRIFT_KINDS)[number];

/** The facts of one ended run. */
export interface EndedRun {
  readonly id: string;
  readonly route: string;
  /** The versions of prompts and models that it used; empty: none. */
  readonly version: string;
  readonly status: OutcomeStatus;
  readonly endedAtMs: number;
  readonly summary: RunSummary;
  /** It ran as a nested route: what it spent is in the spending of its parent, too. */
  readonly isNested?: true | undefined;
}

/** Outcomes that count as failed. A cancellation is the wish of a person. */
const FAILED: readonly OutcomeStatus[] = ["failed", "expired"];

/** The run of an entry of the directory; undefined: it is open, was never created, or is of another form. */
export function endedRun({ id, open, atMs, facts }: IndexEntry): EndedRun | undefined {
  const status = OUTCOMES.find((one) => one === facts["status"]);
  const summary = RunSummary.safeParse(facts);
  if (open || status === undefined || !summary.success) return undefined;
  const nested = isNested({ facts }) ? { isNested: true as const } : {};
  const route = typeof facts["route"] === "string" ? facts["route"] : "";
  return { id, route, version: summary.data.versions ?? "", status, endedAtMs: atMs, summary: summary.data, ...nested };
}

/** Whether a run failed or expired. */
export function hasFailed({ status }: EndedRun): boolean {
  return FAILED.includes(status);
}

/** What is counted of a run. */
export function countOf(run: EndedRun, kind: DriftKind): number {
  return kind === "failed" ? Number(hasFailed(run)) : (run.summary[kind] ?? 0);
}
