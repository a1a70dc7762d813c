/**
 * @module Measures recovery: from the first 200 of /healthz after a `kill -9` of the app to the next step of each process that it stopped.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessView } from "../../runtime/process-view.ts";
import type { TaskOrder } from "./client.ts";
import type { World } from "./world.ts";

/** Tasks of one round, and how they are spread: some stop in a handler, some in a turn, some between two stops. */
const PARTIES = 8;
const NAPS = 4;
const NAP_MS = 400;
const SPREAD_MS = 40;
const DOWN_MS = 300;
const END_MS = 60_000;
export const SLOW_MS = 5_000;

export interface Recovery {
  /** Milliseconds from the first 200 to the next step, one for each stopped process. */
  readonly nextStepMs: number[];
  readonly notEnded: string[];
  /** Those that took longer than {@link SLOW_MS}, with their milliseconds. */
  readonly slow: string[];
  /** The slowest: its history, in milliseconds from the first 200. */
  slowest: string;
}

export async function measureRecovery(world: World, rounds: number, random: () => number): Promise<Recovery> {
  const recovery: Recovery = { nextStepMs: [], notEnded: [], slow: [], slowest: "" };
  for (let round = 0; round < rounds; round += 1) await oneRound(world, `r${round}`, random, recovery);
  return recovery;
}

async function oneRound(world: World, prefix: string, random: () => number, recovery: Recovery): Promise<void> {
  const orders: TaskOrder[] = [];
  const submissions: Promise<void>[] = [];
  for (let index = 0; index < PARTIES + NAPS; index += 1) {
    const input = index < PARTIES ? { n: index, shelf: `s${index % 4}`, refuse: index % 4 === 3 } : { attempts: 1, ms: NAP_MS };
    const order = { id: `${prefix}-${index}`, route: index < PARTIES ? "party" : "nap", input };
    orders.push(order);
    submissions.push(world.client.submit(order));
    await sleep(random() * SPREAD_MS);
  }
  const killedMs = Date.now();
  await world.host.killApp();
  await sleep(DOWN_MS);
  world.host.startApp();
  const healthyMs = await world.host.healthy();
  await Promise.all(submissions);
  for (const order of orders) {
    const view = await world.client.ended(order.id, Date.now() + END_MS);
    if (view?.outcome === undefined) recovery.notEnded.push(`${order.id} ${JSON.stringify(view)}`);
    else if (view.acceptedAtMs !== undefined && view.acceptedAtMs < killedMs && view.outcome.atMs > killedMs) {
      const ms = Math.max(0, nextStepMs(view, killedMs) - healthyMs);
      if (ms > Math.max(...recovery.nextStepMs, 0))
        recovery.slowest = `${order.id}: ${view.history.map((line) => `${line.what} ${line.stop} ${line.atMs - healthyMs}`).join(", ")}`;
      recovery.nextStepMs.push(ms);
      if (ms > SLOW_MS) recovery.slow.push(`${order.id} ${ms}`);
    }
  }
}

/** The first line of the history after the kill. */
function nextStepMs(view: ProcessView, killedMs: number): number {
  return view.history.reduce(
    (first, line) => (line.atMs > killedMs ? Math.min(first, line.atMs) : first),
    view.outcome?.atMs ?? Number.POSITIVE_INFINITY,
  );
}
