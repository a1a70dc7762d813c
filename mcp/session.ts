/**
 * @module One connection to an MCP server: its process or its URL, the client of the protocol, and what its failures mean.
 *
 * The client declares no capabilities and answers no request of the server: no sampling, no elicitation, no roots.
 */
import type { CallToolResult, Client, PriorDiscovery, Transport } from "@modelcontextprotocol/client";
import type { ToolCall } from "../agents/tool.ts";
import { Fault, type Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import { type LockedTool, lockedTool } from "./lock.ts";
import type { McpPlace, McpProcess, McpUrl, Settings } from "./place.ts";
import type { McpAnswer } from "./result.ts";
import { StderrLines } from "./stderr.ts";
import { visibleLine } from "./visible.ts";

/** What a session reports to its owner. */
export interface SessionEvents {
  /** A line of the error stream. */
  readonly line: (line: string) => void;
  readonly closed: () => void;
  readonly toolsChanged: () => void;
}

/** An open connection. */
export interface Session {
  /** What the server calls itself. */
  readonly server: string;
  /** How the server talks, so that the next connection need not find out. */
  readonly prior: PriorDiscovery | undefined;
  readonly pid: number | undefined;
  /** Whether the server has said anything since that time. */
  heardSince(ms: number): boolean;
  list(): Promise<ReadonlyMap<string, LockedTool | Fault>>;
  call(tool: string, input: Json, call: Pick<ToolCall, "signal" | "idempotencyKey">): Promise<McpAnswer>;
  /** The resources that the server lists. @throws `mcp.rejected` for a server without any */
  resources(signal: AbortSignal): Promise<readonly McpResource[]>;
  /** The text of a resource; undefined if the server does not know it, or it is no text. */
  readResource(uri: string, signal: AbortSignal): Promise<string | undefined>;
  close(): Promise<void>;
}

/** A resource as its server lists it. */
export interface McpResource {
  readonly uri: string;
  /** When it was changed last, if the server says so. */
  readonly lastModified: string | undefined;
}

/** Name and key of what a server may use to recognise a repeated call. */
const KEY_META = "troupe/idempotencyKey";

/** Opens a connection. @throws `mcp.missing`, `mcp.unavailable`, `mcp.rejected` */
export async function openSession(
  place: McpPlace,
  name: string,
  prior: PriorDiscovery | undefined,
  events: SessionEvents,
): Promise<Session> {
  const { Client } = await loaded(() => import("@modelcontextprotocol/client"));
  const lines = new StderrLines(events.line);
  const opened = "command" in place ? await processTransport(place, lines) : await urlTransport(place);
  const client = new Client(
    { name: "troupe", version: "1" },
    {
      capabilities: {},
      versionNegotiation: { mode: "auto", probe: { timeoutMs: LIMITS.mcpProbeMs } },
      inputRequired: { autoFulfill: false },
      listMaxPages: LIMITS.mcpPagesMax,
      // Results are checked against the lock, by the gate.
      jsonSchemaValidator: { getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }) },
    },
  );
  const server = `MCP server ${name}`;
  const limit = AbortSignal.timeout(LIMITS.mcpConnectMs);
  try {
    await client.connect(opened.transport, { signal: limit, timeout: LIMITS.mcpConnectMs, ...(prior === undefined ? {} : { prior }) });
  } catch (error) {
    await client.close().catch(() => {});
    await opened.transport.close().catch(() => {});
    throw connectFault(error, server, lines.last);
  }
  return new ClientSession({ client, opened, server, lines, events });
}

async function loaded<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new Fault("mcp.missing", "tools of MCP servers need the package @modelcontextprotocol/client: npm install it", undefined, {
      cause: error,
    });
  }
}

interface Opened {
  readonly transport: Transport;
  readonly pid: () => number | undefined;
}

