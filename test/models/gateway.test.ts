/** @module The laws of the gateway on a driven clock: choice by weight, one attempt, slots, priorities, rates, rests, time limits. */
import { describe, expect, it } from "vitest";
import { Fault } from "../../agents/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { DOWN, GatewayRig, type Open, TOKENS } from "./gateway-rig.ts";

const MINUTE_MS = 60_000;
const names = (open: readonly Open[]): readonly string[] => open.map(({ endpoint }) => endpoint);
const limited = (retryAfterMs: number): Fault => new Fault("model.rate-limited", "slow down", {}, { retryAfterMs });

describe("the choice of an endpoint", () => {
  it("follows the weights", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a", { weight: 3 }), rig.endpoint("b", { weight: 1 })] });
    for (let count = 0; count < 40; count += 1) void rig.attempt(gateway);
    await rig.settle();
    expect(names(rig.open).filter((name) => name === "a")).toHaveLength(30);
    expect(names(rig.open).slice(0, 4).toSorted()).toEqual(["a", "a", "a", "b"]);
  });

  it("takes an endpoint of weight 0 only if no other one is available", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a", { concurrency: 2 }), rig.endpoint("spare", { weight: 0 })] });
    for (let count = 0; count < 3; count += 1) void rig.attempt(gateway);
    await rig.settle();
    expect(names(rig.open)).toEqual(["a", "a", "spare"]);
  });

  it("passes over an endpoint whose key is missing, and faults if all are missing", async () => {
    const rig = new GatewayRig();
    const missing = (name: string): ReturnType<GatewayRig["endpoint"]> =>
      rig.endpoint(name, {
        connect: () => {
          throw new Fault("model.unknown", `endpoint ${name} has no key`, { sent: false });
        },
      });
    const [first, second] = [missing("first"), missing("second")];
    const gateway = rig.host({ m: [first, rig.endpoint("b")], none: [second] });
    void rig.attempt(gateway);
    await rig.settle();
    expect(names(rig.open)).toEqual(["b"]);
    const got = await rig.attempt(gateway, { model: "none" });
    expect(got).toMatchObject({ code: "model.unknown", message: "endpoint second has no key", details: { sent: false } });
  });

  it("connects a missing endpoint later, when its key is there", async () => {
    const rig = new GatewayRig();
    let tries = 0;
    const late = rig.endpoint("late", {
      connect: () => {
        tries += 1;
        if (tries === 1) throw new Fault("model.unavailable", "the secret store does not answer");
        return { chat: async () => ({ text: "Hello.", calls: [], finish: "stop", model: "m" }) };
      },
    });
    const gateway = rig.host({ m: [late] });
    expect(await rig.attempt(gateway)).toMatchObject({ code: "model.unavailable", details: { sent: false } });
    expect(await rig.attempt(gateway)).toMatchObject({ code: "model.unavailable" });
    expect(tries).toBe(1);
    await rig.pass(LIMITS.connectRetryMs);
    expect(await rig.attempt(gateway)).toMatchObject({ text: "Hello.", endpoint: "late" });
  });

  it("does not wait for an endpoint that is slow to connect if another one is there", async () => {
    const rig = new GatewayRig();
    const never = rig.endpoint("never", { connect: () => new Promise(() => {}) });
    const gateway = rig.host({ m: [never, rig.endpoint("b")], alone: [never] });
    void rig.attempt(gateway);
    await rig.settle();
    expect(names(rig.open)).toEqual(["b"]);
    const got = rig.attempt(gateway, { model: "alone" });
    await rig.pass(LIMITS.connectMs);
    expect(await got).toMatchObject({ code: "model.unavailable", details: { sent: false } });
  });

  it.each([
    ["model.quota", {}],
    ["model.rejected", { status: 401 }],
  ] as const)("goes on without an endpoint whose account is refused (%s), if there is another one", async (code, details) => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a"), rig.endpoint("b", { weight: 0 })], alone: [rig.endpoint("c")] });
    const first = rig.attempt(gateway);
    await rig.settle();
    rig.open[0]?.fail(new Fault(code, "refused", details));
    expect(await first).toMatchObject({ code: "model.unavailable", details: { endpoint: "a", code, sent: false } });
    void rig.attempt(gateway);
    await rig.settle();
    expect(names(rig.open)).toEqual(["b"]);
    const alone = rig.attempt(gateway, { model: "alone" });
    await rig.settle();
    rig.open[1]?.fail(new Fault(code, "refused", details));
    expect(await alone).toMatchObject({ code });
  });

  it("leaves out endpoints whose context is too small for the conversation", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("small", { contextTokens: 100 }), rig.endpoint("large", { contextTokens: 10_000 })] });
    void rig.attempt(gateway, { inputTokensMax: 1_000 });
    await rig.settle();
    expect(names(rig.open)).toEqual(["large"]);
    const got = await rig.attempt(gateway, { inputTokensMax: 100_000 });
    expect(got).toMatchObject({ code: "model.context-length", details: { sent: false } });
  });

  it("is refused for a model that the system does not have, while `default` stands for the only one", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a")] });
    expect(await rig.attempt(gateway, { model: "x" })).toMatchObject({ code: "model.unknown", details: { sent: false } });
    void rig.attempt(gateway, { model: "default" });
    await rig.settle();
    expect(names(rig.open)).toEqual(["a"]);
  });
});

