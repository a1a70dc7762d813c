/** @module The key of a contract is checked against the schema of its input. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { contract } from "../../agents/index.ts";

/** The mappings of these tests are written without types, as in JavaScript. */
interface Wild {
  readonly [key: string]: Wild;
}

const Text = z.object({ text: z.string() });
const Guest = z.object({
  name: z.string(),
  nick: z.string().optional(),
  none: z.string().nullable(),
  list: z.array(z.string()),
  is: z.boolean(),
  count: z.int(),
  at: z.object({ city: z.string() }),
});

function keyed(input: z.ZodType, key: (input: Wild) => unknown): unknown {
  return contract("Desk", 1, { input, output: Text, key: key as () => string }).key;
}

describe("a key that is no text or number for every input is rejected", () => {
  test.each<[key: (input: Wild) => unknown, text: string]>([
    [(input) => input["nme"], 'input.nme does not exist; do you mean "name"?'],
    [(input) => input["zzzzzz"], "input.zzzzzz does not exist; known are name, nick, none, list, is, count, at"],
    [(input) => input["at"]?.["cty"], 'input.at.cty does not exist; do you mean "city"?'],
    [(input) => input["name"]?.["size"], 'input.name.size does not exist: a value of type string has no "size"'],
    [(input) => input["nick"], "input.nick is optional, so a task may lack it"],
    [(input) => input["none"], "input.none may be of type null, but a key must be a text or a number"],
    [(input) => input["list"], "input.list may be of type array"],
    [(input) => input["is"], "input.is may be of type boolean"],
    [(input) => input["at"], "input.at may be of type object"],
    [(input) => input, "input may be of type object"],
  ])("%s", (key, text) => {
    expect(() => keyed(Guest, key)).toThrow(
      expect.objectContaining({ code: "definition.invalid", message: expect.stringContaining(`contract "Desk", key: ${text}`) }),
    );
  });
});

describe("a key that may be one is not rejected", () => {
  const Either = z.union([z.strictObject({ a: z.string(), b: z.int() }), z.strictObject({ a: z.string() })]);
  test.each<[title: string, schema: z.ZodType, key: (input: Wild) => unknown, path: readonly string[]]>([
    ["a text", Guest, (input) => input["name"], ["name"]],
    ["a number", Guest, (input) => input["count"], ["count"]],
    ["a text below an object", Guest, (input) => input["at"]?.["city"], ["at", "city"]],
    ["a property that an open object may have", z.looseObject({ a: z.string() }), (input) => input["other"], ["other"]],
    ["a property of each member of a union", Either, (input) => input["a"], ["a"]],
    ["a choice of texts", z.object({ a: z.enum(["x", "y"]) }), (input) => input["a"], ["a"]],
    ["the input itself", z.string(), (input) => input, []],
  ])("%s", (_title, schema, key, path) => {
    expect(keyed(schema, key)).toEqual({ from: ["input", ...path] });
  });
});
