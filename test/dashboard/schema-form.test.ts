/** @module The form that is made from a JSON Schema, over the schemas that contracts really give. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Field, fieldOf, initialOf, type Schema, variantOf } from "../../dashboard/src/parts/schema-field.ts";
import { problemsOf } from "../../dashboard/src/parts/schema-check.ts";
import type { Json } from "../../runtime/faults.ts";
import { jsonSchemaOf } from "../../runtime/schema.ts";

const of = (schema: z.ZodType): Schema => jsonSchemaOf(schema, "a test");
const field = (schema: z.ZodType): Field => fieldOf(of(schema), of(schema));
const initial = (schema: z.ZodType): Json | undefined => initialOf(of(schema), of(schema));

describe("a field", () => {
  test.each<[string, z.ZodType, Partial<Field>]>([
    ["a text", z.string(), { kind: "text", isLong: false }],
    ["a long text", z.string().max(2_000), { kind: "text", isLong: true, lengthMax: 2_000 }],
    ["a date", z.iso.date(), { kind: "text", format: "date", isLong: false }],
    ["a whole number, whose safe bounds are no bounds", z.int(), { kind: "number", isWhole: true, min: undefined, max: undefined }],
    ["a number with bounds", z.number().min(1).max(9), { kind: "number", isWhole: false, min: 1, max: 9 }],
    ["yes or no", z.boolean(), { kind: "yes-no" }],
    ["a choice", z.enum(["good", "bad"]), { kind: "choice", options: ["good", "bad"] }],
    ["a choice of constants", z.union([z.literal(1), z.literal("two")]), { kind: "choice", options: [1, "two"] }],
    ["a constant", z.literal("x"), { kind: "constant", value: "x" }],
    ["a list", z.array(z.string()).min(1).max(3), { kind: "list", itemsMin: 1, itemsMax: 3 }],
    ["free keys, as JSON", z.record(z.string(), z.number()), { kind: "json" }],
    ["a tuple, as JSON", z.tuple([z.string(), z.int()]), { kind: "json" }],
    ["anything, as JSON", z.unknown(), { kind: "json" }],
  ])("edits %s", (_name, schema, expected) => {
    expect(field(schema)).toMatchObject(expected);
  });

  test("shows each key of an object, and which are required", () => {
    const made = field(z.object({ to: z.string(), days: z.int().optional() }));
    expect(made.kind === "group" && made.entries.map(({ key, required }) => [key, required])).toEqual([
      ["to", true],
      ["days", false],
    ]);
  });

  test("tells possibilities apart by the constant that marks them, and finds that of a value", () => {
    const schema = of(
      z.discriminatedUnion("by", [z.object({ by: z.literal("train"), class: z.int() }), z.object({ by: z.literal("car") })]),
    );
    const made = fieldOf(schema, schema);
    if (made.kind !== "variants") throw new Error(made.kind);
    expect(made.variants.map(({ title }) => title)).toEqual(["by: train", "by: car"]);
    expect(variantOf({ by: "car" }, made.variants, schema)).toBe(1);
    expect(variantOf({ by: "train" }, made.variants, schema)).toBe(0);
    expect(variantOf(undefined, made.variants, schema)).toBe(0);
  });

  test("follows a recursive schema one level at a time", () => {
    interface Tree {
      name: string;
      parts: Tree[];
    }
    const tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), parts: z.array(tree) }));
    const schema = of(tree);
    const made = fieldOf(schema, schema);
    const parts = made.kind === "group" ? made.entries.find(({ key }) => key === "parts") : undefined;
    const list = parts === undefined ? undefined : fieldOf(parts.schema, schema);
    expect(list?.kind === "list" && fieldOf(list.item, schema).kind).toBe("group");
    expect(initialOf(schema, schema)).toEqual({ name: "", parts: [] });
    expect(problemsOf({ name: "a", parts: [{ name: 7, parts: [] }] }, schema)).toEqual([{ path: "parts[0].name", text: "must be a text" }]);
  });

  test("takes a reference that leads to itself, or nowhere, as JSON", () => {
    const ring: Schema = { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } };
    expect(fieldOf(ring, ring)).toEqual({ kind: "json" });
    expect(fieldOf({ $ref: "#/$defs/gone" }, {})).toEqual({ kind: "json" });
    expect(fieldOf({ $ref: "https://elsewhere.example/schema" }, {})).toEqual({ kind: "json" });
  });
});

describe("a form begins", () => {
  test("with what is required: empty texts and lists, constants, and no number that was not chosen", () => {
    const schema = z.object({
      kind: z.literal("trip"),
      to: z.string(),
      days: z.int(),
      stops: z.array(z.string()),
      note: z.string().optional(),
    });
    expect(initial(schema)).toEqual({ kind: "trip", to: "", stops: [] });
  });
});

describe("a value", () => {
  const trip = of(
    z.object({
      to: z.string().min(1),
      days: z.int().min(1).max(30),
      mood: z.enum(["good", "bad"]),
      code: z.string().regex(/^[A-Z]{3}$/),
      seats: z.array(z.int()).min(1),
      note: z.union([z.string(), z.null()]).optional(),
    }),
  );
  const good = { to: "Oslo", days: 3, mood: "good", code: "OSL", seats: [1] };

  test("that fits has no problem", () => {
    expect(problemsOf(good, trip)).toEqual([]);
    expect(problemsOf({ ...good, note: null }, trip)).toEqual([]);
  });

  test.each<[string, Json, string, string]>([
    ["an empty text", { ...good, to: "" }, "to", "must not be empty"],
    ["a number out of bounds", { ...good, days: 31 }, "days", "must be at most 30"],
    ["a number that is not whole", { ...good, days: 1.5 }, "days", "must be a whole number"],
    ["an unknown choice", { ...good, mood: "so" }, "mood", 'must be one of "good", "bad"'],
    ["a pattern", { ...good, code: "osl" }, "code", "must fit ^[A-Z]{3}$"],
    ["a short list", { ...good, seats: [] }, "seats", "must have at least 1 item"],
    ["a wrong item", { ...good, seats: [1, "two"] }, "seats[1]", "must be a whole number"],
    ["a missing key", { to: "Oslo", days: 3, mood: "good", code: "OSL" }, "seats", "is needed"],
    ["an unknown key", { ...good, color: "red" }, "color", "is not known"],
    ["a wrong kind", [], "", "must be an object"],
  ])("with %s is told where and what", (_name, value, path, text) => {
    expect(problemsOf(value, trip)).toEqual([{ path, text }]);
  });

  test("of no possibility is told by the one that comes closest", () => {
    const schema = of(z.union([z.object({ a: z.int() }), z.object({ b: z.object({ c: z.int(), d: z.int() }) })]));
    expect(problemsOf({ a: "x" }, schema)).toEqual([{ path: "a", text: "must be a whole number" }]);
  });
});
