/**
 * @module The lock of MCP servers: the tools that a system may use, as their servers described them when a person agreed.
 *
 * A model is given descriptions and schemas of the lock, never those of a running server. So a definition is a pure value, and a server
 * that changes what it says of a tool changes nothing until a person has read the new lock.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { invalid } from "../agents/definition.ts";
import { canonicalJson } from "../runtime/canonical.ts";
import { Fault, type Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { JsonSchema } from "../runtime/schema.ts";
import { jsonSchemaGate } from "./json-gate.ts";
import { escapedJson, visibleLine, visibleText } from "./visible.ts";

const Schema = z.custom<JsonSchema>((value) => typeof value === "object" && value !== null && !Array.isArray(value), "must be a schema");
const LockedTool = z.strictObject({ description: z.string(), input: Schema, output: Schema.optional() });
const LockedServer = z.strictObject({ server: z.string(), tools: z.record(z.string(), LockedTool) });
const Lock = z.strictObject({ version: z.literal(1), servers: z.record(z.string(), LockedServer) });

/** One tool as its server describes it. `output` is the schema of its structured content, if it has one. */
export type LockedTool = z.infer<typeof LockedTool>;
/** The locked tools of one server. `server` is the name and version that it gave itself. */
export type LockedServer = z.infer<typeof LockedServer>;
/** The content of a lock file. */
export type McpLock = z.infer<typeof Lock>;

/** Reads a lock from its file, or from the file's content. Undefined: there is no such file. @throws `definition.invalid` */
export function readLock(lock: URL | McpLock | object, where: string): McpLock | undefined {
  const parsed = Lock.safeParse(lock instanceof URL ? contentOf(lock, where) : lock);
  if (parsed.success) return parsed.data;
  if (lock instanceof URL && parsed.error.issues[0]?.path.length === 0 && contentOf(lock, where) === undefined) return undefined;
  const [issue] = parsed.error.issues;
  throw invalid(where, `the lock is not valid at ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}

function contentOf(file: URL, where: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw invalid(where, `the lock cannot be read: ${error instanceof Error ? error.message : "no error"}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(where, `the lock ${file.pathname} is not JSON`);
  }
}

/** The text of a lock file: servers and tools in the order of their names, hidden characters as escapes. */
export function lockText(lock: McpLock): string {
  const servers = sorted(lock.servers).map(([name, { server, tools }]) => [name, { server, tools: Object.fromEntries(sorted(tools)) }]);
  return `${escapedJson({ version: 1, servers: Object.fromEntries(servers) })}\n`;
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What a server says of a tool. */
export interface ListedTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: object;
  readonly outputSchema?: object | undefined;
}

/** A listed tool as it stands in a lock: hidden characters in texts for readers are escapes. @throws `mcp.schema` for too large a tool */
export function lockedTool({ name, description = "", inputSchema, outputSchema }: ListedTool): LockedTool {
  // What arrived as JSON is JSON.
  const input = visibleTexts(inputSchema as JsonSchema) as JsonSchema;
  const output = outputSchema === undefined ? {} : { output: visibleTexts(outputSchema as JsonSchema) as JsonSchema };
  const tool = { description: visibleText(description), input, ...output };
  if (canonicalJson(tool).length > LIMITS.mcpToolBytesMax)
    throw new Fault(
      "mcp.schema",
      `tool ${visibleLine(name, LIMITS.idLengthMax)}: description and schemas have more than ${LIMITS.mcpToolBytesMax} characters`,
    );
  return tool;
}

/** Throws `mcp.schema` if values cannot be checked against the schemas of a tool. */
export function requireUsable({ input, output }: LockedTool, what: string): void {
  jsonSchemaGate(input, `input of ${what}`, "schema.tool-input");
  if (output !== undefined) jsonSchemaGate(output, `output of ${what}`, "schema.tool-output");
}

/** Keywords whose values are data of the user's, not schemas. */
const DATA = new Set(["enum", "const", "default", "examples"]);
const TEXTS = new Set(["description", "title", "$comment"]);

function visibleTexts(node: Json): Json {
  if (typeof node !== "object" || node === null) return node;
  // `Array.isArray` does not narrow readonly lists.
  if (Array.isArray(node)) return (node as readonly Json[]).map(visibleTexts);
  return Object.fromEntries(
    Object.entries(node).map(([key, item]) => {
      if (typeof item === "string") return [key, TEXTS.has(key) ? visibleText(item) : item];
      return [key, DATA.has(key) ? item : visibleTexts(item)];
    }),
  );
}

/** What differs between a locked tool and what its server says now. A description of the user's own makes that of the server irrelevant. */
export function driftOf(locked: LockedTool, listed: LockedTool | undefined, ownAbout: boolean): readonly string[] {
  if (listed === undefined) return ["the server does not list it"];
  const differs = (a: Json | undefined, b: Json | undefined): boolean => canonicalJson(a ?? null) !== canonicalJson(b ?? null);
  return [
    ...(!ownAbout && locked.description !== listed.description ? ["its description"] : []),
    ...(differs(locked.input, listed.input) ? ["its input schema"] : []),
    ...(differs(locked.output, listed.output) ? ["its output schema"] : []),
  ];
}
