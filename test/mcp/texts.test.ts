/** @module Promises of what is shown of MCP servers: nothing hidden in a lock, a log or a message; and what differs from a lock. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { MINUTE_MS } from "../../runtime/units.ts";
import { driftOf, lockedTool, lockText, readLock } from "../../mcp/lock.ts";
import { StderrLines } from "../../mcp/stderr.ts";
import { visibleLine, visibleText } from "../../mcp/visible.ts";

/** Direction marks, zero-width characters, tags, bells, escapes, half a pair, a private character, a separator of lines. */
const HIDDEN = ["\u202e", "\u2066", "\u200b", "\ufeff", "\u{e0041}", "\u0007", "\u001b", "\u009b", "\ue000", "\u2028", "\u00ad", "\r"];

test("hidden characters are escapes, and what people write stays", () => {
  for (const hidden of HIDDEN) {
    expect(visibleText(`a${hidden}b`)).toBe(`a\\u{${(hidden.codePointAt(0) ?? 0).toString(16)}}b`);
    expect(visibleLine(`a${hidden}b`, 100)).not.toContain(hidden);
  }
  for (const plain of ['Grüße, 世界!\n\tname: "x"', "👋 🏳️", "é"]) expect(visibleText(plain)).toBe(plain);
  expect(visibleText("\ud800")).toBe("\ufffd");
  expect(visibleLine("one\ntwo\tthree", 100)).toBe("one\\ntwo three");
  expect(visibleLine("x".repeat(20), 10)).toBe("xxxxxxxxxx...");
});

describe("a lock", () => {
  const tool = {
    name: "t",
    description: "Says\u202e hi",
    inputSchema: { type: "object", properties: { description: { type: "string", title: "a\u200b" } } },
  };

  test("has the schemas as they came, except for texts that are only read", () => {
    const odd = { enum: ["a\u200b"], default: { description: "b\u200b" }, title: "c\u200b" };
    expect(lockedTool({ name: "t", inputSchema: odd }).input).toEqual({ ...odd, title: "c\\u{200b}" });
    expect(lockedTool(tool)).toEqual({
      description: "Says\\u{202e} hi",
      input: { type: "object", properties: { description: { type: "string", title: "a\\u{200b}" } } },
    });
  });

  test("is a text without hidden characters that is read as the same value, in the order of names", () => {
    const tools = { b: lockedTool({ ...tool, inputSchema: { enum: ["\u200b\u{e0041}"] } }), a: lockedTool(tool) };
    const lock = { version: 1 as const, servers: { s: { server: "x 1", tools } } };
    const text = lockText(lock);
    expect(text).toContain(String.raw`\u200b\udb40\udc41`);
    expect(readLock(JSON.parse(text) as object, "here")).toEqual(lock);
    expect(text.indexOf('"a"')).toBeLessThan(text.indexOf('"b"'));
    expect(lockText({ version: 1, servers: { s: { server: "x 1", tools: { a: tools.a, b: tools.b } } } })).toBe(text);
  });

  test("differs where description, input or output does, and in nothing else", () => {
    const locked = lockedTool(tool);
    expect(driftOf(locked, lockedTool({ ...tool, inputSchema: { ...tool.inputSchema } }), false)).toEqual([]);
    expect(driftOf(locked, lockedTool({ ...tool, description: "Says" }), false)).toEqual(["its description"]);
    expect(driftOf(locked, lockedTool({ ...tool, description: "Says" }), true)).toEqual([]);
    expect(driftOf(locked, lockedTool({ ...tool, inputSchema: {} }), true)).toEqual(["its input schema"]);
    expect(driftOf(locked, lockedTool({ ...tool, outputSchema: {} }), false)).toEqual(["its output schema"]);
    expect(driftOf(locked, undefined, false)).toEqual(["the server does not list it"]);
  });

  test("refuses too large a tool, and content that is no lock", () => {
    expect(() => lockedTool({ ...tool, description: "x".repeat(LIMITS.mcpToolBytesMax) })).toThrow(
      expect.objectContaining({ code: "mcp.schema" }),
    );
    for (const content of [{}, [], { version: 2, servers: {} }, { version: 1, servers: { s: { server: "x", tools: { t: {} } } } }])
      expect(() => readLock(content, "here")).toThrow(expect.objectContaining({ code: "definition.invalid" }));
  });
});

describe("the error stream of a server", () => {
  test("is cut into lines of bounded length and number, independent of its chunks", () => {
    const lines: string[] = [];
    const stderr = new StderrLines((line) => lines.push(line));
    for (const chunk of ["on", "e\r\n\n tw", `o ${"x".repeat(3_000)}`, "y".repeat(3_000), "\nthree"]) stderr.push(chunk, 0);
    stderr.end(0);
    expect(lines).toEqual(["one", expect.stringMatching(/^ two x{900,1000}\.\.\.$/), "three"]);
    expect(stderr.last).toBe("three");
  });

  test("says how many lines it left out, in the next minute", () => {
    const lines: string[] = [];
    const stderr = new StderrLines((line) => lines.push(line));
    stderr.push("line\n".repeat(LIMITS.mcpStderrLinesMax + 7), 0);
    expect(lines).toHaveLength(LIMITS.mcpStderrLinesMax);
    stderr.push("next\n", MINUTE_MS);
    expect(lines.slice(LIMITS.mcpStderrLinesMax)).toEqual(["7 further lines were left out", "next"]);
  });
});
