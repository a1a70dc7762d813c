/**
 * @module The connection of this process to one MCP server: opened by the first call, shared by all hosts and calls, opened again after a
 * failure, and closed when the last host has stopped.
 */
import { ConsecutiveBreaker, circuitBreaker, ExponentialBackoff, handleWhen, isBrokenCircuitError, noJitterGenerator } from "cockatiel";
import PQueue from "p-queue";
import type { AgentLog } from "../agents/context.ts";
import type { ToolCall, ToolSource } from "../agents/tool.ts";
import { Fault, isFault, type Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import { driftOf, type LockedServer, type LockedTool } from "./lock.ts";
import type { McpAnswer } from "./result.ts";
import type { McpPlace } from "./place.ts";
import { openSession, type Session } from "./session.ts";

type Log = Pick<AgentLog, "info" | "warn">;

/** A tool that calls may name, as it was locked. */
export interface AllowedTool {
  readonly locked: LockedTool;
  /** The user describes the tool; what the server says of it is not read. */
  readonly ownAbout: boolean;
}

/** An open session, and what its server lists. */
interface Live {
  readonly session: Session;
  /** Faults of the tools that differ from the lock. */
  drift: ReadonlyMap<string, Fault>;
  listedAtMs: number;
  listing: Promise<void> | undefined;
}

/** Failures that count against a server. */
const FAILURES: ReadonlySet<string> = new Set(["mcp.unavailable", "mcp.unanswered"]);

/** The shared connection to one server. */
export class Connection implements ToolSource {
  readonly name: string;
  readonly #place: McpPlace;
  readonly #allowed: ReadonlyMap<string, AllowedTool>;
  readonly #logs = new Set<Log>();
  readonly #queue = new PQueue({ concurrency: LIMITS.mcpCallsAtOnce });
  /** Timeouts of calls to which a server was silent. */
  readonly #silent = new WeakSet<object>();
  readonly #breaker = circuitBreaker(
    handleWhen((error) => (isFault(error) && FAILURES.has(error.code)) || (error instanceof Error && this.#silent.has(error))),
    {
      breaker: new ConsecutiveBreaker(LIMITS.mcpFailuresMax),
      halfOpenAfter: new ExponentialBackoff({
        initialDelay: LIMITS.mcpPauseMs,
        maxDelay: LIMITS.mcpPauseMsMax,
        generator: noJitterGenerator,
      }),
    },
  );
  #opening: Promise<Live> | undefined;
  #prior: Session["prior"];
  #idle: NodeJS.Timeout | undefined;
  #calls = 0;

  constructor(name: string, place: McpPlace, allowed: ReadonlyMap<string, AllowedTool>) {
    this.name = name;
    this.#place = place;
    this.#allowed = allowed;
  }

  hold(log: Log): () => Promise<void> {
    this.#logs.add(log);
    clearTimeout(this.#idle);
    return async () => {
      this.#logs.delete(log);
      if (this.#logs.size === 0) await this.close();
    };
  }

  /** The tool of that name, if calls may name it. */
  allowed(tool: string): AllowedTool | undefined {
    return this.#allowed.get(tool);
  }

  /** Makes one call of an allowed tool. @throws faults `mcp.*`, or the reason of the signal */
  async call(tool: string, input: Json, call: ToolCall): Promise<McpAnswer> {
    this.#calls += 1;
    clearTimeout(this.#idle);
    try {
      return await this.#queue.add(() => this.#breakable(tool, input, call), { signal: call.signal });
    } finally {
      this.#calls -= 1;
      if (this.#calls === 0 && this.#logs.size === 0) this.#closeWhenIdle();
    }
  }

  /** What the server lists of the allowed tools, for a lock. Closes the connection. */
  async describe(): Promise<LockedServer> {
    try {
      const { session } = await this.#open();
      const listed = await session.list();
      const tools = [...this.#allowed.keys()].map((name) => {
        const tool = listed.get(name);
        if (tool === undefined) throw new Fault("mcp.rejected", `MCP server ${this.name} has no tool ${name}; it has ${namesOf(listed)}`);
        if (tool instanceof Fault) throw tool;
        return [name, tool] as const;
      });
      return { server: session.server, tools: Object.fromEntries(tools) };
    } finally {
      await this.close();
    }
  }

  /** Closes the connection; a later call opens it again. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const opening = this.#opening;
    this.#opening = undefined;
    const live = await opening?.catch(() => undefined);
    await live?.session.close();
  }

  async #breakable(tool: string, input: Json, call: ToolCall): Promise<McpAnswer> {
    try {
      return await this.#breaker.execute(() => this.#call(tool, input, call));
    } catch (error) {
      if (!isBrokenCircuitError(error)) throw error;
      const { lastFailure: last } = this.#breaker;
      const why = last !== undefined && "error" in last && last.error instanceof Error ? `; the last failure: ${last.error.message}` : "";
      throw new Fault(
        "mcp.unavailable",
        `MCP server ${this.name} failed ${LIMITS.mcpFailuresMax} times in a row and rests for a while${why}`,
      );
    }
  }

  async #call(tool: string, input: Json, call: ToolCall): Promise<McpAnswer> {
    const { signal } = call;
    const live = await abortable(this.#ready(), signal);
    const fault = live.drift.get(tool);
    if (fault !== undefined) throw Fault.fromWire(fault.toWire());
    const sentAtMs = performance.now();
    try {
      return await live.session.call(tool, input, call);
    } catch (error) {
      if (!signal.aborted) throw error;
      if (!live.session.heardSince(sentAtMs)) this.#giveUp(live, signal.reason);
      throw signal.reason;
    }
  }

  /** A server that was silent for the whole time of a call hangs. */
  #giveUp(live: Live, reason: unknown): void {
    if (!isFault(reason) || reason.code !== "call.timeout") return;
    this.#silent.add(reason);
    this.#drop(live);
    void live.session.close();
  }

  #drop(live: Live): void {
    const opening = this.#opening;
    void opening?.then((current) => {
      if (current === live && this.#opening === opening) this.#opening = undefined;
    });
  }

  /** An open session whose tools were compared with the lock. */
  async #ready(): Promise<Live> {
    const live = await this.#open();
    if (Date.now() - live.listedAtMs > LIMITS.mcpTrustMs) {
      live.listing ??= this.#compare(live).finally(() => {
        live.listing = undefined;
      });
      await live.listing;
    }
    return live;
  }

  #open(): Promise<Live> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = this.#connect();
    this.#opening = opening;
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    return opening;
  }

  async #connect(): Promise<Live> {
    let live: Live | undefined;
    let closed = false;
    const prior = this.#prior;
    // What was found out may not hold for the next start.
    this.#prior = undefined;
    const session = await openSession(this.#place, this.name, prior, {
      line: (line) => this.#log("info", `MCP server ${this.name}: ${line}`),
      closed: () => {
        closed = true;
        if (live !== undefined) this.#drop(live);
      },
      toolsChanged: () => {
        if (live !== undefined) live.listedAtMs = 0;
      },
    });
    this.#prior = session.prior;
    live = { session, drift: new Map(), listedAtMs: 0, listing: undefined };
    if (closed) throw new Fault("mcp.unavailable", `MCP server ${this.name} ended as soon as it was connected`);
    this.#log("info", `MCP server ${this.name} is connected: ${session.server}`);
    return live;
  }

  async #compare(live: Live): Promise<void> {
    const listed = await this.#list(live);
    const drift = new Map<string, Fault>();
    for (const [name, { locked, ownAbout }] of this.#allowed) {
      const tool = listed.get(name);
      const changed = tool instanceof Fault ? [tool.message] : driftOf(locked, tool, ownAbout);
      if (changed.length > 0) drift.set(name, driftFault(this.name, name, changed));
    }
    for (const fault of drift.values()) this.#log("warn", fault.message);
    live.drift = drift;
    live.listedAtMs = Date.now();
  }

  async #list(live: Live): Promise<ReadonlyMap<string, LockedTool | Fault>> {
    try {
      return await live.session.list();
    } catch (error) {
      this.#drop(live);
      void live.session.close();
      throw error;
    }
  }

  #log(level: "info" | "warn", message: string): void {
    const [log] = this.#logs;
    log?.[level](message, { server: this.name });
  }

  #closeWhenIdle(): void {
    this.#idle = setTimeout(() => void this.close(), LIMITS.mcpIdleMs);
  }
}

function driftFault(server: string, tool: string, changed: readonly string[]): Fault {
  return new Fault(
    "mcp.drift",
    `tool ${tool} of MCP server ${server} is not as it was locked: ${changed.join(", ")}; run troupe mcp lock and read the difference`,
    { server, tool, changed },
  );
}

function namesOf(listed: ReadonlyMap<string, unknown>): string {
  return listed.size === 0 ? "none" : [...listed.keys()].join(", ");
}

/** Rejects with the reason of the signal, also while the promise is open. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => {});
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", abort));
}
