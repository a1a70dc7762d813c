/**
 * @module Watches the work of other hosts: no heartbeat for three beats, and the work is reported lost.
 *
 * Only this host's own clock is used: what counts is how long it heard nothing, never what time another host has.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock, Heartbeat } from "../engine/ports.ts";

const SILENCE_MS = LIMITS.heartbeatMs * LIMITS.heartbeatsMissedMax;

interface Watch {
  readonly cancel: () => void;
  readonly token: string;
}

/** Watches by key, at most one for each, over running work that other hosts hold. */
export class FailureDetector {
  readonly #clock: Clock;
  readonly #watches = new Map<string, Watch>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins to watch, unless the same work is watched under the same token. `lost` is called once, after silence. */
  watch(key: string, token: string, lost: () => void): void {
    if (this.#watches.get(key)?.token === token) return;
    this.end(key);
    const cancel = this.#clock.after(SILENCE_MS, () => {
      this.#watches.delete(key);
      lost();
    });
    this.#watches.set(key, { cancel, token });
  }

  /** A sign of life ends the watch; the next repeated request begins a new one. */
  heard(key: string, beat: Heartbeat): void {
    if (this.#watches.get(key)?.token === beat.token) this.end(key);
  }

  end(key: string): void {
    this.#watches.get(key)?.cancel();
    this.#watches.delete(key);
  }

  endAll(): void {
    for (const key of [...this.#watches.keys()]) this.end(key);
  }
}
