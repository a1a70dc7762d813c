/** @module Systems: mappings and conditions are checked against the schemas of the values that they read. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { contract, route, system } from "../../agents/index.ts";
import { flight, Flight, hotel, Hotel, planner, Planner, Snark, Trip } from "./fixtures/travel.ts";
import { refusal } from "./refusal.ts";

/** Without types, as a planner's slip or a caller in JavaScript would write it. */
const loose = <T>(mapping: (scope: Record<string, Record<string, unknown>>) => unknown): T => mapping as T;

describe("a mapping that cannot fit is rejected at the start, also without types", () => {
  const start = route("r", 1, Trip).to("plan", Planner, ({ task }) => task);
  const check = (made: Parameters<typeof system>[1]["routes"][number]) => () =>
    system("s", { agents: [planner, flight], routes: [made], remote: [Hotel, Snark] });
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      "a property that does not exist",
      check(start.output(loose((scope) => scope["plan"]?.["runway"]))),
      'route "r", output: plan.runway does not exist: known are airport, nights',
    ],
    [
      "a property of a text",
      check(
        start
          .to(
            "f",
            Flight,
            loose((scope) => ({ to: (scope["plan"]?.["airport"] as { length: number }).length })),
          )
          .output(({ f }) => f),
      ),
      'route "r", stop "f", input: plan.airport.length does not exist: a value of type string has no "length"',
    ],
    [
      "a missing key",
      check(
        start
          .to(
            "f",
            Flight,
            loose(() => ({})),
          )
          .output(({ f }) => f),
      ),
      'route "r", stop "f", input: to is missing',
    ],
    [
      "a key too many",
      check(
        start
          .to(
            "f",
            Flight,
            loose(() => ({ to: "A", vip: true })),
          )
          .output(({ f }) => f),
      ),
      'route "r", stop "f", input: vip is not expected: known are to',
    ],
    [
      "another type",
      check(
        start
          .to(
            "f",
            Flight,
            loose((scope) => ({ to: scope["plan"]?.["nights"] })),
          )
          .output(({ f }) => f),
      ),
      'route "r", stop "f", input: plan.nights is of type integer, but to must be of type string',
    ],
    [
      "a literal of another type",
      check(
        start
          .to(
            "f",
            Flight,
            loose(() => ({ to: 1 })),
          )
          .output(({ f }) => f),
      ),
      'route "r", stop "f", input: to is of type number, but must be of type string',
    ],
    [
      "a whole value with other keys",
      check(
        start
          .to(
            "f",
            Flight,
            loose((scope) => scope["plan"]),
          )
          .output(({ f }) => f),
      ),
      'route "r", stop "f", input: plan has no "to", which the value must have',
    ],
    [
      "a list over no list",
      check(
        start
          .forEach(
            "f",
            loose((scope) => scope["plan"]),
            (stop) => stop(Flight, () => ({ to: "A" })),
          )
          .output(({ f }) => f),
      ),
      'route "r", stop "f", list: plan is of type object, but the value must be of type array',
    ],
    [
      "a branch",
      check(
        start
          .all((stop) => ({
            f: stop(
              Flight,
              loose(() => 1),
            ),
          }))
          .output(({ f }) => f),
      ),
      'route "r", stop "all-2", branch "f", input: the value is of type number, but must be of type object',
    ],
  ];
  test.each(cases)("%s", (_title, run, message) => {
    expect(refusal(run)).toEqual(["definition.invalid", message]);
  });
});