async function processTransport(place: McpProcess, lines: StderrLines): Promise<Opened> {
  const { StdioClientTransport } = await loaded(() => import("@modelcontextprotocol/client/stdio"));
  const { command, args = [], env, cwd } = place;
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    ...(env === undefined ? {} : { env: { ...(await settings(env)) } }),
    ...(cwd === undefined ? {} : { cwd }),
    stderr: "pipe",
    maxBufferSize: LIMITS.mcpMessageBytesMax,
  });
  transport.stderr?.on("data", (chunk: Buffer) => lines.push(chunk.toString("utf8"), Date.now()));
  transport.stderr?.on("end", () => lines.end(Date.now()));
  return { transport, pid: () => transport.pid ?? undefined };
}

async function urlTransport({ url, headers }: McpUrl): Promise<Opened> {
  const { StreamableHTTPClientTransport } = await loaded(() => import("@modelcontextprotocol/client"));
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: headers === undefined ? {} : { headers: { ...(await settings(headers)) } },
    fetch: boundedFetch,
  });
  // The class and the interface differ only in whether an absent property may be written as undefined.
  return { transport: transport as Transport, pid: () => undefined };
}

function settings(given: Settings): Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>> {
  return typeof given === "function" ? given() : given;
}

// ---- an open session ------------------------------------------------------------------------------------------------

interface SessionParts {
  readonly client: Client;
  readonly opened: Opened;
  readonly server: string;
  readonly lines: StderrLines;
  readonly events: SessionEvents;
}

/** Processes of servers that run now. They end with this program. */
const running = new Set<number>();
let watching = false;

