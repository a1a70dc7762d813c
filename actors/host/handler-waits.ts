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
import type { Values } from "../engine/values.ts";
import type { Replay } from "./replay.ts";
import type { HeldInput } from "./run-link.ts";
import type { SlotUse } from "./slot-use.ts";

/** The parts of the waits of one execution. */
export interface HandlerWaitsParts {
  readonly work: AgentWork;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly values: Values;
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
  readonly #open = new Map<number, Open>();
  /** Answers that the handler has received. */
  #answers: number;
  #isParked = false;
  #handingOver: Promise<void> | undefined;
  #settling: Promise<void> | undefined;
  /** Waits of which the actor is being told. */
  #beginning = 0;
  /** Counts what may end the rest of the handler while its actor is told. */
  #changes = 0;

  constructor(parts: HandlerWaitsParts) {
    this.#parts = parts;
    this.#answers = answersIn(parts.work).length;
  }

  /** Whether the handler does nothing but wait, so that its actor is free. */
  get parked(): boolean {
    return this.#isParked;
  }

  /** Tells the actor about a wait, also if an earlier execution did: it must know, to be free and to continue the handler. */
  async begin(key: string, content: WaitContent, label: Label, received?: (label: Label | undefined) => void): Promise<Json> {
    this.#beginning += 1;
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    try {
      await this.#settling;
      const told = await this.#tell(key, content, label);
      this.#changes += 1;
      this.#open.set(this.#indexOf(told, key), { resolve, reject, received });
      this.#parts.slot.beginWait();
      // The answer may have arrived before this execution noted the wait.
      const latest = this.#parts.peek() ?? told;
      if (this.handOver(latest) === undefined) this.#note(latest);
    } catch (error) {
      throw await this.#parts.failed(key, error);
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

  /** Hands over the answers that a state of the actor has, in their order. Undefined if there is none. */
  handOver(state: AgentState): Promise<void> | undefined {
    const work = this.#own(state);
    if (work === undefined || work.status !== "running") return undefined;
    const due = answersIn(work).filter(({ index }) => this.#open.has(index));
    if (due.length === 0) {
      if (this.#handingOver === undefined) this.#answers = Math.max(this.#answers, answersIn(work).length);
      return this.#handingOver;
    }
    const before = this.#handingOver;
    const done = (async () => {
      await before;
      await this.#resume(state, work, due);
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
    this.#open.clear();
  }

  /** The handler has ended: it is given no further answers. */
  end(): void {
    this.#open.clear();
  }

  async #resume(state: AgentState, work: AgentWork, due: readonly Wait[]): Promise<void> {
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
      const hand = (): Open | undefined => {
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
      if (wait !== answered.at(-1)) await pause(clock, 0);
    }
    this.#answers = Math.max(this.#answers, answersIn(work).length);
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
export async function readAnswer({ key, result }: Wait, values: Values): Promise<Json> {
  if (result !== undefined && "output" in result) return values.read(result.output);
  if (result !== undefined && "fault" in result) throw Fault.fromWire(result.fault);
  throw new Fault("turn.failed", `the answer to ${key} has no content`);
}
