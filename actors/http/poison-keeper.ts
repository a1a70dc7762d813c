/**
 * @module The way of poison to the dead letter desk: awaited, or from a bounded queue where a broker must be answered at once.
 */
import PQueue from "p-queue";
import type { Logger } from "pino";
import { faultFrom, isRetryable, type WireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Operations } from "../operations.ts";
import type { Clock } from "../ports.ts";

/** What cannot be used, why, and where it came from. */
export interface Poison {
  readonly bytes: Parameters<Operations["poison"]>[0];
  readonly fault: WireFault;
  readonly topic: string;
}

/** Whom poison is given to. */
export interface PoisonKeeperOptions {
  readonly operations: Pick<Operations, "poison">;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Ways to the desk at once. */
const CONCURRENCY = 8;

/** Gives poison to the desk. Nothing here throws. */
export class PoisonKeeper {
  readonly #options: PoisonKeeperOptions;
  readonly #queue = new PQueue({ concurrency: CONCURRENCY });
  #ended = false;

  constructor(options: PoisonKeeperOptions) {
    this.#options = options;
  }

  /** True on the desk's receipt; false: the broker must deliver it again. */
  async keep(poison: Poison): Promise<boolean> {
    return (await this.#offer(poison)) === "kept";
  }

  /** Takes poison over and offers it until the desk has it. False when LIMITS.poisonQueueMax wait. */
  queue(poison: Poison): boolean {
    if (this.#queue.size >= LIMITS.poisonQueueMax) return false;
    void this.#queue.add(() => this.#insist(poison));
    return true;
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }

  /** Offers nothing again: what is not at the desk by now is lost with a broker in memory. */
  end(): void {
    this.#ended = true;
  }

  async #insist(poison: Poison): Promise<void> {
    for (let pauseMs: number = LIMITS.recordRetryMsMin; !this.#ended && (await this.#offer(poison)) === "later"; pauseMs = Math.min(2 * pauseMs, LIMITS.recordRetryMsMax)) {
      await new Promise<void>((resolve) => void this.#options.clock.after(pauseMs, resolve));
    }
  }

  async #offer({ bytes, fault, topic }: Poison): Promise<"kept" | "later" | "never"> {
    const { operations, logger } = this.#options;
    try {
      await operations.poison(bytes, fault, topic);
      logger.warn({ topic, fault }, "an event could not be used; it is at the dead letter desk");
      return "kept";
    } catch (error) {
      const isLater = isRetryable(faultFrom(error, "turn.failed"));
      logger[isLater ? "warn" : "error"]({ topic, fault, size: bytes.size, err: error }, "an event could not be used, nor kept yet");
      return isLater ? "later" : "never";
    }
  }
}
