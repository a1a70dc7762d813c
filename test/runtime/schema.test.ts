/** @module The schema gate. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { canonicalJson } from "../../runtime/canonical.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { gate, jsonSchemaOf, requireJson } from "../../runtime/schema.ts";

function faultOf(run: () => unknown): Fault {
  try {
    run();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("no fault was thrown");
}

function refusal(schema: z.ZodType, value: unknown): Fault {
  return faultOf(() => gate(schema, "input of agent A", "schema.input").check(value));
}

const Trip = z.object({ city: z.string(), legs: z.array(z.object({ to: z.string(), price: z.number().optional() })) });

describe("a value passes unchanged", () => {
  test("a matching value is returned", () => {
    const value = { city: "Rome", legs: [{ to: "FCO", price: 3 }, { to: "CIA" }] };
    expect(gate(Trip, "trip", "schema.task").check(value)).toEqual(value);
  });

  test("a property that is undefined is absent", () => {
    const checked = gate(Trip, "trip", "schema.task").check({ city: "Rome", legs: [{ to: "FCO", price: undefined }] });
    expect(Object.keys((checked as { legs: object[] }).legs[0] ?? {})).toEqual(["to"]);
  });

  test("a loose object keeps the further keys that its author allowed", () => {
    expect(gate(z.looseObject({ a: z.number() }), "x", "schema.task").check({ a: 1, b: 2 })).toEqual({ a: 1, b: 2 });
  });
});

describe("a property whose name objects inherit", () => {
  const Optional = z.object({ constructor: z.string().optional(), deep: z.array(z.strictObject({ valueOf: z.int().optional() })) });

  test("is absent where the value has none of its own", () => {
    for (const value of [{ deep: [] }, { deep: [{}, { valueOf: 1 }] }, { constructor: "c", deep: [{}] }])
      expect(gate(Optional, "x", "schema.task").check(value)).toBe(value);
    expect(refusal(z.strictObject({ toString: z.string() }), {}).message).toBe(
      "input of agent A at toString: expected string, found nothing",
    );
    expect(refusal(z.strictObject({}), { constructor: 1 }).message).toBe("input of agent A at constructor: unknown key");
  });

  test("does not hide what is wrong elsewhere", () => {
    expect(refusal(Optional, { deep: [{}, { valueOf: "1" }] }).message).toBe(
      "input of agent A at deep[1].valueOf: expected number, found a string",
    );
    const picky = Optional.refine((value) => value.hasOwnProperty("deep") && value.deep.length > 1, "too few");
    expect(refusal(picky, { constructor: "c", deep: [] }).message).toContain("too few");
  });

  test("`__proto__` passes where any key may be, and is refused where the schema drops it", () => {
    const value = JSON.parse('{"__proto__":{"n":1}}') as Json;
    expect(gate(z.unknown(), "x", "schema.task").check(value)).toBe(value);
    for (const schema of [z.object({}), z.strictObject({}), z.looseObject({}), z.record(z.string(), z.unknown())])
      expect(refusal(schema, value).message).toBe("input of agent A at __proto__: unknown key");
    expect(faultOf(() => jsonSchemaOf(z.object({ ["__proto__"]: z.int() }), "x")).message).toContain(
      "a property cannot be named __proto__",
    );
  });
});

describe("a fault says where and what was expected", () => {
  const cases: readonly (readonly [string, z.ZodType, unknown, string, string])[] = [
    ["wrong type", Trip, { city: 3, legs: [] }, "city", "input of agent A at city: expected string, found a number"],
    ["missing key", Trip, { legs: [] }, "city", "input of agent A at city: expected string, found nothing"],
    [
      "deep path",
      Trip,
      { city: "R", legs: [{ to: "A" }, { to: 1 }] },
      "legs[1].to",
      "input of agent A at legs[1].to: expected string, found a number",
    ],
    ["unknown key in a plain object", Trip, { city: "R", legs: [], vip: true }, "vip", "input of agent A at vip: unknown key"],
    [
      "unknown key deep down",
      Trip,
      { city: "R", legs: [{ to: "A", "odd key": 1 }] },
      'legs[0]["odd key"]',
      'input of agent A at legs[0]["odd key"]: unknown key',
    ],
    ["unknown key in a strict object", z.strictObject({}), { vip: 1 }, "vip", "input of agent A at vip: unknown key"],
    ["coercion", z.object({ n: z.coerce.number() }), { n: "5" }, "n", "input of agent A at n: would be changed by the schema"],
    ["a text that would be trimmed", z.string().trim(), " a", "", "input of agent A: would be changed by the schema"],
    [
      "default",
      z.object({ n: z.number().default(1) }),
      {},
      "n",
      "input of agent A at n: missing; the schema has a default, but defaults are not filled in",
    ],
    ["choice", z.enum(["a", "b"]), "c", "", 'input of agent A: expected one of "a", "b", found a string'],
    ["union", z.union([z.string(), z.number()]), true, "", "input of agent A: expected string or number, found a boolean"],
    [
      "the option of a union that got furthest",
      z.union([z.string(), z.object({ a: z.object({ b: z.string() }) })]),
      { a: { b: 1 } },
      "a.b",
      "input of agent A at a.b: expected string, found a number",
    ],
    ["the value itself", z.string(), undefined, "", "input of agent A: expected a JSON value, found nothing"],
    ["a date", z.unknown(), { at: new Date(0) }, "at", "input of agent A at at: expected a JSON value, found an instance of Date"],
    ["a hole", z.array(z.unknown()), [1, undefined], "[1]", "input of agent A at [1]: expected a JSON value, found nothing"],
    ["NaN", z.unknown(), { n: [Number.NaN] }, "n[0]", "input of agent A at n[0]: expected a JSON value, found NaN"],
    [
      "half a character",
      z.unknown(),
      ["a\ud83d"],
      "[0]",
      "input of agent A at [0]: a text contains half of a surrogate pair, which is not a character",
    ],
    ["a function", z.unknown(), { f: () => 1 }, "f", "input of agent A at f: expected a JSON value, found a function"],
    [
      "a key that only looks like part of the object",
      Trip,
      JSON.parse('{"city":"R","legs":[],"__proto__":{"vip":true}}'),
      "__proto__",
      "input of agent A at __proto__: unknown key",
    ],
  ];
  test.each(cases)("%s", (_title, schema, value, path, message) => {
    const fault = refusal(schema, value);
    expect(fault.message).toBe(message);
    expect(fault.code).toBe("schema.input");
    expect(fault.details?.["path"]).toBe(path);
    expect(fault.details?.["expected"]).toBeTypeOf("string");
  });

  test("values are never reported, only their kinds", () => {
    expect(refusal(z.object({ token: z.number() }), { token: "s3cret" }).message).not.toContain("s3cret");
  });

  test("a cycle is refused and not followed forever", () => {
    const ring: Record<string, unknown> = {};
    ring["self"] = ring;
    expect(refusal(z.unknown(), ring).message).toContain("a cycle");
    expect(refusal(z.unknown(), ring).message.length).toBeLessThan(200);
  });

  test("a tree that shares its branches so often that it cannot be written is refused", () => {
    let shared: unknown = {};
    for (let level = 0; level < 60; level += 1) shared = { left: shared, right: shared };
    expect(refusal(z.unknown(), shared).message).toContain("too large");
  });

  test("a check that throws is a fault of the value, an asynchronous one of the definition", () => {
    const throws = z.string().refine(() => {
      throw new Error("boom");
    });
    expect(refusal(throws, "a").message).toBe("input of agent A: a check of the schema threw: boom");
    expect(
      refusal(
        z.string().refine(async () => true),
        "a",
      ).code,
    ).toBe("definition.invalid");
  });
});

test("a value without a schema is JSON or a fault", () => {
  expect(requireJson({ a: [1, null] }, "x", "schema.output")).toEqual({ a: [1, null] });
  expect(faultOf(() => requireJson(undefined, "x", "schema.output")).message).toBe("x: expected a JSON value, found nothing");
});

test("a value passes exactly when zod accepts it and returns the same canonical text", () => {
  const schema = z.object({
    a: z.coerce.number(),
    b: z.union([z.string().trim(), z.array(z.json())]).optional(),
    c: z.object({ d: z.boolean().default(true) }).nullable(),
  });
  const guarded = gate(schema, "x", "schema.task");
  const near = fc.record(
    {
      a: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant("1")),
      b: fc.oneof(fc.string({ maxLength: 3 }), fc.array(fc.jsonValue())),
      c: fc.oneof(fc.constant(null), fc.record({ d: fc.boolean() }, { requiredKeys: [] })),
      x: fc.boolean(),
    },
    { requiredKeys: ["a", "c"] },
  );
  fc.assert(
    fc.property(fc.oneof(near, fc.jsonValue()), (value) => {
      const parsed = schema.safeParse(value);
      const same = parsed.success && canonicalJson(parsed.data as Json) === canonicalJson(value as Json);
      let passed = true;
      try {
        expect(canonicalJson(guarded.check(value))).toBe(canonicalJson(value as Json));
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        passed = false;
      }
      expect(passed).toBe(same);
    }),
    { numRuns: 2_000 },
  );
});

describe("the JSON Schema of what passes", () => {
  test("unknown keys are refused there too", () => {
    expect(jsonSchemaOf(z.object({ a: z.string() }), "x")).toMatchObject({ type: "object", required: ["a"], additionalProperties: false });
  });

  const impossible: readonly (readonly [string, z.ZodType, string])[] = [
    ["a date", z.object({ at: z.date() }), "contract A, input: Date cannot be represented"],
    ["a transform", z.string().transform((text) => text.length), "contract A, input: Transforms cannot be represented"],
    [
      "a codec",
      z.object({ n: z.codec(z.string(), z.number(), { decode: Number, encode: String }) }),
      "contract A, input: a codec or preprocess changes values",
    ],
    ["a preprocessing step", z.preprocess(String, z.string()), "contract A, input: a codec or preprocess changes values"],
    ["a class", z.instanceof(URL), "contract A, input: Custom types cannot be represented"],
  ];
  test.each(impossible)("%s is an error of the definition", (_title, schema, message) => {
    const fault = faultOf(() => jsonSchemaOf(schema, "contract A, input"));
    expect(fault.code).toBe("definition.invalid");
    expect(fault.message).toContain(message);
  });
});
