/**
 * @module The way of poison to the dead letter queue: awaited, or from a bounded queue where a broker must be answered at once.
 */
import PQueue from "p-queue";
import { faultFrom, isRetryable, type WireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Operations } from "../operations/operations.ts";
import type { Clock } from "../engine/ports.ts";
import type { Logger } from "../engine/log.ts";

/** What cannot be used, why, and where it came from. */
export interface InvalidMessage {
  readonly bytes: Parameters<Operations["invalid"]>[0];
  readonly fault: WireFault;
  readonly topic: string;
}

/** Whom poison is given to. */
export interface InvalidMessagesOptions {
  readonly operations: Pick<Operations, "invalid">;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Ways to the dead letter queue at once. */
const CONCURRENCY = 8;

/** Gives poison to the dead letter queue. Nothing here throws. */
export class InvalidMessages {
  readonly #options: InvalidMessagesOptions;
  readonly #queue = new PQueue({ concurrency: CONCURRENCY });
  #ended = false;

  constructor(options: InvalidMessagesOptions) {
    this.#options = options;
  }

  /** True on the dead letter queue's receipt; false: the broker must deliver it again. */
  async keep(invalid: InvalidMessage): Promise<boolean> {
    return (await this.#offer(invalid)) === "kept";
  }

  /** Takes poison over and offers it until the dead letter queue has it. False when LIMITS.invalidQueueMax wait. */
  queue(invalid: InvalidMessage): boolean {
    if (this.#queue.size >= LIMITS.invalidQueueMax) return false;
    void this.#queue.add(() => this.#insist(invalid));
    return true;
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }

  /** Offers nothing again: what is not at the dead letter queue by now is lost with a broker in memory. */
  end(): void {
    this.#ended = true;
  }

  async #insist(invalid: InvalidMessage): Promise<void> {
    for (
      let pauseMs: number = LIMITS.recordRetryMsMin;
      !this.#ended && (await this.#offer(invalid)) === "later";
      pauseMs = Math.min(2 * pauseMs, LIMITS.recordRetryMsMax)
    ) {
      await new Promise<void>((resolve) => void this.#options.clock.after(pauseMs, resolve));
    }
  }

  async #offer({ bytes, fault, topic }: InvalidMessage): Promise<"kept" | "later" | "never"> {
    const { operations, logger } = this.#options;
    try {
      await operations.invalid(bytes, fault, topic);
      logger.warn({ topic, fault }, "an event could not be used; it is at the dead letter queue");
      return "kept";
    } catch (error) {
      const isLater = isRetryable(faultFrom(error, "turn.failed"));
      logger[isLater ? "warn" : "error"]({ topic, fault, size: bytes.size, err: error }, "an event could not be used, nor kept yet");
      return isLater ? "later" : "never";
    }
  }
}