function watchExit(pid: number): void {
  running.add(pid);
  if (watching) return;
  watching = true;
  process.once("exit", () => {
    for (const one of running) {
      try {
        process.kill(one, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  });
}

class ClientSession implements Session {
  readonly #parts: SessionParts;
  readonly pid: number | undefined;
  #heardAtMs = 0;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { client, opened, events } = parts;
    this.pid = opened.pid();
    if (this.pid !== undefined) watchExit(this.pid);
    client.onclose = () => {
      if (this.pid !== undefined) running.delete(this.pid);
      events.closed();
    };
    client.setNotificationHandler("notifications/tools/list_changed", () => events.toolsChanged());
    const { transport } = opened;
    const { onmessage } = transport;
    transport.onmessage = (message, extra) => {
      this.#heardAtMs = performance.now();
      onmessage?.call(transport, message, extra);
    };
  }

  get server(): string {
    const { name = "unnamed", version = "" } = this.#parts.client.getServerVersion() ?? {};
    return visibleLine(`${name} ${version}`.trim(), LIMITS.idLengthMax);
  }

  get prior(): PriorDiscovery | undefined {
    return this.#parts.client.getProtocolEra() === "legacy" ? { kind: "legacy" } : undefined;
  }

  heardSince(ms: number): boolean {
    return this.#heardAtMs >= ms;
  }

  async list(): Promise<ReadonlyMap<string, LockedTool | Fault>> {
    const { client, server, lines } = this.#parts;
    try {
      const { tools } = await client.listTools(undefined, { cacheMode: "refresh", timeout: LIMITS.mcpConnectMs });
      return new Map(tools.map((tool) => [tool.name, lockedOrFault(tool)]));
    } catch (error) {
      throw connectFault(error, server, lines.last);
    }
  }

  async call(tool: string, input: Json, { signal, idempotencyKey }: Pick<ToolCall, "signal" | "idempotencyKey">): Promise<McpAnswer> {
    const { client, server, lines } = this.#parts;
    try {
      const made: CallToolResult = await client.callTool(
        // The gate has checked that the input fits a schema of type object.
        { name: tool, arguments: input as Record<string, Json>, _meta: { [KEY_META]: idempotencyKey } },
        { signal, timeout: LIMITS.callTimeoutMsMax },
      );
      return made;
    } catch (error) {
      throw callFault(error, `tool ${tool} of ${server}`, lines.last);
    }
  }

  async resources(signal: AbortSignal): Promise<readonly McpResource[]> {
    const { client, server, lines } = this.#parts;
    // Without this check a server that lists none would look like one whose resources are all gone.
    if (client.getServerCapabilities()?.resources === undefined) throw new Fault("mcp.rejected", `${server} has no resources`);
    try {
      const { resources } = await client.listResources(undefined, { signal, cacheMode: "bypass", timeout: LIMITS.sourceCallMs });
      return resources.map(({ uri, annotations }) => ({ uri, lastModified: annotations?.lastModified }));
    } catch (error) {
      throw callFault(error, `the listing of resources of ${server}`, lines.last);
    }
  }

  async readResource(uri: string, signal: AbortSignal): Promise<string | undefined> {
    const { client, server, lines } = this.#parts;
    try {
      const { contents } = await client.readResource({ uri }, { signal, cacheMode: "bypass", timeout: LIMITS.sourceCallMs });
      const texts = contents.flatMap((part) => ("text" in part ? part.text : []));
      return texts.length === 0 ? undefined : texts.join("\n");
    } catch (error) {
      if (isUnknownResource(error)) return undefined;
      throw callFault(error, `resource ${uri} of ${server}`, lines.last);
    }
  }

  async close(): Promise<void> {
    await this.#parts.client.close().catch(() => {});
    if (this.pid !== undefined) running.delete(this.pid);
  }
}

function lockedOrFault(tool: Parameters<typeof lockedTool>[0]): LockedTool | Fault {
  try {
    return lockedTool(tool);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

// ---- what failures mean ---------------------------------------------------------------------------------------------

/** Codes of the client for requests that were never sent. */
const NOT_SENT = new Set(["NOT_CONNECTED", "SEND_FAILED"]);
/** Codes for answers that are no answers of the protocol, or ask for what this client does not give. */
const NO_ANSWER = new Set([
  "INVALID_RESULT",
  "UNSUPPORTED_RESULT_TYPE",
  "CAPABILITY_NOT_SUPPORTED",
  "METHOD_NOT_SUPPORTED_BY_PROTOCOL_VERSION",
  "LIST_PAGINATION_EXCEEDED",
]);
const STATUS_TOO_MANY = 429;
const STATUS_NOT_FOUND = 404;
const STATUS_SERVER_ERROR = 500;
/** What the system says when a connection was never made. */
const NOT_REACHED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);

function connectFault(error: unknown, server: string, lastLine: string): Fault {
  const found = kindOf(error);
  const code = found.kind === "answered" ? "mcp.rejected" : "mcp.unavailable";
  return made(code, `${server} could not be connected`, error, lastLine);
}

function callFault(error: unknown, what: string, lastLine: string): Fault {
  const { kind } = kindOf(error);
  if (kind === "answered") return made("mcp.rejected", `${what} was refused`, error, "");
  if (kind === "not-sent") return made("mcp.unavailable", `${what} could not be called`, error, lastLine);
  return made("mcp.unanswered", `${what} did not answer, because the connection was lost`, error, lastLine);
}

function made(code: "mcp.rejected" | "mcp.unavailable" | "mcp.unanswered", text: string, error: unknown, lastLine: string): Fault {
  const said = visibleLine(error instanceof Error ? error.message : String(error), LIMITS.mcpTextLengthMax);
  return new Fault(code, `${text}: ${said}`, lastLine === "" ? undefined : { stderr: lastLine }, { cause: error });
}

/** The code of the protocol for a resource that there is not. */
const RESOURCE_UNKNOWN_CODE = -32_002;

function isUnknownResource(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === RESOURCE_UNKNOWN_CODE;
}

/** Whether a request was answered, was certainly not sent, or may have arrived. */
function kindOf(error: unknown): { readonly kind: "answered" | "not-sent" | "unknown" } {
  const { code, status, cause } = (typeof error === "object" && error !== null ? error : {}) as Readonly<Record<string, unknown>>;
  // An error of the protocol has a number, one of the client a text.
  if (typeof code === "number") return { kind: "answered" };
  if (typeof status === "number") {
    if (status === STATUS_TOO_MANY || status === STATUS_NOT_FOUND) return { kind: "not-sent" };
    return { kind: status < STATUS_SERVER_ERROR ? "answered" : "unknown" };
  }
  if (typeof code === "string" && NOT_SENT.has(code)) return { kind: "not-sent" };
  if (typeof code === "string" && NO_ANSWER.has(code)) return { kind: "answered" };
  const reason = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : code;
  return { kind: typeof reason === "string" && NOT_REACHED.has(reason) ? "not-sent" : "unknown" };
}
