/** @module The recording proxy. */
import { describe, expect, test } from "vitest";
import { recordArgument, recordScope } from "../../agents/mapping.ts";
import { Fault } from "../../runtime/faults.ts";

/** A recorded value for a mapping that does what is forbidden; the types of routes prevent most of this. */
interface Wild {
  readonly [key: string]: Wild;
  readonly [index: number]: Wild;
  (...given: readonly unknown[]): Wild;
  [Symbol.iterator](): Iterator<Wild>;
}
interface Scope {
  task: Wild;
  plan: Wild;
}

const record = (mapping: (scope: Scope) => unknown): unknown => recordScope(mapping, ["task", "plan"], 'route "r", stop "s", input');

function message(mapping: (scope: Scope) => unknown): string {
  try {
    record(mapping);
  } catch (error) {
    if (error instanceof Fault && error.code === "definition.invalid") return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("an allowed mapping becomes data", () => {
  test("property access and array indexes", () => {
    expect(record(({ task }) => task["legs"]?.[0]?.["to"])).toEqual({ from: ["task", "legs", "0", "to"] });
  });
  test("objects and lists", () => {
    expect(record(({ task, plan }) => ({ a: task, b: [plan["x"], 1], c: { d: null } }))).toEqual({
      object: { a: { from: ["task"] }, b: { list: [{ from: ["plan", "x"] }, { literal: 1 }] }, c: { literal: { d: null } } },
    });
  });
  test("a constant is one literal", () => {
    expect(record(() => ({ a: [1, "x", true, null, {}], b: {} }))).toEqual({ literal: { a: [1, "x", true, null, {}], b: {} } });
  });
  test("renaming in the argument, and names like those of functions and promises", () => {
    expect(record(({ task: t }) => [t["name"], t["then"], t["prototype"], t["toString"]])).toEqual({
      list: [{ from: ["task", "name"] }, { from: ["task", "then"] }, { from: ["task", "prototype"] }, { from: ["task", "toString"] }],
    });
  });
  test("a key is recorded over its name", () => {
    expect(recordArgument((input: { customer: string }) => input.customer, "input", "contract")).toEqual({ from: ["input", "customer"] });
  });
});

describe("anything else is a definition error that says what was done and where", () => {
  const at = 'route "r", stop "s", input: ';
  const rule = "; a mapping may only read properties and build objects and lists";
  const cases: readonly (readonly [string, (scope: Scope) => unknown, string])[] = [
    ["a method", ({ task }) => task["name"]?.["toUpperCase"]?.(), `${at}task.name.toUpperCase() was called${rule}`],
    ["map over a list", ({ task }) => task["legs"]?.["map"]?.((leg: unknown) => leg), `${at}task.legs.map() was called${rule}`],
    ["arithmetic", ({ task }) => Number(task["n"]) + 1, `${at}task.n was used in arithmetic, a text or a comparison${rule}`],
    ["a template", ({ task }) => `${String(task["n"])}`, `${at}task.n was used in arithmetic, a text or a comparison${rule}`],
    [
      "an order",
      ({ task }) => (task["n"] ?? 0) > (1 as unknown as Wild),
      `${at}task.n was used in arithmetic, a text or a comparison${rule}`,
    ],
    ["spread of an object", ({ task }) => ({ ...task }), `${at}task was spread or its keys were listed${rule}`],
    ["rest of an object", ({ plan: { x, ...rest } }) => [x, rest], `${at}plan was spread or its keys were listed${rule}`],
    ["spread of a list", ({ task }) => [...(task["legs"] ?? [])], `${at}task.legs was spread or iterated${rule}`],
    ["in", ({ task }) => "vip" in task, `${at}"in" was used on task${rule}`],
    ["instanceof", ({ task }) => task instanceof Date, `${at}the class of task was asked for${rule}`],
    ["writing", ({ task }) => Object.assign(task, { a: 1 }), `${at}a property of task was written${rule}`],
    ["deleting", ({ task }) => Reflect.deleteProperty(task, "a"), `${at}a property of task was deleted${rule}`],
    ["JSON.stringify", ({ task }) => JSON.stringify(task), `${at}task.toJSON() was called${rule}`],
    [
      "an unknown name",
      (scope) => (scope as unknown as Record<string, unknown>)["hotel"],
      `${at}there is no "hotel" in the scope; by then there are task, plan`,
    ],
    ["the whole scope", (scope) => scope, `${at}the mapping gives the whole scope; choose a name of it`],
    [
      "rest of the scope",
      ({ task, ...rest }) => [task, rest],
      `${at}the scope was spread or its keys were listed; name what you need: ({ task, plan }) => ...`,
    ],
    [
      "undefined",
      () => undefined,
      `${at}the mapping's result is undefined; leave the key out or give null; a mapping gives JSON values and what it read`,
    ],
    [
      "undefined inside",
      () => ({ a: [undefined] }),
      `${at}the mapping's result at a.0 is undefined; leave the key out or give null; a mapping gives JSON values and what it read`,
    ],
    ["a function", () => ({ f: () => 1 }), `${at}the mapping's result at f is a function; a mapping gives JSON values and what it read`],
    ["a symbol", () => Symbol("x"), `${at}the mapping's result is a symbol; a mapping gives JSON values and what it read`],
    [
      "a date",
      () => ({ at: new Date(0) }),
      `${at}the mapping's result at at is an instance of Date; a mapping gives JSON values and what it read`,
    ],
    ["NaN", () => [Number.NaN], `${at}the mapping's result at 0 is NaN; a mapping gives JSON values and what it read`],
    ["a symbol as a key", () => ({ [Symbol("x")]: 1 }), `${at}the mapping's result has a symbol as a key`],
    [
      "an asynchronous mapping",
      async ({ task }) => task,
      `${at}the mapping's result is a Promise; a mapping is not asynchronous; a mapping gives JSON values and what it read`,
    ],
    [
      "throwing",
      () => {
        throw new RangeError("no");
      },
      `${at}the mapping threw RangeError: no`,
    ],
  ];
  test.each(cases)("%s", (_title, mapping, expected) => {
    expect(message(mapping)).toBe(expected);
  });

  test("a result that contains itself", () => {
    expect(
      message(() => {
        const ring: Record<string, unknown> = {};
        ring["self"] = ring;
        return ring;
      }),
    ).toBe(`${at}the mapping's result is deeper than 64 levels`);
  });

  test("a value carried over from another mapping", () => {
    let carried: unknown;
    record(({ task }) => {
      carried = task["a"];
      return 1;
    });
    expect(message(() => carried)).toBe(`${at}task.a belongs to another mapping (route "r", stop "s", input)`);
  });
});
