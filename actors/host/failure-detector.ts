/**
 * @module Watches work items that other hosts run; reports one as lost after three missed heartbeats.
 *
 * It uses only this host's clock: it measures the silence, and never compares clocks of hosts.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { WorkStatus } from "../../runtime/protocol.ts";
import { LruMap } from "../engine/lru.ts";
import type { Clock, Heartbeat } from "../engine/ports.ts";

const SILENCE_MS = LIMITS.heartbeatMs * LIMITS.heartbeatsMissedMax;

interface Watch {
  readonly cancel: () => void;
  readonly token: string;
}

/** Watches running work items of other hosts, by key, at most one watch for each. */
export class FailureDetector {
  readonly #clock: Clock;
  readonly #watches = new Map<string, Watch>();
  readonly #beats = new LruMap<string, { readonly beat: Heartbeat; readonly atMs: number }>(LIMITS.cachedActorsMax);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts a watch, unless the same work item is watched under the same token. Calls `lost` once after the silence. */
  watch(key: string, token: string, lost: () => void): void {
    if (this.#watches.get(key)?.token === token) return;
    this.end(key);
    const cancel = this.#clock.after(SILENCE_MS, () => {
      this.#watches.delete(key);
      lost();
    });
    this.#watches.set(key, { cancel, token });
  }

  /** A heartbeat ends the watch; the next repeated request starts a new one. */
  heard(key: string, beat: Heartbeat): void {
    this.#beats.set(key, { beat, atMs: this.#clock.nowMs() });
    if (this.#watches.get(key)?.token === beat.token) this.end(key);
  }

  /** Returns what the last heartbeat said if it is recent, with `runningMs` advanced to now. */
  status(key: string, token: string): WorkStatus | undefined {
    const last = this.#beats.get(key);
    const ageMs = last === undefined ? SILENCE_MS : this.#clock.nowMs() - last.atMs;
    if (last === undefined || last.beat.token !== token || ageMs >= SILENCE_MS) return undefined;
    const { state, runningMs } = last.beat;
    if (runningMs === undefined) return { state };
    return { state, runningMs: state === "running" ? runningMs + Math.max(0, Math.round(ageMs)) : runningMs };
  }

  end(key: string): void {
    this.#watches.get(key)?.cancel();
    this.#watches.delete(key);
  }

  endAll(): void {
    for (const key of [...this.#watches.keys()]) this.end(key);
  }
}
