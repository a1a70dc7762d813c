/**
 * @module Promises of mappings: what is parsed, what is recorded, and what is refused.
 */
import { describe, expect, test } from "vitest";
import { recordArgument, recordScope } from "../../agents/mapping.ts";
import { Fault } from "../../runtime/faults.ts";

/** What a recorded value looks like to a mapping that does what it must not; the types of routes forbid most of this. */
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

const at = 'route "r", stop "s", input: ';
const ROOMS_MAX = 5;
const TEXTS = { city: "Rome", list: ["a", { b: null }], legs: "legs" };
const MARK = Symbol("mark");

describe("allowed constructs of a mapping become data", () => {
  test("property access and array indexes", () => {
    expect(record(({ task }) => task["legs"]?.[0]?.["to"])).toEqual({ from: ["task", "legs", "0", "to"] });
  });
  test("objects and lists", () => {
    expect(record(({ task, plan }) => ({ a: task, b: [plan["x"], 1], c: { d: null } }))).toEqual({
      object: { a: { from: ["task"] }, b: { list: [{ from: ["plan", "x"] }, { literal: 1 }] }, c: { literal: { d: null } } },
    });
  });
  test("a constant value is one literal", () => {
    expect(record(() => ({ a: [1, "x", true, null, {}], b: {} }))).toEqual({ literal: { a: [1, "x", true, null, {}], b: {} } });
  });
  test("renaming in the argument, and names like those of functions and promises", () => {
    expect(record(({ task: t }) => [t["name"], t["then"], t["prototype"], t["toString"]])).toEqual({
      list: [{ from: ["task", "name"] }, { from: ["task", "then"] }, { from: ["task", "prototype"] }, { from: ["task", "toString"] }],
    });
  });
  test("a key is recorded over the name of its value", () => {
    expect(recordArgument((input: { customer: string }) => input.customer, "input", "contract")).toEqual({ from: ["input", "customer"] });
  });
});

describe("constants around the mapping are literals", () => {
  test.each<readonly [string, (scope: Scope) => unknown, unknown]>([
    [
      "a name",
      ({ task }) => ({ limit: ROOMS_MAX, city: task["city"] }),
      { object: { limit: { literal: 5 }, city: { from: ["task", "city"] } } },
    ],
    ["a property", () => [TEXTS.city, TEXTS.list[1]], { literal: ["Rome", { b: null }] }],
    ["a key", ({ task }) => ({ [TEXTS.city]: task[TEXTS.legs]?.[0] }), { object: { Rome: { from: ["task", "legs", "0"] } } }],
    ["a whole object", ({ task }) => ({ TEXTS, task }), { object: { TEXTS: { literal: TEXTS }, task: { from: ["task"] } } }],
    ["signs and plain templates", () => [-1, +2.5, `x`], { literal: [-1, 2.5, "x"] }],
  ])("%s", (_title, mapping, expected) => {
    expect(record(mapping)).toEqual(expected);
  });
});

describe("functions may be written in any way", () => {
  const written: Readonly<Record<string, string>> = {
    "an arrow": "({ task }) => task.a",
    "an arrow without parentheses": "scope => scope.task.a",
    "an arrow with a block": "({ task }) => { return task.a; }",
    "a function": "function (scope) { 'use strict'; return scope.task.a }",
    "a function with a name": "function mapping(scope) { return scope.task.a }",
    "a method": "({ mapping({ task }) { return task.a } }).mapping",
    "a method with a computed name": "({ ['a b']({ task }) { return task.a } })['a b']",
    "a method of a class": "new (class { mapping({ task }) { return task.a } })().mapping",
    "a static method": "(class { static mapping({ task }) { return task.a } }).mapping",
    "a private method": "(class { static #mapping({ task }) { return task.a } static get() { return this.#mapping } }).get()",
    "types that were blanked out": "({ task }         ) => (task   )    .a           ",
    "a comment at the end": "({ task }) => task.a // the a",
    minified: "({task:a})=>a.a",
    "nested patterns": "({ task: { a } }) => a",
    arguments: "function () { return arguments[0].task.a }",
    "counters of a coverage tool": "({ task }) => { cov_1x().f[0]++; cov_1x().s[1]++; return task.a; }",
    "counters of a coverage tool in an expression": "({ task }) => (cov_1x().f[0]++, cov_1x().s[1]++, task.a)",
  };
  test.each(Object.entries(written))("%s", (_title, text) => {
    const counters = () => ({ f: [0], s: [0, 0] });
    const mapping = Function("cov_1x", `return ${text}`)(counters) as (scope: never) => unknown;
    expect(recordScope(mapping, ["task"], "x")).toEqual({ from: ["task", "a"] });
  });
  test("minified literals", () => {
    expect(record(Function("return { a: !0, b: !1, c: 1e3 }") as (scope: Scope) => unknown)).toEqual({
      literal: { a: true, b: false, c: 1000 },
    });
  });
});

