/**
 * @module An MCP server whose tools are tools of a system: only those that are named, as they were locked.
 */
import { z } from "zod";
import { definitionGate } from "../agents/contract.ts";
import { invalid, requireInt, requireKeys, requireName } from "../agents/definition.ts";
import { type ToolCall, type ToolDefinition, type ToolRules, type ToolSchemas, toolWith } from "../agents/tool.ts";
import { isFault, type Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import { type Gate, requireJson } from "../runtime/schema.ts";
import { type AllowedTool, Connection } from "./connection.ts";
import { jsonSchemaGate } from "./json-gate.ts";
import { type LockedServer, type LockedTool, type McpLock, readLock } from "./lock.ts";
import { locking } from "./locking.ts";
import { CONTENT_SCHEMA, outputOf } from "./result.ts";
import type { McpPlace } from "./place.ts";

/** The input of a tool of which the types say nothing more. */
export type McpInput = Readonly<Record<string, Json>>;

/** A call of an undo or a lookup: it can call tools of the same server. */
export interface McpCall extends ToolCall {
  /** Calls a tool of the server that is named in `tools`. The call is not recorded. */
  send(tool: string, input: McpInput): Promise<Json>;
}

/** What a user decides about one tool. The server's own hints about effects are not believed. */
export interface McpToolOptions extends Pick<
  ToolRules<McpInput, Json>,
  "permission" | "approve" | "approver" | "declassify" | "timeoutMs" | "retry"
> {
  /** @default "write" */
  readonly effect?: ToolDefinition["effect"] | undefined;
  /** What to do about a call whose end is not known. @default "repeat" for `effect: "read"`, else "stop": it fails with `call.unknown` */
  readonly unknown?: ToolDefinition["unknown"] | undefined;
  /** Name of the tool in this system. @default its name at the server */
  readonly as?: string | undefined;
  /** What the tool does, instead of what the server says of it. */
  readonly about?: string | undefined;
  /** A narrower schema of the input, for types and a second check. */
  readonly input?: z.ZodType | undefined;
  /** A narrower schema of the output, for types and a second check. */
  readonly output?: z.ZodType | undefined;
  /** Maximum size of a result as JSON, at most 1 MiB. Above: `mcp.result`. @default 256 KiB */
  readonly resultBytesMax?: number | undefined;
  /** As for other tools; `call.send` calls a tool of this server. */
  readonly undo?: ((input: never, output: never, call: McpCall) => void | Promise<void>) | undefined;
  /** As for other tools; `call.send` calls a tool of this server. */
  readonly lookup?: ((input: never, call: McpCall) => Json | undefined | Promise<Json | undefined>) | undefined;
}

type Allowed = Readonly<Record<string, McpToolOptions>>;

/** Options of {@link mcpServer}. */
export interface McpServerOptions<T extends Allowed> {
  /**
   * The lock: what the server says of its tools, as `troupe mcp lock` wrote it. `new URL("./mcp.lock.json", import.meta.url)`, or the
   * content of that file.
   */
  readonly lock: URL | McpLock | object;
  /** The tools that exist here. All others of the server do not. */
  readonly tools: T;
}

type NameOf<N, O> = O extends { readonly as: infer As extends string } ? As : N;
type ValueOf<O, Key extends string, Otherwise> = O extends { readonly [K in Key]: infer S extends z.ZodType } ? z.infer<S> : Otherwise;

/** The definition of one allowed tool. */
export type McpTool<N extends string, O extends McpToolOptions> = ToolDefinition<
  NameOf<N, O> & string,
  ValueOf<O, "input", McpInput>,
  ValueOf<O, "output", Json>
>;

/** A declared MCP server. */
export interface McpServer<T extends Allowed = Allowed> {
  readonly kind: "mcp";
  readonly name: string;
  /** All allowed tools, for the option `tools` of an agent. */
  readonly tools: readonly McpTool<string, T[keyof T]>[];
  /** One allowed tool, by its name at the server. */
  tool<N extends keyof T & string>(name: N): McpTool<N, T[N]>;
  /** Closes the connection, for scripts that call tools without a host. A later call opens it again. */
  close(): Promise<void>;
}

const TOOL_OPTIONS = [
  ...["effect", "unknown", "permission", "approve", "approver", "declassify", "timeoutMs", "retry", "as", "about", "input", "output"],
  ...["resultBytesMax", "undo", "lookup"],
];

/**
 * Declares an MCP server and the tools that may be used. Nothing is connected: the first call does that, in the process of its host.
 * @throws `definition.invalid` for wrong options, a tool that is not in the lock, and a schema of the lock that cannot be used
 */
export function mcpServer<const T extends Allowed>(name: string, place: McpPlace, options: McpServerOptions<T>): McpServer<T> {
  const where = `MCP server ${JSON.stringify(name)}`;
  requireName(name, "MCP server");
  requirePlace(place, where);
  requireKeys(options, where, ["lock", "tools"]);
  requireKeys(options.tools ?? {}, where, Object.keys(options.tools ?? {}));
  const entries = Object.entries<McpToolOptions>(options.tools ?? {});
  if (entries.length === 0) throw invalid(where, "tools must name at least one tool of the server");
  const locked = lockedServer(name, options, where);
  const allowed = new Map<string, AllowedTool>(
    entries.map(([tool, { about }]) => [tool, { locked: locked(tool), ownAbout: about !== undefined }]),
  );
  const connection = new Connection(name, place, allowed);
  locking()?.push({ name, lock: options.lock, describe: () => connection.describe() });
  const tools = new Map(entries.map(([tool, given]) => [tool, toolOf({ connection, tool, locked: locked(tool), given, where })]));
  return Object.freeze({
    kind: "mcp",
    name,
    // The map above has an entry of the right type for each key.
    tools: [...tools.values()] as unknown as McpServer<T>["tools"],
    tool: <N extends keyof T & string>(tool: N) => {
      const found = tools.get(tool);
      if (found === undefined) throw invalid(where, `tools does not name ${JSON.stringify(tool)}`);
      return found as unknown as McpTool<N, T[N]>;
    },
    close: () => connection.close(),
  });
}

/** Throws `definition.invalid` for a place that is neither a program nor a URL. */
export function requirePlace(place: McpPlace, where: string): void {
  const isProcess = typeof place === "object" && place !== null && "command" in place;
  requireKeys(place, where, isProcess ? ["command", "args", "env", "cwd"] : ["url", "headers"]);
  if (isProcess) {
    if (typeof place.command !== "string" || place.command === "") throw invalid(where, "command must be the name of a program");
  } else if (!URL.canParse(place.url) || !/^https?:$/.test(new URL(place.url).protocol))
    throw invalid(where, "url must be an http or https URL");
}

/** While a lock is being written, nothing is known of the tools. */
const UNKNOWN: LockedTool = { description: "", input: { type: "object" } };

function lockedServer(name: string, { lock }: { readonly lock: URL | object }, where: string): (tool: string) => LockedTool {
  if (locking() !== undefined) return () => UNKNOWN;
  const found: LockedServer | undefined = readLock(lock, where)?.servers[name];
  return (tool) => {
    const known = found !== undefined && Object.hasOwn(found.tools, tool) ? found.tools[tool] : undefined;
    if (known !== undefined) return known;
    const place = lock instanceof URL ? ` ${lock.pathname}` : "";
    throw invalid(where, `the lock${place} does not hold tool ${JSON.stringify(tool)}; run troupe mcp lock <your system file>`);
  };
}

interface Parts {
  readonly connection: Connection;
  readonly tool: string;
  readonly locked: LockedTool;
  readonly given: McpToolOptions;
  readonly where: string;
}

function toolOf({ connection, tool, locked, given, where }: Parts): ToolDefinition {
  const at = `${where}, tool ${JSON.stringify(tool)}`;
  requireKeys(given, at, TOOL_OPTIONS);
  const {
    effect = "write",
    as = tool,
    about = locked.description,
    approve,
    declassify,
    undo,
    lookup,
    input: _in,
    output: _out,
    ...rules
  } = given;
  const { resultBytesMax = LIMITS.mcpResultBytesDefault, timeoutMs = LIMITS.mcpCallTimeoutMs, ...more } = rules;
  const bytesMax = requireInt(resultBytesMax, at, "resultBytesMax", 1, LIMITS.valueBytesMax);
  const schemas = schemasOf(given, locked, as, at);
  const what = `tool ${tool} of MCP server ${connection.name}`;
  const send = async (name: string, input: Json, call: ToolCall): Promise<Json> => {
    const known = connection.allowed(name);
    if (known === undefined) throw invalid(at, `tools does not name ${JSON.stringify(name)}`);
    return outputOf(await connection.call(name, input, call), known.locked, what, bytesMax);
  };
  const withSend = (call: ToolCall): McpCall => ({ ...call, send: (name, input) => send(name, input, call) });
  return toolWith(
    as,
    schemas,
    {
      ...more,
      // A rule is checked against the schema, which is not known while a lock is written.
      ...(locking() === undefined ? { approve, declassify } : {}),
      about,
      effect,
      unknown: given.unknown ?? (lookup !== undefined ? "lookup" : effect === "read" ? "repeat" : "stop"),
      timeoutMs,
      untrusted: true,
      run: (input, call) => send(tool, input as Json, call),
      // Inputs and outputs have passed the gates of the schemas that the user's functions were typed by.
      undo: undo === undefined ? undefined : (input, output, call) => undo(input as never, output as never, withSend(call)),
      lookup: lookup === undefined ? undefined : (input, call) => lookup(input as never, withSend(call)),
    },
    connection,
  );
}

function schemasOf(given: McpToolOptions, { input, output }: LockedTool, name: string, where: string): ToolSchemas {
  const own = (schema: z.ZodType | undefined, what: string, code: "schema.tool-input" | "schema.tool-output"): Gate | undefined =>
    schema === undefined ? undefined : definitionGate(schema, `${what} of tool ${name}`, code);
  const narrowIn = own(given.input, "input", "schema.tool-input");
  const narrowOut = own(given.output, "output", "schema.tool-output");
  const gates = ((): readonly [Gate, Gate | undefined] => {
    try {
      return [
        jsonSchemaGate(input, `input of tool ${name}`, "schema.tool-input"),
        output === undefined ? undefined : jsonSchemaGate(output, `output of tool ${name}`, "schema.tool-output"),
      ];
    } catch (error) {
      if (isFault(error)) throw invalid(where, error.message);
      throw error;
    }
  })();
  const { $schema: _dialect, ...described } = input;
  return {
    input: given.input ?? z.custom<McpInput>(),
    output: given.output ?? z.custom<Json>(),
    inputJsonSchema: described,
    outputJsonSchema: output ?? CONTENT_SCHEMA,
    checkInput: (value) => {
      const checked = gates[0].check(value);
      return narrowIn === undefined ? checked : narrowIn.check(checked);
    },
    checkOutput: (value) => {
      const checked = gates[1] === undefined ? requireJson(value, `output of tool ${name}`, "schema.tool-output") : gates[1].check(value);
      return narrowOut === undefined ? checked : narrowOut.check(checked);
    },
  };
}
