/**
 * @module What a ring of a reminder of processes does: each of its runs is looked at, and it loses those that may leave it.
 *
 * Which may, is the law of shared-reminders.ts. Those that only wait on this host are compared with the store in one read; the others get
 * a turn: here if this host holds them, else where Dapr placed them. The ring is answered before that: while it is open, daprd lets no one
 * call its actor, and two rings that wait for each other's actor would wait until their time limits.
 */
import { faultFrom, type Json } from "../../runtime/faults.ts";
import { type RemindedRun, reminderContent } from "../../runtime/process/reminder.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Address } from "../../runtime/protocol.ts";
import type { Logger } from "../engine/log.ts";
import type { Nudged, Ports } from "../engine/ports.ts";
import type { TurnResult } from "../engine/turn-parts.ts";
import type { ProcessHolder } from "./process-holder.ts";
import { rankKey } from "./shared-reminders.ts";

/** What rings need of a host. */
export interface RingParts {
  readonly ports: Ports;
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

/** What a turn shows of a run. */
interface Looked {
  readonly phase: string;
  /** Resolves when what the turn ordered is performed: true if the run is known to need no reminder. Never rejects. */
  readonly isOver: Promise<boolean>;
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
    const content = reminderContent(actor.id, name, carried);
    const { reminders } = this.#parts.holder;
    const rank = { atMs: content.atMs, key };
    const runs = content.runs.filter((run) => !reminders.mayLeave(name, rank, run));
    for (const run of runs) reminders.carries(rank, run);
    const busy = this.#busy(runs);
    const own = busy
      .then((some) => some.find(({ id }) => id === actor.id))
      .then((run) => (run === undefined ? undefined : this.#tick(run)));
    void busy
      .then((some) => this.#overOf(some, actor.id, own))
      .then((over) => runs.filter((run) => !over.has(run)))
      .then((kept) => reminders.keep(actor, name, content, kept))
      .catch((error: unknown) => this.#say(error, actor.id, "a reminder was not reduced when it rang"))
      .finally(() => this.#inFlight.delete(key));
    await own;
  }

  /** All but those that only wait for a later moment, which a timer of this host brings, and to which no other host has written. */
  async #busy(runs: readonly RemindedRun[]): Promise<readonly RemindedRun[]> {
    const lasts = runs.flatMap(({ id, run }) => {
      const sequence = this.#parts.holder.quietSince(id, run);
      return sequence === undefined ? [] : [{ id, sequence }];
    });
    if (lasts.length === 0) return runs;
    const quiet = await this.#parts.endingAt(lasts);
    return runs.filter(({ id }) => !quiet.has(id));
  }

  /** Looks at runs. Returns those that no longer need the reminder. `own`: the turn of the actor at which it rings. */
  async #overOf(runs: readonly RemindedRun[], ownId: string, own: Promise<Looked | undefined>): Promise<ReadonlySet<RemindedRun>> {
    const over = new Set<RemindedRun>();
    const left = runs.values();
    const look = async (): Promise<void> => {
      for (const run of left) if (await this.#isOver(run, run.id === ownId ? own : undefined)) over.add(run);
    };
    await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, look));
    return over;
  }

  async #isOver(run: RemindedRun, own: Promise<Looked | undefined> | undefined): Promise<boolean> {
    const { holder, ports, type } = this.#parts;
    try {
      if (own !== undefined) return (await (await own)?.isOver) === true;
      if (holder.has(run.id)) return await (await this.#tick(run)).isOver;
      return (await ports.transport.nudge({ type, id: run.id }, run.run)).isOver === true;
    } catch (error) {
      this.#say(error, run.id, "a process was not looked at when its reminder rang");
      return false;
    }
  }

  /** A reminder of a run rings, at whichever actor. Another host may hold the process: it may have forgotten what is due. */
  async remind(run: RemindedRun): Promise<Nudged> {
    const { phase, isOver } = await this.#tick(run);
    return { phase, isOver: await isOver };
  }

  async #tick(run: RemindedRun): Promise<Looked> {
    const { result, settled } = await this.#parts.tick(run);
    const { phase, run: current } = result.state;
    if (phase !== "new" && current !== run.run) return { phase, isOver: Promise.resolve(true) };
    // Waiting for the effects of an open process would only keep others from its actor.
    return { phase, isOver: phase === "open" ? Promise.resolve(false) : settled };
  }

  #say(error: unknown, processId: string, what: string): void {
    this.#parts.log.debug({ processId, fault: faultFrom(error, "sidecar.unavailable") }, what);
  }
}
