/** @module Hosts of a system tell each other which endpoints rest. */
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../actors/memory/store.ts";
import { Fault } from "../../agents/index.ts";
import { countedRandom } from "../actors/engine-rig.ts";
import { GatewayRig } from "./gateway-rig.ts";

const limited = (retryAfterMs: number): Fault => new Fault("model.rate-limited", "slow down", {}, { retryAfterMs });

function twoHosts(): { readonly rig: GatewayRig; readonly store: MemoryStore; readonly hosts: readonly ReturnType<GatewayRig["host"]>[] } {
  const rig = new GatewayRig();
  const store = new MemoryStore();
  const hosts = ["x", "y"].map((name) => rig.host({ m: [rig.endpoint("a")] }, { shared: { store, random: countedRandom(name) } }));
  return { rig, store, hosts };
}

/** One call of a host that ends at once, so that it looks. */
async function call(rig: GatewayRig, host: ReturnType<GatewayRig["host"]> | undefined, fault?: Fault): Promise<unknown> {
  if (host === undefined) throw new Error("no host");
  const got = rig.attempt(host);
  await rig.settle();
  const open = rig.open[0];
  if (fault === undefined) open?.succeed();
  else open?.fail(fault);
  return await got;
}

describe("shared rests", () => {
  it("one host is told to wait, and the other one sends nothing either", async () => {
    const { rig, hosts } = twoHosts();
    await call(rig, hosts[1]);
    await call(rig, hosts[0], limited(30_000));
    await rig.pass(1_000);
    // This call looks; the next one knows.
    await call(rig, hosts[1]);
    expect(await call(rig, hosts[1])).toMatchObject({ code: "model.rate-limited", details: { sent: false } });
    await rig.pass(30_000);
    expect(await call(rig, hosts[1])).toMatchObject({ text: "Hello." });
  });

  it("a host that starts or was idle for long does not rest for what is over", async () => {
    const { rig, hosts } = twoHosts();
    await call(rig, hosts[0], limited(30_000));
    await rig.pass(60_000);
    await call(rig, hosts[1]);
    expect(await call(rig, hosts[1])).toMatchObject({ text: "Hello." });
    await rig.pass(1_000_000);
    await call(rig, hosts[0], limited(30_000));
    await rig.pass(100_000);
    await call(rig, hosts[1]);
    expect(await call(rig, hosts[1])).toMatchObject({ text: "Hello." });
  });

  it("many calls that are told to wait write once", async () => {
    const { rig, hosts, store } = twoHosts();
    const [host] = hosts;
    if (host === undefined) throw new Error("no host");
    for (let count = 0; count < 20; count += 1) void rig.attempt(host);
    await rig.settle();
    for (const one of [...rig.open]) one.fail(limited(30_000));
    await rig.settle();
    const there = await store.tagged("s/model-rests");
    expect(there?.tag).toBe("1");
    expect(there?.content).toMatchObject({ rests: { a: { ms: 30_000 } } });
  });

  it("removes what is over when it writes", async () => {
    const rig = new GatewayRig();
    const store = new MemoryStore();
    const models = { m: [rig.endpoint("a")], n: [rig.endpoint("b")] };
    const host = rig.host(models, { shared: { store, random: countedRandom("x") } });
    await call(rig, host, limited(5_000));
    await rig.pass(10_000);
    void rig.attempt(host, { model: "n" });
    await rig.settle();
    rig.open[0]?.fail(limited(5_000));
    await rig.settle();
    const { content } = (await store.tagged("s/model-rests")) ?? {};
    expect(Object.keys((content as { readonly rests: object }).rests)).toEqual(["b"]);
  });

  it("a store that does not answer fails no call", async () => {
    const { rig, hosts, store } = twoHosts();
    store.setAvailable(false);
    expect(await call(rig, hosts[0])).toMatchObject({ text: "Hello." });
    expect(await call(rig, hosts[0], limited(30_000))).toMatchObject({ code: "model.rate-limited" });
  });
});
