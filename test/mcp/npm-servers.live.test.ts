/** @module Promises of MCP tools, proven with servers from npm over their standard streams. */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { mcpLock, mcpServer, type McpLock } from "../../mcp/index.ts";
import { runLocal, startLocal } from "../../testing/index.ts";
import { npmServer, systemOf } from "./rig.ts";

let folder: string;
let lock: McpLock;

const EVERYTHING_TOOLS = {
  echo: { effect: "read" },
  "get-sum": { effect: "read" },
  "get-structured-content": {
    effect: "read",
    as: "weather",
    output: z.object({ temperature: z.number(), conditions: z.string(), humidity: z.number() }),
  },
  "get-tiny-image": { effect: "read" },
  "get-env": { effect: "read" },
} as const;

function everything(from: object = lock) {
  return mcpServer("everything", npmServer("everything", "stdio"), { lock: from, tools: EVERYTHING_TOOLS });
}

function filesystem(from: object = lock) {
  return mcpServer("files", npmServer("filesystem", folder), {
    lock: from,
    tools: {
      read_text_file: { effect: "read", output: z.object({ content: z.string() }) },
      write_file: {},
      list_directory: { effect: "read" },
    },
  });
}

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "troupe-mcp-")));
  lock = await mcpLock(() => [everything({}), filesystem({})]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the lock", () => {
  test("holds the allowed tools of each server, as the server describes them, and nothing else", () => {
    expect(Object.keys(lock.servers)).toEqual(["everything", "files"]);
    expect(lock.servers["everything"]).toMatchObject({
      server: "mcp-servers/everything 2.0.0",
      tools: { echo: { description: "Echoes back the input string", input: { type: "object", required: ["message"] } } },
    });
    expect(Object.keys(lock.servers["everything"]?.tools ?? {}).toSorted()).toEqual(Object.keys(EVERYTHING_TOOLS).toSorted());
  });
});

describe("a definition", () => {
  test("carries names, effects and schemas without a connection", () => {
    const files = filesystem();
    expect(files.tool("write_file")).toMatchObject({ kind: "tool", name: "write_file", effect: "write", unknown: "stop", untrusted: true });
    expect(files.tool("read_text_file")).toMatchObject({ effect: "read", unknown: "repeat" });
    expect(files.tools.map(({ name }) => name)).toEqual(["read_text_file", "write_file", "list_directory"]);
    expect(files.tool("write_file").inputJsonSchema).toMatchObject({ type: "object", required: ["path", "content"] });
    expect(everything().tool("get-structured-content").name).toBe("weather");
  });
});

describe("a handler", () => {
  test("calls tools of two servers, and receives text, structured content and images", async () => {
    const [any, files] = [everything(), filesystem()];
    const path = join(folder, "note.txt");
    const outcome = await runLocal(
      systemOf([...any.tools, ...files.tools], async (ctx) => {
        const written = await ctx.call(files.tool("write_file"), { path, content: "remember" });
        const { content } = await ctx.call(files.tool("read_text_file"), { path });
        const { conditions } = await ctx.call(any.tool("get-structured-content"), { location: "New York" });
        const image = await ctx.call(any.tool("get-tiny-image"), {});
        return { written, content, conditions, echo: await ctx.call(any.tool("echo"), { message: "hi" }), image };
      }),
      "main",
      "x",
    );
    expect(outcome).toMatchObject({
      status: "completed",
      output: {
        written: { content: `Successfully wrote to ${path}` },
        content: "remember",
        conditions: expect.any(String),
        echo: "Echo: hi",
        image: [{ type: "text" }, { type: "image", mimeType: "image/png", data: expect.any(String) }, { type: "text" }],
      },
    });
    expect(readFileSync(path, "utf8")).toBe("remember");
  });

  test("gets the faults of inputs that do not fit, and of errors that the tool reports, with codes", async () => {
    const files = filesystem();
    const outcome = await runLocal(
      systemOf(files.tools, async (ctx) => {
        const codes: string[] = [];
        for (const input of [{}, { path: 7 }, { path: "x", more: 1 }, { path: "/etc/passwd" }, { path: join(folder, "missing") }])
          await ctx.call(files.tool("read_text_file"), input as never).catch((error: { code: string; message: string }) => {
            codes.push(`${error.code}: ${error.message}`);
          });
        return codes;
      }),
      "main",
      "x",
    );
    expect(outcome.output).toEqual([
      "schema.tool-input: input of tool read_text_file at path: missing",
      "schema.tool-input: input of tool read_text_file at path: expected string",
      expect.stringMatching(/^mcp.failed: tool read_text_file of MCP server files: .*(denied|ENOENT|not)/),
      expect.stringMatching(/^mcp.failed: tool read_text_file of MCP server files: .*denied/),
      expect.stringMatching(/^mcp.failed: tool read_text_file of MCP server files: .*ENOENT/),
    ]);
  });

  test("shares one process of a server among its calls, which ends with the host", async () => {
    const any = everything();
    const local = startLocal(systemOf(any.tools, async (ctx) => ctx.call(any.tool("get-env"), {})));
    const [one, two] = await Promise.all([local.run("main", "a"), local.run("main", "b")]);
    expect(one.output).toBe(two.output);
    // The environment of the host is not passed on.
    expect(Object.keys(JSON.parse(String(one.output)) as object)).not.toContain("VITEST");
    await local.stop();
  });
});

test("an input with a lock from a file is refused while the file is missing, with what to do", () => {
  const file = new URL(`file://${join(folder, "none.lock.json")}`);
  expect(() => filesystem(file)).toThrow(
    expect.objectContaining({ code: "definition.invalid", message: expect.stringContaining("run troupe mcp lock") }),
  );
  writeFileSync(file, "{");
  expect(() => filesystem(file)).toThrow(
    expect.objectContaining({ code: "definition.invalid", message: expect.stringContaining("not JSON") }),
  );
});
