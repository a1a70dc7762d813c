/**
 * @module One execution of a handler: what it is given, what it records, how it is stopped.
 *
 * A handler runs from its start. What an earlier execution recorded is given back instead of being done again, so the handler
 * comes to where the earlier one was. What failed is recorded too, so every execution of an attempt goes the same way.
 */
import type { AgentLog, HandOff, RuntimeContext, StepTools, WaitForOptions } from "../../agents/context.ts";
import { handOffTo } from "../../agents/context.ts";
import type { ToolDefinition } from "../../agents/tool.ts";
import type { AgentInput, NextState, WaitContent } from "../../runtime/agent/inputs.ts";
import type { AgentState, AgentWork, Failure, Wait } from "../../runtime/agent/state.ts";
import { hashJson, hashText, plainJson } from "../../runtime/canonical.ts";
import { entryOf } from "../../runtime/entries.ts";
import { Fault, type FaultCode, faultFromUserCode, isFault, type Json, type WireFault, wireFault } from "../../runtime/faults.ts";
import { callKey, callPrefix, idempotencyKey } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { JsonSchema } from "../../runtime/schema.ts";
import { pause } from "../engine/pause.ts";
import type { Clock, RandomSource } from "../engine/ports.ts";
import type { Values } from "../engine/values.ts";
import { OpenCalls } from "./open-calls.ts";
import { Replay } from "./replay.ts";
import { abortOf, SlotUse } from "./slot-use.ts";
import { ToolCalls } from "./tool-calls.ts";

type Told<I> = I extends { readonly workId: string; readonly token: string } ? Omit<I, "workId" | "token"> : never;

/** What an execution, or a compensation, tells its actor under its token. */
export type HeldInput = Told<Exclude<AgentInput, { readonly kind: "message" | "lost" }>>;

/** How an execution reaches its actor. */
export interface RunLink {
  /** Offers it until the actor took it or refused it; throws the refusal as a fault: one of {@link RUN_ENDED} when this execution counts no more. */
  tell(input: HeldInput): Promise<AgentState>;
  /** The actor's state as this host last knew it. */
  state(): AgentState | undefined;
}

/**
 * Refusals by which the actor says that this execution counts no more: another one has the work, it is being undone, or its
 * process was purged. A handler that caught one and went on would act without any record.
 */
const RUN_ENDED: ReadonlySet<string> = new Set<FaultCode>(["work.superseded", "work.cancelled", "process.purged"]);

/** What a handler does after it has ended is not done. */
const OVER = new Fault("work.cancelled", "the handler has ended, and did not wait for this");

interface PendingWait {
  readonly resolve: (answer: Json) => void;
  readonly reject: (fault: Fault) => void;
}

/** What one execution is made of. `work` is as it stood when it began; answers that come later are read through the link. */
export interface HandlerExecutionParts {
  readonly work: AgentWork;
  readonly values: Values;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly link: RunLink;
  readonly log: AgentLog;
  /** The handler begins to wait for answers, and the actor is free (`true`), or has them all. */
  readonly waiting: (waiting: boolean) => void;
  /** The handler does nothing but wait, and needs no slot (`true`), or is about to go on and resolves with a slot. */
  readonly resting: (resting: boolean) => Promise<void> | undefined;
}

/** The mutable side of one execution. Lives in one host, under one token; everything durable is in the actor's journal. */
export class HandlerExecution implements RuntimeContext {
  readonly #parts: HandlerExecutionParts;
  readonly #abort = new AbortController();
  readonly #counts = new Map<string, number>();
  readonly #names = new Set<string>();
  readonly #waits = new Map<number, PendingWait>();
  readonly #replay: Replay;
  readonly #open = new OpenCalls();
  readonly #slot: SlotUse;
  readonly #toolCalls: ToolCalls;
  #stopped: Fault | undefined;
  #uuids = 0;
  #made = 0;
  #nextState: NextState | undefined;
  #stateVersion: number;
  #state: Json;

