/** @module Servers and a system around one handler, for the tests of MCP tools. */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import {
  agent,
  type AgentDefinition,
  type BaseContext,
  contract,
  route,
  type System,
  system,
  type ToolDefinition,
} from "../../agents/index.ts";
import type { McpProcess } from "../../mcp/index.ts";

/** A server from npm, as a process. */
export function npmServer(name: "everything" | "filesystem", ...args: readonly string[]): McpProcess {
  const file = fileURLToPath(import.meta.resolve(`@modelcontextprotocol/server-${name}/dist/index.js`));
  return { command: process.execPath, args: [file, ...args] };
}

export const Doer = contract("Doer", 1, { input: z.string(), output: z.json() });

type Handle = (ctx: BaseContext<never, never, ToolDefinition>, input: string) => unknown;

/** An agent that has tools and does what the test says. */
export function agentOf(tools: readonly ToolDefinition[], handle: Handle): AgentDefinition {
  return agent(Doer, { tools, handle: async (input, ctx) => (await handle(ctx, input)) as z.infer<typeof Doer.output> });
}

/** A system of that agent alone. */
export function systemOf(tools: readonly ToolDefinition[], handle: Handle): System {
  const main = route("main", 1, z.string())
    .to("doer", Doer, ({ task }) => task, { retry: { attemptsMax: 1 } })
    .output(({ doer }) => doer);
  return system("sys", { agents: [agentOf(tools, handle)], routes: [main] });
}
