/**
 * @module One execution of a handler: its context, its records, and how it is stopped.
 *
 * A handler runs from its start. Recorded results of earlier executions are returned instead of repeating the effect, so the handler
 * reaches the point of the earlier one. Failures are recorded too, so each execution of an attempt takes the same path.
 */
import type { EditedCall, RuntimeContext, StepTools, WaitForOptions } from "../../agents/context.ts";
import type { ToolDefinition } from "../../agents/tool.ts";
import type { NextState, WaitContent } from "../../runtime/agent/inputs.ts";
import type { AgentState, Call, Failure } from "../../runtime/agent/state.ts";
import { entryOf } from "../../runtime/entries.ts";
import { hashJson, plainJson } from "../../runtime/canonical.ts";
import { Fault, faultFromUserCode, isFault, type Json, type WireFault } from "../../runtime/faults.ts";
import { callPrefix, idempotencyKey, modelKey } from "../../runtime/ids.ts";
import type { Label } from "../../runtime/label.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ModelCall, ModelReply } from "../../runtime/model/conversation.ts";
import type { JsonSchema } from "../../runtime/schema.ts";
import { pause } from "../engine/pause.ts";
import { Consents } from "./consents.ts";
import { ExecutionFacts } from "./execution-facts.ts";
import { ExecutionMemory } from "./execution-memory.ts";
import { type HandlerExecutionParts, OVER, RUN_ENDED } from "./execution-parts.ts";
import { HandlerBudget } from "./handler-budget.ts";
import { HandlerWaits, readAnswer } from "./handler-waits.ts";
import { MadeKeys } from "./made-keys.ts";
import { ModelCalls } from "./model-calls.ts";
import { OpenCalls } from "./open-calls.ts";
import { OwnValues } from "./own-values.ts";
import { Replay } from "./replay.ts";
import type { HeldInput } from "./run-link.ts";
import { SlotUse } from "./slot-use.ts";
import { type MadeCall, ToolCalls } from "./tool-calls.ts";

/** The mutable side of one execution. It lives in one host, under one token; durable data is in the actor's journal. */
export class HandlerExecution extends ExecutionFacts implements RuntimeContext {
  readonly #parts: HandlerExecutionParts;
  readonly #abort = new AbortController();
  /** Its signal ends open model calls. */
  readonly #tries = new AbortController();
  /** The recorded values, as this execution reads them. */
  readonly values: OwnValues;
  readonly #keys = new MadeKeys();
  readonly #replay: Replay;
  readonly #open = new OpenCalls();
  readonly #slot: SlotUse;
  readonly #budget: HandlerBudget;
  readonly #toolCalls: ToolCalls;
  readonly #modelCalls: ModelCalls;
  readonly #waits: HandlerWaits;
  readonly memory: ExecutionMemory | undefined;
  readonly #consents: Consents;
  #cancelDrain = (): void => {};
  #stopped: Fault | undefined;
  #hasCalled = false;
  #hasAsked = false;
  #nextState: NextState | undefined;
  #stateVersion: number;
  #state: Json;

