/** @module Which entries of the directory a listing of processes wants. Pure. */
import type { OutcomeStatus } from "./protocol.ts";
import type { IndexEntry } from "./protocol/bodies.ts";

/** What entries of processes are chosen by. All parts are optional, and all that are given must hold. */
export interface EntryFilter {
  readonly state?: "open" | "ended" | undefined;
  /** Their outcome. */
  readonly status?: OutcomeStatus | undefined;
  readonly route?: string | undefined;
  /** Code of the fault that they ended with. */
  readonly code?: string | undefined;
  /** Subject of the token that they were submitted with. */
  readonly by?: string | undefined;
  /** Accepted from then on, and before. Epoch, milliseconds. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** Ended from then on. Epoch, milliseconds. */
  readonly endedSinceMs?: number | undefined;
  /** Cost at least so much, in US dollars. */
  readonly minUsd?: number | undefined;
  readonly paused?: boolean | undefined;
  /** Part of their id, or their trace id. */
  readonly text?: string | undefined;
  /** A version that they used: `Agent@prompt/model`. */
  readonly version?: string | undefined;
}

type Facts = IndexEntry["facts"];

/** Whether an entry is wanted, as a function that is made once for many entries. */
export function entryFilter(filter: EntryFilter): (entry: IndexEntry) => boolean {
  const { state, status, route, code, by, sinceMs, untilMs, endedSinceMs, minUsd, paused, text, version } = filter;
  const checks: ((entry: IndexEntry, facts: Facts) => boolean)[] = [];
  if (state !== undefined) checks.push(({ open }) => open === (state === "open"));
  for (const [name, wanted] of Object.entries({ status, route, code, by }))
    if (wanted !== undefined) checks.push((_entry, facts) => facts[name] === wanted);
  if (sinceMs !== undefined) checks.push((entry) => acceptedAtMs(entry) >= sinceMs);
  if (untilMs !== undefined) checks.push((entry) => acceptedAtMs(entry) < untilMs);
  if (endedSinceMs !== undefined) checks.push(({ open, atMs }) => !open && atMs >= endedSinceMs);
  if (minUsd !== undefined) checks.push((_entry, facts) => numberOf(facts["usd"]) >= minUsd);
  if (paused !== undefined) checks.push(({ open }, facts) => (open && facts["paused"] === true) === paused);
  if (text !== undefined) checks.push(({ id }, facts) => id.includes(text) || facts["traceId"] === text);
  if (version !== undefined)
    checks.push((_entry, facts) =>
      String(facts["versions"] ?? "")
        .split(" ")
        .includes(version),
    );
  return (entry) => checks.every((check) => check(entry, entry.facts));
}

/** Statuses of entries whose process was never created. */
const NO_PROCESS: readonly unknown[] = ["void", "refused", "reserved"];

/** Whether the process of an entry exists or has existed. An entry is written before its process, which may be refused then. */
export function isProcess({ facts }: IndexEntry): boolean {
  return !NO_PROCESS.includes(facts["status"]);
}

/** Whether an entry is of an id that a host has in reserve: no process has it yet. */
export function isReserved({ open, facts }: IndexEntry): boolean {
  return open && facts["status"] === "reserved";
}

/** Whether a process runs as a nested route. What it spends is in the spending of its parent, too. */
export function isNested({ facts }: Pick<IndexEntry, "facts">): boolean {
  return facts["parent"] !== undefined;
}

/** When the process of an entry was accepted. Epoch, milliseconds. */
export function acceptedAtMs({ atMs, facts }: IndexEntry): number {
  const accepted = facts["acceptedAtMs"];
  return typeof accepted === "number" ? accepted : atMs;
}

/** A fact as a number; 0 where it is absent. */
export function numberOf(fact: unknown): number {
  return typeof fact === "number" ? fact : 0;
}
