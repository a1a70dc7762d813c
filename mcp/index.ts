/** @module Package entry `./mcp`: tools of MCP servers as tools of agents. */
import "../runtime/zod-version.ts";
export { jsonSchemaGate } from "./json-gate.ts";
export type { LockedServer, LockedTool, McpLock } from "./lock.ts";
export { type LockChange, mcpLock, writeLocks } from "./locking.ts";
export { type McpSourceOptions, mcpSource } from "./resources.ts";
export {
  type McpCall,
  type McpInput,
  type McpServer,
  mcpServer,
  type McpServerOptions,
  type McpTool,
  type McpToolOptions,
} from "./server.ts";
export type { McpPlace, McpProcess, McpUrl } from "./place.ts";
