/** @module The part of the fault table for tools of MCP servers. */
import type { FaultRow } from "./row.ts";

/** Faults of MCP servers and of calls of their tools. */
export const MCP_FAULTS = {
  "mcp.missing": {
    retryable: false,
    httpStatus: 500,
    meaning: "A tool of an MCP server was called, but the package that speaks MCP is not installed.",
    fix: "npm install @modelcontextprotocol/client",
  },
  "mcp.unavailable": {
    retryable: true,
    httpStatus: 503,
    meaning: "The MCP server could not be started or reached, or failed several times in a row. The call was not made.",
    fix: "Check the command or URL of the server, and the lines of its error stream in the log.",
  },
  "mcp.unanswered": {
    retryable: true,
    httpStatus: 502,
    meaning: "The MCP server ended or the connection broke while a call was open. Its effect may have happened.",
    fix: "Read the server's lines in the log. A tool with unknown: stop is not called again: look at its effect, then redrive.",
  },
  "mcp.rejected": {
    retryable: false,
    httpStatus: 502,
    meaning: "The MCP server refused the request, asked for what this client does not give, or does not keep to the protocol.",
    fix: "Read the server's message; check its version, its headers and what it needs.",
  },
  "mcp.failed": {
    retryable: false,
    httpStatus: 422,
    meaning: "The tool of the MCP server reported an error.",
    fix: "Read the message, which comes from the server; call the tool with another input.",
  },
  "mcp.result": {
    retryable: false,
    httpStatus: 502,
    meaning: "The tool's result is too large, or is not what the tool declares. The call was made.",
    fix: "Ask the tool for less, or raise its resultBytesMax.",
  },
  "mcp.drift": {
    retryable: false,
    httpStatus: 500,
    meaning: "The MCP server describes a tool in another way than the lock file, or does not have it. The call was not made.",
    fix: "Run troupe mcp lock, read what changed in the lock file, and commit it if you agree.",
  },
  "mcp.schema": {
    retryable: false,
    httpStatus: 422,
    meaning: "A schema of a tool of an MCP server cannot be used: too large, with references to elsewhere, asynchronous, or not valid.",
    fix: "Leave the tool out, or have the server corrected.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
