/** @module Sums over entries of the directory: a system in numbers, and what it has spent. Pure. */
import type { CostLine, CostView, OverviewView } from "./overview.ts";
import { acceptedAtMs, isNested, isProcess, numberOf } from "./process-filter.ts";
import type { OutcomeStatus } from "./protocol.ts";
import type { IndexEntry } from "./protocol/bodies.ts";
import { HOUR_MS } from "./units.ts";

const DEAREST_MAX = 20;
const LINES_MAX = 100;

/** The part of an overview that comes from the directory. */
export type Counted = Pick<OverviewView, "open" | "paused" | "ended" | "redriven" | "usd" | "tokens" | "oldestOpen" | "perHour">;

/** Counts entries: open ones of any age, and those that ended since a time. What nested routes spent is counted with their parents. */
export function countEntries(entries: Iterable<IndexEntry>, sinceMs: number): Counted {
  const ended = new Map<OutcomeStatus, number>();
  const hours = new Map<number, { atMs: number; ended: number; failed: number; usd: number }>();
  let [open, paused, redriven, usd, tokens] = [0, 0, 0, 0, 0];
  let oldest: IndexEntry | undefined;
  for (const entry of entries) {
    const { facts } = entry;
    if (!isProcess(entry)) continue;
    if (entry.open) {
      open += 1;
      if (facts["paused"] === true) paused += 1;
      if (oldest === undefined || acceptedAtMs(entry) < acceptedAtMs(oldest)) oldest = entry;
      continue;
    }
    if (entry.atMs < sinceMs) continue;
    const status = facts["status"] as OutcomeStatus;
    ended.set(status, (ended.get(status) ?? 0) + 1);
    if (numberOf(facts["earlierRuns"]) > 0) redriven += 1;
    const spent = isNested(entry) ? { usd: 0, tokens: 0 } : spentOf(facts);
    usd += spent.usd;
    tokens += spent.tokens;
    const atMs = Math.floor(entry.atMs / HOUR_MS) * HOUR_MS;
    const hour = hours.get(atMs) ?? { atMs, ended: 0, failed: 0, usd: 0 };
    hours.set(atMs, hour);
    hour.ended += 1;
    hour.usd += spent.usd;
    if (status === "failed") hour.failed += 1;
  }
  return {
    ...{ open, paused, redriven, usd, tokens, ended: [...ended].map(([status, count]) => ({ status, count })) },
    perHour: [...hours.values()].sort((a, b) => a.atMs - b.atMs),
    ...(oldest === undefined
      ? {}
      : { oldestOpen: { id: oldest.id, route: String(oldest.facts["route"] ?? ""), acceptedAtMs: acceptedAtMs(oldest) } }),
  };
}

/**
 * What the processes have spent that ended since a time. The total and the dearest are of processes that were submitted: what a nested
 * route has spent is in its parent. The lines of its own route and version have it again.
 */
export function costsOf(entries: Iterable<IndexEntry>, sinceMs: number): Omit<CostView, "atLeast"> {
  const total = newLine("total");
  const byRoute = new Map<string, CostLine>();
  const byVersion = new Map<string, CostLine>();
  const dearest: CostView["dearest"] = [];
  for (const entry of entries) {
    const { id, open, atMs, facts } = entry;
    if (open || atMs < sinceMs || !isProcess(entry)) continue;
    const route = String(facts["route"] ?? "");
    for (const line of [lineOf(byRoute, route), lineOf(byVersion, String(facts["versions"] ?? ""))]) add(line, facts);
    if (isNested(entry)) continue;
    add(total, facts);
    const spent = spentOf(facts);
    if (spent.usd > 0) dearest.push({ id, route, ...spent });
    if (dearest.length >= 2 * DEAREST_MAX) keepDearest(dearest);
  }
  keepDearest(dearest);
  return { sinceMs, total, byRoute: sorted(byRoute), byVersion: sorted(byVersion), dearest };
}

function spentOf(facts: IndexEntry["facts"]): { readonly usd: number; readonly tokens: number } {
  return { usd: ofAll(facts, "usd"), tokens: ofAll(facts, "inputTokens") + ofAll(facts, "outputTokens") };
}

/** A number of the last run and of the earlier ones. */
function ofAll(facts: IndexEntry["facts"], name: "modelCalls" | "toolCalls" | "inputTokens" | "outputTokens" | "usd"): number {
  return numberOf(facts[name]) + numberOf(facts[`earlier${name.charAt(0).toUpperCase()}${name.slice(1)}`]);
}

function keepDearest(dearest: CostView["dearest"]): void {
  dearest.sort((a, b) => b.usd - a.usd).splice(DEAREST_MAX);
}

function newLine(name: string): CostLine {
  return { name, processes: 0, modelCalls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, usd: 0 };
}

function lineOf(lines: Map<string, CostLine>, name: string): CostLine {
  const key = lines.has(name) || lines.size < LINES_MAX ? name : "(others)";
  const line = lines.get(key) ?? newLine(key);
  lines.set(key, line);
  return line;
}

function add(line: CostLine, facts: IndexEntry["facts"]): void {
  line.processes += 1;
  for (const name of ["modelCalls", "toolCalls", "inputTokens", "outputTokens", "usd"] as const) line[name] += ofAll(facts, name);
}

function sorted(lines: ReadonlyMap<string, CostLine>): CostLine[] {
  return [...lines.values()].sort((a, b) => b.usd - a.usd || b.processes - a.processes);
}
