/** @module The gate of a model's reply: what is used, what is refused with which code, and what the model is told. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, type Contract, Fault, LIMITS, model, tool, type ToolDefinition } from "../../agents/index.ts";
import type { ModelReply } from "../../runtime/model/conversation.ts";
import { answer, calls, type Ran, reply, run } from "./rig.ts";

const Query = z.object({ text: z.string(), max: z.int().optional() });
const Found = z.object({ hits: z.array(z.string()), total: z.int() });
const Finder = contract("Finder", 1, { input: z.object({ task: z.string() }), output: Found });
const Other = contract("Other", 1, { input: z.object({ task: z.string() }), output: Found });
const search = tool("search", { input: Query, output: z.string(), effect: "read", run: ({ text }) => `found ${text}` });
const ping = tool("ping", { input: z.object({}), output: z.string(), effect: "read", run: () => "pong" });
const double = tool("double", { input: z.number(), output: z.number(), effect: "read", run: (n) => 2 * n });
const finder = agent(Finder, model({ instructions: "Find.", tools: [search, ping, double], handsOffTo: [Other] }));
const DONE = answer({ hits: [], total: 0 });

/** Runs one reply, and then a good answer. */
const after = (first: ModelReply): Promise<Ran> => run(finder, { task: "t" }, { script: [first, DONE] });

describe("a reply is refused with its code, nothing of it is called, and the model is told", () => {
  test.each<readonly [shape: string, first: ModelReply, told: string]>([
    ["a tool that does not exist", calls(["serch", { text: "a" }]), "there is no function serch; known are search, ping, double"],
    ["arguments that are not JSON", calls(["search", '{"text": "a"']), "search: the text of the arguments is not JSON"],
    ["arguments that were encoded twice", calls(["search", JSON.stringify('{"text":"a"}')]), "encoded twice; give the object itself"],
    ["arguments that are a list", calls(["search", "[1]"]), "the arguments must be a JSON object"],
    ["a number for a text", calls(["search", { text: 5 }]), "at text: expected string, found a number"],
    ["a text for a number", calls(["search", { text: "a", max: "5" }]), "at max: expected number, found a string"],
    ["an unknown key", calls(["search", { text: "a", min: 1 }]), "at min: unknown key"],
    ["a missing key", calls(["search", {}]), "at text: expected string, found nothing"],
    ["no arguments where some are needed", calls(["search", ""]), "at text: expected string, found nothing"],
    ["a bare value where it must be wrapped", calls(["double", "5"]), "the arguments must be a JSON object"],
    ["a wrapped value with another key", calls(["double", { input: 5, more: 1 }]), "expected an object with the only key"],
    ["a hand-off beside another call", calls(["hand_off_to_Other", { task: "t" }], ["ping", {}]), "must be the only call of a reply"],
    ["one wrong call among good ones", calls(["ping", {}], ["search", { text: 5 }]), "because another call of the same reply is wrong"],
    ["an answer with a missing key", answer({ hits: [] }), "at total: expected number, found nothing"],
    ["an answer with an unknown key", answer({ hits: [], total: 0, note: "x" }), "at note: unknown key"],
    ["an answer that would have to be coerced", answer({ hits: [], total: "0" }), "at total: expected number, found a string"],
    ["an answer in a markdown fence", answer('```json\n{"hits":[],"total":0}\n```'), "without a markdown fence or other text"],
    ["an answer with prose before it", answer('Here it is: {"hits":[],"total":0}'), "without a markdown fence or other text"],
    ["an answer that was encoded twice", answer(JSON.stringify('{"hits":[],"total":0}')), "expected object, found a string"],
    ["an empty reply", reply({ text: " \n" }), "It was empty"],
    ["an answer that was cut off", reply({ text: '{"hits":[],"total":0}', finish: "length" }), "cut off at the limit of 4096 tokens"],
    ["calls that were cut off", { ...calls(["search", { text: "a" }]), finish: "length" as const }, "cut off at the limit of 4096 tokens"],
  ])("%s", async (_shape, first, told) => {
    const ran = await after(first);
    expect(ran.made).toEqual([]);
    expect(ran.result).toEqual({ hits: [], total: 0 });
    const added = ran.requests[1]?.request.messages.slice(2) ?? [];
    expect(added.map(({ text }) => text).join(" ")).toContain(told);
    expect(ran.requests[1]?.facts.rung).toBe("tell");
  });
});

describe("without the ladder the run ends with the code of the reply", () => {
  const strict = (target: Contract, tools: readonly ToolDefinition[] = [search]) =>
    agent(target, model({ instructions: "Find.", tools, repair: [] }));
  test.each<readonly [shape: string, first: ModelReply, code: string]>([
    ["unknown tool", calls(["serch", {}]), "model.tool-unknown"],
    ["wrong arguments", calls(["search", {}]), "model.tool-input"],
    ["wrong answer", answer({}), "model.answer"],
    ["empty", reply({}), "model.empty"],
    ["cut off", reply({ text: "{", finish: "length" }), "model.truncated"],
    ["refusal", reply({ refusal: "I cannot help with that." }), "model.refused"],
    ["content filter", reply({ text: '{"hits":[],"total":0}', finish: "filter" }), "model.filtered"],
    [
      "too many calls",
      calls(...Array.from({ length: LIMITS.modelParallelCallsMax + 1 }, () => ["search", { text: "a" }] as const)),
      "model.tool-input",
    ],
  ])("%s", async (_shape, first, code) => {
    const { result, made } = await run(strict(Finder), { task: "t" }, { script: [first] });
    expect(result).toBeInstanceOf(Fault);
    expect(result).toMatchObject({ code, retryable: false });
    expect(made).toEqual([]);
  });

  test("all violations are told, not only the first one", async () => {
    const { result } = await run(strict(Finder), { task: "t" }, { script: [answer({ hits: 1, total: "2" })] });
    expect(result).toMatchObject({ details: { errors: [expect.stringContaining("hits"), expect.stringContaining("total")] } });
  });
});

