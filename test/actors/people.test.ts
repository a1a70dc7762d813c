/** @module Requests to people on hosts: nested routes, restarts, an inbox that cannot be written, retention, and what was sent back. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, person, route, system, type SentBackOutput } from "../../agents/index.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { Retention } from "../../actors/retention/retention.ts";
import { Fault } from "../../runtime/faults.ts";
import type { InboxEntry } from "../../runtime/people/view.ts";
import { entriesOf, INDEX_ROOT } from "../../runtime/index-actor.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, World } from "./world-rig.ts";

const Claim = z.object({ amount: z.number() });
const YesNo = z.object({ ok: z.boolean() });
const Approver = person("Approver", { input: Claim, output: YesNo, remindMs: 3_600_000 });
const ANN = { principal: { subject: "ann", tenant: "default", permissions: [] } };
const DAY_MS = 86_400_000;

type Member = ReturnType<World["join"]>;

/** Three levels, each of which asks at the same time as the one below it. */
function nested(): ReturnType<typeof system> {
  const low = route("low", 1, Claim)
    .to("ask", Approver, ({ task }) => task)
    .output(({ ask }) => ask);
  const middle = route("middle", 1, Claim)
    .all((stop) => ({ ask: stop(Approver, ({ task }) => task), down: stop(low, ({ task }) => task, { timeoutMs: DAY_MS }) }))
    .output(({ ask, down }) => [ask, down]);
  const top = route("top", 1, Claim)
    .all((stop) => ({ ask: stop(Approver, ({ task }) => task), down: stop(middle, ({ task }) => task, { timeoutMs: DAY_MS }) }))
    .output(({ ask, down }) => [ask, down]);
  return system("sys", { agents: [Approver], routes: [low, middle, top] });
}

async function listed({ operations }: Member, state: "open" | "decided" = "open"): Promise<readonly InboxEntry[]> {
  return (await operations.inbox({ state }, undefined, 100)).entries as unknown as readonly InboxEntry[];
}

async function answer({ operations }: Member, { id, hash }: InboxEntry, ok: boolean): Promise<void> {
  await operations.decide(id, { do: "answer", hash, output: { ok } }, ANN);
}

/** Another host takes over from one that has died. */
async function restart(world: World, died: Member, made: ReturnType<typeof system>): Promise<Member> {
  died.kill();
  const next = world.join(made, "two");
  await next.host.recover();
  for (let passed = 0; passed < 20; passed += 1) {
    await world.clock.advance(1_000);
    await flush(20);
  }
  return next;
}

describe("nested routes", () => {
  test("all requests of three levels are in one inbox and name their route; after a restart all are answered", async () => {
    const world = new World();
    const made = nested();
    const one = world.join(made, "one");
    await one.operations.submit({ id: "p", route: "top", input: { amount: 7 }, timeoutMs: DAY_MS }, CALLER, 0);
    await world.clock.advance(1_000);
    await flush(50);
    expect((await listed(one)).map((entry) => entry.route).sort()).toEqual(["low", "middle", "top"]);
    const two = await restart(world, one, made);
    const open = await listed(two);
    expect(open).toHaveLength(3);
    for (const entry of open) await answer(two, entry, true);
    expect(await world.until(two, "p")).toMatchObject({ status: "completed", output: [{ ok: true }, [{ ok: true }, { ok: true }]] });
    expect([(await listed(two)).length, (await listed(two, "decided")).map(({ by }) => by)]).toEqual([0, ["ann", "ann", "ann"]]);
  });

  test("a parent that is cancelled closes the requests of its nested routes", async () => {
    const world = new World();
    const one = world.join(nested(), "one");
    await one.operations.submit({ id: "p", route: "top", input: { amount: 7 }, timeoutMs: DAY_MS }, CALLER, 0);
    await world.clock.advance(1_000);
    await flush(50);
    await one.operations.cancel("p", "enough", CALLER);
    expect(await world.until(one, "p")).toMatchObject({ status: "cancelled" });
    expect([(await listed(one)).length, (await listed(one, "decided")).map(({ state }) => state)]).toEqual([
      0,
      ["closed", "closed", "closed"],
    ]);
  });
});

