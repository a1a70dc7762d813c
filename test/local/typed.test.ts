/** @module Local runs by a route's definition, typed fakes, the views of a local process, and a log of one's own. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system } from "../../agents/index.ts";
import { consoleLogger, fake, runLocal, startLocal } from "../../testing/index.ts";
import { LIMITS } from "../../runtime/limits.ts";

const Number = z.object({ n: z.int() });
const Double = contract("Double", 1, { input: Number, output: Number });
const double = agent(Double, { handle: ({ n }, ctx) => ctx.step("multiply", () => ({ n: 2 * n })) });
const twice = route("twice", 1, Number)
  .to("first", Double, ({ task }) => task)
  .to("second", Double, ({ first }) => first)
  .output(({ second }) => second);
const numbers = system("numbers", { agents: [double], routes: [twice] });

test("a run by the route's definition has its types", async () => {
  const { status, output } = await runLocal(numbers, twice, { n: 3 });
  expect([status, output?.n]).toEqual(["completed", 12]);
});

test("rejects an unknown route, by name and by definition", async () => {
  const other = route("other", 1, Number)
    .to("first", Double, ({ task }) => task)
    .output(({ first }) => first);
  await expect(runLocal(numbers, other, { n: 1 })).rejects.toMatchObject({ code: "route.unknown" });
  await expect(runLocal(numbers, "other", { n: 1 })).rejects.toMatchObject({ code: "route.unknown" });
  const namesake = route("twice", 1, z.object({ n: z.string() }))
    .to("first", Double, () => ({ n: 1 }))
    .output(({ first }) => first);
  await expect(runLocal(numbers, namesake, { n: "1" })).rejects.toMatchObject({ code: "definition.invalid" });
});

test("a typed fake replaces an agent, and the contract's schemas check it", async () => {
  const tripled = fake(Double, ({ n }) => ({ n: 3 * n }));
  expect((await runLocal(numbers, twice, { n: 1 }, { fakes: [tripled] })).output).toEqual({ n: 9 });
  const wrong = fake(Double, () => ({ n: 0.5 }));
  expect(await runLocal(numbers, twice, { n: 1 }, { fakes: [wrong] })).toMatchObject({
    status: "failed",
    fault: { code: "schema.output" },
  });
});

test("rejects a fake of another contract or of an unknown agent", () => {
  const Newer = contract("Double", 2, { input: Number, output: Number });
  const Stranger = contract("Stranger", 1, { input: Number, output: Number });
  expect(() => startLocal(numbers, { fakes: [fake(Newer, (input) => input)] })).toThrow(
    expect.objectContaining({ code: "definition.invalid" }),
  );
  expect(() => startLocal(numbers, { fakes: [fake(Stranger, (input) => input)] })).toThrow(
    expect.objectContaining({ code: "agent.unknown" }),
  );
});

test("a local process shows the same views as one that is served", async () => {
  const local = startLocal(numbers);
  try {
    await local.run(twice, { n: 1 }, { id: "one" });
    expect(await local.show("one")).toMatchObject({ phase: "ended", route: "twice", outcome: { output: { n: 4 } } });
    expect((await local.stops("one")).stops).toMatchObject([
      { stop: "first", state: "answered", calls: [{ kind: "step", name: "multiply", state: "ended" }] },
      { stop: "second", state: "answered", output: { n: 4 } },
    ]);
    await expect(local.show("two")).rejects.toMatchObject({ code: "process.unknown" });
  } finally {
    await local.stop();
  }
});

test("the history of a run is complete at any length", async () => {
  const Many = z.object({ items: z.array(Number) });
  const all = route("all", 1, Many)
    .forEach(
      "doubled",
      ({ task }) => task.items,
      (stop) => stop(Double, ({ item }) => item),
    )
    .output(({ doubled }) => doubled);
  const items = Array.from({ length: LIMITS.historyMax }, (_, n) => ({ n }));
  const { history } = await runLocal(system("many", { agents: [double], routes: [all] }), all, { items });
  expect(history.filter(({ what }) => what === "asked")).toHaveLength(items.length);
  expect(history.filter(({ what }) => what === "answered")).toHaveLength(items.length);
});

test("a log is an object with pino's methods; an adapter makes one of the console", async () => {
  const lines: (readonly [level: string, message: string, facts: object])[] = [];
  const printer = (level: string) => (message: string, facts: object) => void lines.push([level, message, facts]);
  const all = { debug: printer("debug"), info: printer("info"), warn: printer("warn"), error: printer("error") };
  const logging = agent(Double, {
    handle: (input, ctx) => {
      ctx.log.warn("careful", { n: input.n });
      return input;
    },
  });
  await runLocal(system("logging", { agents: [logging], routes: [twice] }), twice, { n: 7 }, { log: consoleLogger(all, "warn") });
  expect(lines).toEqual([
    ["warn", "careful", expect.objectContaining({ n: 7, processId: "local" })],
    ["warn", "careful", expect.objectContaining({ n: 7, processId: "local" })],
  ]);
});
