/**
 * @module The compensation of one work item: the undos of its begun calls, newest first, then its agent's own undo.
 *
 * It uses the records alone; the handler never runs again for it. Each finished undo is recorded. An undo that fails, or whose
 * tool the system no longer has, does not block the others; the report lists it.
 */
import type { AgentDefinition } from "../../agents/agent.ts";
import type { AgentLog, RuntimeUndoContext } from "../../agents/context.ts";
import type { InputOf, NextState } from "../../runtime/agent/inputs.ts";
import { type AgentWork, type Call, callsToUndo, standingOf } from "../../runtime/agent/state.ts";
import { undoneCount } from "../../runtime/agent/undo.ts";
import { Fault, boundedFault, faultFromUserCode, isRetryable, type Json, type WireFault } from "../../runtime/faults.ts";
import { idempotencyKey } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock } from "../engine/ports.ts";
import { OwnValues, type ReadValues } from "./own-values.ts";
import type { RunLink } from "./run-link.ts";
import { timed } from "./timed.ts";

/** The parts of a compensation. `work` is the work item as it was when the compensation began. */
export interface CompensationParts {
  readonly work: AgentWork;
  readonly definition: AgentDefinition;
  readonly values: ReadValues;
  readonly clock: Clock;
  readonly link: Pick<RunLink, "tell">;
  readonly log: AgentLog;
}

/** The end of a compensation, as reported to its actor. */
export type CompensationEnd = Pick<InputOf<"compensated">, "end" | "state" | "agentUndid">;

interface Left {
  readonly what: string;
  readonly fault: WireFault;
}

/** One compensation under one token. It is also the context of the agent's own undo. */
export class Compensation implements RuntimeUndoContext {
  readonly #parts: CompensationParts;
  readonly #abort = new AbortController();
  readonly #stateVersion: number;
  readonly #state: Json;
  readonly #values: ReadValues;
  readonly #left: Left[] = [];
  #nextState: NextState | undefined;
  #undone: number;

  constructor(parts: CompensationParts, stateVersion: number, state: Json) {
    this.#parts = parts;
    this.#values = new OwnValues(parts, this.#abort.signal);
    this.#stateVersion = stateVersion;
    this.#state = state;
    this.#undone = undoneCount(parts.work);
  }

  // ---- what the agent's undo sees ------------------------------------------------------------------------------------

  get state(): Json {
    return this.#nextState?.content ?? this.#state;
  }

  setState(next: Json): void {
    this.#nextState = { content: next, base: this.#stateVersion };
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get log(): AgentLog {
    return this.#parts.log;
  }

  get principal(): RuntimeUndoContext["principal"] {
    return this.#parts.work.principal;
  }

  /** The attempt of the compensation, from 1. */
  get attempt(): number {
    return this.#parts.work.undo?.attempt ?? 1;
  }

  get processId(): string {
    return this.#parts.work.processId;
  }

  get idempotencyKey(): string {
    return this.#parts.work.undo?.undoId ?? this.#parts.work.id;
  }

  now(): number {
    return this.#parts.work.begunAtMs;
  }

  // ---- what the runner calls -----------------------------------------------------------------------------------------

  /** Stops it after the current undo. */
  stop(reason: WireFault): void {
    this.#abort.abort(Fault.fromWire(reason));
  }

  /** Runs each undo that is not recorded. Never throws. */
  async perform(): Promise<CompensationEnd> {
    const { work } = this.#parts;
    for (const call of callsToUndo(work).toReversed()) await this.#attempt(`${call.tool} (${this.#keyOf(call)})`, () => this.#undo(call));
    const agentUndid = work.agentUndid !== true && (await this.#undoAgent());
    if (agentUndid) this.#undone += 1;
    const state = agentUndid && this.#nextState !== undefined ? { state: this.#nextState } : {};
    return { end: this.#end(agentUndid), ...state, ...(agentUndid ? { agentUndid } : {}) };
  }

  async #attempt(what: string, undo: () => Promise<void>): Promise<boolean> {
    try {
      this.#abort.signal.throwIfAborted();
      await undo();
      return true;
    } catch (error) {
      const fault = faultFromUserCode(error);
      this.#left.push({ what, fault });
      this.#parts.log.warn(`an undo failed: ${what}`, { code: fault.code, message: fault.message });
      return false;
    }
  }

  async #undo(call: Call): Promise<void> {
    const { definition, clock, link } = this.#parts;
    const tool = definition.tools.get(call.tool);
    const { undo } = tool ?? {};
    if (tool === undefined || undo === undefined || call.input === undefined)
      throw new Fault("compensation.failed", `agent ${definition.name} no longer has a tool ${call.tool} with an undo`);
    const input = tool.checkInput(await this.#values.read(call.input));
    const output = call.output === undefined ? undefined : tool.checkOutput(await this.#values.read(call.output));
    await timed(
      { clock, signal: this.#abort.signal, timeoutMs: tool.timeoutMs ?? LIMITS.undoTimeoutMs, what: `the undo of tool ${tool.name}` },
      (signal) => undo(input, output, { idempotencyKey: this.#keyOf(call), signal, attempt: this.attempt }),
    );
    await link.tell({ kind: "call-undone", key: call.key });
    this.#undone += 1;
  }

  /** Whether the agent has an own undo and it succeeded. */
  async #undoAgent(): Promise<boolean> {
    const { definition, work } = this.#parts;
    const { undo, name } = definition;
    if (undo === undefined) return false;
    return this.#attempt(`the undo of agent ${name}`, async () => {
      const { result } = work;
      const output = result !== undefined && "output" in result ? await this.#values.read(result.output) : undefined;
      await undo(await this.#values.read(work.input), output, this);
    });
  }

  /** Reports what can never be undone, with the reason. If a retry may help, the compensation fails with the reason. */
  #end(agentUndid: boolean): CompensationEnd["end"] {
    const again = this.#left.find(({ fault }) => isRetryable(fault));
    const names = this.#left.map(({ what }) => what);
    if (again === undefined) {
      const stateStands = this.#parts.work.setState === true && this.#nextState === undefined;
      const left = this.#left.map(({ what, fault: { code, message } }) =>
        code === "compensation.failed" ? what : `${what}: ${code}: ${message}`,
      );
      return { report: { undone: this.#undone, left, stands: agentUndid ? [] : standingOf(this.#parts.work), stateStands } };
    }
    const left = this.#left.map(({ what, fault: { code, message } }) => `${what}: ${code}: ${message}`);
    const message = `${this.#undone} undone, ${left.length} left: ${left.join("; ")}`;
    return { fault: boundedFault({ ...again.fault, message, details: { left: names } }) };
  }

  #keyOf(call: Call): string {
    return idempotencyKey(this.#parts.work.id, call.key);
  }
}
