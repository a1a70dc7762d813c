/** @module Advances the time of a world in memory: it is real while anything works, and skipped while all is idle. */
import { Fault } from "../../runtime/faults.ts";
import type { Clock } from "../engine/ports.ts";
import { type LocalWorld, SkippingClock } from "./world.ts";

/** What a driver advances. */
export interface Driven {
  readonly world: LocalWorld;
  readonly host: { readonly running: number };
  readonly clock: Clock;
  /** Maximum real time of one run, in milliseconds. */
  readonly giveUpMs: number;
}

/** Turns of the event loop that must pass without activity before time is skipped. */
const QUIET_ROUNDS = 3;

/** Advances the world's time while a caller waits. All callers share one loop, or each would skip time for the others. */
export class Driver {
  readonly #driven: Driven;
  #round: Promise<void> | undefined;
  #quiet = 0;
  #held = 0;

  constructor(driven: Driven) {
    this.#driven = driven;
  }

  /** Advances until `done`. @throws `process.expired` after the time at which it gives up */
  async until(done: () => boolean): Promise<void> {
    const { giveUpMs } = this.#driven;
    const endAt = performance.now() + giveUpMs;
    while (!done()) {
      if (performance.now() > endAt) throw new Fault("process.expired", `the run did not end within ${giveUpMs} ms of real time`);
      await this.round();
    }
  }

  /** One look for activity; time is skipped if there is none. */
  round(): Promise<void> {
    this.#round ??= this.#go().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Lets time pass, so that what was ordered is done. */
  async pass(ms: number): Promise<void> {
    let isOver = false;
    this.#driven.clock.after(ms, () => (isOver = true));
    await this.until(() => isOver);
  }

  /** No time is skipped while this is greater than 0. */
  async during<T>(action: Promise<T>): Promise<T> {
    this.#held += 1;
    try {
      return await action;
    } finally {
      this.#held -= 1;
    }
  }

  async #go(): Promise<void> {
    const { world, host, clock } = this.#driven;
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (!(clock instanceof SkippingClock)) return;
    const active = clock.fireDue() || this.#held > 0 || world.busy || host.running > 0;
    this.#quiet = active ? 0 : this.#quiet + 1;
    if (this.#quiet < QUIET_ROUNDS) return;
    this.#quiet = 0;
    if (!clock.leap()) throw new Fault("turn.failed", "the process cannot continue: no timer is due and no handler runs");
  }
}
