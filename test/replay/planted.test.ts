/** @module A replay with the same code finds nothing, and each planted change of the code at its call. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, route, system, tool, type System } from "../../agents/index.ts";
import { type Cassette, fakeModel, replayFrom, startLocal } from "../../testing/index.ts";

const Order = z.object({ item: z.string(), count: z.int() });
const Stock = contract("Stock", 1, { input: Order, output: z.object({ left: z.int() }), key: () => "one" });
const Desk = contract("Desk", 1, { input: Order, output: z.string() });
const Writer = contract("Writer", 1, { input: z.object({ item: z.string(), left: z.int() }), output: z.string() });
const Boss = contract("Boss", 1, { input: Order, output: z.string() });

/** What a variant of the system changes. */
interface Change {
  readonly toolName?: string;
  readonly toolAbout?: string;
  readonly toolInput?: (order: z.infer<typeof Order>) => z.infer<typeof Order>;
  readonly swapped?: boolean;
  readonly instructions?: string;
  readonly mapping?: "other";
  readonly when?: string;
  readonly output?: (left: number) => number;
  readonly state?: number;
  readonly moreCalls?: boolean;
  readonly noStep?: boolean;
  readonly noHandOff?: boolean;
  readonly sleep?: boolean;
}

function shop(change: Change = {}): System {
  const reserve = tool(change.toolName ?? "reserve", {
    about: "Reserves",
    input: Order,
    output: z.object({ left: z.int() }),
    effect: "write",
    untrusted: false,
    run: ({ count }) => ({ left: 10 - count }),
    undo: () => undefined,
  });
  const look = tool("look", { about: change.toolAbout ?? "Looks", input: z.string(), output: z.int(), effect: "read", run: () => 7 });
  const stock = agent(Stock, {
    tools: [reserve, look],
    state: { schema: z.object({ seen: z.int() }), initial: { seen: 0 } },
    handle: async (order, ctx) => {
      const given = change.toolInput?.(order) ?? order;
      const calls = [() => ctx.call(reserve, given), () => ctx.call(look, order.item)];
      const results = [];
      for (const call of change.swapped === true ? calls.toReversed() : calls) results.push(await call());
      if (change.noStep !== true) await ctx.step("note", () => "noted");
      if (change.moreCalls === true) await ctx.call(look, "more");
      if (change.sleep === true) await ctx.sleep(5);
      ctx.setState({ seen: ctx.state.seen + (change.state ?? 1) });
      const left = 10 - order.count;
      return { left: change.output?.(left) ?? left };
    },
  });
  const desk = agent(Desk, {
    handsOffTo: [Boss],
    handle: (order, ctx) => (change.noHandOff === true ? "desk" : ctx.handOff(Boss, order)),
  });
  const boss = agent(Boss, { handle: ({ item }) => `boss: ${item}` });
  const writer = agent(Writer, model({ instructions: change.instructions ?? "Write a line.", tools: [look] }));
  const order = route("order", 1, Order)
    .to("stock", Stock, ({ task }) => task)
    .to(
      "line",
      Writer,
      change.mapping === "other"
        ? ({ stock }) => ({ item: "fixed", left: stock.left })
        : ({ task, stock }) => ({ item: task.item, left: stock.left }),
    )
    .to("desk", Desk, ({ task }) => task, { when: change.when ?? "stock.left > 2" })
    .output(({ line }) => line);
  return system("planted", {
    agents: [stock, desk, boss, writer],
    routes: [order],
    models: { default: fakeModel((_request, count) => (count % 2 === 1 ? { calls: [{ name: "look", arguments: "jug" }] } : "A jug.")) },
  });
}

async function recorded(): Promise<Cassette> {
  const local = startLocal(shop());
  try {
    expect(await local.run("order", { item: "jug", count: 3 }, { id: "order-1" })).toMatchObject({ status: "completed", output: "A jug." });
    // As a file would hold it.
    return JSON.parse(JSON.stringify(await local.cassette("order-1"))) as Cassette;
  } finally {
    await local.stop();
  }
}

test("finds nothing with the same code", async () => {
  const report = await replayFrom(await recorded(), shop());
  expect(report).toEqual({ id: "order-1", processes: 1, works: 4, skipped: [], divergences: [] });
});

test.each([
  ["another input of a tool", { toolInput: (order) => ({ ...order, count: 4 }) }, "unreached", "Stock", /^call reserve/],
  ["another name of a tool", { toolName: "hold" }, "unreached", "Stock", /^call reserve/],
  ["two calls in another order", { swapped: true }, "unreached", "Stock", /./],
  ["other instructions", { instructions: "Write a poem." }, "changed", "Writer", /the instructions differ/],
  ["another description of a tool", { toolAbout: "Looks again" }, "changed", "Writer", /the descriptions of the tools differ/],
  ["another mapping of a route", { mapping: "other" }, "route", "Writer", /decides otherwise/],
  ["another condition of a stop", { when: "stock.left > 100" }, "route", "Desk", /decides otherwise/],
  ["another output", { output: (left) => left + 1 }, "changed", "Stock", /result/],
  ["another state", { state: 2 }, "changed", "Stock", /state/],
  ["one call more", { moreCalls: true }, "new", "Stock", /look/],
  ["a step that is gone", { noStep: true }, "unreached", "Stock", /^step note|step note/],
  ["another hand-off", { noHandOff: true }, "changed", "Desk", /result/],
  ["a new wait", { sleep: true }, "new", "Stock", /sleep 5/],
] as readonly (readonly [string, Change, string, string, RegExp])[])("finds %s", async (_what, change, kind, agentName, text) => {
  const { divergences } = await replayFrom(await recorded(), shop(change));
  const [first] = divergences;
  expect(first).toMatchObject({ kind, agent: agentName });
  expect(`${first?.call ?? ""} ${first?.message ?? ""}`).toMatch(text);
});
