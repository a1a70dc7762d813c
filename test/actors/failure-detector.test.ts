/** @module The failure detector, alone over a clock that the test controls and hosts that die when the test says so. */
import { describe, expect, test } from "vitest";
import { FailureDetector } from "../../actors/host/failure-detector.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { HandClock } from "./engine-rig.ts";

const SILENCE = LIMITS.heartbeatMs * LIMITS.heartbeatsMissedMax;

interface Rig {
  readonly clock: HandClock;
  readonly detector: FailureDetector;
  readonly lost: string[];
  watch(token: string, isCancelled?: boolean): void;
  dies(holder: string): void;
}

function watching(): Rig {
  const clock = new HandClock();
  const dead = new Set<string>();
  const callbacks: ((incarnation: string) => void)[] = [];
  const detector = new FailureDetector(clock, {
    isAlive: (incarnation) => !dead.has(incarnation),
    onDeath: (callback) => (callbacks.push(callback), () => undefined),
  });
  const lost: string[] = [];
  return {
    clock,
    detector,
    lost,
    watch: (token, isCancelled = false) => detector.watch("a/w", { token, holder: "other", isCancelled }, () => lost.push(token)),
    dies: (holder) => {
      dead.add(holder);
      for (const callback of callbacks) callback(holder);
    },
  };
}

describe("law: work is lost when its host is dead", () => {
  test("at once, once, and only that of the dead host", async () => {
    const { clock, lost, watch, dies } = watching();
    watch("t");
    dies("another");
    expect(lost).toEqual([]);
    dies("other");
    expect(lost).toEqual(["t"]);
    dies("other");
    await clock.advance(10 * SILENCE);
    expect(lost).toEqual(["t"]);
    expect(clock.pending).toBe(0);
  });

  test("work of a host that is known to be dead is lost as soon as it is watched", () => {
    const { lost, watch, dies } = watching();
    dies("other");
    watch("t");
    expect(lost).toEqual(["t"]);
  });
});

describe("law: three missed heartbeats allow a takeover from a host that lives", () => {
  test("reported once, and not a millisecond early", async () => {
    const { clock, lost, watch } = watching();
    watch("t");
    await clock.advance(SILENCE - 1);
    expect(lost).toEqual([]);
    await clock.advance(1);
    expect(lost).toEqual(["t"]);
    await clock.advance(10 * SILENCE);
    expect(lost).toEqual(["t"]);
  });

  test("watching again under the same token does not begin anew; under another it does", async () => {
    const { clock, lost, watch } = watching();
    watch("t");
    await clock.advance(SILENCE - 1);
    watch("t");
    await clock.advance(1);
    expect(lost).toEqual(["t"]);
    watch("t");
    await clock.advance(SILENCE - 1);
    watch("u");
    await clock.advance(SILENCE - 1);
    expect(lost).toEqual(["t"]);
    await clock.advance(1);
    expect(lost).toEqual(["t", "u"]);
  });

  test("a heartbeat under the token ends the watch; one under another token does not", async () => {
    const { clock, detector, lost, watch } = watching();
    watch("t");
    detector.heard("a/w", { workId: "w", token: "stale", state: "running" });
    detector.heard("other", { workId: "w", token: "t", state: "running" });
    await clock.advance(SILENCE);
    expect(lost).toEqual(["t"]);
    watch("t");
    detector.heard("a/w", { workId: "w", token: "t", state: "running" });
    await clock.advance(10 * SILENCE);
    expect(lost).toEqual(["t"]);
    expect(clock.pending).toBe(0);
  });

  test("heartbeats of work that is to be compensated do not count: it is taken over after its grace", async () => {
    const { clock, detector, lost, watch } = watching();
    watch("t");
    watch("t", true);
    detector.heard("a/w", { workId: "w", token: "t", state: "running" });
    await clock.advance(LIMITS.stopGraceMs);
    expect(lost).toEqual(["t"]);
  });

  test("what the last heartbeat said counts until three are missed, with its age", async () => {
    const { clock, detector } = watching();
    detector.heard("a/w", { workId: "w", token: "t", state: "running", runningMs: 500 });
    await clock.advance(SILENCE - 1);
    expect(detector.status("a/w", "t")).toEqual({ state: "running", runningMs: 500 + SILENCE - 1 });
    expect(detector.status("a/w", "u")).toBeUndefined();
    await clock.advance(1);
    expect(detector.status("a/w", "t")).toBeUndefined();
  });

  test("a stopping host ends all its watches", async () => {
    const { clock, detector, lost, watch } = watching();
    watch("t");
    detector.endAll();
    await clock.advance(10 * SILENCE);
    expect(lost).toEqual([]);
  });
});
