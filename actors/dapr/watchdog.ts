/**
 * @module Detects a sidecar that accepts actor calls and never answers them, and makes it register its actors again.
 *
 * daprd 1.18.2 can come to hold every actor call indefinitely: its app was found unhealthy and healthy again, and
 * placement was killed a second later. It reports "placement: connected" and "hostReady: true" throughout
 * (docs/chaos.md). It recovers when its app becomes unhealthy once more. So the app reports itself unhealthy for as
 * long as daprd needs to notice.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Logger } from "../engine/log.ts";
import type { Clock } from "../engine/ports.ts";

/** Interval of checks while the sidecar answers. */
const LOOK_MS = 5_000;
/** Interval of checks after a check without an answer. */
const LOOK_AGAIN_MS = 500;
/** Consecutive checks without an answer, each as long as a call may take, after which the sidecar counts as hanging. */
const HANGS_MAX = 4;
/** How long the app reports itself unhealthy. The launcher's daprd notices within 3 s, one with Dapr's defaults within 15 s. */
const DOWN_MS_FIRST = 5_000;
const DOWN_MS_NEXT = 20_000;
/** A call that failed sooner was refused or answered, so the sidecar does not hang. */
const HANG_MS = 0.9 * LIMITS.sidecarCallMs;

/** What the watchdog calls, its clock and its log. */
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

  /** Whether the app must report itself unhealthy now. */
  get resetting(): boolean {
    return this.#resetting;
  }

  /** Checks until the host stops. Never throws. */
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
        "the sidecar does not answer actor calls; the app reports itself unhealthy so that the sidecar registers its actors again",
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