  constructor(parts: HandlerExecutionParts, stateVersion: number, state: Json) {
    this.#parts = parts;
    this.#stateVersion = stateVersion;
    this.#state = state;
    this.#replay = new Replay(parts.work, parts.clock, (fault) => this.stop(fault.toWire()));
    this.#slot = new SlotUse({ clock: parts.clock, signal: this.#abort.signal, open: this.#open, resting: parts.resting });
    this.#toolCalls = new ToolCalls({
      work: parts.work,
      clock: parts.clock,
      random: parts.random,
      signal: this.#abort.signal,
      tell: (told) => this.#tell(told),
      act: (action) => this.#slot.act(action),
      rest: (ms) => this.#slot.pause(ms),
    });
  }

  // ---- what the handler sees ----------------------------------------------------------------------------------------

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

  get principal(): RuntimeContext["principal"] {
    return this.#parts.work.principal;
  }

  get attempt(): number {
    return this.#parts.work.attempt;
  }

  get processId(): string {
    return this.#parts.work.processId;
  }

  /** For whoever watches executions from outside, such as the simulator. */
  get workId(): string {
    return this.#parts.work.id;
  }

  /** The moment at which this work was begun first: the same in every execution. */
  now(): number {
    return this.#parts.work.begunAtMs;
  }

  /** Derived from the work id and the count of calls: the same in every execution, and unlike any other work's. */
  uuid(): string {
    const text = hashText(`${this.#parts.work.id}/uuid/${this.#uuids}`);
    this.#uuids += 1;
    // Layout of RFC 9562, version 8 (custom).
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-8${text.slice(13, 16)}-a${text.slice(17, 20)}-${text.slice(20, 32)}`;
  }

  handOff(target: { readonly name: string }, input: Json): HandOff {
    return handOffTo(target.name, input);
  }

  async call(tool: ToolDefinition, input: Json): Promise<Json> {
    this.#requireRoom(`a call of tool ${tool.name}`);
    const key = this.#keyOf(callPrefix(tool.name, hashJson(input)));
    const known = this.#replay.call(key);
    this.#throwFailure("call", key);
    if (known?.output !== undefined) return this.#parts.values.read(known.output);
    await this.#ready();
    return this.#open.during(() => this.#toolCalls.make({ tool, input, key }, known));
  }

  async step(name: string, action: (step: StepTools) => unknown): Promise<Json> {
    this.#requireRoom(`step ${JSON.stringify(name)}`);
    if (this.#names.has(name)) throw new Fault("step.duplicate", `step ${JSON.stringify(name)} is there twice in one work item`, { name });
    this.#names.add(name);
    const known = this.#replay.step(name);
    this.#throwFailure("step", name);
    if (known !== undefined) return this.#parts.values.read(known.output);
    await this.#ready();
    return this.#open.during(() => this.#makeStep(name, action));
  }

  async ask(target: { readonly name: string }, input: Json): Promise<Json> {
    const key = this.#keyOf(callPrefix(`ask ${target.name}`, hashJson(input)));
    return this.#wait(key, { kind: "agent", agent: target.name, input });
  }

  async sleep(ms: number): Promise<void> {
    await this.#wait(this.#keyOf(`sleep ${ms}`), { kind: "timer", ms });
  }

  async waitFor(name: string, schema: JsonSchema, { timeoutMs }: WaitForOptions): Promise<Json> {
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    return this.#wait(this.#keyOf(`signal ${name}`), { kind: "signal", name, schema, ...limit });
  }

  // ---- what the runner does with it ---------------------------------------------------------------------------------

  get nextState(): NextState | undefined {
    return this.#nextState;
  }

  /** Why this execution counts no more. */
  get stopped(): Fault | undefined {
    return this.#stopped;
  }

  /** Whether the handler has open waits: its actor is free. */
  get parked(): boolean {
    return this.#waits.size > 0;
  }

  stop(reason: WireFault): void {
    const fault = Fault.fromWire(reason);
    this.#stopped ??= fault;
    this.#abort.abort(fault);
    for (const [index, pending] of this.#waits) {
      this.#waits.delete(index);
      pending.reject(fault);
    }
    this.#replay.end();
  }

  /** The handler has ended: its calls are told so, and have LIMITS.stopGraceMs to settle. What they give is still recorded. */
  end(): Promise<unknown> | undefined {
    this.#replay.end();
    this.#abort.abort(OVER);
    const settled = this.#open.settled();
    return settled === undefined ? undefined : Promise.race([settled, pause(this.#parts.clock, LIMITS.stopGraceMs)]);
  }

  /** The fault of a handler that has succeeded without having come to everything that is recorded. */
  get mismatch(): Fault | undefined {
    return this.#replay.mismatch;
  }

  /** The parked handler goes on: fresh state, and its answers. */
  async goOn(work: AgentWork, stateVersion: number, state: Json): Promise<void> {
    const answered = work.waits.flatMap((wait) => {
      const pending = this.#waits.get(wait.index);
      return wait.result === undefined || pending === undefined ? [] : [{ wait, pending }];
    });
    if (answered.length === 0) return;
    this.#stateVersion = stateVersion;
    this.#state = state;
    for (const { wait } of answered) this.#waits.delete(wait.index);
    await this.#slot.endWaits(answered.length);
    if (!this.parked) this.#parts.waiting(false);
    for (const { wait, pending } of answered) this.#answer(wait).then(pending.resolve, pending.reject);
  }

  // ---- calls, steps and waits ---------------------------------------------------------------------------------------

  async #makeStep(name: string, action: (step: StepTools) => unknown): Promise<Json> {
    const tools: StepTools = { idempotencyKey: idempotencyKey(this.#parts.work.id, name), signal: this.#abort.signal };
    try {
      const output = plainJson((await this.#slot.act(() => action(tools))) ?? null);
      await this.#tell({ kind: "step-done", name, output });
      return output;
    } catch (error) {
      throw await this.#failed("step", name, error);
    }
  }

  async #wait(key: string, content: WaitContent): Promise<Json> {
    this.#open.requireOutside(`a wait (${key})`);
    const known = this.#replay.wait(key);
    this.#throwFailure("wait", key);
    if (known?.result !== undefined) return this.#answer(known);
    if (known === undefined) await this.#ready();
    else this.#throwIfStopped();
    // Also when an earlier execution waited for it: the actor must know that this one waits, to be free and to let it go on.
    const told = await this.#tell({ kind: "waits", key, for: content }).catch(async (error: unknown) => {
      throw await this.#failed("wait", key, error);
    });
    const wait = this.#findWait(told, key);
    if (wait === undefined) throw this.#ended(new Fault("work.superseded", "the work went on elsewhere"));
    // The answer may have come before this execution could note that it waits.
    const answered = [wait, this.#findWait(this.#parts.link.state(), key)].find((one) => one?.result !== undefined);
    if (answered !== undefined) return this.#answer(answered);
    if (this.#waits.size === 0) this.#parts.waiting(true);
    return new Promise((resolve, reject) => {
      this.#waits.set(wait.index, { resolve, reject });
      this.#slot.beginWait();
    });
  }

  #findWait(state: AgentState | undefined, key: string): Wait | undefined {
    return entryOf(state?.works ?? {}, this.#parts.work.id)?.waits.find((one) => one.key === key);
  }

  async #answer({ key, result }: Wait): Promise<Json> {
    if (result !== undefined && "output" in result) return this.#parts.values.read(result.output);
    throw Fault.fromWire(
      result !== undefined && "fault" in result ? result.fault : wireFault("turn.failed", `the answer to ${key} has no content`),
    );
  }

  /** Counted when the handler makes it, before anything is waited for. */
  #keyOf(prefix: string): string {
    const count = this.#counts.get(prefix) ?? 0;
    this.#counts.set(prefix, count + 1);
    return callKey(prefix, count);
  }

  #requireRoom(what: string): void {
    this.#open.requireOutside(what);
    this.#made += 1;
    if (this.#made > LIMITS.stepsPerWorkMax)
      throw new Fault("step.too-many", `${what} is one more than the ${LIMITS.stepsPerWorkMax} calls and steps of one work item`);
  }

  #throwFailure(kind: Failure["kind"], key: string): void {
    const failed = this.#replay.failure(kind, key);
    if (failed !== undefined) throw Fault.fromWire(failed.fault);
  }

  /** Something new may be done: everything that is recorded was come to, and this execution counts. */
  async #ready(): Promise<void> {
    this.#throwIfStopped();
    const caughtUp = this.#replay.caughtUp();
    if (caughtUp === undefined) return;
    await Promise.race([caughtUp, abortOf(this.#abort.signal)]);
    this.#throwIfStopped();
  }

  // ---- the actor -----------------------------------------------------------------------------------------------------

  /** What the actor answers. That this execution counts no more ends it, also when its handler catches the error. */
  async #tell(input: HeldInput): Promise<AgentState> {
    try {
      return await this.#parts.link.tell(input);
    } catch (error) {
      throw isFault(error) && RUN_ENDED.has(error.code) ? this.#ended(error) : error;
    }
  }

  /**
   * What the handler hears of what failed: what every later execution of this attempt hears, so it is recorded first. The cause is
   * there for logs, in this execution alone. One that counts no more records nothing, and does nothing more.
   */
  async #failed(kind: Failure["kind"], key: string, error: unknown): Promise<unknown> {
    if (this.#abort.signal.aborted) return error;
    const fault = faultFromUserCode(error);
    await this.#tell({ kind: "failed", failure: { kind, key, fault } });
    return Fault.fromWire(fault, error);
  }

  #ended(fault: Fault): Fault {
    this.stop(fault.toWire());
    return fault;
  }

  #throwIfStopped(): void {
    if (this.#abort.signal.aborted) throw this.#abort.signal.reason;
  }
}
