/** @module A call that a person let through is judged again before it is made: rules may have become stricter while the person thought. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, person, route, system, type System, tool } from "../../agents/index.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, World } from "./world-rig.ts";

const Doer = contract("Doer", 1, { input: z.int(), output: z.int() });

function bank(paid: number[], rules: { readonly permission: string; readonly approve: string }): System {
  const pay = tool("pay", {
    ...{ ...rules, input: z.int(), output: z.int(), effect: "write" },
    run: (amount) => (paid.push(amount), amount),
  });
  const doer = agent(Doer, { tools: [pay], handle: (amount, ctx) => ctx.call(pay, amount) });
  const main = route("main", 1, z.int())
    .to("doer", Doer, ({ task }) => task)
    .output(({ doer: done }) => done);
  return system("sys", { agents: [doer], routes: [main] });
}

/** A call that waits for a person on one host, which then makes room for another one with other rules. */
async function deployed(rules: { readonly permission: string; readonly approve: string }) {
  const paid: number[] = [];
  const world = new World();
  const one = world.join(bank(paid, { permission: "pay", approve: "input > 1" }), "one");
  const caller = { ...CALLER, principal: { ...ANONYMOUS, permissions: ["pay"] } };
  await one.operations.submit({ id: "p", route: "main", input: 5 }, caller, 0);
  await flush(50);
  one.kill();
  const two = world.join(bank(paid, rules), "two");
  const approve = async (id: string): Promise<void> => {
    const { hash } = await two.operations.request(id);
    await two.operations.decide(id, { do: "approve", hash }, CALLER);
  };
  await approve("p.r1");
  return { paid, two, world, approve };
}

test("the same rules: it is made, and the audit has the person who let it through", async () => {
  const { paid, two, world } = await deployed({ permission: "pay", approve: "input > 1" });
  expect(await world.until(two, "p")).toMatchObject({ status: "completed", output: 5 });
  expect(paid).toEqual([5]);
  const { entries } = await two.operations.audit(undefined, 50, { what: "call" });
  const verdicts = entries.map((entry) => z.looseObject({ verdict: z.string(), rule: z.string() }).parse(entry));
  expect(verdicts.map(({ verdict, rule }) => `${verdict} by ${rule}`).sort()).toEqual([
    "allowed by approved by anonymous: approve: input > 1",
    "asks by approve: input > 1",
  ]);
});

test("a permission that the principal does not have: it is not made", async () => {
  const { paid, two, world } = await deployed({ permission: "pay.much", approve: "input > 1" });
  expect(await world.until(two, "p")).toMatchObject({ status: "failed", fault: { code: "tool.forbidden" } });
  expect(paid).toEqual([]);
});

test("another rule that asks: a person is asked about that too", async () => {
  const { paid, two, world, approve } = await deployed({ permission: "pay", approve: "input > 2" });
  for (let round = 0; round < 100 && (await two.operations.inbox({}, undefined, 10)).entries.length === 0; round += 1) {
    await flush(20);
    await world.clock.advance(100);
  }
  expect(paid).toEqual([]);
  await approve("p.r2");
  expect(await world.until(two, "p")).toMatchObject({ status: "completed", output: 5 });
  expect(paid).toEqual([5]);
});

test("an input that an agent has written is judged as an agent's text: it does not leave before another decision", async () => {
  const sent: string[] = [];
  const Chief = person("Chief", { input: z.unknown(), roles: [], agentsDecide: true });
  const Sender = contract("Sender", 1, { input: z.string(), output: z.null() });
  const send = tool("send", {
    ...{ input: z.string(), output: z.null(), effect: "egress", approve: 'input != "ok"', approver: Chief },
    run: (text) => (sent.push(text), null),
  });
  const sender = agent(Sender, { tools: [send], handle: (text, ctx) => ctx.call(send, text) });
  const main = route("main", 1, z.string())
    .to("sender", Sender, ({ task }) => task)
    .output(({ sender: done }) => done);
  const world = new World();
  const one = world.join(system("sys", { agents: [sender, Chief], routes: [main] }), "one");
  await one.operations.submit({ id: "p", route: "main", input: "hello" }, CALLER, 0);
  await flush(50);
  const bot = { principal: { subject: "bot", tenant: "default", permissions: [], kind: "agent" as const } };
  const { hash } = await one.operations.request("p.r1");
  await one.operations.decide("p.r1", { do: "edit", input: "ok", hash }, bot);
  for (let round = 0; round < 20; round += 1) {
    await flush(20);
    await world.clock.advance(100);
  }
  expect(sent).toEqual([]);
  expect(await one.operations.request("p.r2")).toMatchObject({
    rule: "untrusted text in egress",
    input: "ok",
    label: ["principal:default/bot"],
  });
});
