/**
 * @module One run of a handler: what it is given, what it records, how it is stopped.
 *
 * A handler runs from its start. What an earlier run recorded is given back instead of being done again, so the handler
 * comes to where the earlier run was. In undo mode it runs only to show which undos there are.
 */
import type { AgentLog, HandOff, RuntimeContext, StepTools } from "../agents/context.ts";
import { handOffTo } from "../agents/context.ts";
import { hashJson, hashText, plainJson } from "../runtime/canonical.ts";
import { Fault, type FaultCode, isFault, isRetryable, type Json, type WireFault, wireFault } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { AgentState, AgentWork, Ask, Entry } from "../runtime/agent/state.ts";
import type { EntryContent } from "../runtime/agent/machine.ts";
import { pause } from "./pause.ts";
import type { Clock } from "./ports.ts";
import type { Values } from "./values.ts";

/** How a run reaches its actor. Both throw the refusal as a fault: one of {@link RUN_ENDED} when this run counts no more. */
export interface RunLink {
  record(entry: EntryContent): Promise<void>;
  ask(agent: string, occurrence: number, input: Json): Promise<AgentState>;
  /** The actor's state as this host last knew it. */
  state(): AgentState | undefined;
}

/**
 * Refusals by which the actor says that this run counts no more: another run has the work, it is being undone, or its
 * process was purged. A handler that caught one and went on would act behind an ask at which the undo run stops, and what
 * happened there without being recorded would be found by nobody.
 */
const RUN_ENDED: ReadonlySet<FaultCode> = new Set<FaultCode>(["work.superseded", "work.cancelled", "process.purged"]);

interface Undoable {
  readonly name: string;
  readonly occurrence: number;
  readonly result: Json | undefined;
  readonly undo: (result: Json | undefined, step: StepTools) => unknown;
}

interface PendingAsk {
  readonly resolve: (answer: Json) => void;
  readonly reject: (fault: Fault) => void;
}

type StepOptions = Parameters<RuntimeContext["step"]>[2];

/** What one run is made of. `work` is as it stood when the run began; answers that come later are read through the link. */
export interface HandlerRunParts {
  readonly work: AgentWork;
  readonly values: Values;
  readonly clock: Clock;
  readonly link: RunLink;
  readonly log: AgentLog;
  /** Called when the run parks for an answer (`true`) and before it goes on (`false`). */
  readonly parked: (parked: boolean) => Promise<void>;
}

/** The mutable side of one run. Lives in one host, under one token; everything durable is in the actor's journal. */
export class HandlerRun implements RuntimeContext {
  readonly #parts: HandlerRunParts;
  readonly #abort = new AbortController();
  readonly #occurrences = new Map<string, number>();
  readonly #asked = new Map<number, PendingAsk>();
  readonly #undoables: Undoable[] = [];
  #uuids = 0;
  #steps = 0;
  #pendingState: { readonly content: Json; readonly base: number } | undefined;
  #stateVersion: number;
  #state: Json;
  #touchedAtMs: number;
  /** Calls of an undo run that are not recorded: they wait, and each can be made to fail. */
  readonly #gates: ((failed: Fault) => void)[] = [];
  #gatesOpened = 0;
  #shown = false;
  #thrown: WireFault | undefined;

  constructor(parts: HandlerRunParts, stateVersion: number, state: Json) {
    this.#parts = parts;
    this.#stateVersion = stateVersion;
    this.#state = state;
    this.#touchedAtMs = parts.clock.nowMs();
  }

  // ---- what the handler sees ----------------------------------------------------------------------------------------

  get state(): Json {
    return this.#pendingState?.content ?? this.#state;
  }

