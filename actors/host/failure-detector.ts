/**
 * @module Watches work items that other hosts run, and reports one as lost: at once when its host's lease says that it is dead, and after
 * three missed heartbeats if its host lives but does not send any.
 *
 * It uses only this host's clock: it measures the silence, and never compares clocks of hosts.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { WorkStatus } from "../../runtime/protocol.ts";
import { LruMap } from "../engine/lru.ts";
import type { Clock, Heartbeat } from "../engine/ports.ts";
import type { HostWatch } from "./host-watch.ts";

const SILENCE_MS = LIMITS.heartbeatMs * LIMITS.heartbeatsMissedMax;

/** A work item that another host runs. */
export interface ForeignRun {
  readonly token: string;
  readonly holder: string;
  /** It is to be compensated. Its holder cannot be told to stop it, so its heartbeats do not count. */
  readonly isCancelled: boolean;
}

interface Watch {
  readonly run: ForeignRun;
  readonly lost: () => void;
  readonly cancel: () => void;
}

/** Watches running work items of other hosts, by key, at most one watch for each. */
export class FailureDetector {
  readonly #clock: Clock;
  readonly #hosts: Pick<HostWatch, "isAlive">;
  readonly #watches = new Map<string, Watch>();
  readonly #beats = new LruMap<string, { readonly beat: Heartbeat; readonly atMs: number }>(LIMITS.cachedActorsMax);

  constructor(clock: Clock, hosts: Pick<HostWatch, "isAlive" | "onDeath">) {
    this.#clock = clock;
    this.#hosts = hosts;
    hosts.onDeath((incarnation) => this.#died(incarnation));
  }

  /** Starts a watch, unless the same work item is watched under the same token. Calls `lost` at most once. */
  watch(key: string, run: ForeignRun, lost: () => void): void {
    const known = this.#watches.get(key)?.run;
    if (known?.token === run.token && known.isCancelled === run.isCancelled) return;
    this.end(key);
    if (!this.#hosts.isAlive(run.holder)) return lost();
    const cancel = this.#clock.after(run.isCancelled ? LIMITS.stopGraceMs : SILENCE_MS, () => this.#lose(key));
    this.#watches.set(key, { run, lost, cancel });
  }

  #died(incarnation: string): void {
    for (const [key, { run }] of [...this.#watches]) if (run.holder === incarnation) this.#lose(key);
  }

  #lose(key: string): void {
    const watch = this.#watches.get(key);
    this.end(key);
    watch?.lost();
  }

  /** A heartbeat ends the watch; the next repeated request starts a new one. */
  heard(key: string, beat: Heartbeat): void {
    this.#beats.set(key, { beat, atMs: this.#clock.nowMs() });
    const run = this.#watches.get(key)?.run;
    if (run?.token === beat.token && !run.isCancelled) this.end(key);
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
