/**
 * @module The processes that this host holds, with the moments at which it looks at each again. In memory only.
 *
 * Law: the host that wrote the last record of an open process holds it while it lives, placement or not. A host also holds a process whose
 * last writer is dead, until another one has written to it. So exactly one living host looks after a process, and what is watched is that
 * host. A process is held before its record is written, and until its last effects are performed.
 */
import { LIMITS } from "../../runtime/limits.ts";
import { takenEntry } from "../../runtime/process/preparation.ts";
import { processDueMs } from "../../runtime/process/reminder.ts";
import { isComplete } from "../../runtime/process/settlement.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { isUnanswered } from "../../runtime/process/time.ts";
import type { Logger } from "../engine/log.ts";
import type { Ports } from "../engine/ports.ts";
import type { TurnResult } from "../engine/turn-parts.ts";
import { Elsewhere } from "./elsewhere.ts";
import { beginAsking, type Held, isFailing, NEVER, newHeld, planAgain, planAsk, quietDueMs } from "./held.ts";
import type { HostWatch } from "./host-watch.ts";
import type { IndexClient } from "./index-client.ts";
import { type Asks, ProcessTicks, type TickParts } from "./process-ticks.ts";
import { SharedReminders } from "./shared-reminders.ts";

/** The parts of a host that holding uses. */
export interface HolderParts {
  readonly ports: Ports;
  readonly watch: HostWatch;
  readonly directory: IndexClient;
  readonly log: Logger;
  /** The actor type of the processes. */
  readonly type: string;
  /** A moment of a process has come. */
  readonly tick: TickParts["tick"];
}

/** What a turn was for. */
export interface Settled {
  /** A reminder, a nudge or a timer caused it, so it showed everything that is due. */
  readonly isTick: boolean;
}

/** Holds processes. Turns come from its timers alone. It throws nothing. */
export class ProcessHolder {
  readonly #parts: HolderParts;
  readonly #held = new Map<string, Held>();
  readonly #elsewhere = new Elsewhere();
  readonly reminders: SharedReminders;
  readonly #ticks: ProcessTicks;
  #open = 0;

  constructor(parts: HolderParts) {
    this.#parts = parts;
    this.reminders = new SharedReminders(parts);
    this.#ticks = new ProcessTicks({ ...parts, clock: parts.ports.clock });
  }

  /** Open processes that this host holds. */
  get openCount(): number {
    return this.#open;
  }

  /** Whether this host holds the process, and it was open after its last turn here. */
  isOpen(id: string): boolean {
    return this.#held.get(id)?.isOpen === true;
  }

