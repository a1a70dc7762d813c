/**
 * @module The turns in which a host looks at the processes that it holds: for what is due, and for what is unanswered. Some at a time.
 *
 * A host that was frozen finds all its moments over at once, and a host whose receivers hang has ever more to ask again. Without a limit
 * such turns, and the messages that arrive meanwhile, keep each other waiting for the store and for connections until calls reach their
 * time limits and are made again: more work, of which less is of use, also long after the cause is gone. So the turns of asking take their
 * place until the receivers have answered, and what waits for its turn decides only then what it asks. Processes whose receivers did not
 * answer last time have places of their own: an agent that is away for hours must not hold up the others.
 */
import PQueue from "p-queue";
import { LIMITS } from "../../runtime/limits.ts";
import type { Logger } from "../engine/log.ts";
import type { Clock } from "../engine/ports.ts";
import type { Ticked } from "./process-rings.ts";

/** Which requests a turn sends again: those whose answer is late, all unanswered ones, or none. */
export type Asks = "old" | "all" | "none";

/** The parts of a host that ticks use. */
export interface TickParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** A moment of a process has come. */
  readonly tick: (id: string, asks: Asks) => Promise<Ticked>;
}

/** Ticks in flight below which a slow one is a matter of its process, not of the host. */
const CROWD_TICKS = 32;

/** Looks at processes. It throws nothing. */
export class ProcessTicks {
  readonly #parts: TickParts;
  readonly #due = new PQueue({ concurrency: LIMITS.ticksAtOnceMax });
  readonly #asks = new PQueue({ concurrency: LIMITS.asksAtOnceMax });
  readonly #asksOfFailing = new PQueue({ concurrency: LIMITS.asksOfFailingAtOnceMax });
  /** Since when each process is to be looked at, the oldest first. */
  readonly #sinceMs = new Map<string, number>();
  #lateMs = 0;
  #lateAtMs = 0;

  constructor(parts: TickParts) {
    this.#parts = parts;
  }

  /** Whether the process is looked at, or about to be. */
  has(id: string): boolean {
    return this.#sinceMs.has(id);
  }

  /** A timer of a process fired that was set for this moment. */
  wokeFor(momentMs: number): void {
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs < momentMs) return;
    this.#lateMs = nowMs - momentMs;
    this.#lateAtMs = nowMs;
  }

  /** How late the timers are, or how long the oldest of many looks takes. */
  get lagMs(): number {
    const nowMs = this.#parts.clock.nowMs();
    const [oldest = nowMs] = this.#sinceMs.size < CROWD_TICKS ? [] : this.#sinceMs.values();
    return Math.max(nowMs - oldest, nowMs - this.#lateAtMs < LIMITS.admissionLagMsMax ? this.#lateMs : 0);
  }

  /**
   * Looks for what is due in a process. Resolves when that is done, or false if it failed. A look that is under way shows everything, or
   * its end does; so does the turn of a question that is asked while this look waits.
   */
  async due(id: string): Promise<boolean> {
    if (this.#sinceMs.has(id)) return true;
    this.#sinceMs.set(id, this.#parts.clock.nowMs());
    return this.#due.add(async () => !this.#sinceMs.has(id) || (await this.#tick(id, "none")) !== undefined);
  }

  /**
   * Asks again for what is unanswered. Resolves when the receivers have answered, or not; false if the turn failed. `begin` is called when
   * the turn comes; undefined: there is nothing to ask. `isFailing`: the receivers did not answer last time.
   */
  ask(id: string, isFailing: boolean, begin: () => Asks | undefined): Promise<boolean> {
    return (isFailing ? this.#asksOfFailing : this.#asks).add(async () => {
      const asks = begin();
      if (asks === undefined) return true;
      if (!this.#sinceMs.has(id)) this.#sinceMs.set(id, this.#parts.clock.nowMs());
      const ticked = await this.#tick(id, asks);
      await ticked?.settled;
      return ticked !== undefined;
    });
  }

  async #tick(id: string, asks: Asks): Promise<Ticked | undefined> {
    try {
      return await this.#parts.tick(id, asks);
    } catch (error) {
      this.#parts.log.debug({ err: error, processId: id }, "the tick of a process failed; it is repeated");
      return undefined;
    } finally {
      this.#sinceMs.delete(id);
    }
  }

  /** Drops the looks that have not begun. */
  stop(): void {
    this.#due.clear();
    this.#asks.clear();
    this.#asksOfFailing.clear();
  }
}