  constructor(parts: HandlerExecutionParts, stateVersion: number, state: Json) {
    super(parts.work, parts.log);
    this.#parts = parts;
    this.#stateVersion = stateVersion;
    this.#state = state;
    this.values = new OwnValues(parts, this.#abort.signal);
    this.#replay = new Replay(parts.work, parts.clock, (fault) => this.stop(fault.toWire()));
    this.#slot = new SlotUse({ clock: parts.clock, signal: this.#abort.signal, open: this.#open, resting: parts.resting });
    this.#budget = new HandlerBudget({ work: parts.work, wait: (key, content) => this.#wait(key, content, this.label) });
    const calling = {
      ...{ work: parts.work, clock: parts.clock, random: parts.random, telemetry: parts.telemetry, signal: this.#abort.signal },
      tell: (told: HeldInput) => this.#tell(told),
    };
    this.#toolCalls = new ToolCalls({
      ...calling,
      received: (label) => this.received(label),
      ...{ act: (action) => this.#slot.act(action), rest: (ms) => this.#slot.pause(ms) },
    });
    this.#modelCalls = new ModelCalls({
      ...calling,
      ...{ values: this.values, models: parts.models, replay: this.#replay, slot: this.#slot, budget: this.#budget },
      tries: this.#tries.signal,
      acting: (make) => this.#acting(make),
      throwFailure: (kind, key) => this.#throwFailure(kind, key),
      ready: () => this.#ready(),
      requireCurrent: parts.memory && (() => this.memory?.requireCurrent() ?? Promise.resolve()),
      failed: (kind, key, error) => this.#failed(kind, key, error),
    });
    this.#waits = new HandlerWaits({
      ...{ work: parts.work, clock: parts.clock, signal: this.#abort.signal, values: this.values, replay: this.#replay, slot: this.#slot },
      ...{ isActing: () => this.#open.count > 0, tell: (told) => this.#tell(told) },
      failed: (key, error) => this.#failed("wait", key, error),
      peek: () => parts.link.state(),
      refresh: (seen) => this.#refresh(seen),
      received: (label) => this.received(label),
      waiting: parts.waiting,
    });
    const { memory } = parts;
    this.memory =
      memory &&
      new ExecutionMemory({
        ...memory,
        ...{ work: parts.work, log: parts.log, label: () => this.label },
        hasCalled: () => this.#hasCalled,
        hasActed: () => this.#hasCalled || this.#hasAsked,
        received: (label) => this.received(label),
        recorded: (name, act) => this.#recordedAct(name, act),
      });
    this.#consents = new Consents({
      ...{ work: parts.work, agent: parts.agent, rules: parts.rules, checks: parts.checks, values: this.values },
      ...{ replay: this.#replay, signal: this.#abort.signal, peek: () => parts.link.state() },
      spent: () => this.#budget.view.spent,
      acting: (make) => this.#acting(make),
      ready: () => this.#ready(),
      wait: (key, content, received) => this.#wait(key, content, this.label, received),
      failed: (key, error) => this.#failed("call", key, error),
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

  async call(tool: ToolDefinition, input: Json, edited?: (edit: EditedCall) => void): Promise<Json> {
    this.#requireRoom(`a call of tool ${tool.name}`);
    this.#hasCalled = true;
    const { label } = this;
    const key = this.#keys.keyOf(callPrefix(tool.name, hashJson(input)));
    const known = this.#replay.call(key);
    const call = await this.#consents.settled({ tool, input, key, label }, known, edited);
    return this.#budget.within(key, () => this.#acting(() => this.#recordedOrMade(call, known)));
  }

  async chat(call: ModelCall): Promise<ModelReply> {
    this.#requireRoom(`a call of model ${call.model}`);
    const key = modelKey(call.model, call.hash, this.#keys.countOf(`model:${call.model}/${call.hash}`));
    return this.#modelCalls.chat(call, key);
  }

  get budget(): RuntimeContext["budget"] {
    return this.#budget.view;
  }

  async step(name: string, action: (step: StepTools) => unknown): Promise<Json> {
    this.#requireRoom(`step ${JSON.stringify(name)}`);
    this.#keys.requireNew(name);
    return this.#stepOnce(name, action);
  }

  /** An act of the memory is a step with a name of its own. */
  #recordedAct(act: string, perform: (call: string) => Promise<Json>): Promise<Json> {
    this.#requireRoom("an act of the memory");
    return this.#stepOnce(this.#keys.keyOf(`memory:${act}`), ({ idempotencyKey: call }) => perform(call));
  }

  #stepOnce(name: string, action: (step: StepTools) => unknown): Promise<Json> {
    return this.#acting(async () => {
      const known = this.#replay.step(name);
      await this.#throwFailure("step", name);
      if (known !== undefined) return this.#replay.handed(known, this.values.read(known.output));
      await this.#ready();
      return this.#makeStep(name, action);
    });
  }

  async ask(target: { readonly name: string }, input: Json, received?: (label: Label | undefined) => void): Promise<Json> {
    this.#hasAsked = true;
    const key = this.#keys.keyOf(callPrefix(`ask ${target.name}`, hashJson(input)));
    return this.#wait(key, { kind: "agent", agent: target.name, input }, this.label, received);
  }

  async sleep(ms: number): Promise<void> {
    await this.#wait(this.#keys.keyOf(`sleep ${ms}`), { kind: "timer", ms }, this.label);
  }

  async waitFor(name: string, schema: JsonSchema, { timeoutMs }: WaitForOptions): Promise<Json> {
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    return this.#wait(this.#keys.keyOf(`signal ${name}`), { kind: "signal", name, schema, ...limit }, this.label);
  }

  // ---- what the runner calls ----------------------------------------------------------------------------------------

  get nextState(): NextState | undefined {
    return this.#nextState;
  }

  /** Why this execution was ended. */
  get stopped(): Fault | undefined {
    return this.#stopped;
  }

  /** Whether the handler does nothing but wait, so that its actor is free. */
  get parked(): boolean {
    return this.#waits.parked;
  }

  stop(reason: WireFault): void {
    const fault = Fault.fromWire(reason);
    this.#stopped ??= fault;
    this.#abort.abort(fault);
    if (fault.code !== "system.stopping") this.#tries.abort(fault);
    else this.#cancelDrain = this.#parts.clock.after(LIMITS.modelDrainMs, () => this.#tries.abort(fault));
    this.#waits.stop(fault);
    this.#replay.end();
  }

  /** Ends the calls of a finished handler: aborts them, then waits up to LIMITS.stopGraceMs. Their results are still recorded. */
  end(): Promise<unknown> | undefined {
    this.#abort.abort(OVER);
    this.#cancelDrain();
    this.#tries.abort(OVER);
    this.#waits.end();
    this.#replay.end();
    const settled = this.#open.settled();
    return settled === undefined ? undefined : Promise.race([settled, pause(this.#parts.clock, LIMITS.stopGraceMs)]);
  }

  /** Returns the fault of a handler that succeeded without reaching all its records. */
  get mismatch(): Fault | undefined {
    return this.#replay.mismatch;
  }

  /** Continues the handler with the answers that its actor has, and with the agent's state read again. */
  goOn(state: AgentState): Promise<void> | undefined {
    return this.#waits.handOver(state);
  }

  // ---- calls, steps and waits ---------------------------------------------------------------------------------------

  async #recordedOrMade(call: MadeCall, known: Call | undefined): Promise<Json> {
    await this.#throwFailure("call", call.key);
    if (known?.output !== undefined) {
      const output = await this.#replay.handed(known, this.values.read(known.output));
      this.#budget.noteToolCalls(known.toolCalls);
      this.received(known.label);
      return output;
    }
    await this.#ready();
    return this.#toolCalls.make(call, known);
  }

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

  /** `label`: of what the handler had received when it began to wait. */
  async #wait(key: string, content: WaitContent, label: Label, received?: (label: Label | undefined) => void): Promise<Json> {
    this.#open.requireOutside(`a wait (${key})`);
    const known = this.#replay.wait(key);
    await this.#throwFailure("wait", key);
    if (known?.result !== undefined) {
      const noteLabel = (): void => {
        this.received(known.resultLabel);
        received?.(known.resultLabel);
      };
      return this.#replay.handed(known, readAnswer(known, this.values)).finally(noteLabel);
    }
    await this.#ready();
    return this.#waits.begin(key, content, label, received);
  }

  async #refresh(state: AgentState): Promise<void> {
    this.received(entryOf(state.works, this.#parts.work.id)?.stateLabel);
    this.#state = await this.values.insist(async () => this.#parts.contentOf(state));
    this.#stateVersion = state.stateVersion;
  }

  /** Makes a call or step, from its first look at the records to its own. Then the handler may wait for something else. */
  async #acting<T>(make: () => Promise<T>): Promise<T> {
    try {
      return await this.#open.during(make);
    } finally {
      this.#waits.settle();
    }
  }

  #requireRoom(what: string): void {
    this.#open.requireOutside(what);
    this.#keys.requireRoom(what);
  }

  async #throwFailure(kind: Failure["kind"], key: string): Promise<void> {
    const failed = this.#replay.failure(kind, key);
    if (failed === undefined) return;
    await this.#replay.turn(failed);
    this.#budget.note(failed.spent);
    this.received(failed.label);
    throw Fault.fromWire(failed.fault);
  }

  /** Waits until something new may be done: all records were reached, and this execution was not ended. */
  async #ready(): Promise<void> {
    this.#throwIfStopped();
    const caughtUp = this.#replay.caughtUp();
    if (caughtUp === undefined) return;
    await caughtUp;
    this.#throwIfStopped();
  }

  // ---- the actor -----------------------------------------------------------------------------------------------------

  /** Sends a report to the actor. A refusal of {@link RUN_ENDED} ends this execution, also if its handler catches the fault. */
  async #tell(input: HeldInput): Promise<AgentState> {
    try {
      const state = await this.#waits.report(input, () => this.#parts.link.tell(input));
      this.#budget.noteEnd(input, state);
      return state;
    } catch (error) {
      throw isFault(error) && RUN_ENDED.has(error.code) ? this.#ended(error) : error;
    }
  }

  /**
   * Records a failure before the handler receives it, so that each later execution of this attempt receives the same. The cause is
   * available for logs in this execution only. An ended execution records nothing and does nothing more.
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
