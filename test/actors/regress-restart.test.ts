/**
 * @module A host that comes back with its own listener identity: open requests are sent again at once, and its earlier work is taken over
 * at once.
 */
import { describe, expect, test } from "vitest";
import { Host } from "../../actors/host/host.ts";
import { LocalWorld, SkippingClock } from "../../actors/memory/world.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { listenerOf } from "../../actors/dapr/port-listener.ts";
import { incarnationAt, isGone } from "../../actors/host/listener-identity.ts";
import { systemRandom } from "../../actors/engine/system-clock.ts";
import { SystemOperations } from "../../actors/operations/system-operations.ts";
import { bookingSystem } from "../live/booking.ts";

const ROUNDS_MAX = 200;

interface Life {
  readonly host: Host;
  readonly operations: SystemOperations;
  readonly calls: string[];
}

/** One life of a host over a store that outlives it. Its effects never answer when `stuck`. */
function live(store: MemoryStore, listener: string, stuck: boolean): Life {
  const calls: string[] = [];
  const outside = {
    call: (_what: string, effect: string) => (calls.push(effect), stuck ? new Promise<void>(() => {}) : Promise.resolve()),
  };
  const system = bookingSystem(outside);
  const world = new LocalWorld({ clock: new SkippingClock(Date.now()), store, random: systemRandom });
  const host = new Host({ system, ports: world.ports, log: SILENT, listener });
  world.attach(host);
  return { host, operations: new SystemOperations({ system, ports: world.ports, host, newId: () => "one" }), calls };
}

async function rounds(until: () => boolean): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX && !until(); round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

const task = { id: "one", route: "party", input: { n: 1, shelf: "s", refuse: false } };
const caller = { principal: { subject: "test", tenant: "default", permissions: [] } };
const manager = { type: "live.ProcessManager", id: "one" };

describe("a host that comes back", () => {
  test(
    "takes over at once what a dead host of its listener ran, though its request is younger than a resend " + "and no heartbeat was missed",
    async () => {
      const store = new MemoryStore();
      const dead = live(store, "listener", true);
      await dead.operations.submit(task, caller, 0);
      await rounds(() => dead.calls.length === 2);
      const back = live(store, "listener", false);
      await back.host.nudge(manager, undefined);
      // No timer is ever fired in this world: nothing here waits for time.
      await rounds(() => back.calls.length === 5);
      expect(back.calls.toSorted()).toEqual(["deposit", "pay", "quote", "seat", "shelf"]);
    },
  );

  test("leaves work of another listener alone until heartbeats are missed", async () => {
    const store = new MemoryStore();
    const alive = live(store, "elsewhere", true);
    await alive.operations.submit(task, caller, 0);
    await rounds(() => alive.calls.length === 2);
    const other = live(store, "listener", false);
    await other.host.nudge(manager, undefined);
    await rounds(() => other.calls.length > 0);
    expect(other.calls).toEqual([]);
  });
});

describe("a listener", () => {
  test("is that of a port, and none for a port that is not chosen yet", () => {
    expect(listenerOf("127.0.0.1", 0)).toBeUndefined();
    const listeners = [listenerOf("127.0.0.1", 3_000), listenerOf("127.0.0.1", 3_001)];
    if (process.platform === "linux") expect(new Set(listeners).size).toBe(2);
    expect(listenerOf("127.0.0.1", 3_000)).toBe(listeners[0]);
  });

  test("tells only of other incarnations in the same listener that they are gone", () => {
    expect(isGone(incarnationAt("a", "1"), incarnationAt("a", "2"))).toBe(true);
    expect(isGone(incarnationAt("a", "1"), incarnationAt("a", "1"))).toBe(false);
    expect(isGone(incarnationAt("a", "1"), incarnationAt("b", "2"))).toBe(false);
    expect(isGone(incarnationAt(undefined, "1"), incarnationAt(undefined, "2"))).toBe(false);
    expect(isGone("", incarnationAt("a", "2"))).toBe(false);
  });
});
