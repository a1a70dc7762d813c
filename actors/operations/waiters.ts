/** @module Callers that wait for the end of a process. They are woken by this host's own record or by polling. */
import type { OutcomeView } from "./operations.ts";
import type { Clock } from "../engine/ports.ts";

/** First and longest pause between two reads of a process that another host may end, in milliseconds. */
const LOOK_MS_MIN = 100;
const LOOK_MS_MAX = 2_000;

/** Reads the outcome after this many milliseconds of waiting. */
type Look = (id: string, waitedMs: number) => Promise<OutcomeView | undefined>;

/** The wait of one caller, which must call `end` when it no longer waits. */
export interface Waiting {
  /** The outcome, or undefined if the time is up first. Never rejects. */
  readonly outcome: Promise<OutcomeView | undefined>;
  readonly end: () => void;
}

/** The waits of a host's callers, by process id. `look` reads the process itself, on any host. */
export class Waiters {
  readonly #clock: Clock;
  readonly #look: Look;
  readonly #wakers = new Map<string, Set<(outcome: OutcomeView) => void>>();

  constructor(clock: Clock, look: Look) {
    this.#clock = clock;
    this.#look = look;
  }

  /** Wakes the waiters of a process that ended on this host. The outcome is only created if a caller waits for it. */
  async wake(id: string, outcome: () => Promise<OutcomeView>): Promise<void> {
    const wakers = this.#wakers.get(id);
    if (wakers === undefined) return;
    const found = await outcome();
    for (const waker of wakers) waker(found);
  }

  wait(id: string, waitMs: number): Waiting {
    const endMs = this.#clock.nowMs() + waitMs;
    let ended = false;
    let wakeUp = (): void => {};
    let told: OutcomeView | undefined;
    const waker = (found: OutcomeView): void => {
      told = found;
      wakeUp();
    };
    const wakers = this.#wakers.get(id) ?? new Set();
    this.#wakers.set(id, wakers.add(waker));
    const end = (): void => {
      ended = true;
      wakers.delete(waker);
      if (wakers.size === 0) this.#wakers.delete(id);
      wakeUp();
    };
    const sleep = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        const cancel = this.#clock.after(ms, resolve);
        wakeUp = () => {
          cancel();
          resolve();
        };
      });
    const outcome = (async (): Promise<OutcomeView | undefined> => {
      for (
        let pauseMs = LOOK_MS_MIN;
        !ended && told === undefined && this.#clock.nowMs() < endMs;
        pauseMs = Math.min(2 * pauseMs, LOOK_MS_MAX)
      ) {
        await sleep(Math.min(pauseMs, Math.max(1, endMs - this.#clock.nowMs())));
        if (told !== undefined || ended) continue;
        const found = await this.#look(id, waitMs - (endMs - this.#clock.nowMs())).catch(() => undefined);
        told ??= found;
      }
      return told;
    })();
    return { outcome, end };
  }
}
