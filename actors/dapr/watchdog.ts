/**
 * @module Finds a sidecar that takes actor calls and never answers, and has it register its actors anew.
 *
 * daprd 1.18.2 can come to hold every actor call for ever: its app was found unhealthy and healthy again, and placement was killed
 * a second later. It says "placement: connected" and "hostReady: true" all the while (docs/chaos.md). It lets go when its app is
 * called unhealthy once more, so the app says so for as long as daprd needs to notice.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Logger } from "../engine/log.ts";
import type { Clock } from "../engine/ports.ts";

/** Between two looks while all is well. */
const LOOK_MS = 5_000;
/** Between two looks while the last one had no answer. */
const LOOK_AGAIN_MS = 500;
/** Looks in a row without an answer, each as long as a call may take, before the sidecar is taken to hang. */
const HANGS_MAX = 4;
/** How long the app calls itself unhealthy: the launcher's daprd needs 3 s to notice, one with Dapr's defaults 15 s. */
const DOWN_MS_FIRST = 5_000;
const DOWN_MS_NEXT = 20_000;
/** A call that failed sooner was refused or answered: that is no hang. */
const HANG_MS = 0.9 * LIMITS.sidecarCallMs;

/** What the watchdog looks at, and how it waits. */
export interface WatchdogParts {
  /** Any call of an actor through the sidecar. */
  readonly call: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stopped: () => boolean;
}

/** Watches the sidecar of one host. */
export class SidecarWatchdog {
  readonly #parts: WatchdogParts;
  #resetting = false;

  constructor(parts: WatchdogParts) {
    this.#parts = parts;
  }

  /** The app is to be called unhealthy now. */
  get resetting(): boolean {
    return this.#resetting;
  }

  /** Looks until the host stops. Never throws. */
  async run(): Promise<void> {
    let hangs = 0;
    let downMs = DOWN_MS_FIRST;
    while (!this.#parts.stopped()) {
      await this.#pause(hangs === 0 ? LOOK_MS : LOOK_AGAIN_MS);
      hangs = (await this.#hangs()) ? hangs + 1 : 0;
      if (hangs === 0) downMs = DOWN_MS_FIRST;
      if (hangs < HANGS_MAX) continue;
      this.#parts.log.warn(
        { fault: { code: "sidecar.unavailable", message: `${hangs} actor calls in a row had no answer` } },
        "the sidecar hangs; it is made to register its actors anew",
      );
      this.#resetting = true;
      await this.#pause(downMs);
      this.#resetting = false;
      downMs = DOWN_MS_NEXT;
      hangs = 0;
    }
  }

  async #hangs(): Promise<boolean> {
    const begunMs = this.#parts.clock.nowMs();
    try {
      await this.#parts.call();
      return false;
    } catch {
      return this.#parts.clock.nowMs() - begunMs >= HANG_MS;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.clock.after(ms, resolve));
  }
}
