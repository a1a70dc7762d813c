/** @module Servers and a system around one handler, for the tests of MCP tools. */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { agent, contract, route, system, type BaseContext, type System, type ToolDefinition } from "../../agents/index.ts";
import type { McpProcess } from "../../mcp/index.ts";

/** A server from npm, as a process. */
export function npmServer(name: "everything" | "filesystem", ...args: readonly string[]): McpProcess {
  const file = fileURLToPath(import.meta.resolve(`@modelcontextprotocol/server-${name}/dist/index.js`));
  return { command: process.execPath, args: [file, ...args] };
}

const Doer = contract("Doer", 1, { input: z.string(), output: z.json() });

/** One agent that has tools and does what the test says. */
export function systemOf(
  tools: readonly ToolDefinition[],
  handle: (ctx: BaseContext<never, never, ToolDefinition>, input: string) => unknown,
): System {
  const doer = agent(Doer, { tools, handle: async (input, ctx) => (await handle(ctx, input)) as z.infer<typeof Doer.output> });
  const main = route("main", 1, z.string())
    .to("doer", Doer, ({ task }) => task, { retry: { attemptsMax: 1 } })
    .output(({ doer: done }) => done);
  return system("sys", { agents: [doer], routes: [main] });
}