describe("a choice is rejected, because it would be made once for all tasks", () => {
  const rule =
    "; a mapping may only read properties and build objects and lists; for a choice, give stops a `when` or add a stop that decides";
  test.each([
    ["has a condition (?:)", '({ task }) => ({ to: task.vip ? "a" : "b" })', 'task.vip ? "a" : "b"'],
    ["has a condition (?:)", "({ task }) => (ROOMS_MAX ? task.a : 1)", "ROOMS_MAX ? task.a : 1"],
    ["uses &&", "({ task }) => task.a && task.b", "task.a && task.b"],
    ["uses ||", "({ task }) => task.a || 1", "task.a || 1"],
    ["uses ??", "({ task }) => [task.a ?? 1]", "task.a ?? 1"],
    ["uses ===", "({ task }) => task.a === 1", "task.a === 1"],
    ["uses !=", "({ task }) => task.a != null", "task.a != null"],
    ["uses <", "({ task }) => task.a < 1", "task.a < 1"],
    ["uses !", "({ task }) => ({ a: !task.a })", "!task.a"],
    ["uses typeof", "({ task }) => typeof task.a", "typeof task.a"],
    ["uses in", '({ task }) => "a" in task', '"a" in task'],
    ["uses instanceof", "({ task }) => task instanceof Date", "task instanceof Date"],
  ])("%s in %s", (what, text, shown) => {
    expect(message(Function(`return ${text}`)() as (scope: Scope) => unknown)).toBe(`${at}the mapping ${what}: ${shown}${rule}`);
  });
});

describe("any other construct is rejected with its source, its place and what to do", () => {
  test.each([
    ["({ task }) => `x${task.a}`", "uses a template: `x${task.a}`"],
    ["({ task }) => task.a.toUpperCase()", "calls a function: task.a.toUpperCase()"],
    ["({ task }) => task?.a?.()", "calls a function: task?.a?.()"],
    ["({ task }) => String(task.a)", "calls a function: String(task.a)"],
    ["({ task }) => tag`x`", "uses a tagged template: tag`x`"],
    ["({ task }) => new Date(task.a)", "uses new: new Date(task.a)"],
    ["({ task }) => ({ ...task })", "uses spread: ...task"],
    ["({ task }) => [...task.legs]", "uses spread: ...task.legs"],
    ["({ task: { a, ...rest } }) => rest", "takes the rest: ...rest"],
    ["(...all) => all[0]", "takes the rest: ...all"],
    ["({ task }, other) => task", "has a second parameter: other"],
    ["({ task: [first] }) => first", "destructures a list: [first]"],
    ["({ task = 1 }) => task", "has a default value: task = 1"],
    ["(scope = {}) => scope.task", "has a default value: scope = {}"],
    ["({ task }) => task.n + 1", "uses +: task.n + 1"],
    ["() => 60 * 1000", "uses *: 60 * 1000"],
    ["({ task }) => -task.n", "uses -: -task.n"],
    ["({ task }) => void task", "uses void: void task"],
    ["({ task }) => delete task.a", "uses delete: delete task.a"],
    ["({ task }) => (task.a = 1)", "assigns: task.a = 1"],
    ["({ task }) => task.a++", "assigns: task.a++"],
    ["({ task }) => (task.a, task.b)", "uses the comma operator: task.a, task.b"],
    ["({ task }) => /x/", "has a regular expression: /x/"],
    ["({ task }) => [task.a, , 1]", "leaves out an item: [task.a, , 1]"],
    ["({ task }) => ({ get a() { return task.a } })", "builds an object with a method: get a() { return task.a }"],
    ["({ task }) => ({ a() { return 1 } })", "builds an object with a method: a() { return 1 }"],
    ["({ task }) => ({ __proto__: task })", "sets a prototype: __proto__: task"],
    ["({ task }) => ({ f: () => task })", "makes a function: () => task"],
    ["({ task }) => class {}", "makes a class: class {}"],
    ["function () { return this.task }", "uses this: this"],
    ["({ task }) => import(task.a)", "imports: import(task.a)"],
    ["({ task }) => task[task.key]", "computes a key: task.key"],
    ["({ task }) => ({ [task.key]: 1 })", "computes a key: task.key"],
    ["({ task }) => TABLE[[task.key]]", "computes a key: [task.key]"],
    ["function () { return TABLE[arguments[0].task] }", "computes a key: arguments[0].task"],
    ["({ task, [task.key]: b }) => b", "computes a key: task.key"],
    ["({ task }) => { const a = task.a; return a }", "has a variable: const a = task.a;"],
    ["({ task }) => { if (task.a) return 1; return 2 }", "has an if: if (task.a) return 1;"],
    ["({ task }) => { log(task); return task }", "has a statement: log(task);"],
    ["({ task }) => { return task.a; return task.b }", "has a statement: return task.b;"],
    ["async ({ task }) => await task", "is asynchronous: async ({ task }) => await task"],
    ["({ async mapping({ task }) { return task } }).mapping", "is asynchronous"],
    ["function* ({ task }) { yield task }", "is a generator: function* ({ task }) { yield task }"],
    [`({ task }) => "${"x".repeat(100)}" + task.a`, `uses +: "${"x".repeat(59)}...; `],
  ])("%s", (text, expected) => {
    const refused = message(Function(`return ${text}`)() as (scope: Scope) => unknown);
    expect(refused).toContain(`${at}the mapping ${expected}`);
    expect(refused).toContain("; a mapping may only read properties and build objects and lists; ");
  });
});

