/**
 * @module Measures how long a handler has executed in an attempt, by the clock of its host.
 */
import type { Clock } from "../engine/ports.ts";

/** Counts the time between its starts and stops. */
export class Stopwatch {
  readonly #clock: Clock;
  #sumMs: number | undefined;
  #sinceMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    this.#sumMs ??= 0;
    this.#sinceMs ??= this.#clock.nowMs();
  }

  stop(): void {
    this.#sumMs = this.ranMs;
    this.#sinceMs = undefined;
  }

  /** Whole milliseconds; undefined before the first start. */
  get ranMs(): number | undefined {
    if (this.#sumMs === undefined || this.#sinceMs === undefined) return this.#sumMs;
    return this.#sumMs + Math.max(0, Math.round(this.#clock.nowMs() - this.#sinceMs));
  }
}