describe("an attempt", () => {
  it("is made once, and its fault names the endpoint", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a"), rig.endpoint("b")] });
    const got = rig.attempt(gateway);
    await rig.settle();
    rig.open[0]?.fail(DOWN());
    expect(await got).toMatchObject({ code: "model.unavailable", details: { endpoint: "a" } });
    expect(rig.open).toEqual([]);
  });

  it("ends after the time of its endpoint, although the provider ignores the signal", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a", { timeoutMs: 1_000 })] });
    const got = rig.attempt(gateway);
    await rig.pass(999);
    expect(rig.open[0]?.signal.aborted).toBe(false);
    await rig.pass(1);
    expect(await got).toMatchObject({ code: "model.unavailable", details: { endpoint: "a", timeoutMs: 1_000 } });
    expect(rig.open[0]?.signal.aborted).toBe(true);
    expect(gateway.view[0]?.endpoints[0]?.running).toBe(0);
  });

  it("ends with its signal, under way and waiting", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a", { concurrency: 1 })] });
    const controllers = [new AbortController(), new AbortController()];
    const all = controllers.map(({ signal }) => rig.attempt(gateway, { signal }));
    await rig.settle();
    for (const controller of controllers.toReversed()) controller.abort();
    const [running, waiting] = await Promise.all(all);
    expect(running).toMatchObject({ code: "model.unavailable", details: { cancelled: true } });
    expect(running).not.toHaveProperty("details.sent");
    expect(waiting).toMatchObject({ code: "model.unavailable", details: { cancelled: true, sent: false } });
    expect(gateway.view[0]).toMatchObject({ waiting: 0, endpoints: [{ running: 0, breaker: "closed" }] });
  });

  it("leaves no timer behind", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a")] });
    const got = rig.attempt(gateway);
    await rig.settle();
    rig.open[0]?.succeed();
    expect(await got).toMatchObject({ text: "Hello.", endpoint: "a" });
    expect(rig.clock.pending).toBe(0);
  });

  it("costs what the endpoint's price says, and an unknown price stays unknown", () => {
    const rig = new GatewayRig();
    const price = { inputPerMillion: 2, outputPerMillion: 8 };
    const gateway = rig.host({
      m: [rig.endpoint("a", { price }), rig.endpoint("b", { price: { inputPerMillion: 1, outputPerMillion: 9 } })],
      n: [rig.endpoint("c")],
    });
    expect(gateway.costMicrosMax("m", 1_000, 100)).toBe(2_800);
    expect(gateway.costMicros("b", { inputTokens: 1_000, outputTokens: 100 })).toBe(1_900);
    expect(gateway.costMicrosMax("n", 1, 1)).toBeUndefined();
    expect(gateway.costMicros("c", { inputTokens: 1, outputTokens: 1 })).toBeUndefined();
    expect(gateway.costMicrosMax("unknown", 1, 1)).toBeUndefined();
  });
});

