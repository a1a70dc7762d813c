/** @module Conditions. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { checkCondition, holds } from "../../runtime/condition/condition.ts";
import { Fault, isFault, type Json } from "../../runtime/faults.ts";
import { jsonSchemaOf } from "../../runtime/schema.ts";
import { type Shape, shapeOfSchema, type Shapes } from "../../runtime/shape.ts";

const shapeOf = (schema: z.ZodType): Shape => shapeOfSchema(jsonSchemaOf(schema, "a test"));

const Tree = z.object({
  name: z.string(),
  get under() {
    return z.array(Tree);
  },
});
const Task = z.object({
  n: z.int(),
  price: z.number(),
  vip: z.boolean(),
  city: z.string(),
  kind: z.enum(["vip", "plain"]),
  note: z.string().optional(),
  tip: z.number().nullable(),
  tags: z.array(z.string()),
  legs: z.array(z.object({ to: z.string(), km: z.int() })),
  either: z.union([z.string(), z.number()]),
  pay: z.discriminatedUnion("by", [z.object({ by: z.literal("card"), card: z.string() }), z.object({ by: z.literal("cash") })]),
  extra: z.unknown(),
  prices: z.record(z.string(), z.number()),
  pair: z.tuple([z.string(), z.number()]),
  tree: Tree,
});
const Mixed = z.union([z.array(z.boolean()), z.object({ a: z.boolean() })]);
const Plan = z.object({ nights: z.int(), hotel: z.object({ name: z.string() }).optional() });
const scope: Shapes = { task: shapeOf(Task), plan: shapeOf(Plan.nullable()), mixed: shapeOf(Mixed), item: undefined };

describe("a condition that fits the schemas passes", () => {
  test.each([
    "task.n + 1 > 5",
    "task.n - 1.5 >= 2 && task.n * 2 < task.price / 3",
    "task.n % 2 == 0",
    "-task.n < 0 && !task.vip",
    "task.price > 5 && 5 < task.price && task.price == 2.5",
    "task.n == task.price",
    "size(task.tags) + 1 > task.n",
    "task.tags.size() / 2 >= 0.5",
    "task.n in [1, 2.5, 3]",
    "'a' in task.tags && 'rome' in task.prices",
    "task.city.startsWith('R') && task.city.lowerAscii().contains('x') && task.city + '!' != ''",
    "task.city.substring(0, task.n) < 'm'",
    "int(task.city) > 1 || string(task.n) == '1'",
    "(task.vip ? task.n : 1.5) > 1",
    "task.kind == 'vip'",
    "task.tip != null && task.tip > 1",
    "task.tip == null || task.tip > 1",
    "has(task.note) && task.note == 'x'",
    "!has(task.note) || task.note.size() > 1",
    "has(task.note) ? task.note == 'x' : false",
    "plan != null && plan.nights > 2",
    "!(plan == null) && plan.nights > 2",
    "has(plan.hotel.name) && plan.hotel.name == 'x'",
    "task.pay.by == 'card' && has(task.pay.card) && task.pay.card != ''",
    "task.legs.exists(leg, leg.km > 100) && task.legs.all(x, x.to != '')",
    "task.legs.exists_one(leg, leg.to == task.city)",
    "task.legs.map(leg, leg.km).exists(km, km % 2 == 1)",
    "task.legs.filter(leg, leg.km > 1).size() > 0",
    "task.legs.map(leg, leg.km > 1, leg.to) == ['a']",
    "task.legs[0].to == 'a' && task.legs[task.n].km > 1",
    "task.tags + ['x'] == ['y']",
    "task.prices['rome'] > 5 && task.prices.rome > 5 && task.prices.exists(city, city == 'rome')",
    "task.pair.exists(x, x == 1)",
    "task.either == 1 || task.either == 'a' || dyn(task.either) > 1",
    "task.extra.anything > 5 && task.extra",
    "item.days > 1 && item",
    "task.tree.under.exists(one, one.under.exists(two, two.name == 'x'))",
    "{'a': 1}.a == task.n",
    "task.tags.join(',') == 'a,b' && task.city.split(' ').size() > 1",
    "true",
    `${Array.from({ length: 100 }, () => "[1]").join("+")} == [2]`,
  ])("%s", (text) => {
    expect(() => checkCondition(text, scope)).not.toThrow();
  });
});

describe("anything else is refused with what is wrong and the nearest name", () => {
  test.each([
    ["tsk.n > 1", 'unknown name "tsk"; do you mean "task"?; known: task, plan, mixed, item'],
    ["task.cty == 'x'", 'task has no "cty"; do you mean "city"?; it has n, price'],
    ["task.legs.exists(leg, leg.kn > 1)", 'leg has no "kn"; do you mean "km"?; it has to, km'],
    ["task.zzzzzz == 'x'", 'task has no "zzzzzz"; it has n, price'],
    ["task.kind == 'vpi'", 'task.kind == \'vpi\': "vpi" is not a possible value; do you mean "vip"?; possible are "vip", "plain"'],
    ["task.city > 5", "task.city > 5: > cannot be applied to a text and a number"],
    ["task.city == 5", "task.city == 5 compares a text with a number, which are never equal"],
    ["task.n + task.city == 'x'", "+ cannot be applied to a number and a text"],
    ["task.city * 2 == 4", "task.city is a text, but must be a number"],
    ["task.n", "task.n is a number, but must be true or false"],
    ["1 + 1", "1 + 1 is a number, but must be true or false"],
    ["task.n && true", "task.n is a number, but must be true or false"],
    ["!task.city", "task.city is a text, but must be true or false"],
    ["task.n.startsWith('x')", "task.n is a number, but must be a text"],
    ["5 in task.tags", "5 in task.tags compares a number with a text, which are never equal"],
    ["task.tags.length > 1", 'task.tags is a list and has no "length"; write size(task.tags)'],
    ["task.note == 'x'", "task.note may be absent; check first, such as has(task.note) && ..."],
    ["task.note == 'x' && has(task.note)", "task.note may be absent"],
    ["task.note == 'x' && task.note == 'x'", "task.note may be absent"],
    ["task.tip > 1", "task.tip may be null; check first, such as task.tip != null && ..., or task.tip == null || ..."],
    ["task.tip != null || task.tip > 1", "task.tip may be null"],
    ["plan.nights > 2", "plan may be null"],
    ["plan != null && plan.hotel.name == 'x'", "plan.hotel may be absent"],
    ["has(plan.hotl)", 'plan has no "hotl"; do you mean "hotel"?; it has nights, hotel'],
    ["has(task.note) && task.legs.exists(task, task.note == 'x')", 'task has no "note"'],
    ["task.pay.card == 'x'", "task.pay.card may be absent"],
    ["task.either > 1", "task.either may be a text or a number, so > cannot be applied; see dyn(task.either)"],
    ["task.pair.exists(x, x > 1)", "x may be a text or a number"],
    ["task.legs['a'].to == 'x'", 'task.legs is a list and has no "a"'],
    ["mixed[0]", "mixed may be a list or an object, so its items do not have one kind of key"],
    ["task.legs[task.city].to == 'x'", "task.city is a text, but must be a number"],
    ["task.n.exists(x, x > 1)", "task.n is a number, but must be a list or an object"],
    ["task.legs.exists(leg, leg.km)", "leg.km is a number, but must be true or false"],
    ["size(task.n) > 1", "task.n is a number, but must be a text or a list or an object"],
    ["task.legs.map(x, x.km).join() == ''", "join() takes a list of texts"],
    ["task.vip ? 1 : 2", "is a number, but must be true or false"],
    ["task.days >", "Unexpected"],
    ["task.city.matches('(a+)+b')", "matches() is not available; use startsWith, endsWith, contains or =="],
    ["task.city.startWith('R')", 'unknown method startWith(); do you mean "startsWith"?'],
    ["task.city.startsWith('R', 1)", "startsWith() takes 1 arguments"],
    ["timestamp(task.city) > 1", "unknown function timestamp(); known: size, string, int, double, dyn, has"],
    ["task.legs.exists(1, true)", "exists(var, predicate) invalid predicate iteration variable"],
    ["has(task)", "has() takes a property"],
    ["b'x' == 'x'", "bytes and unsigned integers are not available"],
    ["task.n > 9007199254740993", "9007199254740993 is too large for a JSON number"],
    ["task.prices + 1 > 2", "task.prices is an object, but must be a number or a text or a list"],
    [`task.city == "${"x".repeat(2_000)}"`, "longer than 2000 characters"],
    [Array.from({ length: 400 }, () => "1").join("+"), "maxAstNodes"],
  ])("%s", (text, message) => {
    expect(() => checkCondition(text, scope)).toThrow(message);
    try {
      checkCondition(text, scope);
    } catch (error) {
      expect(error).toBeInstanceOf(Fault);
      expect(error).toMatchObject({ code: "slip.condition" });
    }
  });
  test("the whole condition stands before what is wrong", () => {
    expect(() => checkCondition("task.cty == 'x'", scope)).toThrow(`condition "task.cty == 'x'": task has no "cty"`);
  });
});

describe("a condition holds or not", () => {
  const task = { n: 7, price: 2.5, city: "Rome", tags: ["a", "b"], mixed: [1, "a", null], legs: [{ km: 3 }, { km: 4 }], o: { b: 1, a: 2 } };
  test.each([
    ["task.n + 1 > 5", true],
    ["task.n + 1 == 8 && task.n / 2 == 3.5 && task.n % 4 == 3 && task.n - 10 == -3 && 5 / 2 == 2.5", true],
    ["task.price > 2 && task.price < 3 && task.price * 2 == 5", true],
    ["size(task.tags) == 2 && size(task.tags) + task.n == 9 && size('äö') == 2 && task.o.size() == 2", true],
    ["task.n in [1, 7.0] && 1 in task.mixed && 'a' in task.mixed && null in task.mixed && !(2 in task.mixed)", true],
    ["task.tags[0] == 'a' && task.tags[size(task.tags) - 1] == 'b'", true],
    ["task.legs.map(x, x.km) == [3, 4] && task.legs.filter(x, x.km > 3) == [{'km': 4}]", true],
    ["task.legs.exists_one(x, x.km > 3) && task.legs.all(x, x.km > 2) && !task.legs.exists(x, x.km > 4)", true],
    ["task.o.map(k, k) == ['a', 'b'] && 'a' in task.o && task.o['a'] == 2", true],
    ["task.city.startsWith('R') && task.city.indexOf('m') == 2 && task.city.substring(1, 3) == 'om'", true],
    ["task.city.lowerAscii() == 'rome' && ' x '.trim() == 'x' && 'a,b'.split(',') == task.tags && task.tags.join('-') == 'a-b'", true],
    ["int('12') == 12 && int(2.9) == 2 && double('1.5') == 1.5 && string(7) == '7'", true],
    ["task.n > 5 ? task.city == 'Rome' : task.missing", true],
    ["task.missing > 1 || true", true],
    ["false && task.missing > 1", false],
    ["task.mixed.exists(x, x == 'a')", true],
    ["task.mixed.exists(x, x > 0)", true],
    ["has(task.missing) || has(task.city.missing) || has(task.o.c)", false],
    ["task.city == 5 || task.tags == task.o", false],
    ["flight == null", true],
  ])("%s", (text, expected) => {
    expect(holds(text, { task, flight: null })).toBe(expected);
  });
  test.each([
    ["task.days > 1", 'condition "task.days > 1": task has no "days"'],
    ["task.constructor == 1", 'task has no "constructor"'],
    ["task.n", "the result is a number, but must be true or false"],
    ["task.n / 0 > 1", "division by zero"],
    ["task.city > 1", "> cannot be applied to values of type string and number"],
    ["flight.price > 1", 'flight is of type null and has no "price"'],
    ["hotel == 1", "unknown name hotel"],
    ["task.tags[2] == 'x'", "task.tags has no item 2"],
    ["task.city.substring(3, 9) == ''", "has no result for these values"],
    ["int(task.city) == 1", "has no result for these values"],
  ])("%s cannot be decided", (text, message) => {
    expect(() => holds(text, { task, flight: null })).toThrow(message);
  });
  test("names that objects inherit exist only where they are given", () => {
    const named = { constructor: 1, deep: [{ constructor: null, n: 2 }] };
    expect(holds("has(task.constructor) || has(task.valueOf) || 'toString' in task", { task: {} })).toBe(false);
    expect(holds("task.constructor == 1 && task.deep[0].n == 2 && task.deep[0].constructor == null", { task: named })).toBe(true);
    expect(holds("constructor.n == 1 && valueOf.n == 2", { constructor: { n: 1 }, valueOf: { n: 2 } })).toBe(true);
    expect(() => holds("task.constructor == 1", { task: {} })).toThrow('task has no "constructor"');
    expect(() => checkCondition("task.constructor == 1", scope)).toThrow('task has no "constructor"');
    expect(() => checkCondition("toString == 1", scope)).toThrow('unknown name "toString"');
  });
  test("a stop whose name is not a CEL identifier does not disturb", () => {
    expect(holds("task.days > 1", { task: { days: 2 }, "book-flight": 1, in: 2 })).toBe(true);
  });
  test("macros in macros over long lists end", () => {
    const list = Array.from({ length: 1_000 }, (_, index) => index);
    const text = "task.exists(a, task.exists(b, task.exists(c, a + b + c < 0)))";
    expect(() => holds(text, { task: list })).toThrow("takes more than 1000000 steps");
    expect(() => holds(`${text} || true`, { task: list })).toThrow("takes more than 1000000 steps");
  });
  // Without a budget for what they do, each takes seconds to minutes.
  test.each([
    "task.list.all(x, task.keys.exists(y, true))",
    "task.list.all(x, size(task.keys) > 0)",
    "task.list.all(x, task.list.all(y, x.z > 1 || true))",
    "task.list.all(x, task.keys != task.others)",
    "task.list.all(x, task.long == task.same)",
    "task.list.all(x, task.long <= task.same)",
    "task.long.contains(task.part)",
    "task.long.indexOf(task.part) >= 0",
    "task.long.lastIndexOf(task.part) >= 0",
    "size(task.long.split(task.part)) > 1",
    "size(task.list.map(x, task.long).join(task.long)) > 1",
  ])("is given up when it takes too long: %s", (text) => {
    const list = Array.from({ length: 8_000 }, (_, index) => index);
    const keys = Object.fromEntries(list.map((index) => [`k${index}`, index]));
    const same = ["a".repeat(300_000), "a".repeat(300_000)].map((one) => `${one}a`);
    const task = {
      list,
      keys,
      others: { ...keys, k7999: 0 },
      long: same[0] ?? "",
      same: same[1] ?? "",
      part: `${"a".repeat(75_000)}b${"a".repeat(75_000)}`,
    };
    expect(() => holds(text, { task })).toThrow(
      "takes more than 1000000 steps; let an agent compute this, or read shorter lists and texts",
    );
  });
  test("may search long texts for short ones, and read long lists once", () => {
    const task = { list: Array.from({ length: 10_000 }, (_, index) => index), long: "a".repeat(300_000) };
    expect(holds('task.long.contains("ab") || 9999 in task.list', { task })).toBe(true);
    expect(holds("task.list.all(x, x < 10000) && size(task.list.filter(x, x % 2 == 0)) == 5000", { task })).toBe(true);
  });
});

/** Schemas with values that fit them. */
interface Sample {
  readonly schema: z.ZodType;
  readonly value: fc.Arbitrary<Json>;
}
const leaf: fc.Arbitrary<Sample> = fc.constantFrom<Sample>(
  { schema: z.int(), value: fc.integer({ min: -9, max: 9 }) },
  { schema: z.number(), value: fc.double({ min: -9, max: 9, noNaN: true }) },
  { schema: z.string(), value: fc.constantFrom("", "a", "b", "7") },
  { schema: z.boolean(), value: fc.boolean() },
  { schema: z.enum(["a", "b"]), value: fc.constantFrom("a", "b") },
  { schema: z.null(), value: fc.constant(null) },
);
const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie("sample").map(({ schema, value }) => ({ schema: z.array(schema), value: fc.array(value, { maxLength: 3 }) })),
    tie("sample").map(({ schema, value }) => ({ schema: schema.nullable(), value: fc.option(value, { nil: null }) })),
    fc.tuple(tie("sample"), tie("sample")).map(([a, b]) => ({ schema: z.union([a.schema, b.schema]), value: fc.oneof(a.value, b.value) })),
    fc.tuple(tie("sample"), tie("sample"), tie("sample")).map(([a, b, c]) => ({
      schema: z.object({ a: a.schema, b: b.schema, c: c.schema.optional() }),
      value: fc.record({ a: a.value, b: b.value, c: c.value }, { requiredKeys: ["a", "b"] }) as fc.Arbitrary<Json>,
    })),
  ),
}));