describe("what is used", () => {
  test.each<readonly [shape: string, first: ModelReply, made: readonly unknown[]]>([
    ["no arguments for a tool that needs none", calls(["ping", ""]), [["ping", {}]]],
    ["a value that is no object, under its key", calls(["double", { input: 4 }]), [["double", 4]]],
    [
      "parallel calls, in the order of the reply",
      calls(["ping", {}], ["search", { text: "b" }]),
      [
        ["ping", {}],
        ["search", { text: "b" }],
      ],
    ],
    [
      "identical parallel calls, each for itself",
      calls(["ping", {}, "a"], ["ping", {}, "b"]),
      [
        ["ping", {}],
        ["ping", {}],
      ],
    ],
    ["calls with the finish of an answer", { ...calls(["ping", {}]), finish: "stop" as const }, [["ping", {}]]],
    ["calls with text beside them", { ...calls(["ping", {}]), text: "I will ping." }, [["ping", {}]]],
  ])("%s", async (_shape, first, made) => {
    const ran = await after(first);
    expect(ran.made).toEqual(made);
    expect(ran.result).toEqual({ hits: [], total: 0 });
  });

  test("ids that are missing, blank or repeated are replaced, the same in each execution", async () => {
    const script = [calls(["ping", {}, ""], ["ping", {}, " "], ["ping", {}, "a"], ["ping", {}, "a"]), calls(["ping", {}, "a"]), DONE];
    const idsOf = async (): Promise<readonly string[]> => {
      const { requests } = await run(finder, { task: "t" }, { script });
      const messages = requests[2]?.request.messages ?? [];
      const asked = messages.flatMap((message) => (message.role === "assistant" ? message.calls.map(({ id }) => id) : []));
      expect(messages.flatMap((message) => (message.role === "tool" ? [message.callId] : []))).toEqual(asked);
      return asked;
    };
    const ids = await idsOf();
    expect(new Set(ids).size).toBe(5);
    expect(ids).toContain("a");
    expect(await idsOf()).toEqual(ids);
  });

  test("an answer that fits the schema and fails the agent's own check is told, with what is wrong", async () => {
    const check = ({ hits, total }: z.infer<typeof Found>, { task }: { task: string }): string[] =>
      hits.length === total ? [] : [`total must be ${hits.length} for ${task}`];
    const counting = agent(Finder, model({ instructions: "Find.", check }));
    const ran = await run(counting, { task: "t" }, { script: [answer({ hits: ["a"], total: 5 }), answer({ hits: ["a"], total: 1 })] });
    expect(ran.result).toEqual({ hits: ["a"], total: 1 });
    expect(ran.requests[1]?.request.messages.at(-1)?.text).toContain("total must be 1 for t");
  });

  test("the text itself, where the output is a text", async () => {
    const Writer = contract("Writer", 1, { input: z.string(), output: z.string().max(20) });
    const writer = agent(Writer, model({ instructions: "Write." }));
    const ran = await run(writer, "a poem", { script: [answer('{"a": 1}')] });
    expect(ran.result).toBe('{"a": 1}');
    expect(ran.requests[0]?.request).toMatchObject({
      tools: [],
      toolChoice: "none",
      messages: [{ role: "system" }, { role: "user", text: "a poem" }],
    });
    expect(ran.requests[0]?.request.answer).toBeUndefined();
  });

  test.each<readonly [form: string, output: z.ZodType, value: unknown]>([
    ["a choice", z.enum(["yes", "no"]), "yes"],
    ["a list", z.array(z.number()), [1, 2]],
    [
      "one of several objects",
      z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") }), z.object({ kind: z.literal("b") })]),
      { kind: "b" },
    ],
    ["a tree of lists", z.lazy((): z.ZodType => tree), [[], [[]]]],
  ])("%s is asked for under a key, because an answer must be an object", async (_form, output, value) => {
    const wrapped = agent(contract("Wrapped", 1, { input: z.string(), output }), model({ instructions: "Answer." }));
    const ran = await run(wrapped, "q", { script: [answer({ answer: value })] });
    expect(ran.result).toEqual(value);
    const schema = ran.requests[0]?.request.answer?.schema;
    expect(schema).toMatchObject({ type: "object", required: ["answer"], additionalProperties: false });
    // The moved schema still means the same.
    expect(z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema).safeParse({ answer: value }).success).toBe(true);
    expect(z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema).safeParse({ answer: 5 }).success).toBe(false);
  });
  const tree: z.ZodType = z.lazy(() => z.array(tree));
});
