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

/** The order of one execution's results. */
export class ResultOrder {
  readonly #parts: ResultOrderParts;
  /** Results that may be recorded, and that the handler has not received and acted on. */
  readonly #pending = new Set<ResultName>();
  #change = Promise.withResolvers<void>();
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
    this.#pending.add(result);
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
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** Where the first pending result of a work item is recorded. Results from there on are held back. Infinity: none is pending. */
  firstIn(work: AgentWork): number {
    let first = Infinity;
    for (const result of this.#pending) first = Math.min(first, orderOf(work, result) ?? Infinity);
    return first;
  }

  /** Holds nothing back any longer: the execution has ended. */
  stop(): void {
    this.#hasEnded = true;
    this.#change.resolve();
  }

  async #turn(result: ResultName, state: AgentState): Promise<void> {
    const work = this.#parts.own(state);
    const order = work === undefined ? undefined : orderOf(work, result);
    for (;;) {
      await this.#parts.caughtUp();
      await this.#parts.handOver(state);
      if (this.#hasEnded || work === undefined || order === undefined || this.firstIn(work) >= order) return;
      await this.#change.promise;
    }
  }
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

function orderOf({ attempt, failures, calls, modelCalls, steps, waits }: AgentWork, { kind, key }: ResultName): number | undefined {
  const failure = failures?.find((one) => one.attempt === attempt && one.kind === kind && one.key === key);
  if (failure !== undefined) return failure.order;
  switch (kind) {
    case "call":
      return calls.find((call) => call.key === key)?.order;
    case "model":
      return modelCalls?.find((call) => call.key === key)?.order;
    case "step":
      return steps.find((step) => step.name === key)?.order;
    case "wait":
      return waits.find((wait) => wait.key === key)?.order;
    default:
      return kind satisfies never;
  }
}
