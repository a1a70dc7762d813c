/** @module A host that comes back in its own seat: what was asked is asked again at once, and what ran there is taken over at once. */
import { describe, expect, test } from "vitest";
import { Host } from "../../actors/host.ts";
import { LocalWorld, SkippingClock } from "../../actors/local-world.ts";
import { SILENT } from "../../actors/log.ts";
import { MemoryStore } from "../../actors/memory-store.ts";
import { seatOf } from "../../actors/port-seat.ts";
import { incarnationAt, isGone } from "../../actors/seat.ts";
import { systemChance } from "../../actors/system-clock.ts";
import { SystemOperations } from "../../actors/system-operations.ts";
import { bookingSystem } from "../live/booking.ts";

const ROUNDS_MAX = 200;

interface Life {
  readonly host: Host;
  readonly operations: SystemOperations;
  readonly calls: string[];
}

/** One life of a host over a store that outlives it. Its effects never answer when `stuck`. */
function live(store: MemoryStore, seat: string, stuck: boolean): Life {
  const calls: string[] = [];
  const outside = { call: (_what: string, effect: string) => (calls.push(effect), stuck ? new Promise<void>(() => {}) : Promise.resolve()) };
  const system = bookingSystem(outside);
  const world = new LocalWorld({ clock: new SkippingClock(Date.now()), store, chance: systemChance });
  const host = new Host({ system, ports: world.ports, log: SILENT, seat });
  world.attach(host);
  return { host, operations: new SystemOperations({ system, ports: world.ports, host, newId: () => "one" }), calls };
}

async function rounds(until: () => boolean): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX && !until(); round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

const task = { id: "one", route: "party", input: { n: 1, shelf: "s", refuse: false } };
const caller = { principal: { subject: "test", tenant: "test", permissions: [] } };
const manager = { type: "live.ProcessManager", id: "one" };

describe("a host that comes back", () => {
  test("takes over at once what a dead host of its seat ran, though its request is younger than a resend and no heartbeat was missed", async () => {
    const store = new MemoryStore();
    const dead = live(store, "seat", true);
    await dead.operations.submit(task, caller, 0);
    await rounds(() => dead.calls.length === 2);
    const back = live(store, "seat", false);
    await back.host.nudge(manager);
    // No timer is ever fired in this world: nothing here waits for time.
    await rounds(() => back.calls.length === 5);
    expect(back.calls.toSorted()).toEqual(["deposit", "pay", "quote", "seat", "shelf"]);
  });

  test("leaves work of another seat alone until heartbeats are missed", async () => {
    const store = new MemoryStore();
    const alive = live(store, "elsewhere", true);
    await alive.operations.submit(task, caller, 0);
    await rounds(() => alive.calls.length === 2);
    const other = live(store, "seat", false);
    await other.host.nudge(manager);
    await rounds(() => other.calls.length > 0);
    expect(other.calls).toEqual([]);
  });
});

describe("a seat", () => {
  test("is that of a port, and none for a port that is not chosen yet", () => {
    expect(seatOf("127.0.0.1", 0)).toBeUndefined();
    const seats = [seatOf("127.0.0.1", 3_000), seatOf("127.0.0.1", 3_001)];
    if (process.platform === "linux") expect(new Set(seats).size).toBe(2);
    expect(seatOf("127.0.0.1", 3_000)).toBe(seats[0]);
  });

  test("tells only of other incarnations in the same seat that they are gone", () => {
    expect(isGone(incarnationAt("a", "1"), incarnationAt("a", "2"))).toBe(true);
    expect(isGone(incarnationAt("a", "1"), incarnationAt("a", "1"))).toBe(false);
    expect(isGone(incarnationAt("a", "1"), incarnationAt("b", "2"))).toBe(false);
    expect(isGone(incarnationAt(undefined, "1"), incarnationAt(undefined, "2"))).toBe(false);
    expect(isGone("", incarnationAt("a", "2"))).toBe(false);
  });
});
