/** @module The verdict after a storm: every process in one outcome, every effect once, everything undone that must be. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { EFFECTS } from "./booking.ts";
import type { ProcessView } from "../../runtime/process-view.ts";
import type { TaskOrder } from "./client.ts";
import type { Entry } from "./ledger.ts";
import { percentile, print } from "./random.ts";
import type { Kill } from "./storm.ts";
import type { World } from "./world.ts";

/** Time after the restart of the last part by which every process must have ended. */
const END_MS = 120_000;
const LETTERS_MS = 60_000;
const LETTERS_POLL_MS = 500;
const LOOKS_AT_ONCE = 8;
const READ_ATTEMPTS = 50;

export interface Verdict {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  /** Not ended, or unknown to the system. */
  readonly lost: readonly string[];
  /** An effect under two keys, or the journal with more than one outcome. */
  readonly doubled: readonly string[];
  /** Failed because the outages used up a stop's own time and attempts; all of their effects must be undone. */
  readonly gaveUp: readonly string[];
  /** Effects missing, not undone or wrongly undone; outcomes that the input does not imply; missing dead letters. */
  readonly wrong: readonly string[];
  readonly endMs: readonly number[];
  readonly again: number;
  readonly late: number;
  /** The process that took longest: its history, in milliseconds from its acceptance. */
  readonly slowest: string;
}

const Input = z.looseObject({ refuse: z.boolean() });

export async function judge(world: World, orders: readonly TaskOrder[]): Promise<Verdict> {
  const end = Date.now() + END_MS;
  const views = new Map<string, ProcessView | undefined>();
  const queue = [...orders];
  await Promise.all(
    Array.from({ length: LOOKS_AT_ONCE }, async () => {
      for (let order = queue.shift(); order !== undefined; order = queue.shift())
        views.set(order.id, await world.client.ended(order.id, end));
    }),
  );
  const lost: string[] = [];
  const doubled: string[] = [];
  const wrong: string[] = [];
  const gaveUp: string[] = [];
  const endMs: number[] = [];
  const failed = new Set<string>();
  let slowest: ProcessView | undefined;
  for (const order of orders) {
    const view = views.get(order.id);
    if (view?.outcome === undefined) {
      lost.push(`${order.id}: ${JSON.stringify(view)?.slice(0, 1_500) ?? "unknown to the system"}`);
      continue;
    }
    endMs.push(tookMs(view));
    if (slowest === undefined || tookMs(view) > tookMs(slowest)) slowest = view;
    if (view.outcome.status === "failed") failed.add(order.id);
    doubled.push(...twice(world, order.id));
    if (hasGivenUp(order, view)) gaveUp.push(order.id);
    wrong.push(...wrongOf(world, order, view));
    if ((await outcomesInJournal(world, order.id)) !== 1) doubled.push(`${order.id}: the journal does not hold one outcome`);
  }
  wrong.push(...(await missingLetters(world, failed)));
  const entries = [...world.ledger.entries.values()];
  return {
    total: orders.length,
    completed: orders.length - failed.size - lost.length,
    failed: failed.size,
    lost,
    doubled,
    gaveUp,
    wrong,
    endMs,
    again: entries.filter((entry) => entry.applyCalls > 1).length,
    late: entries.reduce((sum, entry) => sum + entry.lateCalls, 0),
    slowest:
      slowest === undefined
        ? ""
        : `${slowest.id}: ` +
          `${slowest.history.map((line) => `${line.what} ${line.stop} ${line.atMs - (slowest.acceptedAtMs ?? 0)}`).join(", ")}`,
  };
}

function tookMs(view: ProcessView): number {
  return (view.outcome?.atMs ?? Number.NaN) - (view.acceptedAtMs ?? 0);
}

/** One effect under two keys has happened twice. */
function twice(world: World, id: string): string[] {
  const entries = world.ledger.of(id);
  const names = entries.map((entry) => entry.effect);
  return names
    .filter((name, index) => names.indexOf(name) !== index)
    .map(
      (name) =>
        `${id}: ${name} under ${entries
          .filter((entry) => entry.effect === name)
          .map((entry) => entry.key)
          .join(" and ")}`,
    );
}

function hasGivenUp(order: TaskOrder, view: ProcessView): boolean {
  return !Input.parse(order.input).refuse && view.outcome?.status === "failed" && view.outcome.fault?.code === "stop.timeout";
}

