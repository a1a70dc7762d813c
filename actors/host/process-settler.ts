/**
 * @module Performs what follows a turn of a process manager: the effects, and the end of the reminder.
 *
 * What follows, and in which order, is decided in runtime/process/settlement.ts. Settling never throws: what fails here is performed again,
 * because the process is held (process-holder.ts).
 */
import type { WireFault } from "../../runtime/faults.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { isComplete, mayChange, refusedResult, requestOf, settlement } from "../../runtime/process/settlement.ts";
import type { ToldInput } from "../../runtime/process/time.ts";
import type { Address, Message, WorkStatus } from "../../runtime/protocol.ts";
import type { Logger } from "../engine/log.ts";
import type { TurnResult } from "../engine/turn-parts.ts";
import type { Performer } from "./performer.ts";
import type { ProcessHolder } from "./process-holder.ts";

/** The parts of a host that settling uses. */
export interface SettlerParts {
  readonly holder: ProcessHolder;
  readonly performer: Performer;
  readonly log: Logger;
  /** The current sequence of a process. */
  readonly sequence: (id: string) => Promise<number>;
  /** An agent refused a request for good; its refusal as a result. */
  readonly refused: (result: Message) => Promise<unknown>;
  /** What the receipt `receiptId` says of a work item. */
  readonly received: (id: string, input: ToldInput, receiptId: string) => Promise<void>;
}

/** How a turn came about. */
export interface SettledAs {
  /** Its effects may have been performed before. */
  readonly repeats: boolean;
  /** A reminder, a nudge or a timer caused it. */
  readonly isTick?: boolean;
  /** Requests are sent again also where a receipt is recent. */
  readonly distrusts?: boolean;
}

/** Settles the turns of all process managers of a host. */
export class ProcessSettler {
  readonly #parts: SettlerParts;

  constructor(parts: SettlerParts) {
    this.#parts = parts;
  }

  /** Holds the process, and begins the effects. Resolves when they are settled: true if its run is known to need no reminder. */
  async settle(actor: Address, result: TurnResult<ProcessState>, as: SettledAs): Promise<boolean> {
    try {
      this.#parts.holder.took(actor.id, result, { isTick: as.isTick === true });
      const isOver = as.isTick === true && isComplete(result);
      if (result.effects.length === 0 && !isOver) return false;
      return await this.#perform(actor, result, as);
    } catch (error) {
      this.#parts.holder.performed(actor.id, false, false);
      this.#note(error, actor.id, "effects were not settled");
      return false;
    }
  }

  async #perform(actor: Address, result: TurnResult<ProcessState>, { repeats, isTick, distrusts }: SettledAs): Promise<boolean> {
    const { holder, performer } = this.#parts;
    const { steps, direct } = settlement(result, repeats);
    let isVouched = isTick === true;
    const options = {
      direct,
      distrusts: distrusts === true,
      local: () => {},
      refused: (message: Message, fault: WireFault) => this.#takeRefusal(actor, message, fault),
      received: (message: Message, work: WorkStatus | undefined) => {
        isVouched &&= work !== undefined || message.body.kind !== "work";
        this.#takeReceipt(actor.id, message, work);
      },
    };
    let arePerformed = true;
    for (const step of steps) arePerformed &&= await performer.perform(step, options);
    const isOver = isComplete(result);
    if (isOver && arePerformed) return holder.end(actor.id, result.state.run, () => this.#mayRemove(actor.id, result));
    holder.performed(actor.id, arePerformed, isVouched);
    return false;
  }

  async #mayRemove(id: string, { state, sequence }: TurnResult<ProcessState>): Promise<boolean> {
    return !mayChange(state) || (await this.#parts.sequence(id)) === sequence;
  }

  #takeRefusal(actor: Address, message: Message, fault: WireFault): void {
    const result = refusedResult(message, fault, actor);
    if (result === undefined) return;
    this.#parts.refused(result).catch((error: unknown) => this.#note(error, actor.id, "a refusal was not recorded"));
  }

  /** Records what a receipt says of a work item, if it is news. Most of these turns write nothing. */
  #takeReceipt(id: string, message: Message, work: WorkStatus | undefined): void {
    const request = requestOf(message);
    if (request === undefined) return;
    this.#parts
      .received(id, { kind: "told", ...request, work }, message.id)
      .catch((error: unknown) => this.#note(error, id, "a receipt was not recorded"));
  }

  #note(error: unknown, processId: string, what: string): void {
    this.#parts.log.debug({ err: error, processId }, `${what}; it is repeated`);
  }
}
