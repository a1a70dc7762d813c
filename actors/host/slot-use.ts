/**
 * @module Decides when an execution needs its slot: while a call's function runs, and whenever its handler does not only wait.
 */
import { pause } from "../engine/pause.ts";
import type { Clock } from "../engine/ports.ts";
import type { OpenCalls } from "./open-calls.ts";

/** The parts of a slot's use. */
export interface SlotUseParts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly open: OpenCalls;
  /** With `true` the slot is not needed; with `false` it is needed again and the promise resolves with it. */
  readonly resting: (resting: boolean) => Promise<void> | undefined;
}

/** The slot of one execution. */
export class SlotUse {
  readonly #parts: SlotUseParts;
  #acting = 0;
  #waits = 0;
  #resting = false;
  #waking: Promise<void> | undefined;

  constructor(parts: SlotUseParts) {
    this.#parts = parts;
  }

  /** Runs a user function with a slot. */
  async act<T>(action: () => T | Promise<T>): Promise<T> {
    const woken = this.#wake();
    if (woken !== undefined) await woken;
    this.#parts.signal.throwIfAborted();
    this.#acting += 1;
    try {
      return await this.#parts.open.inside(action);
    } finally {
      this.#acting -= 1;
      this.rest();
    }
  }

  /** Waits without a slot, unless another part of the handler needs it. Ends early if the execution is stopped. */
  async pause(ms: number): Promise<void> {
    const { clock, signal } = this.#parts;
    this.beginWait();
    await pause(clock, ms, signal);
    await this.endWaits(1);
  }

  /** Waits without a slot for what is done elsewhere. */
  async away<T>(action: () => Promise<T>): Promise<T> {
    this.beginWait();
    try {
      return await action();
    } finally {
      await this.endWaits(1);
      // The handler acts on the result in microtasks. If it only waits for others then, it needs no slot.
      if (this.#waits > 0) this.#parts.clock.after(0, () => this.rest());
    }
  }

  /** Adds one wait of the handler. */
  beginWait(): void {
    this.#waits += 1;
    this.rest();
  }

  /** Continues the handler: resolves with a slot. */
  endWaits(count: number): Promise<void> | undefined {
    this.#waits -= count;
    return this.#wake();
  }

  /** Gives the slot up, if the handler only waits. */
  rest(): void {
    if (this.#resting || this.#acting > 0 || this.#waits === 0) return;
    this.#resting = true;
    void this.#parts.resting(true);
  }

  #wake(): Promise<void> | undefined {
    if (!this.#resting) return this.#waking;
    this.#resting = false;
    this.#waking = this.#parts.resting(false)?.finally(() => {
      this.#waking = undefined;
    });
    return this.#waking;
  }
}
