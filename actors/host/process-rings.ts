/**
 * @module What a ring of a reminder of processes does: each of its runs is looked at, and it loses those that may leave it.
 *
 * Which may, is the law of shared-reminders.ts. Those that only wait on this host are compared with the store in one read; the others get
 * a turn where Dapr placed their process. The ring is answered before that: while it is open, daprd lets no one call its actor, and two
 * rings that wait for each other's actor would wait until their time limits.
 */
import { faultFrom, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { REMINDER_UNHELD_MS, type RemindedRun, type ReminderContent, reminderContent } from "../../runtime/process/reminder.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Address } from "../../runtime/protocol.ts";
import type { Logger } from "../engine/log.ts";
import type { Nudged, Ports } from "../engine/ports.ts";
import type { TurnResult } from "../engine/turn.ts";
import type { HostWatch } from "./host-watch.ts";
import type { ProcessHolder } from "./process-holder.ts";
import { rankKey } from "./shared-reminders.ts";

/** What rings need of a host. */
export interface RingParts {
  readonly ports: Ports;
  readonly watch: HostWatch;
  readonly holder: ProcessHolder;
  readonly log: Logger;
  /** The actor type of the processes. */
  readonly type: string;
  /** The processes of these whose journal ends with the record of this sequence. One read for all. */
  readonly endingAt: (lasts: readonly { readonly id: string; readonly sequence: number }[]) => Promise<ReadonlySet<string>>;
  /** A turn here, for what is due in a run. */
  readonly tick: (run: RemindedRun) => Promise<Ticked>;
}

/** A turn that looked for what is due. */
export interface Ticked {
  readonly result: TurnResult<ProcessState>;
  /** Resolves when what it ordered is performed: true if its run is known to need no reminder. Never rejects. */
  readonly settled: Promise<boolean>;
}

/** Runs of one ring that are looked at together. */
const LOOKS_AT_ONCE = 8;

/** The rings of the reminders of processes. */
export class ProcessRings {
  readonly #parts: RingParts;
  readonly #inFlight = new Set<string>();

  constructor(parts: RingParts) {
    this.#parts = parts;
  }

  /**
   * A reminder rings. Missed rings come one by one, and those that come meanwhile count as this one. Waits for the turn of the actor at
   * which it rings, and throws its fault.
   */
  async ring(actor: Address, name: string, carried: Json | undefined): Promise<void> {
    const key = rankKey(actor.id, name);
    if (this.#inFlight.has(key)) return;
    this.#inFlight.add(key);
    try {
      const content = reminderContent(actor.id, name, carried);
      const { reminders } = this.#parts.holder;
      const rank = { atMs: content.atMs, key };
      const runs = content.runs.filter((run) => !reminders.mayLeave(name, rank, run));
      for (const run of runs) reminders.carries(rank, run);
      const quiet = await this.#quiet(runs);
      const busy = runs.filter(({ id }) => !quiet.has(id));
      const here = busy.find(({ id }) => id === actor.id);
      const isOver = here === undefined ? undefined : (await this.#tick(here)).isOver;
      const others = busy.filter((run) => run !== here);
      const kept = [...runs.filter(({ id }) => quiet.has(id))];
      void this.#lookOn(others, kept, here, isOver)
        .then(() => this.#reduce(actor, name, content, kept))
        .finally(() => this.#inFlight.delete(key));
    } catch (error) {
      this.#inFlight.delete(key);
      throw error;
    }
  }

  /** The processes that only wait for a later moment, which a timer of this host brings, and to which no other host has written. */
  async #quiet(runs: readonly RemindedRun[]): Promise<ReadonlySet<string>> {
    const lasts = runs.flatMap(({ id, run }) => {
      const sequence = this.#parts.holder.quietSince(id, run);
      return sequence === undefined ? [] : [{ id, sequence }];
    });
    return lasts.length === 0 ? new Set() : this.#parts.endingAt(lasts);
  }

  /** A reminder of a run rings, at whichever actor. Another host may hold the process: it may have forgotten what is due. */
  async remind(run: RemindedRun): Promise<Nudged> {
    const { phase, isOver } = await this.#tick(run);
    return { phase, isOver: await isOver };
  }

  async #tick(run: RemindedRun): Promise<{ readonly phase: string; readonly isOver: Promise<boolean> }> {
    const { result, settled } = await this.#parts.tick(run);
    const { phase, run: current } = result.state;
    const isOther = phase !== "new" && current !== run.run;
    return { phase, isOver: isOther ? Promise.resolve(true) : settled };
  }

  /** Looks at the other runs, and adds to `kept` those that the reminder keeps. Never throws. */
  async #lookOn(
    others: RemindedRun[],
    kept: RemindedRun[],
    here: RemindedRun | undefined,
    isOver: Promise<boolean> | undefined,
  ): Promise<void> {
    const left = others.values();
    const look = async (): Promise<void> => {
      for (const run of left) if (!(await this.#isOver(run))) kept.push(run);
    };
    await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, look));
    if (here !== undefined && (await isOver) !== true) kept.push(here);
  }

  async #isOver(run: RemindedRun): Promise<boolean> {
    const { holder, ports, log, type } = this.#parts;
    try {
      if (holder.has(run.id)) return await (await this.#tick(run)).isOver;
      return (await ports.transport.nudge({ type, id: run.id }, run.run)).isOver === true;
    } catch (error) {
      log.debug(
        { processId: run.id, fault: faultFrom(error, "sidecar.unavailable") },
        "a process was not looked at when its reminder rang",
      );
      return false;
    }
  }

  /** The reminder is set anew with the runs that it keeps, or removed. What fails is done at the next ring. Never throws. */
  async #reduce(actor: Address, name: string, { atMs, near, runs }: ReminderContent, kept: readonly RemindedRun[]): Promise<void> {
    const { ports, holder, watch, log } = this.#parts;
    const isNear = near && !watch.isHeld;
    if (runs.length === 0 || (kept.length === runs.length && isNear === near)) return;
    try {
      if (kept.length === 0) {
        await ports.reminders.remove(actor, name);
        return holder.reminders.removed(name);
      }
      const periodMs = isNear ? REMINDER_UNHELD_MS : LIMITS.reminderMs;
      await ports.reminders.set(actor, name, periodMs, periodMs, { atMs, near: isNear, runs: [...kept] });
    } catch (error) {
      log.debug({ processId: actor.id, fault: faultFrom(error, "sidecar.unavailable") }, "a reminder keeps runs that need it no more");
    }
  }
}
