/**
 * @module The generator of JSON values: what it makes fits the schema that zod or an MCP server wrote, and what it spoils does not.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { z } from "zod";
import { gate, jsonSchemaOf, type JsonSchema } from "../../runtime/schema.ts";
import { valueOf, wrongValueOf } from "../../simulation/world/json-values.ts";
import { Random } from "../../simulation/world/random.ts";

const SEEDS = 300;
/** Of so many spoiled values some may still fit, such as a text in the place of a number where both are allowed. */
const FITTING_SHARE_MAX = 0.2;

const Tree: z.ZodType = z.lazy(() => z.object({ name: z.string(), under: z.array(Tree).max(2) }));

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  "an order": z.object({ orderId: z.string().min(3), amount: z.int().min(1).max(500), note: z.string().optional() }),
  "a union by a kind": z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("card"), number: z.string().regex(/^\d+$/) }),
    z.object({ kind: z.literal("cash"), coins: z.array(z.number().multipleOf(0.5)).min(1) }),
  ]),
  "lists, records and nulls": z.object({
    tags: z
      .array(z.enum(["a", "b"]))
      .min(2)
      .max(4),
    counts: z.record(z.string(), z.int().nonnegative()),
    parent: z.string().nullable(),
    pair: z.tuple([z.string(), z.boolean()]),
  }),
  "formats and bounds": z.object({
    mail: z.email(),
    id: z.uuid(),
    at: z.iso.datetime(),
    share: z.number().gt(0).lt(10),
    text: z.string().max(4),
  }),
  "an intersection": z.intersection(z.looseObject({ a: z.int() }), z.looseObject({ b: z.string() })),
  "a tree": z.object({ root: Tree }),
  "a number alone": z.int(),
};

for (const [name, schema] of Object.entries(SCHEMAS)) {
  test(`values for ${name} fit, and spoiled ones do not`, () => {
    const json = jsonSchemaOf(schema, name);
    const { check } = gate(schema, name, "schema.tool-input");
    let fitting = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const source = { random: new Random(seed, 1), texts: ["order-7", "x"], numbers: [7, 100_000] };
      const value = valueOf(json, source);
      expect(() => check(value), `seed ${seed}: ${JSON.stringify(value)}`).not.toThrow();
      try {
        check(wrongValueOf(json, source));
        fitting += 1;
      } catch {
        // As it should be.
      }
    }
    expect(fitting / SEEDS).toBeLessThan(FITTING_SHARE_MAX);
  });
}

test("values for schemas of others fit, judged by ajv", () => {
  const schemas: readonly JsonSchema[] = [
    { type: "object", properties: { path: { type: "string" }, head: { type: "integer", minimum: 1 } }, required: ["path"] },
    {
      type: "object",
      $defs: { one: { type: ["string", "null"] } },
      properties: { all: { type: "array", items: { $ref: "#/$defs/one" } } },
    },
    { type: "object", properties: { mode: { enum: ["r", "w", 7] }, deep: { const: { a: [1] } } }, required: ["mode", "deep"] },
    { type: "object", properties: {}, additionalProperties: false },
  ];
  const ajv = new Ajv2020({ strict: false });
  for (const schema of schemas) {
    const fits = ajv.compile(schema);
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const value = valueOf(schema, { random: new Random(seed, 1) });
      expect(fits(value), `seed ${seed}: ${JSON.stringify(value)}`).toBe(true);
    }
  }
});

test("the same seed makes the same value, and values repeat what was read", () => {
  const schema: JsonSchema = { type: "object", properties: { orderId: { type: "string" } }, required: ["orderId"] };
  const made = Array.from({ length: SEEDS }, (_, seed) => valueOf(schema, { random: new Random(seed, 1), texts: ["order-7"] }));
  expect(Array.from({ length: SEEDS }, (_, seed) => valueOf(schema, { random: new Random(seed, 1), texts: ["order-7"] }))).toEqual(made);
  const read = made.filter((value) => JSON.stringify(value).includes("order-7")).length;
  expect(read).toBeGreaterThan(SEEDS / 3);
  expect(read).toBeLessThan(SEEDS);
});
