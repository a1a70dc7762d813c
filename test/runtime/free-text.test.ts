/** @module Which schemas can hold free text, and so which tools are untrusted by default. */
import { expect, test } from "vitest";
import { z } from "zod";
import { tool, type ToolEffect } from "../../agents/index.ts";
import { holdsFreeText } from "../../runtime/free-text.ts";
import { jsonSchemaOf } from "../../runtime/schema.ts";

interface Tree {
  readonly n: number;
  readonly next?: Tree | undefined;
}
const Tree: z.ZodType<Tree> = z.lazy(() => z.object({ n: z.number(), next: Tree.optional() }));

test.each<readonly [what: string, schema: z.ZodType, free: boolean]>([
  ["a string", z.string(), true],
  ["a string of a bounded length", z.string().max(20), true],
  ["one of known strings", z.enum(["a", "b"]), false],
  ["a constant", z.literal("a"), false],
  ["a date", z.iso.datetime(), false],
  ["an id", z.uuid(), false],
  ["an address of a page", z.url(), true],
  ["an address of mail", z.email(), true],
  ["a pattern", z.string().regex(/^[a-z]{3}$/), false],
  ["numbers, booleans and null", z.tuple([z.number(), z.boolean(), z.null()]), false],
  ["a string deep inside", z.object({ list: z.array(z.object({ note: z.string().nullable() })) }), true],
  ["an object without one", z.object({ list: z.array(z.object({ sum: z.int(), on: z.iso.date() })) }), false],
  ["names of properties", z.record(z.string(), z.number()), true],
  ["known names of properties", z.record(z.enum(["a", "b"]), z.number()), false],
  ["an object that takes more", z.looseObject({}), true],
  ["anything", z.unknown(), true],
  ["a union with a string", z.union([z.int(), z.string()]), true],
  ["a union without one", z.union([z.int(), z.enum(["none"])]), false],
  ["a tree of numbers", Tree, false],
])("%s", (_what, schema, free) => {
  expect(holdsFreeText(jsonSchemaOf(schema, "it"))).toBe(free);
});

test.each([
  [{ $ref: "#/nowhere" }, true],
  [{ type: ["string", "null"] }, true],
  [{ type: ["integer", "null"] }, false],
  [{ type: "object", properties: { n: { type: "integer" } } }, true],
  [{ type: "array" }, true],
  [{ not: { type: "string" } }, true],
])("a schema that does not say enough allows free text: %j", (schema, free) => {
  expect(holdsFreeText(schema)).toBe(free);
});

test.each<readonly [effect: ToolEffect, output: z.ZodType, said: boolean | undefined, untrusted: boolean]>([
  ["read", z.string(), undefined, true],
  ["read", z.int(), undefined, false],
  ["write", z.string(), undefined, false],
  ["egress", z.string(), undefined, true],
  ["egress", z.object({ at: z.iso.datetime(), id: z.uuid() }), undefined, false],
  ["egress", z.string(), false, false],
  ["read", z.string(), false, false],
  ["write", z.string(), true, true],
])("a tool of effect %s is untrusted by its output, if its author does not say: %#", (effect, output, said, untrusted) => {
  const made = tool("t", { input: z.null(), output, effect, run: () => null as never, ...(said === undefined ? {} : { untrusted: said }) });
  expect(made.untrusted).toBe(untrusted);
});

test("a rule that lets untrusted text through is checked against the input", () => {
  const made = (declassify: string) => () =>
    tool("t", { input: z.object({ amount: z.int() }), output: z.null(), effect: "write", declassify, run: () => null });
  expect(made("input.amount < 5")()).toMatchObject({ declassify: "input.amount < 5" });
  expect(made("input.sum < 5")).toThrow(/declassify/);
});
