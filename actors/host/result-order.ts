/**
 * @module Results that are recorded while a handler runs: it receives them in the order of their records.
 *
 * A later execution is given the recorded results in that order, so an execution that received them in another one would take another
 * path through a race. The order in which reports are answered is not that of the records: the answer to one may be lost, so that it is
 * sent again, and an answer to a wait may be recorded before this execution has told its actor that it waits.
 */
import type { AgentState, AgentWork, Failure } from "../../runtime/agent/state.ts";
import type { Clock } from "../engine/ports.ts";
import type { HeldInput } from "./run-link.ts";

/** A result, as the records name it. */
export type ResultName = Pick<Failure, "kind" | "key">;

/** The parts of the order of one execution's results. */
export interface ResultOrderParts {
  readonly clock: Clock;
  /** Returns the work item in a state of its actor. Undefined: another execution has it. */
  readonly own: (state: AgentState) => AgentWork | undefined;
  /** Hands over the answers of a state whose turn it is. Undefined if there is none. */
  readonly handOver: (state: AgentState) => Promise<void> | undefined;
  /** Undefined if the handler has acted on all recorded results that it has reached, else a promise that resolves when it has. */
  readonly caughtUp: () => Promise<void> | undefined;
  /** Whether the handler waits for answers. */
  readonly isWaiting: () => boolean;
  /** Called when answers that were held back may be handed over. */
  readonly onTurn: () => void;
}

/** A result that is recorded and not yet handed over. */
interface Waiting {
  readonly order: number;
  readonly wake: () => void;
}

/** The order of one execution's results. The time of each of n parallel results is at most proportional to n. */
export class ResultOrder {
  readonly #parts: ResultOrderParts;
  /** Results that may be recorded, and that the handler has not received and acted on, each with its order as far as it is known. */
  readonly #pending = new Map<ResultName, number | undefined>();
  /** The same by name: a wait that is refused is pending beside the failure that is recorded of it. */
  readonly #named = new Map<string, readonly ResultName[]>();
  /** Records up to this order were compared with all pending results. */
  #comparedTo = -1;
  readonly #waiting = new Set<Waiting>();
  #hasEnded = false;

  constructor(parts: ResultOrderParts) {
    this.#parts = parts;
  }

  /** Sends a report. Returns the actor's state when the handler has received and acted on all that was recorded before the result. */
  async report(input: HeldInput, send: () => Promise<AgentState>): Promise<AgentState> {
    const result = resultOf(input);
    if (result === undefined) {
      const state = await send();
      const handOver = this.#parts.handOver(state);
      if (handOver !== undefined) await handOver;
      return state;
    }
    this.begin(result);
    try {
      const state = await send();
      await this.#turn(result, state);
      return state;
    } finally {
      this.end(result);
    }
  }

  /** A result may be recorded from now on: later ones are held back until it has ended. */
  begin(result: ResultName): void {
    this.#pending.set(result, undefined);
    this.#named.set(nameOf(result), [...(this.#named.get(nameOf(result)) ?? []), result]);
    this.#comparedTo = -1;
  }

  /** The handler is about to receive a result. It acts on it in microtasks, so it has acted when the clock calls back. */
  end(result: ResultName): void {
    const isFollowed = !this.#hasEnded && (this.#pending.size > 1 || this.#parts.isWaiting());
    if (!isFollowed) return this.drop(result);
    this.#parts.clock.after(0, () => {
      this.drop(result);
      this.#parts.onTurn();
    });
  }

  /** A result is pending no longer: it may be handed over, or there is none. */
  drop(result: ResultName): void {
    this.#pending.delete(result);
    const others = (this.#named.get(nameOf(result)) ?? []).filter((one) => one !== result);
    if (others.length > 0) this.#named.set(nameOf(result), others);
    else this.#named.delete(nameOf(result));
    this.#wake();
  }

  /** Where the first pending result of a work item is recorded. Results from there on are held back. Infinity: none is pending. */
  firstIn(work: AgentWork): number {
    this.#compare(work);
    return this.#first();
  }

  /** Holds nothing back any longer: the execution has ended. */
  stop(): void {
    this.#hasEnded = true;
    for (const { wake } of this.#waiting) wake();
  }

  async #turn(result: ResultName, state: AgentState): Promise<void> {
    const work = this.#parts.own(state);
    for (;;) {
      await this.#parts.caughtUp();
      await this.#parts.handOver(state);
      if (this.#hasEnded || work === undefined) return;
      const first = this.firstIn(work);
      const order = this.#pending.get(result);
      if (order === undefined || first >= order) return;
      await this.#until(order);
    }
  }

  /** Resolves when no pending result is recorded before this order, as far as is known, or the execution has ended. */
  async #until(order: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { order, wake: resolve };
    this.#waiting.add(waiting);
    await promise;
    this.#waiting.delete(waiting);
  }

  #wake(): void {
    if (this.#waiting.size === 0) return;
    const first = this.#first();
    for (const { order, wake } of this.#waiting) if (order <= first) wake();
  }

  #first(): number {
    let first = Infinity;
    for (const order of this.#pending.values()) if (order !== undefined && order < first) first = order;
    return first;
  }

  /** Learns the orders of pending results from a state of the work item. A failure takes the place of what was recorded before it. */
  #compare({ attempt, failures = [], calls, modelCalls = [], steps, waits }: AgentWork): void {
    const after = this.#comparedTo;
    let isMoved = false;
    const take = (kind: ResultName["kind"], key: string, order: number | undefined, isFinal = false): void => {
      if (order === undefined || order <= after) return;
      this.#comparedTo = Math.max(this.#comparedTo, order);
      for (const result of this.#named.get(nameOf({ kind, key })) ?? []) {
        const known = this.#pending.get(result);
        if (known !== undefined && (!isFinal || known === order)) continue;
        this.#pending.set(result, order);
        isMoved ||= known !== undefined;
      }
    };
    for (const one of failures) if (one.attempt === attempt) take(one.kind, one.key, one.order, true);
    for (const { key, order } of calls) take("call", key, order);
    for (const { key, order } of modelCalls) take("model", key, order);
    for (const { name, order } of steps) take("step", name, order);
    for (const { key, order } of waits) take("wait", key, order);
    if (isMoved) this.#wake();
  }
}

function nameOf({ kind, key }: ResultName): string {
  return `${kind} ${key}`;
}

/** The result that a report records for its handler. */
function resultOf(input: HeldInput): ResultName | undefined {
  switch (input.kind) {
    case "call-ended":
      return { kind: "call", key: input.call.key };
    case "model-ended":
      return { kind: "model", key: input.call.key };
    case "step-done":
      return { kind: "step", key: input.name };
    case "failed":
      return input.failure;
    default:
      return undefined;
  }
}
