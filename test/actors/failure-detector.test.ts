/** @module The failure detector, alone over a clock that the test controls. */
import { describe, expect, test } from "vitest";
import { FailureDetector } from "../../actors/host/failure-detector.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { HandClock } from "./engine-rig.ts";

describe("law: three missed heartbeats allow a takeover", () => {
  const SILENCE = LIMITS.heartbeatMs * LIMITS.heartbeatsMissedMax;

  function watching(): {
    readonly clock: HandClock;
    readonly leases: FailureDetector;
    readonly lost: string[];
    watch(token: string): void;
  } {
    const clock = new HandClock();
    const leases = new FailureDetector(clock);
    const lost: string[] = [];
    return { clock, leases, lost, watch: (token) => leases.watch("a/w", token, () => lost.push(token)) };
  }

  test("three missed heartbeats are a loss, reported once, and not a millisecond early", async () => {
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
    const { clock, leases, lost, watch } = watching();
    watch("t");
    leases.heard("a/w", { workId: "w", token: "stale", state: "running" });
    leases.heard("other", { workId: "w", token: "t", state: "running" });
    await clock.advance(SILENCE);
    expect(lost).toEqual(["t"]);
    watch("t");
    leases.heard("a/w", { workId: "w", token: "t", state: "running" });
    await clock.advance(10 * SILENCE);
    expect(lost).toEqual(["t"]);
    expect(clock.pending).toBe(0);
  });

  test("a stopping host ends all its watches", async () => {
    const { clock, leases, lost, watch } = watching();
    watch("t");
    leases.endAll();
    await clock.advance(10 * SILENCE);
    expect(lost).toEqual([]);
  });
});
