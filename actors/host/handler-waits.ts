/**
 * @module What one execution of a handler waits for: its actor is told, and each answer is handed over when the handler has its actor.
 *
 * A handler that only waits is parked: it holds neither its actor nor a slot. Each answer lets it continue. If it then does nothing but
 * wait for others, it is parked again.
 */
import type { WaitContent } from "../../runtime/agent/inputs.ts";
import type { AgentState, AgentWork, Wait } from "../../runtime/agent/state.ts";
import { entryOf } from "../../runtime/entries.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { type Label, labelField } from "../../runtime/label.ts";
import { pause } from "../engine/pause.ts";
import type { Clock } from "../engine/ports.ts";
import type { ReadValues } from "./own-values.ts";
import type { Replay } from "./replay.ts";
import { ResultOrder } from "./result-order.ts";
import type { HeldInput } from "./run-link.ts";
import type { SlotUse } from "./slot-use.ts";

/** The parts of the waits of one execution. */
export interface HandlerWaitsParts {
  readonly work: AgentWork;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly values: ReadValues;
  readonly replay: Replay;
  readonly slot: SlotUse;
  /** Whether the handler makes calls or steps. */
  readonly isActing: () => boolean;
  /** Sends a report to the actor, and hands over what its state answers. Throws a refusal. */
  readonly tell: (input: HeldInput) => Promise<AgentState>;
  /** Records the refusal of a wait, and returns what its handler receives. */
  readonly failed: (key: string, error: unknown) => Promise<unknown>;
  /** Returns the actor's state as last known to this host. */
  readonly peek: () => AgentState | undefined;
  /** Reads the state of the agent again. */
  readonly refresh: (state: AgentState) => void | Promise<void>;
  /** Notes the label of an answer that is handed over. */
  readonly received: (label: Label | undefined) => void;
  /** Stops the time of the attempt, or lets it go on. */
  readonly waiting: (waiting: boolean) => void;
}

interface Open {
  readonly resolve: (answer: Json) => void;
  readonly reject: (fault: unknown) => void;
  readonly received: ((label: Label | undefined) => void) | undefined;
}

/** The waits of one execution. */
export class HandlerWaits {
  readonly #parts: HandlerWaitsParts;
  readonly #order: ResultOrder;
  readonly #open = new Map<number, Open>();
  /** Answers that the handler has received. */
  #answers: number;
  #isParked = false;
  #handingOver: Promise<void> | undefined;
  #settling: Promise<void> | undefined;
  /** Waits of which the actor is being told. */
  #beginning = 0;
  /** The last state of the actor that was looked at. */
  #seen: AgentState | undefined;
  /** Counts what may end the rest of the handler while its actor is told. */
  #changes = 0;

