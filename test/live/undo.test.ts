/**
 * @module The undo of a work item with 20 calls, whose app is killed with kill -9 at its records: before odd ones, after even ones. A new
 * app continues each time. `LIVE_ROUNDS=20` kills at every record.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/index.ts";
import { BASKET_CALLS } from "./booking.ts";
import { type UndoKill, undoKillsIn } from "./hooks.ts";
import type { LiveHost } from "./host.ts";
import { print, seedOfRun } from "./random.ts";
import { outcomesInJournal } from "./verdict.ts";
import { World } from "./world.ts";

const ROUNDS = 6;
const rounds = Math.min(BASKET_CALLS, Number(process.env["LIVE_ROUNDS"] ?? ROUNDS));
const ROUND_MS = 40_000;
const TEST_MS = 120_000 + rounds * ROUND_MS;
/** A bound for a busy machine: a kill and the end of the process come much earlier. */
const WAIT_MS = 120_000;
const POLL_MS = 20;
const ID = "basket";

const able = (await findDapr()) !== undefined;
if (!able) print("skip: no Dapr programs, run `npm start -- doctor --install`");

/** The records at which the app is killed: the first, the last, and others evenly between them. Record n is that of the nth undo. */
function recordsToKillAt(): readonly number[] {
  return Array.from({ length: rounds }, (_, n) => 1 + Math.round((n * (BASKET_CALLS - 1)) / Math.max(1, rounds - 1)));
}

function whenOf(record: number): UndoKill["when"] {
  return record % 2 === 1 ? "before" : "after";
}

/** Submits the task to an app that dies at the first of these records, then starts one that dies at the next, and so on. */
async function killAtEach({ host, client }: World, records: readonly number[]): Promise<void> {
  let stored = 0;
  await host.killApp();
  for (const record of records) {
    const when = whenOf(record);
    const order: UndoKill = { when, nth: record - stored };
    host.startApp({ LIVE_UNDO_KILL: JSON.stringify(order) });
    const died = death(host, order);
    // The receipt may be lost with the app: then its death at a record of the task says that the task was accepted.
    if (stored === 0) await Promise.race([client.submit({ id: ID, route: "basket", input: {} }), died]);
    await died;
    stored = when === "before" ? record - 1 : record;
  }
}

async function death(host: LiveHost, order: UndoKill): Promise<void> {
  const end = performance.now() + WAIT_MS;
  while (host.appRunning) {
    if (performance.now() > end) throw new Error(`no record to die at, ${JSON.stringify(order)}:\n${host.log().slice(-4_000)}`);
    await sleep(POLL_MS);
  }
}

/** A key that follows itself is an undo that was made again. */
function withoutRepetitions(keys: readonly string[]): readonly string[] {
  return keys.filter((key, index) => key !== keys[index - 1]);
}

/** Checks what the ledger counted. Returns the executions of the handler, all before the first undo, and the repeated undos. */
function checkLedger({ ledger, host }: World, records: readonly number[]): { readonly executions: number; readonly repetitions: number } {
  const entries = ledger.of(ID);
  expect(entries.map(({ effect }) => effect)).toEqual(Array.from({ length: BASKET_CALLS }, (_, n) => `item ${n + 1}`));
  expect(entries.filter(({ applied, undone, lateCalls }) => !applied || !undone || lateCalls > 0)).toEqual([]);

  const calls = ledger.calls.filter(({ process: of }) => of === ID);
  const firstUndo = calls.findIndex(({ what }) => what === "undo");
  const executions = calls.slice(0, firstUndo).filter(({ what }) => what === "execute").length;
  expect(executions).toBeGreaterThan(0);
  expect(calls.slice(firstUndo).filter(({ what }) => what !== "undo")).toEqual([]);

  const newestFirst = entries.map(({ key }) => key).toReversed();
  expect(withoutRepetitions(calls.slice(firstUndo).map(({ key }) => key))).toEqual(newestFirst);
  const kills = undoKillsIn(host.log());
  expect(kills.map(({ when }) => when)).toEqual(records.map(whenOf));
  for (const [n, { key }] of kills.entries()) expect(newestFirst[(records[n] ?? 0) - 1]).toMatch(new RegExp(`/${key}$`));
  // An undo is repeated where its record was not written, and nowhere else.
  const repeated = newestFirst.flatMap((_key, index) => ((entries.at(-1 - index)?.undoCalls ?? 0) > 1 ? [index + 1] : []));
  expect(repeated).toEqual(records.filter((record) => whenOf(record) === "before"));
  return { executions, repetitions: calls.length - firstUndo - BASKET_CALLS };
}

test.skipIf(!able)("an undo killed at its records continues until every call is undone, newest first", { timeout: TEST_MS }, async () => {
  const seed = seedOfRun();
  const world = await World.start({ profile: "embedded", seed });
  try {
    const records = recordsToKillAt();
    const startedAt = performance.now();
    await killAtEach(world, records);
    world.host.startApp();
    const view = await world.client.ended(ID, Date.now() + WAIT_MS);
    const tookMs = performance.now() - startedAt;
    expect(view?.outcome, JSON.stringify(view)).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
    expect(await outcomesInJournal(world, ID)).toBe(1);
    const { executions, repetitions } = checkLedger(world, records);
    print(
      `undo (seed ${seed}): ${BASKET_CALLS} undos, killed at records ${records.join(", ")} (odd: before the write, even: after it); ` +
        `${repetitions} undos made again, each under its key; ` +
        `executions of the handler: ${executions}, before the first undo; ${(tookMs / 1_000).toFixed(1)} s`,
    );
  } finally {
    await world.stop();
  }
});