describe("the inbox", () => {
  const asking = system("sys", {
    agents: [Approver],
    routes: [
      route("ask", 1, Claim)
        .to("ask", Approver, ({ task }) => task)
        .output(({ ask }) => ask),
    ],
  });

  test("that cannot be written is written when it can be; the process waits meanwhile", async () => {
    const world = new World();
    const one = world.join(asking, "one");
    let isAway = true;
    world.place = ({ type }) => {
      if (isAway && type === "sys.Inbox") throw new Fault("sidecar.unavailable", "away");
      return undefined;
    };
    await one.operations.submit({ id: "p", route: "ask", input: { amount: 7 }, timeoutMs: DAY_MS }, CALLER, 0);
    const pass = async (): Promise<void> => {
      for (let minute = 0; minute < 20; minute += 1) {
        await world.clock.advance(60_000);
        await flush(20);
      }
    };
    await pass();
    isAway = false;
    await pass();
    expect(await listed(one)).toMatchObject([{ id: "p.r1", state: "open" }]);
  });

  test("of a host that died before it wrote it is written by the next one", async () => {
    const world = new World();
    const one = world.join(asking, "one");
    world.place = ({ type }) => {
      if (type === "sys.Inbox" && world.members.length === 1) throw new Fault("sidecar.unavailable", "away");
      return undefined;
    };
    await one.operations.submit({ id: "p", route: "ask", input: { amount: 7 }, timeoutMs: DAY_MS }, CALLER, 0);
    await flush(20);
    const two = await restart(world, one, asking);
    expect(await listed(two)).toMatchObject([{ id: "p.r1", state: "open" }]);
  });

  test("tells the topic of requests each step, without what is asked", async () => {
    const world = new World();
    const one = world.join(asking, "one");
    await one.operations.submit({ id: "p", route: "ask", input: { amount: 7 }, timeoutMs: DAY_MS }, CALLER, 0);
    await world.clock.advance(3_700_000);
    await flush(50);
    const [entry] = await listed(one);
    expect(entry).toMatchObject({ reminded: 1 });
    if (entry !== undefined) await answer(one, entry, true);
    await world.until(one, "p");
    expect([...new Set(world.notifications)].filter((told) => told.startsWith("sys.requests"))).toEqual([
      "sys.requests p.r1:asked",
      "sys.requests p.r1:reminded1",
      "sys.requests p.r1:decided",
    ]);
  });

  test("loses the requests of processes that are purged, and its buckets after them", async () => {
    const world = new World();
    const one = world.join(asking, "one");
    await one.operations.submit({ id: "p", route: "ask", input: { amount: 7 } }, CALLER, 0);
    await flush(20);
    for (const entry of await listed(one)) await answer(one, entry, true);
    await world.until(one, "p");
    const retention = new Retention({ system: "sys", ports: world.portsOf(one, "purge"), host: one.host, log: SILENT });
    for (let day = 0; day < 60; day += 1) {
      await world.clock.advance(DAY_MS);
      await retention.sweepWhole();
    }
    expect(entriesOf((await one.host.indexEngine("Inbox").fresh(INDEX_ROOT)).state)).toEqual([]);
    expect(world.store.keys("sys/sys.ProcessManager/p/")).toEqual([]);
  });
});

describe("a validator", () => {
  test("sends back to the handler what it did not accept, once its work is undone", async () => {
    const seen: (SentBackOutput | undefined)[] = [];
    const undone: number[] = [];
    const Offer = contract("Offer", 1, { input: Claim, output: Claim });
    const offer = agent(Offer, {
      handle: ({ amount }, ctx) => {
        seen.push(ctx.sentBack);
        return { amount: amount - 10 * (ctx.sentBack?.round ?? 0) };
      },
      undo: (_input, output) => void undone.push(output?.amount ?? -1),
    });
    const Judge = contract("Judge", 1, {
      input: z.object({ input: Claim, output: Claim }),
      output: z.object({ accepted: z.boolean(), reasons: z.array(z.string()) }),
    });
    const judge = agent(Judge, {
      handle: ({ output }) => ({ accepted: output.amount < 90, reasons: output.amount < 90 ? [] : [`${output.amount} is too much`] }),
    });
    const main = route("main", 1, Claim)
      .to("offer", Offer, ({ task }) => task, { validate: { rule: "output.amount < 100", by: Judge } })
      .output(({ offer: made }) => made);
    const world = new World();
    const one = world.join(system("sys", { agents: [offer, judge], routes: [main] }), "one");
    await one.operations.submit({ id: "p", route: "main", input: { amount: 100 } }, CALLER, 0);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { amount: 80 } });
    expect(seen).toEqual([
      undefined,
      { round: 1, reasons: ["the rule output.amount < 100 does not hold"], output: { amount: 100 } },
      { round: 2, reasons: ["90 is too much"], output: { amount: 90 } },
    ]);
    expect(undone).toEqual([100, 90]);
  });
});