describe("a function without readable source is rejected", () => {
  const arrow = "; write the mapping as an arrow function in place, such as ({ task }) => ({ to: task.city })";
  const hidden = `${at}its source is hidden, as of a bound or built-in function${arrow}`;
  test.each<readonly [string, (scope: Scope) => unknown, string]>([
    ["bound", ((scope: Scope) => scope.task).bind(null), hidden],
    ["built in", Object.keys, hidden],
    ["a proxy", new Proxy((scope: Scope) => scope.task, {}), hidden],
    ["a class", class {} as never, `${at}its source cannot be parsed as a function${arrow}`],
    ["nothing", (() => {}) as never, `${at}the mapping returns nothing; return what the stop takes`],
    ["no function", "x" as never, `${at}a mapping must be a function, such as ({ task }) => task`],
  ])("%s", (_title, mapping, expected) => {
    expect(message(mapping)).toBe(expected);
  });
});

describe("read paths and results are checked too", () => {
  const ring: Record<string, unknown> = {};
  ring["self"] = ring;
  const constants = { nan: Number.NaN, date: new Date(0), promise: Promise.resolve(1), call: () => 1, marked: { [MARK]: 1 } };
  const json = "; a mapping may only give JSON values and values that it read";
  test.each<readonly [string, (scope: Scope) => unknown, string]>([
    [
      "an unknown name",
      (scope) => (scope as unknown as Record<string, unknown>)["hotel"],
      `${at}the scope has no "hotel"; at this stop it has task, plan`,
    ],
    ["the whole scope", (scope) => scope, `${at}the mapping gives the whole scope; give one of its names`],
    ["undefined", () => undefined, `${at}the mapping's result is undefined; leave out the key, or give null${json}`],
    [
      "undefined inside",
      () => ({ a: [undefined] }),
      `${at}the mapping's result at a.0 is undefined; leave out the key, or give null${json}`,
    ],
    ["a function", () => ({ f: constants.call }), `${at}the mapping's result at f is a function${json}`],
    ["a symbol", () => MARK, `${at}the mapping's result is a symbol${json}`],
    ["a symbol as a key", () => constants.marked, `${at}the mapping's result has a symbol as a key`],
    ["a symbol that is read", ({ task }) => task[MARK as never], `${at}task[Symbol(mark)] was read; a mapping may only read`],
    ["a date", () => ({ at: constants.date }), `${at}the mapping's result at at is an instance of Date${json}`],
    ["a promise", () => constants.promise, `${at}the mapping's result is an instance of Promise${json}`],
    ["NaN", () => [constants.nan], `${at}the mapping's result at 0 is NaN${json}`],
    ["what contains itself", () => ring, `${at}the mapping's result is deeper than 64 levels`],
    [
      "a constant that is not there yet",
      () => (constants as unknown as { readonly later: { readonly x: number } }).later.x,
      `${at}the mapping threw TypeError: `,
    ],
  ])("%s", (_title, mapping, expected) => {
    expect(message(mapping)).toContain(expected);
  });
});
