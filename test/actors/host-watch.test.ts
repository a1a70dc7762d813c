/** @module Which hosts live, by their leases in one store and a clock that the test drives. */
import { describe, expect, test } from "vitest";
import { SILENT } from "../../actors/engine/log.ts";
import { StoreLeases } from "../../actors/engine/store-leases.ts";
import { HostWatch } from "../../actors/host/host-watch.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush, HandClock } from "./engine-rig.ts";

class Hosts {
  readonly clock = new HandClock();
  readonly store = new MemoryStore();

  /** A host whose watch runs, and what it heard. */
  async join(incarnation: string, store = this.store): Promise<{ watch: HostWatch; deaths: string[]; returns: () => number }> {
    const watch = this.make(incarnation, store);
    const deaths: string[] = [];
    let returns = 0;
    watch.onDeath((one) => void deaths.push(one));
    watch.onReturn(() => void (returns += 1));
    watch.start();
    await flush();
    return { watch, deaths, returns: () => returns };
  }

  make(incarnation: string, store = this.store): HostWatch {
    return new HostWatch({ incarnation, leases: new StoreLeases(store, "sys"), clock: this.clock, log: SILENT });
  }
}

describe("the leases of hosts", () => {
  test("a host whose lease stops is dead after 3 s, and is told once; until then it is alive", async () => {
    const hosts = new Hosts();
    const one = await hosts.join("one");
    const two = await hosts.join("two");
    await hosts.clock.advance(10_000);
    expect([one.watch.isAlive("two"), two.watch.isAlive("one"), one.watch.isHeld]).toEqual([true, true, true]);
    two.watch.stop();
    await hosts.clock.advance(LIMITS.hostDeadMs - LIMITS.hostLeaseMs);
    expect([one.watch.isAlive("two"), one.deaths]).toEqual([true, []]);
    await hosts.clock.advance(2 * LIMITS.hostLeaseMs);
    expect([one.watch.isAlive("two"), one.deaths]).toEqual([false, ["two"]]);
    await hosts.clock.advance(10_000);
    expect(one.deaths).toEqual(["two"]);
    expect(hosts.store.keys("sys/host/")).toEqual(["sys/host/one"]);
  });

  test("it is known when each lease was renewed last, also while the store is away", async () => {
    const hosts = new Hosts();
    const one = await hosts.join("one");
    const two = await hosts.join("two");
    await hosts.clock.advance(10 * LIMITS.hostLeaseMs);
    two.watch.stop();
    const stoppedAtMs = hosts.clock.nowMs();
    await hosts.clock.advance(LIMITS.hostLeaseMs);
    const [known] = one.watch.others;
    expect(known).toMatchObject({ incarnation: "two", alive: true });
    expect(stoppedAtMs - (known?.renewedAtMs ?? 0)).toBeLessThanOrEqual(LIMITS.hostLeaseMs);
    expect(one.watch.renewedAtMs).toBe(hosts.clock.nowMs());
    expect(hosts.make("three").renewedAtMs).toBeUndefined();
  });

  test("a host that leaves is gone at the next look of the others", async () => {
    const hosts = new Hosts();
    const one = await hosts.join("one");
    const two = await hosts.join("two");
    await hosts.clock.advance(2_000);
    await two.watch.leave();
    await hosts.clock.advance(LIMITS.hostLeaseMs);
    expect([one.watch.isAlive("two"), one.deaths]).toEqual([false, ["two"]]);
  });

  test("a store that is away makes no host dead, and each host is told when its lease is back", async () => {
    const hosts = new Hosts();
    const one = await hosts.join("one");
    const two = await hosts.join("two");
    await hosts.clock.advance(5_000);
    hosts.store.setAvailable(false);
    await hosts.clock.advance(60_000);
    expect([one.watch.isAlive("two"), one.watch.isHeld, one.returns()]).toEqual([true, false, 0]);
    hosts.store.setAvailable(true);
    await hosts.clock.advance(10_000);
    expect([one.deaths, two.deaths, one.returns(), two.returns(), one.watch.isHeld]).toEqual([[], [], 1, 1, true]);
  });

  test("a host that slept finds no other dead when it wakes, and is alive again for the others", async () => {
    const hosts = new Hosts();
    const one = await hosts.join("one");
    const sleeper = new MemoryStore();
    let isAsleep = false;
    const waking: (() => void)[] = [];
    const pausing = new Proxy(sleeper, {
      get: (_target, name: keyof MemoryStore) => async (keys: readonly string[], text: string, tag: string) => {
        if (isAsleep) await new Promise<void>((resolve) => void waking.push(resolve));
        return (hosts.store[name] as unknown as (...args: unknown[]) => Promise<unknown>).call(hosts.store, keys, text, tag);
      },
    });
    const two = await hosts.join("two", pausing);
    await hosts.clock.advance(5_000);
    isAsleep = true;
    await hosts.clock.advance(20_000);
    expect([one.deaths, one.watch.isAlive("two")]).toEqual([["two"], false]);
    isAsleep = false;
    for (const wake of waking) wake();
    await hosts.clock.advance(3_000);
    expect([two.deaths, two.returns(), one.watch.isAlive("two"), two.watch.isAlive("one")]).toEqual([[], 1, true, true]);
  });

  test("a dead host that is in the list again has come back, also if its lease is read as it was, and dies again", async () => {
    const clock = new HandClock();
    const members = new Set(["two"]);
    const deaths: string[] = [];
    const watch = new HostWatch({
      ...{ incarnation: "one", clock, log: SILENT },
      leases: {
        renew: async () => {},
        // What is read of its lease never changes.
        read: async (incarnations) => new Map(incarnations.map((one) => [one, 7])),
        members: async () => [...members],
        change: async (added, removed) => {
          for (const one of added) members.add(one);
          for (const one of removed) members.delete(one);
        },
      },
    });
    watch.onDeath((one) => void deaths.push(one));
    void watch.start();
    await clock.advance(3 * LIMITS.hostDeadMs);
    expect([deaths, watch.isAlive("two"), [...members]]).toEqual([["two"], false, ["one"]]);
    members.add("two");
    await clock.advance(LIMITS.hostLeaseMs);
    expect(watch.isAlive("two")).toBe(true);
    await clock.advance(3 * LIMITS.hostDeadMs);
    expect([deaths, watch.isAlive("two"), [...members]]).toEqual([["two", "two"], false, ["one"]]);
    watch.stop();
  });

  test("a host that was never listed counts as alive until its lease has been missing for 3 s", async () => {
    const hosts = new Hosts();
    const one = await hosts.join("one");
    await hosts.clock.advance(60_000);
    expect(one.watch.isAlive("old")).toBe(true);
    await hosts.clock.advance(LIMITS.hostDeadMs + 2 * LIMITS.hostLeaseMs);
    expect([one.watch.isAlive("old"), one.deaths]).toEqual([false, ["old"]]);
  });

  test("a host that starts on the port of an earlier one knows at once that the earlier one is gone", async () => {
    const hosts = new Hosts();
    const earlier = await hosts.join("port~1");
    earlier.watch.stop();
    const next = await hosts.join("port~2");
    expect([next.deaths, next.watch.isAlive("port~1")]).toEqual([["port~1"], false]);
    await hosts.clock.advance(2_000);
    expect(hosts.store.keys("sys/host/")).toEqual(["sys/host/port~2"]);
  });

  test("a list that was lost makes no host dead whose lease is renewed", async () => {
    const hosts = new Hosts();
    const one = await hosts.join("one");
    const two = await hosts.join("two");
    await hosts.clock.advance(5_000);
    hosts.store.drop("sys/hosts");
    await hosts.clock.advance(10_000);
    expect([one.deaths, two.deaths]).toEqual([[], []]);
    two.watch.stop();
    await hosts.clock.advance(5_000);
    expect(one.deaths).toEqual(["two"]);
  });
});
