/**
 * @module One run of a handler: what it is given, what it records, how it is stopped.
 *
 * A handler runs from its start. What an earlier run recorded is given back instead of being done again, so the handler
 * comes to where the earlier run was. A call that failed is recorded too, so every run of an attempt goes the same way.
 * In undo mode a handler runs only to show which undos there are; see `undo-run.ts`.
 */
import type { AgentLog, HandOff, RuntimeContext, StepTools } from "../../agents/context.ts";
import { handOffTo } from "../../agents/context.ts";
import { hashJson, hashText, plainJson } from "../../runtime/canonical.ts";
import { entryOf } from "../../runtime/entries.ts";
import { Fault, type FaultCode, faultFromUserCode, isFault, type Json, type WireFault, wireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type AgentState, type AgentWork, type Ask, type Entry, type Failure, isSameCall } from "../../runtime/agent/state.ts";
import type { EntryContent, FailedCall } from "../../runtime/agent/machine.ts";
import type { Clock } from "../engine/ports.ts";
import type { Values } from "../engine/values.ts";

/** How a run reaches its actor. All but `state` throw the refusal as a fault: one of {@link RUN_ENDED} when this run counts no more. */
export interface RunLink {
  record(entry: EntryContent): Promise<void>;
  fail(failure: FailedCall): Promise<void>;
  ask(agent: string, occurrence: number, input: Json): Promise<AgentState>;
  /** The actor's state as this host last knew it. */
  state(): AgentState | undefined;
}

/**
 * Refusals by which the actor says that this run counts no more: another run has the work, it is being undone, or its
 * process was purged. A handler that caught one and went on would act behind an ask at which the undo run stops, and what
 * happened there without being recorded would be found by nobody.
 */
const RUN_ENDED: ReadonlySet<string> = new Set<FaultCode>(["work.superseded", "work.cancelled", "process.purged"]);

/** What a step said of its undo. `result` is what was recorded, or undefined where the effect may have happened without that. */
export interface Undoable {
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

/** A step or ask as the handler makes it. It is known again by all of this. */
type Call = Omit<FailedCall, "fault">;

/** What one run is made of. `work` is as it stood when the run began; answers that come later are read through the link. */
export interface HandlerExecutionParts {
  readonly work: AgentWork;
  readonly values: Values;
  readonly clock: Clock;
  readonly link: RunLink;
  readonly log: AgentLog;
  /** Called when the run parks for an answer (`true`) and before it goes on (`false`). */
  readonly parked: (parked: boolean) => Promise<void>;
}

/** The mutable side of one run. Lives in one host, under one token; everything durable is in the actor's journal. */
export class HandlerExecution implements RuntimeContext {
  readonly #parts: HandlerExecutionParts;
  readonly #abort = new AbortController();
  readonly #occurrences = new Map<string, number>();
  readonly #asked = new Map<number, PendingAsk>();
  /** The undos that this run has come to, in order. */
  readonly undoables: Undoable[] = [];
  #uuids = 0;
  #steps = 0;
  #pendingState: { readonly content: Json; readonly base: number } | undefined;
  #stateVersion: number;
  #state: Json;
  #touchedAtMs: number;
  /** Calls of an undo run that are not recorded: they wait, and each can be made to fail. */
  readonly #gates: ((failed: Fault) => void)[] = [];