  setState(next: Json): void {
    this.#pendingState = { content: next, base: this.#stateVersion };
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

  /** For whoever watches runs from outside, such as the simulator. */
  get workId(): string {
    return this.#parts.work.id;
  }

  get mode(): AgentWork["mode"] {
    return this.#parts.work.mode;
  }

  /** The handler has begun no step and asked nothing. */
  get untouched(): boolean {
    return this.#occurrences.size === 0;
  }

  /** The moment at which this work was begun first: the same on every run. */
  now(): number {
    return this.#parts.work.begunAtMs;
  }

  /** Derived from the work id and the count of calls: the same on every run, and unlike any other work's. */
  uuid(): string {
    const text = hashText(`${this.#parts.work.id}/uuid/${this.#uuids}`);
    this.#uuids += 1;
    // Layout of RFC 9562, version 8 (custom).
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-8${text.slice(13, 16)}-a${text.slice(17, 20)}-${text.slice(20, 32)}`;
  }

  handOff(target: { readonly name: string }, input: Json): HandOff {
    return handOffTo(target.name, input);
  }

  async step(name: string, action: (step: StepTools) => unknown, options?: StepOptions): Promise<Json> {
    const occurrence = this.#count(`step ${name}`);
    this.#steps += 1;
    const input = hashJson(options?.input ?? null);
    const recorded = this.#find("step", name, occurrence, input);
    if (recorded !== undefined) {
      const output = await this.#parts.values.read(recorded.output);
      this.#noteUndo(name, occurrence, output, options?.undo);
      return output;
    }
    if (this.#undoing) {
      // Its effect may have happened without having been recorded, so it is undone by its key.
      this.#noteUndo(name, occurrence, undefined, options?.undo);
      return this.#never();
    }
    if (this.#steps > LIMITS.stepsPerWorkMax) throw new Fault("step.too-many", `step ${JSON.stringify(name)} is one more than the ${LIMITS.stepsPerWorkMax} steps of one piece of work`);
    this.#throwIfStopped();
    const output = plainJson((await action(this.#tools(name, occurrence))) ?? null);
    await this.#heard(this.#parts.link.record({ kind: "step", name, occurrence, input, output, undoable: options?.undo !== undefined }));
    return output;
  }

  async ask(target: { readonly name: string }, input: Json): Promise<Json> {
    const occurrence = this.#count(`ask ${target.name}`);
    const known = this.#findAsk(this.#parts.work.asks, target.name, occurrence, input);
    if (known === undefined && this.#undoing) return this.#never();
    if (known?.result !== undefined) return this.#answer(known);
    if (this.#undoing) return this.#never();
    this.#throwIfStopped();
    // Also when an earlier run asked it: the actor must know that this run waits, to be free and to let it go on.
    const told = (await this.#heard(this.#parts.link.ask(target.name, occurrence, input))).works[this.#parts.work.id]?.asks ?? [];
    const ask = this.#findAsk(told, target.name, occurrence, input);
    if (ask === undefined) throw this.#ended(new Fault("work.superseded", "the work went on elsewhere"));
    // The answer may have come before this run could note that it waits.
    const answered = [ask, this.#findAsk(this.#latest()?.asks ?? [], target.name, occurrence, input)].find((one) => one?.result !== undefined);
    if (answered !== undefined) return this.#answer(answered);
    void this.#parts.parked(true);
    return new Promise((resolve, reject) => this.#asked.set(ask.index, { resolve, reject }));
  }

  // ---- what the runner does with it ---------------------------------------------------------------------------------

  get pendingState(): { readonly content: Json; readonly base: number } | undefined {
    return this.#pendingState;
  }

  stop(reason: WireFault): void {
    const fault = Fault.fromWire(reason);
    this.#abort.abort(fault);
    for (const [index, pending] of this.#asked) {
      this.#asked.delete(index);
      pending.reject(fault);
    }
  }

  /** The parked handler goes on: fresh state, and its answers. */
  async goOn(work: AgentWork, stateVersion: number, state: Json): Promise<void> {
    const answered = work.asks.filter((ask) => ask.result !== undefined && this.#asked.has(ask.index));
    if (answered.length === 0) return;
    this.#stateVersion = stateVersion;
    this.#state = state;
    await this.#parts.parked(false);
    for (const ask of answered) {
      const pending = this.#asked.get(ask.index);
      this.#asked.delete(ask.index);
      this.#answer(ask).then(pending?.resolve, pending?.reject);
    }
  }

  /** The handler of an undo run has come to its end: nobody needs to wait for it to block any more. */
  noteShown(thrown?: WireFault): void {
    this.#shown = true;
    this.#thrown = thrown;
  }

  /**
   * Throws when the handler of an undo run may not have shown everything, so that the undo is tried again: it did not
   * come to a step that was recorded, or it threw something that no recorded fault explains.
   */
  requireShown(): void {
    const { work } = this.#parts;
    const missed = this.#missed();
    if (missed !== undefined) throw new Fault("agent.failed", `the handler did not come to step ${JSON.stringify(missed.name)}, which was recorded and is to be undone`);
    const thrown = this.#thrown;
    // Where a call was made to fail, what the handler throws may be that failure: it has shown what it then went on to.
    if (thrown === undefined || this.#gatesOpened > 0 || !isRetryable(thrown)) return;
    const known = [work.result, ...work.asks.map((ask) => ask.result)].some((result) => result !== undefined && "fault" in result && result.fault.code === thrown.code && result.fault.message === thrown.message);
    if (!known) throw new Fault("agent.failed", `the handler threw while it showed what is to be undone: ${thrown.message}`);
  }

  /** Resolves when the handler of an undo run has shown all it can: it waits, or hangs, and asked for nothing new for a while. */
  async blocked(): Promise<void> {
    for (;;) {
      const quietMs = this.#parts.clock.nowMs() - this.#touchedAtMs;
      if (quietMs >= (this.#gates.length > 0 ? LIMITS.undoQuietMs : LIMITS.undoSilenceMsMax) && !this.#letOnePass()) return;
      if (this.#abort.signal.aborted || this.#shown) return;
      await pause(this.#parts.clock, LIMITS.undoQuietMs / 4);
    }
  }

  /**
   * A handler that had recorded a step after a call that is not recorded has gone past that call, so the call had failed and
   * was caught. It fails here too, once everything else has been shown, and the handler comes to what it did then.
   */
  #letOnePass(): boolean {
    const gate = this.#missed() === undefined || this.#gatesOpened >= LIMITS.stepsPerWorkMax ? undefined : this.#gates.shift();
    if (gate === undefined) return false;
    this.#gatesOpened += 1;
    this.#touchedAtMs = this.#parts.clock.nowMs();
    gate(new Fault("agent.failed", "this call is not recorded, and the handler went past it in the run that is undone, so it had failed"));
    return true;
  }

  /** A recorded step that is to be undone, and that the handler has not come to. */
  #missed(): Entry | undefined {
    return this.#parts.work.entries.find((entry) => entry.kind === "step" && entry.undoable && !this.#undoables.some((one) => one.name === entry.name && one.occurrence === entry.occurrence));
  }

  /** Undoes what was found, newest first; each undo is recorded once. Throws what an undo throws. */
  async undoAll(): Promise<void> {
    for (const { name, occurrence, result, undo } of this.#undoables.toReversed()) {
      if (this.#find("undo", name, occurrence, "") !== undefined) continue;
      await undo(result, this.#tools(name, occurrence));
      await this.#parts.link.record({ kind: "undo", name, occurrence, input: "", output: null, undoable: false });
    }
  }

  // ---- internals ----------------------------------------------------------------------------------------------------

  get #undoing(): boolean {
    return this.#parts.work.mode === "undo";
  }

  #latest(): AgentWork | undefined {
    return this.#parts.link.state()?.works[this.#parts.work.id];
  }

  #count(key: string): number {
    this.#touchedAtMs = this.#parts.clock.nowMs();
    const count = this.#occurrences.get(key) ?? 0;
    this.#occurrences.set(key, count + 1);
    return count;
  }

  #find(kind: Entry["kind"], name: string, occurrence: number, input: string): Entry | undefined {
    const entry = this.#parts.work.entries.find((one) => one.kind === kind && one.name === name && one.occurrence === occurrence);
    if (entry !== undefined && entry.input !== input) throw new Fault("step.mismatch", `step ${JSON.stringify(name)} (${occurrence}) was recorded with another input`);
    return entry;
  }

  #findAsk(asks: readonly Ask[], agent: string, occurrence: number, input: Json): Ask | undefined {
    const ask = asks.find((one) => one.agent === agent && one.occurrence === occurrence);
    if (ask !== undefined && ask.inputHash !== hashJson(input)) throw new Fault("step.mismatch", `ask of ${agent} (${occurrence}) was recorded with another input`);
    return ask;
  }

  async #answer(ask: Ask): Promise<Json> {
    const { result } = ask;
    if (result !== undefined && "output" in result) return this.#parts.values.read(result.output);
    const fault = result !== undefined && "fault" in result ? result.fault : wireFault("turn.failed", `the answer of ${ask.agent} has no content`);
    throw Fault.fromWire(fault);
  }

  #noteUndo(name: string, occurrence: number, result: Json | undefined, undo: NonNullable<StepOptions>["undo"]): void {
    if (undo !== undefined) this.#undoables.push({ name, occurrence, result, undo });
  }

  #tools(name: string, occurrence: number): StepTools {
    return { idempotencyKey: `${this.#parts.work.id}/${name}/${occurrence}`, signal: this.#abort.signal };
  }

  /** What the actor answers. That this run counts no more ends it, also when its handler catches the error. */
  async #heard<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw isFault(error) && RUN_ENDED.has(error.code) ? this.#ended(error) : error;
    }
  }

  #ended(fault: Fault): Fault {
    this.stop(wireFault(fault.code, fault.message));
    return fault;
  }

  #throwIfStopped(): void {
    if (this.#abort.signal.aborted) throw this.#abort.signal.reason;
  }

  /** An undo run does not go past what was recorded on its own: whatever comes next never happened, or had failed. */
  #never(): Promise<never> {
    return new Promise<never>((_resolve, reject) => void this.#gates.push(reject));
  }
}
