/**
 * @module Detects a sidecar that serves no actor call, and reports the app unhealthy, with the reason.
 *
 * It hangs: daprd 1.18.2 can come to hold every actor call indefinitely: its app was found unhealthy and healthy again, and
 * placement was killed a second later. It reports "placement: connected" and "hostReady: true" throughout
 * (docs/chaos.md). It recovers when its app becomes unhealthy once more. So the app reports itself unhealthy for as
 * long as daprd needs to notice. A sidecar that answers any actor call is only slow.
 *
 * It refuses: with another token, or another port for the app, every call fails at once. Then the app is unhealthy so that its actors move
 * to other hosts, and healthy again at times, because a sidecar refuses calls also while it believes that its app is unhealthy.
 */
import { faultFrom, type WireFault } from "../../runtime/faults.ts";
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
/** Time for which every call is refused at once before the app reports itself unhealthy. */
const REFUSED_MS = 15_000;

/** What the watchdog calls, its clock and its log. */
export interface WatchdogParts {
  /** Any call of an actor through the sidecar. */
  readonly call: () => Promise<unknown>;
  /** Any other call of the sidecar; it fails where the sidecar is away or refuses this app's token. */
  readonly reach: () => Promise<unknown>;
  /** When an actor call of this host was last answered, and when one last succeeded. Epoch, milliseconds. */
  readonly answered: () => { readonly answeredAtMs: number; readonly acceptedAtMs: number };
  readonly clock: Clock;
  readonly log: Logger;
  readonly stopped: () => boolean;
}

/** Watches the sidecar of one host. */
export class SidecarWatchdog {
  readonly #parts: WatchdogParts;
  #reason: string | undefined;

  constructor(parts: WatchdogParts) {
    this.#parts = parts;
  }

  /** Why the app must report itself unhealthy now; undefined if it must not. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Checks until the host stops. Never throws. */
  async run(): Promise<void> {
    let hangs = 0;
    let downMs = DOWN_MS_FIRST;
    let refusedSinceMs: number | undefined;
    while (!this.#parts.stopped()) {
      await this.#pause(hangs === 0 ? LOOK_MS : LOOK_AGAIN_MS);
      const found = await this.#look();
      hangs = found === "hangs" ? hangs + 1 : 0;
      if (hangs === 0) downMs = DOWN_MS_FIRST;
      if (hangs >= HANGS_MAX) {
        await this.#reset(hangs, downMs);
        downMs = DOWN_MS_NEXT;
        hangs = 0;
      }
      if (found === "serves" || found === "hangs") refusedSinceMs = undefined;
      else refusedSinceMs ??= this.#nowMs;
      if (typeof found === "string" || this.#nowMs - (refusedSinceMs ?? this.#nowMs) < REFUSED_MS) continue;
      await this.#refused(found);
      refusedSinceMs = undefined;
    }
  }

  async #reset(hangs: number, downMs: number): Promise<void> {
    this.#parts.log.warn(
      { fault: { code: "sidecar.unavailable", message: `${hangs} actor calls in a row had no answer` } },
      "the sidecar does not answer actor calls; the app reports itself unhealthy so that the sidecar registers its actors again",
    );
    this.#reason = "the sidecar does not answer actor calls";
    await this.#pause(downMs);
    this.#reason = undefined;
  }

  /** The app is unhealthy for a while, or until a sidecar that was away is back. */
  async #refused(fault: WireFault): Promise<void> {
    this.#parts.log.warn(
      { fault },
      "the sidecar refuses every actor call of this app; the app reports itself unhealthy so that its actors move to other hosts. " +
        "Check the app port of the sidecar, and that both have the same tokens (DAPR_API_TOKEN, APP_API_TOKEN)",
    );
    this.#reason = `the sidecar refuses every actor call: ${fault.message}`;
    const wasReached = await this.#isReached();
    const endMs = this.#nowMs + DOWN_MS_NEXT;
    while (this.#nowMs < endMs && !this.#parts.stopped()) {
      await this.#pause(LOOK_AGAIN_MS);
      if (!wasReached && (await this.#isReached())) break;
    }
    this.#reason = undefined;
  }

  /** Whether the sidecar serves an actor call, holds it, or refuses it at once, with the refusal. */
  async #look(): Promise<"serves" | "hangs" | WireFault> {
    const begunMs = this.#nowMs;
    try {
      await this.#parts.call();
      return "serves";
    } catch (error) {
      const { answeredAtMs, acceptedAtMs } = this.#parts.answered();
      if (this.#nowMs - begunMs >= HANG_MS) return answeredAtMs >= begunMs ? "serves" : "hangs";
      return acceptedAtMs >= begunMs - LOOK_MS ? "serves" : faultFrom(error, "sidecar.unavailable");
    }
  }

  #isReached(): Promise<boolean> {
    return this.#parts.reach().then(
      () => true,
      () => false,
    );
  }

  get #nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.clock.after(ms, resolve));
  }
}
