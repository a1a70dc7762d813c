/** @module Takes invalid messages to the dead letter queue: awaited, or through a bounded queue where a broker must be answered at once. */
import PQueue from "p-queue";
import { faultFrom, isRetryable, type WireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Operations } from "../operations/operations.ts";
import type { Clock } from "../engine/ports.ts";
import type { Logger } from "../engine/log.ts";

/** The bytes, fault and source of an invalid message. */
export interface InvalidMessage {
  readonly bytes: Parameters<Operations["invalid"]>[0];
  readonly fault: WireFault;
  readonly topic: string;
}

/** Where invalid messages are stored, and the log. */
export interface InvalidMessagesOptions {
  readonly operations: Pick<Operations, "invalid">;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Maximum number of invalid messages that are stored in parallel. */
const CONCURRENCY = 8;

/** Stores invalid messages in the dead letter queue. No method throws. */
export class InvalidMessages {
  readonly #options: InvalidMessagesOptions;
  readonly #queue = new PQueue({ concurrency: CONCURRENCY });
  #ended = false;

  constructor(options: InvalidMessagesOptions) {
    this.#options = options;
  }

  /** Stores an invalid message. True on the receipt of the dead letter queue; false: the broker must deliver it again. */
  async keep(invalid: InvalidMessage): Promise<boolean> {
    return (await this.#offer(invalid)) === "kept";
  }

  /** Accepts an invalid message and retries until the dead letter queue has stored it. False when LIMITS.invalidQueueMax messages wait. */
  queue(invalid: InvalidMessage): boolean {
    if (this.#queue.size >= LIMITS.invalidQueueMax) return false;
    void this.#queue.add(() => this.#insist(invalid));
    return true;
  }

  /** Resolves when the queue is empty. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }

  /** Stops all retries. With an in-memory broker, messages that are not stored by now are lost. */
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
      logger.warn({ topic, fault }, "an event could not be used; it was stored in the dead letter queue");
      return "kept";
    } catch (error) {
      const isLater = isRetryable(faultFrom(error, "turn.failed"));
      logger[isLater ? "warn" : "error"](
        { topic, fault, size: bytes.size, err: error },
        "an event could not be used, and could not be stored yet",
      );
      return isLater ? "later" : "never";
    }
  }
}