describe("a mapping that may fit is never rejected", () => {
  const Tree: z.ZodType<{ name: string; children: { name: string }[] }> = z.object({
    name: z.string(),
    get children() {
      return z.array(Tree);
    },
  });
  const Rich = z.object({
    either: z.union([z.object({ a: z.string() }), z.object({ b: z.number() })]),
    kinds: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("x"), x: z.number() }),
      z.object({ kind: z.literal("y"), y: z.string() }),
    ]),
    table: z.record(z.string(), z.number()),
    loose: z.looseObject({ a: z.string() }),
    pair: z.tuple([z.string(), z.number()]),
    maybe: z.object({ deep: z.string().nullable() }).optional(),
    anything: z.json(),
    both: z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })),
    tree: Tree,
    count: z.number(),
  });
  const Sink = contract("Sink", 1, { input: z.json(), output: Rich });
  const reads: readonly (readonly [string, ...string[]])[] = [
    ["either", "a"],
    ["either", "b"],
    ["kinds", "kind"],
    ["kinds", "y"],
    ["table", "anything"],
    ["loose", "more"],
    ["pair", "1"],
    ["pair", "length"],
    ["maybe", "deep"],
    ["anything", "x", "y"],
    ["both", "b"],
    ["tree", "children", "0", "children", "0", "name"],
    ["count"],
  ];
  test.each(reads.map((path) => [path.join("."), path] as const))("%s", (_title, path) => {
    const keys = path.map((key) => `[${JSON.stringify(key)}]`).join("");
    const read = <T>(name: string, around = (value: string): string => value): T =>
      Function("scope", `return ${around(`scope.${name}${keys}`)}`) as T;
    const made = route("r", 1, Rich)
      .to(
        "a",
        Sink,
        read("task", (value) => `{ x: ${value} }`),
      )
      .to("b", Sink, read("a"), { optional: true })
      .output(read("b"));
    expect(() => system("s", { agents: [], routes: [made], remote: [Sink] })).not.toThrow();
  });
  test("a whole value with optional keys, and a recursive one", () => {
    const Some = z.object({ a: z.string(), b: z.number().optional() });
    const More = z.object({ a: z.string().optional(), b: z.number(), c: z.string().optional(), tree: Tree.optional() });
    const Take = contract("Take", 1, { input: More, output: Tree });
    const Plant = contract("Plant", 1, { input: Tree, output: Some });
    const made = route("r", 1, Some)
      .to(
        "a",
        Take,
        loose((scope) => scope["task"]),
      )
      .to("b", Plant, ({ a }) => a)
      .to(
        "c",
        Take,
        loose((scope) => scope["b"]),
      )
      .output(({ c }) => c);
    expect(() => system("s", { agents: [], routes: [made], remote: [Take, Plant] })).not.toThrow();
  });
  test("a number may be an integer, and an integer is a number", () => {
    const Whole = contract("Whole", 1, { input: z.int(), output: z.number() });
    const made = route("r", 1, z.number())
      .to("a", Whole, ({ task }) => task)
      .to("b", Whole, ({ a }) => a)
      .output(({ b }) => b);
    expect(() => system("s", { agents: [], routes: [made], remote: [Whole] })).not.toThrow();
  });
});

describe("a condition is checked against the schemas of the values that it reads", () => {
  const Order = z.object({ trip: Trip, vip: z.boolean(), legs: z.array(z.object({ km: z.int() })), note: z.string().optional() });
  const start = route("r", 1, Order)
    .to("plan", Planner, ({ task }) => task.trip)
    .to("maybe", Planner, ({ task }) => task.trip, { optional: true })
    .any("fastest", (stop) => ({ one: stop(Hotel, ({ plan }) => plan), two: stop(Hotel, ({ plan }) => plan) }));
  const at = 'route "r", stop "x": when: condition';
  const withWhen = (when: string) => () =>
    system("s", {
      agents: [planner, hotel],
      routes: [start.to("x", Planner, ({ task }) => task.trip, { when }).output(({ x }) => ({ x }))],
    });
  const each = (when: string) => () =>
    system("s", {
      agents: [planner, hotel],
      routes: [
        start
          .forEach(
            "x",
            ({ task }) => task.legs,
            (stop) => stop(Planner, ({ task }) => task.trip, { when }),
          )
          .output(({ x }) => ({ x })),
      ],
    });
  test.each([
    ["task.trip.days + 1 > 5 && task.vip"],
    ["plan.nights % 2 == 0 && plan.airport.startsWith('R')"],
    ["maybe != null && maybe.nights > 1.5"],
    ["fastest.price > 100 && fastest.hotel != ''"],
    ["has(task.note) && task.note == 'x'"],
  ])("%s passes", (when) => {
    expect(withWhen(when)).not.toThrow();
  });
  test.each([
    ["task.trip.dyas > 1", `${at} "task.trip.dyas > 1": task.trip has no "dyas"; do you mean "days"?; it has city, days`],
    ["plam.nights > 1", `${at} "plam.nights > 1": unknown name "plam"; do you mean "plan"?; known: task, plan, maybe, fastest`],
    ["plan.airport > 1", `${at} "plan.airport > 1": plan.airport > 1: > cannot be applied to a text and a number`],
    ["maybe.nights > 1", `${at} "maybe.nights > 1": maybe may be null; check first, such as maybe != null && ..., or maybe == null || ...`],
    ["fastest.prise > 1", `${at} "fastest.prise > 1": fastest has no "prise"; do you mean "price"?; it has price, hotel`],
    ["task.note == 'x'", `${at} "task.note == 'x'": task.note may be absent; check first, such as has(task.note) && ...`],
    ["task.trip.days", `${at} "task.trip.days": task.trip.days is a number, but must be true or false`],
  ])("%s is refused", (when, message) => {
    expect(refusal(withWhen(when))).toEqual(["definition.invalid", message]);
  });
  test("the item of a list", () => {
    expect(each("item.km > 100")).not.toThrow();
    expect(refusal(each("item.kn > 100"))[1]).toBe(`${at} "item.kn > 100": item has no "kn"; do you mean "km"?; it has km`);
  });
  test("a branch is named", () => {
    const made = start.all((stop) => ({ y: stop(Planner, ({ task }) => task.trip, { when: "task.vpi" }) })).output(({ y }) => ({ y }));
    expect(refusal(() => system("s", { agents: [planner, hotel], routes: [made] }))[1]).toContain(
      'route "r", stop "all-4", branch "y": when: condition "task.vpi": task has no "vpi"; do you mean "vip"?',
    );
  });
});
