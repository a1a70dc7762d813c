/** @module Promises of the declaration of an MCP server: only named tools exist, and a wrong declaration is refused with its place. */
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { person } from "../../agents/person.ts";
import type { ToolInput, ToolOutput } from "../../agents/tool.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Json } from "../../runtime/faults.ts";
import { type McpInput, mcpLock, mcpServer, type McpToolOptions, writeLocks } from "../../mcp/index.ts";

const INPUT = { type: "object", properties: { amount: { type: "number" } }, required: ["amount"] };
const LOCK = {
  version: 1,
  servers: {
    bank: {
      server: "bank 1",
      tools: { pay: { description: "Pays", input: { $schema: "http://json-schema.org/draft-07/schema#", ...INPUT } } },
    },
  },
};
const PLACE = { command: "bank" };

function bank<const O extends McpToolOptions>(options: O) {
  return mcpServer("bank", PLACE, { lock: LOCK, tools: { pay: options } }).tool("pay");
}

describe("a tool", () => {
  test("writes, stops at an unknown end, has a time limit and is not trusted, unless the user says otherwise", () => {
    expect(bank({})).toMatchObject({
      ...{ name: "pay", about: "Pays", effect: "write", unknown: "stop", untrusted: true, timeoutMs: LIMITS.mcpCallTimeoutMs },
      ...{ inputJsonSchema: INPUT, retry: { attemptsMax: 1 }, undo: undefined, lookup: undefined },
    });
    expect(bank({ effect: "read" }).unknown).toBe("repeat");
    expect(bank({ effect: "egress" }).unknown).toBe("stop");
    expect(bank({ unknown: "repeat", as: "pay_bank", about: "Pays money", timeoutMs: 5, retry: { attemptsMax: 3 } })).toMatchObject({
      ...{ name: "pay_bank", about: "Pays money", unknown: "repeat", timeoutMs: 5, retry: { attemptsMax: 3 } },
    });
    expect(bank({ lookup: () => undefined }).unknown).toBe("lookup");
  });

  test("takes rules over the schema of its input, and narrower schemas of the user's own", () => {
    const approver = person("Approver");
    expect(bank({ approve: "input.amount > 100.0", approver })).toMatchObject({ approve: "input.amount > 100.0", approver });
    const narrow = bank({ input: z.object({ amount: z.number().max(10) }), output: z.object({ id: z.string() }) });
    expect(() => narrow.checkInput({ amount: 11 })).toThrow(expect.objectContaining({ code: "schema.tool-input" }));
    expect(() => narrow.checkInput({})).toThrow(
      expect.objectContaining({ code: "schema.tool-input", message: expect.stringContaining("amount: missing") }),
    );
    expect(() => narrow.checkOutput("paid")).toThrow(expect.objectContaining({ code: "schema.tool-output" }));
    expectTypeOf<ToolInput<typeof narrow>>().toEqualTypeOf<{ amount: number }>();
    expectTypeOf<ToolOutput<typeof narrow>>().toEqualTypeOf<{ id: string }>();
    const wide = bank({ effect: "write" });
    expectTypeOf<ToolInput<typeof wide>>().toEqualTypeOf<McpInput>();
    expectTypeOf<ToolOutput<typeof wide>>().toEqualTypeOf<Json>();
  });
});

describe("a wrong declaration is refused with its place", () => {
  const declare = (name: string, place: object, options: object) => () => mcpServer(name, place as typeof PLACE, options as never);
  test.each<[string, () => unknown, string]>([
    ["a name", declare("two words", PLACE, { lock: LOCK, tools: { pay: {} } }), "a name must have"],
    ["no command", declare("bank", { command: "" }, { lock: LOCK, tools: { pay: {} } }), "command must be"],
    ["a URL of another kind", declare("bank", { url: "file:///x" }, { lock: LOCK, tools: { pay: {} } }), "http or https"],
    ["a place with both", declare("bank", { command: "x", url: "http://x" }, { lock: LOCK, tools: { pay: {} } }), 'unknown option "url"'],
    ["no tools", declare("bank", PLACE, { lock: LOCK, tools: {} }), "at least one tool"],
    ["no options", declare("bank", PLACE, { lock: LOCK }), "at least one tool"],
    [
      "an unknown option",
      declare("bank", PLACE, { lock: LOCK, tools: { pay: { effects: "read" } } }),
      'tool "pay": unknown option "effects"',
    ],
    ["an unknown effect", declare("bank", PLACE, { lock: LOCK, tools: { pay: { effect: "none" } } }), "effect must be one of"],
    [
      "too large a bound",
      declare("bank", PLACE, { lock: LOCK, tools: { pay: { resultBytesMax: LIMITS.valueBytesMax + 1 } } }),
      "resultBytesMax",
    ],
    ["a rule over nothing", declare("bank", PLACE, { lock: LOCK, tools: { pay: { approve: "input.amount >" } } }), "approve"],
    [
      "a tool that is not locked",
      declare("bank", PLACE, { lock: LOCK, tools: { steal: {} } }),
      'does not hold tool "steal"; run troupe mcp lock',
    ],
    ["a tool that objects inherit", declare("bank", PLACE, { lock: LOCK, tools: { toString: {} } }), 'does not hold tool "toString"'],
    ["a server that is not locked", declare("shop", PLACE, { lock: LOCK, tools: { pay: {} } }), "run troupe mcp lock"],
    ["no lock", declare("bank", PLACE, { tools: { pay: {} } }), "lock"],
    [
      "a schema in the lock that cannot be used",
      declare("bank", PLACE, {
        lock: { version: 1, servers: { bank: { server: "x", tools: { pay: { description: "", input: { type: "x" } } } } } },
        tools: { pay: {} },
      }),
      "schema is invalid",
    ],
  ])("%s", (_what, define, text) => {
    expect(define).toThrow(expect.objectContaining({ code: "definition.invalid", message: expect.stringContaining(text) }));
  });

  test("a tool that was not named does not exist", () => {
    const server = mcpServer("bank", PLACE, { lock: LOCK, tools: { pay: {} } });
    expect(() => server.tool("steal" as "pay")).toThrow(expect.objectContaining({ code: "definition.invalid" }));
  });
});

test("a lock that is a value cannot be written, and locks are not written while locks are written", async () => {
  const declare = (): unknown => mcpServer("bank", PLACE, { lock: LOCK, tools: { pay: { approve: "input.sum > 1" } } });
  await expect(writeLocks(async () => declare())).rejects.toMatchObject({
    code: "definition.invalid",
    message: expect.stringContaining("URL of a file"),
  });
  await expect(writeLocks(() => mcpLock(() => undefined))).rejects.toMatchObject({ code: "definition.invalid" });
  expect(await mcpLock(() => undefined)).toEqual({ version: 1, servers: {} });
});
