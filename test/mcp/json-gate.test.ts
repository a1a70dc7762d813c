/** @module Promises of the gate of a foreign JSON Schema: it accepts what the schema accepts, and no schema can do harm. */
import { describe, expect, test } from "vitest";
import { isFault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { JsonSchema } from "../../runtime/schema.ts";
import { jsonSchemaGate } from "../../mcp/index.ts";

const DRAFT_7 = "http://json-schema.org/draft-07/schema#";

/** "fits", or code and message of the fault. */
function check(schema: JsonSchema, value: unknown): string {
  try {
    const checked = jsonSchemaGate(schema, "input of tool t", "schema.tool-input").check(value);
    return checked === value ? "fits" : "changed";
  } catch (error) {
    if (isFault(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const PERSON: JsonSchema = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1 },
    tags: { type: "array", items: { enum: ["a", "b"] } },
    age: { anyOf: [{ type: "integer" }, { const: "unknown" }] },
  },
  required: ["name"],
  additionalProperties: false,
};

describe("a value that does not fit is refused with its place and what was expected", () => {
  test.each<[unknown, string]>([
    [{ name: "x", tags: ["a"], age: 3 }, "fits"],
    [{ name: "x", age: "unknown" }, "fits"],
    [{}, "schema.tool-input: input of tool t at name: missing"],
    [{ name: 1 }, "schema.tool-input: input of tool t at name: expected string"],
    [{ name: "x", more: 1 }, "schema.tool-input: input of tool t at more: unknown key"],
    [{ name: "x", tags: ["a", "c"] }, 'schema.tool-input: input of tool t at tags[1]: expected one of "a", "b"'],
    [{ name: "x", age: 1.5 }, 'schema.tool-input: input of tool t at age: expected integer or "unknown"'],
    [{ name: "" }, "schema.tool-input: input of tool t at name: must NOT have fewer than 1 characters"],
    [{ name: "x", age: null }, 'schema.tool-input: input of tool t at age: expected integer or "unknown"'],
    [[], "schema.tool-input: input of tool t: expected object"],
    [undefined, "schema.tool-input: input of tool t: expected a JSON value, found nothing"],
    [{ name: "\ud800" }, "schema.tool-input: input of tool t at name: a text contains half of a surrogate pair, which is not a character"],
    [{ name: "x", __proto__: undefined }, "fits"],
    [JSON.parse('{"name":"x","__proto__":1}'), "schema.tool-input: input of tool t at __proto__: unknown key"],
  ])("%j", (value, expected) => {
    expect(check(PERSON, value)).toBe(expected);
  });
});

describe("each dialect is read by its own rules", () => {
  test.each<[string, JsonSchema, Json, string]>([
    ["a list of schemas in draft 7", { $schema: DRAFT_7, items: [{ type: "string" }] }, [1], "expected string"],
    ["prefixItems of 2020-12", { prefixItems: [{ type: "string" }] }, [1], "expected string"],
    [
      "2020-12 by name",
      { $schema: "https://json-schema.org/draft/2020-12/schema", prefixItems: [{ type: "string" }] },
      [1],
      "expected string",
    ],
    ["2019-09", { $schema: "https://json-schema.org/draft/2019-09/schema", items: [{ type: "string" }] }, [1], "expected string"],
    ["draft 6", { $schema: "http://json-schema.org/draft-06/schema#", const: 1 }, 2, "expected 1"],
    ["a format", { type: "string", format: "uri" }, "no uri", 'must match format "uri"'],
    ["a format that is not known", { type: "string", format: "of-my-own" }, "x", "fits"],
    ["a pattern that is not valid in Unicode mode", { type: "string", pattern: "^[\\w-.]+$" }, "a-b", "fits"],
    ["references within the schema", { $defs: { a: { type: "string" } }, $ref: "#/$defs/a" }, 1, "expected string"],
    [
      "a recursive schema",
      { type: "object", properties: { child: { $ref: "#" } }, additionalProperties: false },
      { child: { x: 1 } },
      "unknown key",
    ],
    ["a keyword that is not known", { type: "string", "x-mine": { $ref: 1 } }, "x", "fits"],
    ["a property named $id beside others", { type: "object", properties: { $id: { type: "string" } } }, { $id: "x" }, "fits"],
  ])("%s", (_what, schema, value, expected) => {
    expect(check(schema, value)).toContain(expected);
  });

  test("a schema that names itself cannot be referred to by another one", () => {
    expect(check({ $id: "https://a.example/one", type: "string" }, "x")).toBe("fits");
    expect(check({ $id: "https://a.example/one", type: "integer" }, 1)).toBe("fits");
    expect(check({ $ref: "https://a.example/one" }, "x")).toMatch(/^mcp\.schema: .*can't resolve reference/);
    expect(check({ $defs: { a: { $id: "https://a.example/two" } } }, "x")).toBe("fits");
    expect(check({ $ref: "https://a.example/two" }, "x")).toMatch(/^mcp\.schema/);
  });
});

describe("a schema that cannot be used is refused", () => {
  test.each<[string, JsonSchema, RegExp]>([
    ["too large", { enum: ["x".repeat(LIMITS.mcpToolBytesMax)] }, /more than 65536 characters/],
    ["asynchronous, so that every value would pass", { $async: true, type: "string" }, /asynchronous/],
    ["asynchronous below its root", { properties: { a: { $async: true } } }, /asynchronous/],
    ["with a reference to elsewhere", { $ref: "https://a.example/schema.json" }, /can't resolve reference/],
    ["not valid", { type: "strin" }, /schema is invalid/],
    ["of an unknown dialect", { $schema: "http://json-schema.org/draft-04/schema#" }, /dialect/],
    ["of a dialect that is no text", { $schema: 7 }, /dialect/],
    ["with a pattern that is none", { pattern: "(" }, /regular expression/i],
  ])("%s", (_what, schema, text) => {
    const found = check(schema, "x");
    expect(found).toMatch(/^mcp\.schema: input of tool t: /);
    expect(found).toMatch(text);
  });
});

describe("a check that would take for ever is ended", () => {
  const deep = (levels: number): Json => (levels === 0 ? 1 : { a: deep(levels - 1) });
  const branch = (key: string): JsonSchema => ({ allOf: [{ properties: { a: { $ref: "#" } } }, { required: [key] }] });
  const both: JsonSchema = { anyOf: [branch("b"), branch("c")] };

  test.each<[string, JsonSchema, Json]>([
    ["by its pattern", { type: "string", pattern: "^(a+)+$" }, `${"a".repeat(60)}!`],
    ["by a recursive choice", both, deep(200)],
  ])("%s", (_what, schema, value) => {
    expect(check(schema, value)).toBe(`schema.tool-input: input of tool t: the check took more than ${LIMITS.jsonSchemaCheckMs} ms`);
  });

  test("by a reference to itself", () => {
    expect(check({ $ref: "#" }, "x")).toContain("the check failed");
  });

  test("and the next check works", () => {
    expect(check({ type: "string", pattern: "^(a+)+$" }, "aaa")).toBe("fits");
  });
});