describe("slots", () => {
  it("let no more attempts run than allowed; the others follow in order", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a", { concurrency: 2 })] });
    const all = ["1", "2", "3", "4"].map((idempotencyKey) => rig.attempt(gateway, { idempotencyKey }));
    await rig.settle();
    expect(rig.open.map(({ key }) => key)).toEqual(["1", "2"]);
    rig.open[0]?.succeed();
    await rig.settle();
    expect(rig.open.map(({ key }) => key)).toEqual(["2", "3"]);
    while (rig.open.length > 0) {
      rig.open[0]?.succeed();
      await rig.settle();
    }
    expect(await Promise.all(all)).toHaveLength(4);
  });

  it("go to higher priorities first", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a", { concurrency: 1 })] });
    for (const [idempotencyKey, priority] of [
      ["first", 0],
      ["low", 0],
      ["high", 5],
      ["middle", 2],
      ["low 2", 0],
    ] as const)
      void rig.attempt(gateway, { idempotencyKey, priority });
    const order: string[] = [];
    await rig.settle();
    while (rig.open.length > 0) {
      order.push(rig.open[0]?.key ?? "");
      rig.open[0]?.succeed();
      await rig.settle();
    }
    expect(order).toEqual(["first", "high", "middle", "low", "low 2"]);
  });

  it("are shared by the models that use the endpoint", async () => {
    const rig = new GatewayRig();
    const shared = rig.endpoint("a", { concurrency: 1 });
    const gateway = rig.host({ m: [shared], n: [shared] });
    void rig.attempt(gateway, { model: "m" });
    void rig.attempt(gateway, { model: "n", idempotencyKey: "of n" });
    await rig.settle();
    expect(rig.open).toHaveLength(1);
    rig.open[0]?.succeed();
    await rig.settle();
    expect(rig.open.map(({ key }) => key)).toEqual(["of n"]);
  });

  it("have a bounded number of waiting calls", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a", { concurrency: 1 })] });
    for (let count = 0; count <= LIMITS.modelQueueMax; count += 1) void rig.attempt(gateway);
    await rig.settle();
    expect(gateway.view[0]?.waiting).toBe(LIMITS.modelQueueMax);
    expect(await rig.attempt(gateway)).toMatchObject({ code: "model.busy", details: { sent: false } });
  });
});

describe("rates", () => {
  it("let no 60 seconds have more requests than allowed", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a", { requestsPerMinute: 3 })] });
    void rig.attempt(gateway);
    await rig.pass(50_000);
    for (let count = 0; count < 5; count += 1) void rig.attempt(gateway);
    await rig.settle();
    expect(rig.open).toHaveLength(3);
    await rig.pass(9_999);
    expect(rig.open).toHaveLength(3);
    await rig.pass(1);
    expect(rig.open).toHaveLength(4);
    await rig.pass(50_000);
    expect(rig.open).toHaveLength(6);
  });

  it("count the tokens that a call may use until it is known what it used", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a", { tokensPerMinute: 3 * TOKENS })] });
    for (let count = 0; count < 5; count += 1) void rig.attempt(gateway);
    await rig.settle();
    expect(rig.open).toHaveLength(3);
    rig.open[0]?.succeed({ usage: { inputTokens: 0, outputTokens: 0 } });
    await rig.settle();
    expect(rig.open).toHaveLength(3);
    rig.open[0]?.fail(new Fault("model.unavailable", "not sent", { sent: false }));
    await rig.settle();
    expect(rig.open).toHaveLength(3);
    expect(gateway.view[0]?.waiting).toBe(0);
  });

  it("let a call with more than a minute's tokens pass when nothing else was sent", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a", { tokensPerMinute: TOKENS })] });
    void rig.attempt(gateway);
    void rig.attempt(gateway, { inputTokensMax: 10 * TOKENS });
    await rig.pass(MINUTE_MS - 1);
    expect(rig.open).toHaveLength(1);
    await rig.pass(1);
    expect(rig.open).toHaveLength(2);
  });
});

describe("rests", () => {
  it("send calls to the other endpoint for as long as the provider asked", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a"), rig.endpoint("b", { weight: 0 })] });
    void rig.attempt(gateway);
    await rig.settle();
    rig.open[0]?.fail(limited(30_000));
    await rig.pass(29_999);
    void rig.attempt(gateway);
    await rig.settle();
    expect(names(rig.open)).toEqual(["b"]);
    await rig.pass(1);
    void rig.attempt(gateway);
    await rig.settle();
    expect(names(rig.open)).toEqual(["b", "a"]);
  });

  it("are waited for if they are short", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a")] });
    void rig.attempt(gateway);
    await rig.settle();
    rig.open[0]?.fail(limited(2_000));
    await rig.settle();
    void rig.attempt(gateway);
    await rig.pass(1_999);
    expect(rig.open).toEqual([]);
    await rig.pass(1);
    expect(names(rig.open)).toEqual(["a"]);
  });

  it("refuse a call with the pause if they are long, and nothing is sent", async () => {
    const rig = new GatewayRig();
    const gateway = rig.host({ m: [rig.endpoint("a")] });
    void rig.attempt(gateway);
    await rig.settle();
    rig.open[0]?.fail(limited(30_000));
    await rig.pass(10_000);
    expect(await rig.attempt(gateway)).toMatchObject({ code: "model.rate-limited", retryAfterMs: 20_000, details: { sent: false } });
  });
});
