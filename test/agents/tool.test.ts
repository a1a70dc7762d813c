/**
 * @module Promises of tools: a definition that does not hold is refused with its place, and only what is declared and allowed is called.
 */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, tool, type ToolOptions } from "../../agents/index.ts";
import { faultLabelOf, outputLabelOf } from "../../agents/tool.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { runLocal } from "../../testing/index.ts";

type Options = ToolOptions<z.ZodString, z.ZodString>;

const OPTIONS: Options = { effect: "write", input: z.string(), output: z.string(), run: (text) => text };

describe("an invalid definition is rejected with the tool and the option", () => {
  test.each<[string, object, string]>([
    ["an unknown option", { undoes: true }, 'unknown option "undoes"'],
    ["no function", { run: "x" }, "run must be a function"],
    ["an undo that is not a function", { undo: true }, "undo must be a function"],
    ["an unknown effect", { effect: "delete" }, "effect must be one of read, write, egress"],
    ["an unknown end", { unknown: "guess" }, "unknown must be one of repeat, lookup, stop"],
    [
      "an undo of a tool that only reads",
      { effect: "read", undo: () => {} },
      'effect "read" has nothing to undo; leave out undo, or use "write"',
    ],
    ["lookup without its function", { unknown: "lookup" }, 'unknown: "lookup" and the function lookup need each other'],
    ["a function lookup without its use", { lookup: () => undefined }, 'unknown: "lookup" and the function lookup need each other'],
    ["a time out of bounds", { timeoutMs: LIMITS.callTimeoutMsMax + 1 }, "timeoutMs is"],
    ["retries out of bounds", { retry: { attemptsMax: 0 } }, "retry.attemptsMax is 0"],
    ["a schema that changes values", { input: z.string().transform(Number) }, "input of tool fetch"],
  ])("%s", (_what, more, text) => {
    expect(() => tool("fetch", { ...OPTIONS, ...more } as Options)).toThrow(
      expect.objectContaining({ code: "definition.invalid", message: expect.stringContaining(text) }),
    );
  });

  test("an invalid name, and an agent's tools that are invalid or duplicate", () => {
    expect(() => tool("two words", OPTIONS)).toThrow(expect.objectContaining({ code: "definition.invalid" }));
    const fetch = tool("fetch", OPTIONS);
    const Doer = contract("Doer", 1, { input: z.string(), output: z.string() });
    for (const tools of [[fetch, tool("fetch", OPTIONS)], [Doer], "fetch"])
      expect(() => agent(Doer, { tools: tools as unknown as [], handle: (text) => text })).toThrow(
        expect.objectContaining({ code: "definition.invalid" }),
      );
  });

  test("a tool without options runs a call once, and repeats a call with an unknown end", () => {
    expect(tool("fetch", OPTIONS)).toMatchObject({
      kind: "tool",
      unknown: "repeat",
      retry: { attemptsMax: 1 },
      inputJsonSchema: { type: "string" },
    });
  });
});

describe("what a tool says may be a text of strangers", () => {
  const reads = { ...OPTIONS, effect: "read", output: z.string() } as const;
  test.each<[string, readonly string[], readonly string[], Options]>([
    ["a read with free text: all", ["tool:fetch"], ["tool:fetch"], reads],
    ["a read without free text: only messages of its faults", [], ["tool:fetch"], { ...reads, output: z.string().regex(/^[0-9]+$/) }],
    ["a read that is vouched for: nothing", [], [], { ...reads, untrusted: false }],
    ["a send that answers with free text: all", ["tool:fetch"], ["tool:fetch"], { ...reads, effect: "egress" }],
    [
      "a send that answers without free text: only messages of its faults",
      [],
      ["tool:fetch"],
      { ...reads, effect: "egress", output: z.string().regex(/^$/) },
    ],
    ["a send that is vouched for: nothing", [], [], { ...reads, effect: "egress", untrusted: false }],
    ["a write: nothing", [], [], OPTIONS],
    ["a write that says so: all", ["tool:fetch"], ["tool:fetch"], { ...OPTIONS, untrusted: true }],
  ])("%s", (_what, outputs, faults, options) => {
    const fetch = tool("fetch", options);
    expect([outputLabelOf(fetch), faultLabelOf(fetch)]).toEqual([outputs, faults]);
  });
});

describe("a call", () => {
  const Doer = contract("Doer", 1, { input: z.string(), output: z.string() });
  const main = route("main", 1, z.string())
    .to("doer", Doer, ({ task }) => task)
    .output(({ doer }) => doer);
  const called: string[] = [];
  const fetch = tool("fetch", { ...OPTIONS, run: (text) => (called.push(text), text) });
  const guarded = tool("guarded", { ...OPTIONS, permission: "charge", run: (text) => (called.push(text), text) });

  test("of an undeclared tool is rejected, also of one with the name of a declared tool", async () => {
    const other = tool("fetch", OPTIONS);
    for (const made of [other, guarded]) {
      const doer = agent(Doer, { tools: [fetch], handle: (text, ctx) => ctx.call(made as unknown as typeof fetch, text) });
      const outcome = await runLocal(system("sys", { agents: [doer], routes: [main] }), "main", "x");
      expect(outcome).toMatchObject({ status: "failed", fault: { code: "tool.undeclared" } });
    }
    expect(called).toEqual([]);
  });

  test("for a principal without the tool's permission is rejected before the tool runs", async () => {
    const doer = agent(Doer, { tools: [guarded], handle: (text, ctx) => ctx.call(guarded, text) });
    const outcome = await runLocal(system("sys", { agents: [doer], routes: [main] }), "main", "x");
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "tool.forbidden", message: expect.stringContaining("charge") } });
    expect(called).toEqual([]);
  });

  test("that a person must approve by the tool's rule is not made without a decision; others are", async () => {
    const long = tool("long", { ...OPTIONS, approve: "input.size() > 3", run: (text) => (called.push(text), text) });
    const doer = agent(Doer, { tools: [long], handle: (text, ctx) => ctx.call(long, text) });
    const one = system("sys", { agents: [doer], routes: [main] });
    const denied = await runLocal(one, "main", "abcd", { people: () => ({ do: "deny", reason: "too long" }) });
    expect(denied).toMatchObject({ status: "failed", fault: { code: "person.denied" } });
    expect(called).toEqual([]);
    expect(await runLocal(one, "main", "abc")).toMatchObject({ status: "completed", output: "abc" });
    expect(called).toEqual(["abc"]);
  });

  test("has a rule for approval that reads the input as its schema says, or the tool is not defined", () => {
    expect(() => tool("long", { ...OPTIONS, approve: "input.amount > 3" })).toThrow(/approve/);
    expect(() => tool("long", { ...OPTIONS, approve: "inptu == 'x'" })).toThrow(/input/);
  });
});