  constructor(parts: HandlerExecutionParts, stateVersion: number, state: Json) {
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
    const call = {
      kind: "step",
      name,
      occurrence,
      input: hashJson(options?.input ?? null),
      undoable: options?.undo !== undefined,
    } as const;
    const recorded = this.#find(call);
    const failed = this.#findFailure(call);
    const output = recorded === undefined ? undefined : await this.#parts.values.read(recorded.output);
    // Also what failed, and in an undo what is not recorded, may have had its effect: it is undone by its key.
    if (output !== undefined || failed !== undefined || this.#undoing) this.#noteUndo(name, occurrence, output, options?.undo);
    if (failed !== undefined) throw Fault.fromWire(failed.fault);
    if (output !== undefined) return output;
    if (this.#undoing) return this.#never();
    if (this.#steps > LIMITS.stepsPerWorkMax)
      throw new Fault(
        "step.too-many",
        `step ${JSON.stringify(name)} is one more than the ${LIMITS.stepsPerWorkMax} steps of one piece of work`,
      );
    this.#throwIfStopped();
    try {
      const made = plainJson((await action(this.tools(name, occurrence))) ?? null);
      await this.#heard(this.#parts.link.record({ ...call, output: made }));
      return made;
    } catch (error) {
      throw await this.#failed(call, error);
    }
  }

  async ask(target: { readonly name: string }, input: Json): Promise<Json> {
    const occurrence = this.#count(`ask ${target.name}`);
    const call = { kind: "ask", name: target.name, occurrence, input: hashJson(input), undoable: false } as const;
    const failed = this.#findFailure(call);
    if (failed !== undefined) throw Fault.fromWire(failed.fault);
    const known = this.#findAsk(this.#parts.work.asks, call);
    if (known?.result !== undefined) return this.#answer(known);
    if (this.#undoing) return this.#never();
    this.#throwIfStopped();
    // Also when an earlier run asked it: the actor must know that this run waits, to be free and to let it go on.
    const told = await this.#heard(this.#parts.link.ask(target.name, occurrence, input)).catch(async (error: unknown) => {
      throw await this.#failed(call, error);
    });
    const ask = this.#findAsk(entryOf(told.works, this.#parts.work.id)?.asks ?? [], call);
    if (ask === undefined) throw this.#ended(new Fault("work.superseded", "the work went on elsewhere"));
    // The answer may have come before this run could note that it waits.
    const answered = [ask, this.#findAsk(this.#latest()?.asks ?? [], call)].find((one) => one?.result !== undefined);
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

  /** When the handler asked for something new the last time. */
  get touchedAtMs(): number {
    return this.#touchedAtMs;
  }

  /** Whether the handler waits at a call that is not recorded. */
  get waits(): boolean {
    return this.#gates.length > 0;
  }

  /** Lets the oldest call that waits fail. */
  failOne(fault: Fault): void {
    this.#touchedAtMs = this.#parts.clock.nowMs();
    this.#gates.shift()?.(fault);
  }

  /** What an effect or its undo is given. */
  tools(name: string, occurrence: number): StepTools {
    return { idempotencyKey: `${this.#parts.work.id}/${name}/${occurrence}`, signal: this.#abort.signal };
  }

  /** Records that a step was undone. */
  recordUndo({ name, occurrence }: Undoable): Promise<void> {
    return this.#parts.link.record({ kind: "undo", name, occurrence, input: "", output: null, undoable: false });
  }

  /** A run of the same handler as in an attempt before, with the failures of that attempt. It ends with this one. */
  asAttempt(attempt: number): HandlerExecution {
    const made = new HandlerExecution({ ...this.#parts, work: { ...this.#parts.work, attempt } }, this.#stateVersion, this.#state);
    const end = (): void => made.#abort.abort(this.signal.reason);
    if (this.signal.aborted) end();
    else this.signal.addEventListener("abort", end, { once: true });
    return made;
  }

  // ---- internals ----------------------------------------------------------------------------------------------------

  get #undoing(): boolean {
    return this.#parts.work.mode === "undo";
  }

  #latest(): AgentWork | undefined {
    return entryOf(this.#parts.link.state()?.works ?? {}, this.#parts.work.id);
  }

  #count(key: string): number {
    this.#touchedAtMs = this.#parts.clock.nowMs();
    const count = this.#occurrences.get(key) ?? 0;
    this.#occurrences.set(key, count + 1);
    return count;
  }

  #find(call: Call): Entry | undefined {
    return this.#same(
      call,
      this.#parts.work.entries.find((one) => isSameCall(one, call)),
    );
  }

  /** How a call failed in this attempt. */
  #findFailure(call: Call): Failure | undefined {
    const { attempt, failures } = this.#parts.work;
    return this.#same(
      call,
      failures?.find((one) => one.attempt === attempt && isSameCall(one, call)),
    );
  }

  #findAsk(asks: readonly Ask[], call: Call): Ask | undefined {
    const ask = asks.find((one) => one.agent === call.name && one.occurrence === call.occurrence);
    this.#same(call, ask === undefined ? undefined : { input: ask.inputHash });
    return ask;
  }

  /** What was recorded of a call, as it was made with the same input. */
  #same<T extends { readonly input: string }>({ kind, name, occurrence, input }: Call, recorded: T | undefined): T | undefined {
    if (recorded === undefined || recorded.input === input) return recorded;
    throw new Fault(
      "step.mismatch",
      `${kind === "ask" ? `ask of ${name}` : `step ${JSON.stringify(name)}`} (${occurrence}) was recorded with another input`,
    );
  }

  async #answer(ask: Ask): Promise<Json> {
    const { result } = ask;
    if (result !== undefined && "output" in result) return this.#parts.values.read(result.output);
    const fault =
      result !== undefined && "fault" in result ? result.fault : wireFault("turn.failed", `the answer of ${ask.agent} has no content`);
    throw Fault.fromWire(fault);
  }

  #noteUndo(name: string, occurrence: number, result: Json | undefined, undo: NonNullable<StepOptions>["undo"]): void {
    if (undo !== undefined) this.undoables.push({ name, occurrence, result, undo });
  }

  /** What the actor answers. That this run counts no more ends it, also when its handler catches the error. */
  async #heard<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw isFault(error) && RUN_ENDED.has(error.code) ? this.#ended(error) : error;
    }
  }

  /**
   * What the handler hears of a call that failed: what every later run of this attempt hears, so it is recorded first. The
   * cause is there for logs, in this run alone. A run that counts no more records nothing, and does nothing more.
   */
  async #failed(call: Call, error: unknown): Promise<unknown> {
    if (this.#abort.signal.aborted) return error;
    const fault = faultFromUserCode(error);
    await this.#heard(this.#parts.link.fail({ ...call, fault }));
    return Fault.fromWire(fault, error);
  }

  #ended(fault: Fault): Fault {
    this.stop(fault.toWire());
    return fault;
  }

  #throwIfStopped(): void {
    if (this.#abort.signal.aborted) throw this.#abort.signal.reason;
  }

  /** An undo run does not go past what was recorded on its own: nobody has heard how whatever comes next ended. */
  #never(): Promise<never> {
    return new Promise<never>((_resolve, reject) => void this.#gates.push(reject));
  }
}
