/** @module The part of the limits for tools of MCP servers. */
import { KIB_BYTES, MIB_BYTES, MINUTE_MS, SECOND_MS } from "../units.ts";

/** Limits of MCP servers and their tools. */
export const MCP_LIMITS = {
  /** Bytes of the schemas and the description of one tool of an MCP server. Above: `mcp.schema`. */
  mcpToolBytesMax: 64 * KIB_BYTES,
  /** Pages of tools that an MCP server may list. Above: `mcp.rejected`. */
  mcpPagesMax: 16,
  /** Size of one message of an MCP server. Above: the connection is closed, and its open calls fail with `mcp.unanswered`. */
  mcpMessageBytesMax: 4 * MIB_BYTES,
  /** Size of the result of one call of an MCP tool that sets none. Above: `mcp.result`. A tool may set up to `valueBytesMax`. */
  mcpResultBytesDefault: 256 * KIB_BYTES,
  /** Time in which an MCP server must be connected and list its tools; a first `npx` downloads it. After it: `mcp.unavailable`. */
  mcpConnectMs: 60 * SECOND_MS,
  /** Time of the first question to an MCP server, which old ones do not answer; then it is asked as they expect. */
  mcpProbeMs: 5 * SECOND_MS,
  /** Time of one call of an MCP tool that sets none. After it: `call.timeout`. */
  mcpCallTimeoutMs: 60 * SECOND_MS,
  /** Calls that one MCP server gets at once from one process; the others wait. */
  mcpCallsAtOnce: 32,
  /** How long a host trusts that the tools of a connected MCP server are as locked; then it lists them again. */
  mcpTrustMs: 5 * MINUTE_MS,
  /** Failures of an MCP server in a row after which calls fail at once for a while. */
  mcpFailuresMax: 3,
  /** First such while; it doubles. */
  mcpPauseMs: 1 * SECOND_MS,
  /** Maximum of that while. */
  mcpPauseMsMax: 1 * MINUTE_MS,
  /** Time after its last call for which an MCP server without a host, as in a script, stays connected. */
  mcpIdleMs: 1 * SECOND_MS,
  /** Lines that the error stream of an MCP server may write to the log in a minute. Further ones are counted. */
  mcpStderrLinesMax: 60,
  /** Characters of such a line, and of what an MCP server says of a failure. The rest is cut off. */
  mcpTextLengthMax: 1_000,
  /** Time of one check against a JSON Schema of an MCP server. Above, twice: the value does not fit. */
  jsonSchemaCheckMs: 250,
} as const;