const { condition } = fc.letrec<{ condition: string; value: string; path: string }>((tie) => ({
  path: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom("task", "task", "x"),
    fc.tuple(tie("path"), fc.constantFrom(".a", ".b", ".c", "[0]")).map(([of, part]) => of + part),
  ),
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom("1", "2.5", "'a'", "'b'", "true", "null", "[1, 2]", "['a']", "{'a': 1}"),
    tie("path"),
    tie("path"),
    fc.tuple(tie("value"), fc.constantFrom("+", "-", "*", "%"), tie("value")).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
    tie("value").map((of) => `size(${of})`),
    tie("value").map((of) => `string(${of})`),
    fc.tuple(tie("value"), tie("value")).map(([of, give]) => `${of}.map(x, ${give})`),
    fc.tuple(tie("value"), tie("condition")).map(([of, ask]) => `${of}.filter(x, ${ask})`),
    fc.tuple(tie("condition"), tie("value"), tie("value")).map(([ask, yes, no]) => `(${ask} ? ${yes} : ${no})`),
  ),
  condition: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(tie("value"), fc.constantFrom("==", "!=", "<", ">=", "in"), tie("value")).map(([a, sign, b]) => `${a} ${sign} ${b}`),
    fc.tuple(tie("path"), fc.constantFrom("== null", "!= null")).map((parts) => parts.join(" ")),
    tie("value"),
    tie("path").map((path) => `has(${path}.c)`),
    fc.tuple(tie("condition"), fc.constantFrom("&&", "||"), tie("condition")).map(([a, sign, b]) => `(${a}) ${sign} (${b})`),
    tie("condition").map((of) => `!(${of})`),
    fc
      .tuple(tie("value"), fc.constantFrom("all", "exists", "exists_one"), tie("condition"))
      .map(([of, macro, ask]) => `${of}.${macro}(x, ${ask})`),
  ),
}));

test("what passes the check does not fail for a type with any value that matches the schemas", () => {
  let passed = 0;
  const arbitrary = sample.chain((made) =>
    fc.tuple(
      fc.constant(jsonSchemaOf(made.schema, "a test")),
      fc.array(made.value, { minLength: 3, maxLength: 3 }),
      fc.array(condition, { minLength: 12, maxLength: 12 }),
    ),
  );
  fc.assert(
    fc.property(arbitrary, ([schema, values, texts]) => {
      const shapes = { task: shapeOfSchema(schema) };
      for (const text of texts) {
        try {
          checkCondition(text, shapes);
        } catch (error) {
          if (isFault(error)) continue;
          throw error;
        }
        passed += 1;
        for (const task of values) {
          try {
            expect(typeof holds(text, { task })).toBe("boolean");
          } catch (error) {
            // What depends on values and not on their types: how long a list is, and what a number is divided by.
            expect(String(error)).toMatch(/has no item|division by zero/);
          }
        }
      }
    }),
    { numRuns: 600 },
  );
  expect(passed).toBeGreaterThan(100);
});
