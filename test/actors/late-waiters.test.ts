/** @module The waits of callers alone: woken by this host's record, by looking, or by time; over a clock that the test drives. */
import { describe, expect, test } from "vitest";
import type { OutcomeView } from "../../actors/operations/operations.ts";
import { Waiters } from "../../actors/operations/waiters.ts";
import { flush, HandClock } from "./engine-rig.ts";

const ENDED: OutcomeView = { id: "p", status: "completed", output: 1, traceId: "a".repeat(32), acceptedAtMs: 1, endedAtMs: 2 };

/** Waiters over a process that ends elsewhere when the test says so, and the waited time at each look. */
function rig(elsewhere: () => OutcomeView | undefined = () => undefined): {
  readonly clock: HandClock;
  readonly waiters: Waiters;
  readonly looks: [string, number][];
} {
  const clock = new HandClock();
  const looks: [string, number][] = [];
  const waiters = new Waiters(clock, async (id, waitedMs) => {
    looks.push([id, waitedMs]);
    return elsewhere();
  });
  return { clock, waiters, looks };
}

describe("a process that ends on this host", () => {
  test("wakes every caller that waits for it at once, in no time and without a look", async () => {
    const { clock, waiters, looks } = rig();
    const waits = [waiters.wait("p", 60_000), waiters.wait("p", 10)];
    let made = 0;
    await waiters.wake("p", async () => {
      made += 1;
      return ENDED;
    });
    expect(await Promise.all(waits.map(({ outcome }) => outcome))).toEqual([ENDED, ENDED]);
    expect([made, looks.length, clock.pending, clock.nowMs()]).toEqual([1, 0, 0, 1_000_000]);
  });

  test("does not wake callers of another process, and its outcome is not even created", async () => {
    const { clock, waiters } = rig();
    const { outcome } = waiters.wait("q", 50);
    await waiters.wake("p", () => Promise.reject(new Error("no caller waits")));
    await clock.advance(50);
    expect(await outcome).toBeUndefined();
  });

  test("is found by looking when its outcome could not be made", async () => {
    const { clock, waiters } = rig(() => ENDED);
    const { outcome } = waiters.wait("p", 60_000);
    await expect(waiters.wake("p", () => Promise.reject(new Error("a value is missing")))).rejects.toThrow("a value is missing");
    await clock.advance(100);
    expect(await outcome).toEqual(ENDED);
  });
});

describe("a process that is elsewhere", () => {
  test("is looked at after 100 ms, then in pauses that double up to 2 s, until it has ended", async () => {
    let found: OutcomeView | undefined;
    const { clock, waiters, looks } = rig(() => found);
    const { outcome } = waiters.wait("p", 60_000);
    await clock.advance(99);
    expect(looks).toEqual([]);
    await clock.advance(7_001);
    expect(looks.map(([, waitedMs]) => waitedMs)).toEqual([100, 300, 700, 1_500, 3_100, 5_100, 7_100]);
    found = ENDED;
    await clock.advance(2_000);
    expect(await outcome).toEqual(ENDED);
    expect(looks.at(-1)).toEqual(["p", 9_100]);
    await clock.advance(60_000);
    expect(looks).toHaveLength(8);
  });

  test("a look that fails is one that found nothing", async () => {
    let failures = 2;
    const { clock, waiters } = rig(() => {
      if ((failures -= 1) >= 0) throw new Error("the sidecar is silent");
      return ENDED;
    });
    const { outcome } = waiters.wait("p", 60_000);
    await clock.advance(700);
    expect(await outcome).toEqual(ENDED);
  });
});

describe("time up", () => {
  test("gives undefined at that moment, after a last look", async () => {
    const { clock, waiters, looks } = rig();
    const { outcome } = waiters.wait("p", 250);
    let settled = false;
    void outcome.then(() => (settled = true));
    await clock.advance(249);
    expect(settled).toBe(false);
    await clock.advance(1);
    expect(await outcome).toBeUndefined();
    expect(looks).toEqual([
      ["p", 100],
      ["p", 250],
    ]);
    expect(clock.pending).toBe(0);
  });

  test("what ended elsewhere just before it is still found", async () => {
    let found: OutcomeView | undefined;
    const { clock, waiters } = rig(() => found);
    const { outcome } = waiters.wait("p", 250);
    await clock.advance(200);
    found = ENDED;
    await clock.advance(50);
    expect(await outcome).toEqual(ENDED);
  });

  test("a wait of no time looks at nothing", async () => {
    const { waiters, looks, clock } = rig(() => ENDED);
    expect(await waiters.wait("p", 0).outcome).toBeUndefined();
    expect([looks.length, clock.pending]).toEqual([0, 0]);
  });
});

describe("a caller that no longer waits", () => {
  test("releases its timer at once, looks no more, and has undefined", async () => {
    const { clock, waiters, looks } = rig(() => ENDED);
    const { outcome, end } = waiters.wait("p", 60_000);
    expect(clock.pending).toBe(1);
    end();
    expect(clock.pending).toBe(0);
    expect(await outcome).toBeUndefined();
    await clock.advance(60_000);
    expect(looks).toEqual([]);
  });

  test("is not informed of the end, and its outcome is not created unless others wait", async () => {
    const { waiters } = rig();
    const gone = waiters.wait("p", 60_000);
    const stays = waiters.wait("p", 60_000);
    gone.end();
    gone.end();
    await waiters.wake("p", async () => ENDED);
    expect(await gone.outcome).toBeUndefined();
    expect(await stays.outcome).toEqual(ENDED);
    stays.end();
    let made = 0;
    await waiters.wake("p", async () => {
      made += 1;
      return ENDED;
    });
    expect(made).toBe(0);
  });

  test("that left in the midst of a look waits for no further one", async () => {
    const clock = new HandClock();
    let looks = 0;
    const waiters = new Waiters(clock, () => {
      looks += 1;
      return new Promise((resolve) => void clock.after(10, () => resolve(undefined)));
    });
    const { outcome, end } = waiters.wait("p", 60_000);
    await clock.advance(105);
    end();
    await clock.advance(10);
    expect(await outcome).toBeUndefined();
    await clock.advance(10_000);
    await flush();
    expect([looks, clock.pending]).toEqual([1, 0]);
  });
});