  /**
   * The last record of a process of which this host knows that it only waits for a later moment, which its own timer brings. Undefined:
   * a tick may have something to do.
   */
  quietSince(id: string, run: number): number | undefined {
    const held = this.#held.get(id);
    if (held?.isOpen !== true || held.run !== run || held.sequence === 0 || held.isUnanswered || this.#ticks.has(id)) return undefined;
    const isIdle = held.askAtMs === NEVER && held.lineAtMs === NEVER && held.remindAtMs === NEVER;
    return isIdle && held.dueAtMs > this.#nowMs ? held.sequence : undefined;
  }

  /** How late the timers of this host are, or the ticks that they began. */
  get lagMs(): number {
    return this.#ticks.lagMs;
  }

  /** The index entry of a run names this host, and the run is about to be recorded. */
  prepared(id: string, run: number, { isReminded = false, isReserved = false }: Partial<Pick<Held, "isReminded" | "isReserved">>): void {
    const held = this.#expect(id);
    if (held.run >= run && held.sequence > 0) return;
    this.reminders.left(held);
    Object.assign(held, { run, sequence: 0, line: undefined, lineAtMs: NEVER });
    Object.assign(held, { preparedRun: run, isReminded, isReserved, remindAtMs: this.#nowMs + LIMITS.reminderAfterMs });
    this.#arm(held);
  }

  /** A record that leaves the process open, or with effects to perform, is about to be written: it is looked at again in any case. */
  expect(id: string): void {
    if (!this.#held.has(id)) this.#arm(this.#expect(id));
  }

  #expect(id: string): Held {
    const known = this.#held.get(id);
    if (known !== undefined) return known;
    const made = newHeld(id, this.#nowMs + LIMITS.askAgainMs);
    this.#held.set(id, made);
    return made;
  }

  /** Takes what a turn shows of a process. True if this host holds it. */
  took(id: string, result: TurnResult<ProcessState>, { isTick }: Settled): boolean {
    const { state } = result;
    if (state.phase !== "open") return this.#tookEnded(id, result, isTick);
    if (!this.#isHeldHere(id, result)) {
      this.release(id);
      this.#elsewhere.note(id, result.writer);
      return false;
    }
    const held = this.#expect(id);
    const isNew = held.sequence === 0;
    const isPrepared = isNew && held.preparedRun === state.run;
    const opens = !held.isOpen;
    const isFromAnother = held.sequence > 0 && held.sequence !== result.sequence && this.#isForeign(result.writer);
    this.#elsewhere.forget(id);
    held.run = state.run;
    held.sequence = result.sequence;
    if ((isNew && !isPrepared) || isFromAnother) this.#takeOver(held, state);
    // Its entry shows no process yet. One that ends soon is shown by its end alone.
    if (isPrepared && held.isReserved) Object.assign(held, { line: state, lineAtMs: this.#nowMs + LIMITS.takenLingerMs });
    this.#setOpen(held, true);
    const nowMs = this.#nowMs;
    // A child that is opened again for the undo of its parent may have left its reminder, perhaps before its host has let it go.
    if (opens && !isNew) this.reminders.left(held);
    // The moment may be over: the first record of a run can take longer than that.
    if (opens && held.remindAtMs === NEVER) held.remindAtMs = nowMs + LIMITS.reminderAfterMs;
    held.isUnanswered = isUnanswered(state, nowMs);
    // The moment at which a turn failed is still due, and a tick would fail again at once.
    held.dueAtMs = result.failed === true ? NEVER : (processDueMs(state, nowMs) ?? NEVER);
    if (result.wrote) held.askMs = LIMITS.askAgainMs;
    else if (result.failed === true) held.askMs = Math.min(2 * held.askMs, LIMITS.askAgainMsMax);
    if (!held.isUnanswered && result.failed !== true && result.effects.length === 0) held.askAtMs = NEVER;
    else held.askAtMs = Math.min(held.askAtMs, nowMs + held.askMs);
    this.#planLine(held, state);
    this.#arm(held);
    return true;
  }

  /**
   * The index entry names the next moment of a process that only waits for long: a starting host looks at it after the others. It also
   * says, at once, that the process is paused: an operator who has paused it looks for it in the list.
   */
  #planLine(held: Held, state: ProcessState): void {
    const dueMs = quietDueMs(held, this.#nowMs);
    // While a line is being written, its end plans the next one.
    const isPauseTold = (state.paused !== undefined) === held.linePaused;
    if (held.line === undefined ? isPauseTold && dueMs === held.lineDueMs : held.lineAtMs === NEVER) return;
    held.line = state;
    held.lineAtMs = Math.min(held.lineAtMs, this.#nowMs + (isPauseTold ? LIMITS.quietLineMs : 0));
  }

  #tookEnded(id: string, result: TurnResult<ProcessState>, isTick: boolean): boolean {
    const isOwed = isComplete(result) && result.effects.length > 0;
    if (!isOwed || !(this.#held.has(id) || result.wrote || isTick)) {
      if (!isComplete(result) && result.state.phase === "ended" && this.#held.get(id)?.isOpen === false) return true;
      // Another host has ended it, and may die before it has performed the last effects.
      if (this.isOpen(id) && this.#isForeign(result.writer)) this.#elsewhere.note(id, result.writer);
      this.release(id);
      return false;
    }
    const held = this.#expect(id);
    this.#setOpen(held, false);
    if (held.run !== result.state.run) this.reminders.left(held);
    Object.assign(held, { run: result.state.run, sequence: result.sequence, isUnanswered: true, dueAtMs: NEVER, lineAtMs: NEVER });
    Object.assign(held, { remindAtMs: NEVER, askAtMs: this.#nowMs + held.askMs });
    this.#arm(held);
    return true;
  }

  /** The law of this module. */
  #isHeldHere(id: string, { wrote, writer, sequence }: TurnResult<ProcessState>): boolean {
    if (wrote || !this.#isForeign(writer) || writer === undefined) return true;
    const held = this.#held.get(id);
    return (held !== undefined && held.sequence === sequence) || !this.#parts.watch.isAlive(writer);
  }

  #isForeign(writer: string | undefined): boolean {
    return writer !== undefined && writer !== this.#parts.watch.incarnation;
  }

  /** Whether another living host holds an open process; if it does, that is noted. */
  isElsewhere(id: string, writer: string | undefined): boolean {
    if (this.#held.has(id) || writer === undefined || !this.#isForeign(writer) || !this.#parts.watch.isAlive(writer)) return false;
    this.#elsewhere.note(id, writer);
    return true;
  }

  /** The processes that a host held, as far as this host knows; they are forgotten here. */
  takeFrom(incarnation: string): readonly string[] {
    return this.#elsewhere.takeFrom(incarnation);
  }

  #takeOver(held: Held, state: ProcessState): void {
    this.reminders.left(held);
    held.line = state;
    held.lineAtMs = this.#nowMs;
    held.preparedRun = 0;
    held.remindAtMs = this.#nowMs + LIMITS.reminderAfterMs + this.#parts.ports.random.jitter01() * LIMITS.reminderSpreadMs;
  }

  #setOpen(held: Held, isOpen: boolean): void {
    if (held.isOpen !== isOpen) this.#open += isOpen ? 1 : -1;
    held.isOpen = isOpen;
  }

  /**
   * The effects of a turn were performed, or not. `isVouched`: they are the requests that were sent again, and each receiver has said
   * that it has the work.
   */
  performed(id: string, arePerformed: boolean, isVouched: boolean): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    planAsk(held, arePerformed, isVouched, this.#nowMs);
    this.#arm(held);
  }

  /** All unanswered processes ask again: another host died, or this one was cut off. */
  askAll(): void {
    for (const held of this.#held.values()) {
      if (!held.isUnanswered) continue;
      held.askMs = LIMITS.askAgainMs;
      held.asksAll = true;
      held.askAtMs = Math.min(held.askAtMs, this.#nowMs + this.#parts.ports.random.jitter01() * LIMITS.askSpreadMs);
      this.#arm(held);
    }
  }

  /** The timer may fire too early: setting a new one at each turn would cost more than that. */
  #arm(held: Held): void {
    const next = Math.min(held.dueAtMs, held.askAtMs, held.lineAtMs, held.remindAtMs);
    if (held.wakesAtMs <= next) return;
    held.cancel?.();
    held.wakesAtMs = next;
    held.cancel = this.#parts.ports.clock.after(Math.max(0, next - this.#nowMs), () => this.#wake(held));
  }

  #wake(held: Held): void {
    const nowMs = this.#nowMs;
    this.#ticks.wokeFor(held.wakesAtMs);
    held.wakesAtMs = NEVER;
    held.cancel = undefined;
    if (held.lineAtMs <= nowMs) this.#writeLine(held);
    if (held.remindAtMs <= nowMs) this.#remind(held);
    if (held.askAtMs <= nowMs) this.#ask(held);
    if (held.dueAtMs <= nowMs) this.#tick(held);
    this.#arm(held);
  }

  #tick(held: Held): void {
    held.dueAtMs = NEVER;
    void this.#ticks.due(held.id).then((isDone) => this.#looked(held, isDone));
  }

  /** What is to be asked while an earlier question has no answer yet is asked after that. */
  #ask(held: Held): void {
    held.askAtMs = NEVER;
    if (held.isAsking) return;
    held.isAsking = true;
    const begin = (): Asks | undefined => (this.#held.get(held.id) === held ? beginAsking(held) : undefined);
    void this.#ticks.ask(held.id, isFailing(held), begin).then((isDone) => {
      held.isAsking = false;
      this.#looked(held, isDone);
    });
  }

  #looked(held: Held, isDone: boolean): void {
    if (this.#held.get(held.id) !== held) return;
    planAgain(held, isDone, this.#nowMs);
    this.#arm(held);
  }

  #writeLine(held: Held): void {
    const { directory, ports, watch, log } = this.#parts;
    held.lineAtMs = NEVER;
    const state = held.line;
    const dueMs = quietDueMs(held, this.#nowMs);
    const entry = state === undefined ? undefined : takenEntry(state, watch.incarnation, held.sequence, ports.clock.nowMs(), dueMs);
    if (state?.task === undefined || entry === undefined) return;
    directory.update(state.task.bucket, entry, LIMITS.takenLingerMs).then(
      () => {
        held.lineDueMs = dueMs;
        held.linePaused = state.paused !== undefined;
        if (held.line !== state) return;
        held.line = undefined;
        if (this.#held.get(held.id) !== held) return;
        this.#planLine(held, state);
        this.#arm(held);
      },
      (error: unknown) => {
        log.debug({ err: error, processId: held.id }, "the index entry of a process does not name this host; it is written again");
        if (held.line !== state || this.#held.get(held.id) !== held) return;
        held.lineAtMs = this.#nowMs + LIMITS.askAgainMs;
        this.#arm(held);
      },
    );
  }

  #remind(held: Held): void {
    held.remindAtMs = NEVER;
    if (held.isOpen) this.reminders.cover(held);
  }

  /** Whether this host holds the process. */
  has(id: string): boolean {
    return this.#held.has(id);
  }

  /**
   * Lets a process go whose last effects are performed. If it has changed meanwhile, its later end does that. True if its run is known to
   * need no reminder. Throws `sidecar.unavailable`.
   */
  async end(id: string, run: number, mayRemove: () => Promise<boolean>): Promise<boolean> {
    const held = this.#held.get(id);
    if (held !== undefined && (held.run > run || (held.isOpen && held.run === run))) return false;
    // What a call in flight sets must be there when it is removed, and nothing may change between the look and the removal.
    await held?.shared?.setting;
    if (!(await mayRemove())) return false;
    if (held === undefined || held.isOpen || held.run !== run || this.#held.get(id) !== held) return true;
    this.reminders.ended(held);
    this.release(id);
    return true;
  }

  /** Looks after a process no more. */
  release(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#setOpen(held, false);
    held.cancel?.();
    this.reminders.left(held);
    this.#held.delete(id);
  }

  /** Cancels all timers. */
  stop(): void {
    this.reminders.stop();
    this.#ticks.stop();
    for (const id of [...this.#held.keys()]) this.release(id);
  }

  get #nowMs(): number {
    return this.#parts.ports.clock.nowMs();
  }
}
