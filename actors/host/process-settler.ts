/**
 * @module Performs what follows a turn of a process manager: the timer, the effects, the end or the move of the reminder.
 *
 * What follows, and in which order, is decided in runtime/process/settlement.ts. Settling never throws: what fails here is performed again
 * when the reminder fires.
 */
import type { WireFault } from "../../runtime/faults.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { refusedResult, reminderStep, requestOf, type Settlement, settlement } from "../../runtime/process/settlement.ts";
import type { ToldInput } from "../../runtime/process/time.ts";
import type { Address, Message, WorkStatus } from "../../runtime/protocol.ts";
import type { Logger } from "../engine/log.ts";
import type { Ports } from "../engine/ports.ts";
import type { TurnResult } from "../engine/turn.ts";
import type { Performer } from "./performer.ts";
import type { ReminderKeeper } from "./reminder-keeper.ts";

/** The parts of a host that settling uses, and the turns that it leads to. */
export interface SettlerParts {
  readonly ports: Ports;
  readonly reminders: ReminderKeeper;
  readonly performer: Performer;
  readonly log: Logger;
  /** The current sequence of a process. */
  readonly sequence: (id: string) => Promise<number>;
  /** The next moment of a process is due. */
  readonly due: (id: string) => Promise<void>;
  /** An agent refused a request for good; its refusal as a result. */
  readonly refused: (result: Message) => Promise<unknown>;
  /** What the receipt `receiptId` says of a work item. */
  readonly received: (id: string, input: ToldInput, receiptId: string) => Promise<void>;
}

/** Settles the turns of all process managers of a host. */
export class ProcessSettler {
  readonly #parts: SettlerParts;
  readonly #timers = new Map<string, () => void>();

  constructor(parts: SettlerParts) {
    this.#parts = parts;
  }

  /** Sets the timer and begins the effects. `repeats`: they may have been performed before. `rang`: the reminder caused the turn. */
  settle(actor: Address, result: TurnResult<ProcessState>, repeats: boolean, rang: boolean): void {
    const next = settlement(result, repeats, this.#parts.ports.clock.nowMs());
    this.#setTimer(actor.id, next.timer);
    if (next.isDone) return;
    void this.#perform(actor, result, next, rang).catch((error: unknown) => this.#note(error, actor.id, "effects were not settled"));
  }

  async #perform(actor: Address, result: TurnResult<ProcessState>, { steps, direct }: Settlement, rang: boolean): Promise<void> {
    const { reminders, performer, ports } = this.#parts;
    const options = {
      direct,
      local: () => {},
      refused: (message: Message, fault: WireFault) => this.#takeRefusal(actor, message, fault),
      received: (message: Message, work: WorkStatus | undefined) => this.#takeReceipt(actor.id, message, work),
    };
    let arePerformed = true;
    for (const step of steps) arePerformed &&= await performer.perform(step, options);
    const isCurrent = async (): Promise<boolean> => (await this.#parts.sequence(actor.id)) === result.sequence;
    const end = reminderStep(result, arePerformed, ports.clock.nowMs());
    if (end.kind === "remove") await reminders.remove(actor, end.name, end.ifCurrent ? isCurrent : always);
    if (end.kind === "away") await reminders.away(actor, end.name, end.atMs, isCurrent, rang);
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

  #setTimer(id: string, timer: Settlement["timer"]): void {
    if (timer === "keep") return;
    this.forget(id);
    if (timer === "none") return;
    const cancel = this.#parts.ports.clock.after(timer.delayMs, () => {
      this.#timers.delete(id);
      this.#parts.due(id).catch((error: unknown) => this.#note(error, id, "the tick of a timer failed"));
    });
    this.#timers.set(id, cancel);
  }

  #note(error: unknown, processId: string, what: string): void {
    this.#parts.log.debug({ err: error, processId }, `${what}; it is repeated when the reminder fires`);
  }

  /** Cancels the timer of a process. */
  forget(id: string): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }

  /** Cancels all timers. */
  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }
}

async function always(): Promise<boolean> {
  return true;
}
