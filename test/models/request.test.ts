/** @module A request to a model as the body of a Chat Completions request. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { ModelRequest } from "../../agents/index.ts";
import { type BodyOptions, chatBody } from "../../runtime/model/chat-request.ts";
import { isStrict } from "../../runtime/model/strict-schema.ts";
import { type JsonSchema, jsonSchemaOf } from "../../runtime/schema.ts";

const OPTIONS: BodyOptions = { model: "m", stream: false, answers: "schema", outputLimit: "max_tokens", reasoning: "none", extra: {} };
const REQUEST: ModelRequest = { messages: [], tools: [], toolChoice: "auto", outputTokensMax: 100 };
const Plan = jsonSchemaOf(z.strictObject({ city: z.string() }), "a plan");

const bodyOf = (request: Partial<ModelRequest>, options: Partial<BodyOptions> = {}): Readonly<Record<string, unknown>> =>
  chatBody({ ...REQUEST, ...request }, { ...OPTIONS, ...options });

describe("the conversation", () => {
  const asked = { role: "assistant", text: "", calls: [{ id: "a", name: "pay", arguments: '{"amount":1}' }], reasoning: "Pay." } as const;

  it("names the call of each result", () => {
    const { messages } = bodyOf({ messages: [asked, { role: "tool", callId: "a", name: "pay", text: "done" }] });
    expect(messages).toEqual([
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "a", type: "function", function: { name: "pay", arguments: '{"amount":1}' } }],
      },
      { role: "tool", tool_call_id: "a", content: "done" },
    ]);
  });

  it.each(["reasoning_content", "reasoning"] as const)("sends reasoning back as %s where the provider needs it", (reasoning) => {
    expect(bodyOf({ messages: [asked] }, { reasoning })["messages"]).toMatchObject([{ [reasoning]: "Pay." }]);
    expect(JSON.stringify(bodyOf({ messages: [asked] })["messages"])).not.toContain("Pay.");
  });

  it.each(["", "{", '"{}"', "[1]"])("has no arguments that a server would refuse: %j", (args) => {
    const { messages } = bodyOf({ messages: [{ ...asked, calls: [{ id: "a", name: "pay", arguments: args }] }] });
    expect(messages).toMatchObject([{ tool_calls: [{ function: { arguments: "{}" } }] }]);
  });
});

describe("the parameters", () => {
  it("are sent only if they are set", () => {
    expect(bodyOf({})).toEqual({ model: "m", messages: [], max_tokens: 100 });
    expect(bodyOf({ temperature: 0, seed: 7 }, { stream: true, outputLimit: "max_completion_tokens" })).toEqual({
      ...{ model: "m", messages: [], max_completion_tokens: 100, temperature: 0, seed: 7 },
      ...{ stream: true, stream_options: { include_usage: true } },
    });
  });

  it("have a choice of tools only with tools", () => {
    const tools = [{ name: "pay", about: "Pays", input: Plan }];
    expect(bodyOf({ toolChoice: "none" })).not.toHaveProperty("tool_choice");
    expect(bodyOf({ tools, toolChoice: "none" })).toMatchObject({
      tools: [{ type: "function", function: { name: "pay", description: "Pays", parameters: Plan } }],
      tool_choice: "none",
    });
  });

  it("of the endpoint cannot replace those of the request", () => {
    expect(bodyOf({}, { extra: { model: "other", messages: [], top_p: 0.5 } })).toMatchObject({ model: "m", top_p: 0.5 });
  });
});

describe("the form of an answer", () => {
  const answer = { name: "plan of a trip", schema: Plan };

  it("is its schema, strict if the schema qualifies", () => {
    expect(bodyOf({ answer })).toMatchObject({
      response_format: { type: "json_schema", json_schema: { name: "plan_of_a_trip", schema: Plan, strict: true } },
      messages: [],
    });
    const open = { name: "plan", schema: jsonSchemaOf(z.strictObject({ city: z.string().optional() }), "a plan") };
    expect(bodyOf({ answer: open })).toMatchObject({ response_format: { json_schema: { strict: false } } });
  });

  it("is any object, and the schema in words", () => {
    const { messages, response_format: format } = bodyOf({ answer }, { answers: "object" });
    expect(format).toEqual({ type: "json_object" });
    expect(messages).toMatchObject([{ role: "system", content: expect.stringContaining(JSON.stringify(Plan)) }]);
  });

  it("is only in words for servers that know no forms, and for answers that are no objects", () => {
    expect(bodyOf({ answer }, { answers: "text" })).not.toHaveProperty("response_format");
    const list = { name: "list", schema: jsonSchemaOf(z.array(z.string()), "a list") };
    expect(bodyOf({ answer: list })).not.toHaveProperty("response_format");
    expect(bodyOf({ answer: list })["messages"]).toMatchObject([{ content: expect.stringContaining('"array"') }]);
  });
});

describe("schemas that qualify for strict mode", () => {
  const object = (properties: JsonSchema, more: JsonSchema = {}): JsonSchema => ({
    type: "object",
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
    ...more,
  });
  const deep = (levels: number): JsonSchema => object({ next: levels === 0 ? { type: "string" } : deep(levels - 1) });

  it.each<readonly [string, JsonSchema, boolean]>([
    ["closed objects", object({ a: { type: "string" } }), true],
    [
      "nested lists and unions",
      object({ a: { type: "array", items: { anyOf: [object({ b: { type: "null" } }), { type: "number" }] } } }),
      true,
    ],
    ["references", object({ a: { $ref: "#/$defs/A" } }, { $defs: { A: object({ b: { type: "string" } }) } }), true],
    ["an optional property", object({ a: { type: "string" } }, { required: [] }), false],
    ["further properties", object({ a: { type: "string" } }, { additionalProperties: true }), false],
    ["an open object inside", object({ a: { type: "object", properties: {} } }), false],
    ["an open object in a definition", object({ a: { $ref: "#/$defs/A" } }, { $defs: { A: { type: "object" } } }), false],
    ["a record", object({ a: { type: "object", additionalProperties: { type: "string" } } }), false],
    ["oneOf", object({ a: { oneOf: [{ type: "string" }] } }), false],
    ["a tuple", object({ a: { type: "array", prefixItems: [{ type: "string" }] } }), false],
    ["an unknown format", object({ a: { type: "string", format: "uri" } }), false],
    ["a root that is a list", { type: "array", items: { type: "string" } }, false],
    ["10 levels", deep(8), true],
    ["more than 10 levels", deep(9), false],
  ])("%s: %j", (_name, schema, expected) => expect(isStrict(schema)).toBe(expected));
});
