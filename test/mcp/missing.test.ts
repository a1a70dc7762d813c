/** @module What happens without the optional package that speaks MCP: definitions stand, and a call says what to install. */
import { expect, test, vi } from "vitest";
import { mcpServer } from "../../mcp/index.ts";
import { runLocal } from "../../testing/index.ts";
import { systemOf } from "./rig.ts";

vi.mock("@modelcontextprotocol/client", () => {
  throw new Error("Cannot find package '@modelcontextprotocol/client'");
});

const LOCK = { version: 1, servers: { s: { server: "x", tools: { t: { description: "T", input: { type: "object" } } } } } };

test("a call fails with mcp.missing", async () => {
  const server = mcpServer("s", { command: "never-started" }, { lock: LOCK, tools: { t: {} } });
  const outcome = await runLocal(
    systemOf(server.tools, (ctx) => ctx.call(server.tool("t"), {})),
    "main",
    "x",
  );
  expect(outcome).toMatchObject({ status: "failed", fault: { code: "mcp.missing", message: expect.stringContaining("npm install") } });
});