function wrongOf(world: World, order: TaskOrder, view: ProcessView): string[] {
  const { refuse } = Input.parse(order.input);
  const status = view.outcome?.status;
  const entries = world.ledger.of(order.id);
  const wrong: string[] = [];
  const say = (text: string): void => {
    wrong.push(
      `${order.id} (${String(status)}): ${text} ` +
        `${JSON.stringify({ fault: view.outcome?.fault, entries, history: view.history }).slice(0, 3_000)}`,
    );
  };
  if (status !== (refuse ? "failed" : "completed") && !hasGivenUp(order, view)) say(`it should be ${refuse ? "failed" : "completed"};`);
  for (const text of effectsOf(entries, status === "completed")) say(text);
  return wrong;
}

function effectsOf(entries: readonly Entry[], completed: boolean): string[] {
  if (!completed) return entries.filter((entry) => entry.applied && !entry.undone).map((entry) => `${entry.effect} was not undone;`);
  const missing = EFFECTS.filter((effect) => !entries.some((entry) => entry.effect === effect && entry.applied));
  return [
    ...missing.map((effect) => `${effect} is missing;`),
    ...entries.filter((entry) => entry.undone).map((entry) => `${entry.effect} was undone;`),
  ];
}

/** What is wrong with the effects of one process of the route `party`, or of any process that had to be compensated. */
export function effectsWrong(world: World, id: string, completed: boolean): string[] {
  return [...twice(world, id), ...effectsOf(world.ledger.of(id), completed)];
}

async function missingLetters(world: World, failed: ReadonlySet<string>): Promise<string[]> {
  const end = Date.now() + LETTERS_MS;
  for (;;) {
    const letters = await world.client.letters().catch(() => new Set<string>());
    const missing = [...failed].filter((id) => !letters.has(`${id}:1`) && !letters.has(`${id}:2`));
    if (missing.length === 0) return [];
    if (Date.now() > end) return missing.map((id) => `${id}: no dead letter`);
    await sleep(LETTERS_POLL_MS);
  }
}

/** Counts outcomes in the stored records, without the code that wrote them. */
export async function outcomesInJournal(world: World, id: string): Promise<number> {
  return (await recordsOf(world, id)).reduce((sum, record) => sum + record.split('{"e":"ended"').length - 1, 0);
}

/** The stored records of a process. */
export async function recordsOf(world: World, id: string): Promise<string[]> {
  const records: string[] = [];
  for (let sequence = 1; ; sequence += 1) {
    const record = await readRecord(world, `live/live.ProcessManager/${id}/${sequence}`);
    if (record === undefined) return records;
    records.push(record);
  }
}

async function readRecord(world: World, key: string): Promise<string | undefined> {
  for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt += 1) {
    const answer = await fetch(`http://127.0.0.1:${world.host.daprPort}/v1.0/state/statestore/${encodeURIComponent(key)}`).catch(
      () => undefined,
    );
    if (answer?.status === 204) return undefined;
    if (answer?.status === 200) return String(await answer.json());
    await sleep(LETTERS_POLL_MS);
  }
  throw new Error(`${key} could not be read`);
}

/** The figures of a storm, as they are reported. */
export function report(name: string, kills: readonly Kill[], verdict: Verdict): void {
  const count = (values: readonly string[]): string => {
    const counts = new Map<string, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    return [...counts].map(([value, times]) => `${value} ${times}`).join(", ");
  };
  const inFlight = kills.filter((kill) => kill.turnOpen || kill.effectOpen).length;
  print(`${name}: ${kills.length} kills by part: ${count(kills.map((kill) => kill.part))}`);
  print(`${name}: by phase: ${count(kills.map((kill) => kill.phase))}; with a turn or effect in flight ${inFlight}`);
  print(
    `${name}: ${verdict.total} processes: completed ${verdict.completed}, failed ${verdict.failed}, lost ` +
      `${verdict.lost.length}, applied twice ${verdict.doubled.length}, wrong ${verdict.wrong.length}; of the ` +
      `failed ${verdict.gaveUp.length} had used up their own time`,
  );
  print(`${name}: keys called more than once ${verdict.again}, calls after the undo refused by the ledger ${verdict.late}`);
  print(
    `${name}: time to the end p50 ${percentile(verdict.endMs, 0.5)} ms, p99 ` +
      `${percentile(verdict.endMs, 0.99)} ms, max ${percentile(verdict.endMs, 1)} ms`,
  );
  print(`${name}: slowest ${verdict.slowest}`);
  for (const line of [...verdict.lost, ...verdict.doubled, ...verdict.wrong].slice(0, 10)) print(`  ${line}`);
}
