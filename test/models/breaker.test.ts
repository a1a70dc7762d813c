/** @module Breakers on a driven clock: they open, let one call through, and close or stay open. */
import { describe, expect, it } from "vitest";
import { Breaker } from "../../actors/engine/breaker.ts";
import { Fault } from "../../agents/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { HandClock } from "../actors/engine-rig.ts";
import { DOWN, GatewayRig } from "./gateway-rig.ts";

async function failAll(rig: GatewayRig, gateway: ReturnType<GatewayRig["host"]>, fault: () => Fault = DOWN): Promise<void> {
  for (let count = 0; count < LIMITS.breakerCallsMin; count += 1) {
    void rig.attempt(gateway);
    await rig.settle();
    rig.open[0]?.fail(fault());
    await rig.settle();
  }
}

describe("the breaker of an endpoint", () => {
  it("opens when most calls fail; then nothing is sent until its pause is over", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a")] });
    await failAll(rig, gateway);
    expect(gateway.view[0]?.endpoints[0]?.breaker).toBe("open");
    await rig.pass(1_000);
    expect(await rig.attempt(gateway)).toMatchObject({
      code: "model.unavailable",
      retryAfterMs: LIMITS.breakerPauseMs - 1_000,
      details: { sent: false },
    });
    expect(rig.open).toEqual([]);
  });

  it("lets one call through; the others wait for its end, and go on with it", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a")] });
    await failAll(rig, gateway);
    await rig.pass(LIMITS.breakerPauseMs);
    const all = [1, 2, 3].map(() => rig.attempt(gateway));
    await rig.settle();
    expect(rig.open).toHaveLength(1);
    expect(gateway.view[0]).toMatchObject({ waiting: 2, endpoints: [{ breaker: "half-open" }] });
    rig.open[0]?.succeed();
    await rig.settle();
    expect(rig.open).toHaveLength(2);
    for (const one of [...rig.open]) one.succeed();
    expect((await Promise.all(all)).map((got) => got instanceof Fault)).toEqual([false, false, false]);
    expect(gateway.view[0]?.endpoints[0]?.breaker).toBe("closed");
  });

  it("stays open for twice as long if that call fails, and refuses those that waited for it", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a")] });
    await failAll(rig, gateway);
    await rig.pass(LIMITS.breakerPauseMs);
    const [first, second] = [rig.attempt(gateway), rig.attempt(gateway)];
    await rig.settle();
    rig.open[0]?.fail(DOWN());
    expect(await first).toMatchObject({ message: "down" });
    expect(await second).toMatchObject({ code: "model.unavailable", retryAfterMs: 2 * LIMITS.breakerPauseMs, details: { sent: false } });
    await rig.pass(2 * LIMITS.breakerPauseMs - 1);
    expect(await rig.attempt(gateway)).toMatchObject({ details: { sent: false } });
    await rig.pass(1);
    void rig.attempt(gateway);
    await rig.settle();
    expect(rig.open).toHaveLength(1);
  });

  it("sends calls to the endpoints that answer", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a"), rig.endpoint("b", { weight: 0 })] });
    await failAll(rig, gateway);
    void rig.attempt(gateway);
    await rig.settle();
    expect(rig.open.map(({ endpoint }) => endpoint)).toEqual(["b"]);
  });

  it.each(["model.rate-limited", "model.rejected", "model.quota", "model.context-length", "model.filtered"] as const)(
    "does not open for %s, which is an answer",
    async (code) => {
      const rig = new GatewayRig();
      const gateway = rig.host({ m: [rig.endpoint("a")] });
      for (let round = 0; round < 4; round += 1) await failAll(rig, gateway, () => new Fault(code, "an answer"));
      expect(gateway.view[0]?.endpoints[0]?.breaker).toBe("closed");
    },
  );

  it("does not open for calls that their work items cancelled", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a")] });
    for (let count = 0; count < 2 * LIMITS.breakerCalls; count += 1) {
      const controller = new AbortController();
      const got = rig.attempt(gateway, { signal: controller.signal });
      await rig.settle();
      controller.abort();
      await got;
    }
    expect(gateway.view[0]?.endpoints[0]?.breaker).toBe("closed");
  });
});

const down = (): Promise<never> => Promise.reject(new Error("down"));

describe("a breaker by itself", () => {
  it("never pauses for longer than its maximum", async () => {
    const clock = new HandClock();
    const breaker = new Breaker({ clock });
    const fail = (): Promise<unknown> => breaker.run(down, () => "failed").catch((error: unknown) => error);
    for (let count = 0; count < LIMITS.breakerCallsMin; count += 1) await fail();
    const pauses: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      pauses.push(breaker.freeAtMs - clock.nowMs());
      await clock.advance(breaker.freeAtMs - clock.nowMs());
      await fail();
    }
    expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 60_000]);
  });

  it.each([
    ["answered", "closed"],
    ["unknown", "open"],
    ["failed", "open"],
  ] as const)("after a call that is let through and ends as %s, it is %s", async (verdict, state) => {
    const clock = new HandClock();
    const breaker = new Breaker({ clock });
    for (let count = 0; count < LIMITS.breakerCallsMin; count += 1) await breaker.run(down, () => "failed").catch(() => {});
    await clock.advance(LIMITS.breakerPauseMs);
    await expect(breaker.run(down, () => verdict)).rejects.toThrow("down");
    expect(breaker.state).toBe(state);
  });

  it("counts the last calls only", async () => {
    const breaker = new Breaker({ clock: new HandClock() });
    for (let count = 0; count < LIMITS.breakerCalls; count += 1) {
      await breaker.run(
        async () => 1,
        () => "failed",
      );
      await breaker.run(down, () => "failed").catch(() => {});
    }
    expect(breaker.state).toBe("closed");
    for (let count = 0; count < 2; count += 1) await breaker.run(down, () => "failed").catch(() => {});
    expect(breaker.state).toBe("open");
  });
});