  constructor(parts: HandlerWaitsParts) {
    this.#parts = parts;
    this.#order = new ResultOrder({
      clock: parts.clock,
      own: (state) => this.#own(state),
      handOver: (state) => this.handOver(state),
      caughtUp: () => parts.replay.caughtUp(),
      isWaiting: () => this.#open.size > 0,
      onTurn: () => this.#goOn(),
    });
    this.#answers = answersIn(parts.work).length;
  }

  /** Whether the handler does nothing but wait, so that its actor is free. */
  get parked(): boolean {
    return this.#isParked;
  }

  /** Sends a report. Resolves when the handler may receive its result, see {@link ResultOrder.report}. */
  report(input: HeldInput, send: () => Promise<AgentState>): Promise<AgentState> {
    return this.#order.report(input, send);
  }

  /** Tells the actor about a wait, also if an earlier execution did: it must know, to be free and to continue the handler. */
  async begin(key: string, content: WaitContent, label: Label, received?: (label: Label | undefined) => void): Promise<Json> {
    const wait = { kind: "wait", key } as const;
    this.#beginning += 1;
    this.#order.begin(wait);
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    try {
      await this.#settling;
      const told = await this.#tell(key, content, label);
      this.#changes += 1;
      this.#open.set(this.#indexOf(told, key), { resolve, reject, received });
      this.#parts.slot.beginWait();
      this.#order.drop(wait);
      // The answer may have arrived before this execution noted the wait.
      const latest = this.#parts.peek() ?? told;
      if (this.handOver(latest) === undefined) this.#note(latest);
    } catch (error) {
      const failure = await this.#parts.failed(key, error).finally(() => this.#order.drop(wait));
      this.#goOn();
      throw failure;
    } finally {
      this.#beginning -= 1;
      this.settle();
    }
    return promise;
  }

  #tell(key: string, content: WaitContent, label: Label): Promise<AgentState> {
    const answers = this.#mayRest ? { answers: this.#answers } : {};
    return this.#parts.tell({ kind: "waits", key, for: content, ...labelField(label), ...answers });
  }

  /** Hands over the answers that a state of the actor has, in their order, up to one whose turn it is not. Undefined if there is none. */
  handOver(state: AgentState): Promise<void> | undefined {
    this.#seen = state;
    const work = this.#own(state);
    if (work === undefined || work.status !== "running") return undefined;
    const first = this.#order.firstIn(work);
    const answers = answersIn(work).filter(({ order = 0 }) => order < first);
    const due = answers.filter(({ index }) => this.#open.has(index));
    if (due.length === 0) {
      if (this.#handingOver === undefined) this.#answers = Math.max(this.#answers, answers.length);
      return this.#handingOver;
    }
    const before = this.#handingOver;
    const done = (async () => {
      if (before !== undefined) await before.then(() => pause(this.#parts.clock, 0));
      await this.#resume(state, answers.length, due);
    })().finally(() => {
      if (this.#handingOver === done) this.#handingOver = undefined;
      this.settle();
    });
    this.#handingOver = done;
    return done;
  }

  /** If the handler still waits for something, finds out whether it does anything else. */
  settle(): void {
    if (this.#settling !== undefined || this.#open.size === 0 || this.#isParked) return;
    this.#settling = pause(this.#parts.clock, 0).then(() => {
      this.#settling = undefined;
      void this.#rest();
    });
  }

  /** Rejects what is open. */
  stop(fault: Fault): void {
    for (const { reject } of this.#open.values()) reject(fault);
    this.end();
  }

  /** The handler has ended: it is given no further answers. */
  end(): void {
    this.#open.clear();
    this.#order.stop();
  }

  /** Hands over answers that were held back, if it is their turn now. */
  #goOn(): void {
    const state = this.#parts.peek() ?? this.#seen;
    if (this.#open.size > 0 && state !== undefined) void this.handOver(state);
  }

  /** `answers`: how many the handler has received then. */
  async #resume(state: AgentState, answers: number, due: readonly Wait[]): Promise<void> {
    const { replay, clock, slot, refresh, waiting } = this.#parts;
    await replay.caughtUp();
    const answered = due.filter(({ index }) => this.#open.has(index));
    if (answered.length === 0) return;
    this.#changes += 1;
    this.#isParked = false;
    const isRead = Promise.resolve(refresh(state));
    await slot.endWaits(answered.length);
    waiting(false);
    for (const wait of answered) {
      const result = { kind: "wait", key: wait.key } as const;
      const hand = (): Open | undefined => {
        this.#order.begin(result);
        this.#parts.received(wait.resultLabel);
        const open = this.#take(wait.index);
        open?.received?.(wait.resultLabel);
        return open;
      };
      await isRead
        .then(() => readAnswer(wait, this.#parts.values))
        .then(
          (answer) => hand()?.resolve(answer),
          (error: unknown) => hand()?.reject(error),
        );
      this.#order.end(result);
      if (wait !== answered.at(-1)) await pause(clock, 0);
    }
    this.#answers = Math.max(this.#answers, answers);
  }

  #take(index: number): Open | undefined {
    const open = this.#open.get(index);
    this.#open.delete(index);
    return open;
  }

  /** Frees the actor and the slot of a handler that does nothing but wait. */
  async #rest(): Promise<void> {
    if (!this.#mayRest || this.#beginning > 0 || this.#open.size === 0 || this.#isParked) return;
    const { slot, tell } = this.#parts;
    slot.rest();
    const changes = this.#changes;
    // A refusal has ended the execution.
    const told = await tell({ kind: "rests", answers: this.#answers }).catch(() => undefined);
    if (told === undefined || this.#changes !== changes) return;
    this.#note(told);
    this.settle();
  }

  get #mayRest(): boolean {
    const { isActing, signal, replay } = this.#parts;
    return !isActing() && !signal.aborted && this.#handingOver === undefined && replay.caughtUp() === undefined;
  }

  #note(state: AgentState): void {
    if (this.#isParked || this.#own(state)?.status === "running") return;
    this.#isParked = true;
    this.#parts.waiting(true);
  }

  /** Returns the work item in a state of its actor. Undefined: another execution has it. */
  #own(state: AgentState): AgentWork | undefined {
    const { id, token } = this.#parts.work;
    const work = entryOf(state.works, id);
    return work?.token === token ? work : undefined;
  }

  #indexOf(state: AgentState, key: string): number {
    const wait = this.#own(state)?.waits.find((one) => one.key === key);
    if (wait === undefined) throw new Fault("work.superseded", "another execution took the work item over");
    return wait.index;
  }
}

/** The answers that a handler has received, or is to receive, in their order. */
function answersIn({ waits }: AgentWork): readonly Wait[] {
  return waits.filter(({ order }) => order !== undefined);
}

/** Returns the content of an answer. Throws the fault of one that failed. */
export async function readAnswer({ key, result }: Wait, values: ReadValues): Promise<Json> {
  if (result !== undefined && "output" in result) return values.read(result.output);
  if (result !== undefined && "fault" in result) throw Fault.fromWire(result.fault);
  throw new Fault("turn.failed", `the answer to ${key} has no content`);
}
