/**
 * @module Restarts each part that dies, with backoff and up to a maximum number of times. A part that does not stay up ends the run.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Lifetime } from "./lifetime.ts";
import { CliError, problemText } from "../text/problem.ts";

/** A part that the supervisor starts again. */
export interface Supervised {
  isRunning(): boolean;
  /** Resolves when the part is ready again. */
  restart(): Promise<void>;
}

/** Maximum restarts of one part that does not stay up in between: more than work items that crash the app can cause. Then: PART_ENDED. */
export const RESTARTS_MAX = 12;
/** The wait before the first restart; each further one is twice as long, up to {@link BACKOFF_MS_MAX}. */
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 4_000;
/** After this time of running a part counts as stable, and its restarts are counted from zero again. */
const STAYED_UP_MS = 60_000;
const SECOND_MS = 1_000;

/** Dependencies of the supervisor. `pause` and `nowMs` are real time unless a test drives them. */
export interface SupervisorOptions {
  readonly lifetime: Lifetime;
  readonly say: (line: string) => void;
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly nowMs?: () => number;
}

/** Supervises the parts of one run. Before {@link Supervisor.begin}, the end of a part ends the run. */
export class Supervisor {
  readonly #options: Required<SupervisorOptions>;
  readonly #restarts = new Map<string, { count: number; upAtMs: number }>();
  readonly #busy = new Set<string>();
  readonly #work = new Set<Promise<void>>();
  #parts: ReadonlyMap<string, Supervised> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = {
      pause: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
      nowMs: () => performance.now(),
      ...options,
    };
  }

  /** Everything is up: from now on a part that dies is restarted. */
  begin(parts: ReadonlyMap<string, Supervised>): void {
    this.#parts = parts;
  }

  /** A part ended unexpectedly. */
  readonly onExit = (name: string, detail: string): void => {
    const { lifetime } = this.#options;
    const part = this.#parts?.get(name);
    if (part === undefined) {
      // While the run is being stopped, ending parts are expected.
      lifetime.partEnded(name, detail);
    } else if (!this.#busy.has(name) && !lifetime.signal.aborted) this.#begin(name, () => this.#restart(name, part, detail));
  };

  /** Runs work that stops and starts these parts on purpose, so their end is not a failure. */
  async planned(names: readonly string[], work: () => Promise<void>): Promise<void> {
    await this.idle();
    for (const name of names) this.#busy.add(name);
    try {
      await work();
    } finally {
      for (const name of names) {
        this.#busy.delete(name);
        this.#restarts.delete(name);
      }
    }
  }

  /** Resolves when no restart is running. */
  async idle(): Promise<void> {
    await Promise.all(this.#work);
  }

  #begin(name: string, work: () => Promise<void>): void {
    this.#busy.add(name);
    const done = work().finally(() => {
      this.#busy.delete(name);
      this.#work.delete(done);
    });
    this.#work.add(done);
  }

  async #restart(name: string, part: Supervised, detail: string): Promise<void> {
    const { lifetime, say, pause, nowMs } = this.#options;
    const before = this.#restarts.get(name);
    const state = before === undefined || nowMs() - before.upAtMs >= STAYED_UP_MS ? { count: 0, upAtMs: nowMs() } : before;
    this.#restarts.set(name, state);
    for (let why = detail; !lifetime.signal.aborted;) {
      if (state.count >= RESTARTS_MAX) {
        lifetime.end(
          new CliError(
            "PART_ENDED",
            `${name} ${why}. It was restarted ${RESTARTS_MAX} times and does not stay up, so everything was stopped.`,
            "Read its last lines in the log, fix the cause and start again: open work continues.",
          ),
        );
        return;
      }
      const waitMs = Math.min(BACKOFF_MS_MIN * 2 ** state.count, BACKOFF_MS_MAX);
      state.count += 1;
      say(`${name} ${why}; restart ${state.count} of ${RESTARTS_MAX} in ${waitMs / SECOND_MS} s`);
      await pause(waitMs, lifetime.signal);
      if (lifetime.signal.aborted) return;
      try {
        await lifetime.orEnd(part.restart());
        if (lifetime.signal.aborted) return;
        state.upAtMs = nowMs();
        if (part.isRunning()) {
          say(`${name} is up again`);
          return;
        }
        why = "ended again at once";
      } catch (error) {
        // The end of the run does not wait for a start: a part that still comes up ends with this process.
        why = `did not start: ${(problemText(error).split("\n")[0] ?? "").replace(/\.$/, "")}`;
      }
    }
  }
}
