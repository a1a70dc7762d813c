/**
 * @module Performs effects: one exhaustive switch over the closed union. It makes no decisions.
 *
 * The first delivery of a message goes through the broker, later ones directly to the actor. A request with a recent receipt
 * is not sent again; the time for which it is trusted doubles while the receiver says that it has the work. A message counts
 * as delivered only when its receipt has arrived. An agent's answer that could not be sent is sent again for a while.
 */
import { assertNever, type Fault, faultFrom, isRetryable, type WireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Effect, type IndexName, type Message, topics, type WorkStatus } from "../../runtime/protocol.ts";
import type { IndexClient } from "./index-client.ts";
import type { Logger } from "../engine/log.ts";
import { LruMap } from "../engine/lru.ts";
import type { Ports } from "../engine/ports.ts";
import { ATTRIBUTE, SPAN } from "../telemetry/names.ts";
import { inSpan } from "../telemetry/spans.ts";

/** Performs the effects that concern only the host that holds the actor. */
export type LocalEffect = Extract<Effect, { kind: "run" | "stop" | "watch" }>;

/** The parts of a performer. */
export interface PerformerParts {
  readonly system: string;
  readonly ports: Ports;
  readonly directory: IndexClient;
  readonly desk: IndexClient;
  readonly audit: IndexClient;
  readonly inbox: IndexClient;
  readonly log: Logger;
}

/** Options for the effects of one turn. */
export interface PerformOptions {
  /** Bypasses the broker: for messages that were sent before, and for messages whose receipt is required. */
  readonly direct: boolean;
  /** Sends requests also where a receipt is recent: its receiver may have died since. */
  readonly distrusts?: boolean;
  readonly local: (effect: LocalEffect) => void;
  /** Called with the receipt of a directly addressed receiver, and what it says about the work item. */
  readonly received?: (message: Message, work: WorkStatus | undefined) => void;
  /** Called when a receiver refuses a message permanently. */
  readonly refused?: (message: Message, fault: WireFault) => void;
}

/** How long a receipt is trusted. */
interface Trust {
  readonly forMs: number;
  readonly untilMs: number;
}

/** What agents send to process managers. */
const REPLIES: readonly string[] = ["result", "wait"];

/** Performs the effects of a host's turns. Keeps the last LIMITS.knownReceiptsMax receipts, in memory only. */
export class Performer {
  readonly #parts: PerformerParts;
  readonly #receipts = new LruMap<string, Trust>(LIMITS.knownReceiptsMax);

  constructor(parts: PerformerParts) {
    this.#parts = parts;
  }

  /** Notes the receipt of a receiver in this host: the sender need not send again for a while. */
  noteReceipt(messageId: string): void {
    this.#trust(messageId, LIMITS.receiptTrustMs);
  }

  #trust(messageId: string, forMs: number): void {
    this.#receipts.set(messageId, { forMs, untilMs: this.#parts.ports.clock.nowMs() + forMs });
  }

  /** Performs effects in order, without awaiting each before the next. Resolves with true if all succeeded. Never throws. */
  perform(effects: readonly Effect[], options: PerformOptions): Promise<boolean> {
    const first = effects[0];
    // Most turns have one effect.
    if (first !== undefined && effects.length === 1) return this.#perform(first, options);
    return Promise.all(effects.map((effect) => this.#perform(effect, options))).then((done) => done.every(Boolean));
  }

  async #perform(effect: Effect, options: PerformOptions): Promise<boolean> {
    const { ports, directory, log } = this.#parts;
    try {
      switch (effect.kind) {
        case "send":
          return await this.#send(effect, options);
        case "index":
          if (effect.index === "Directory") await directory.update(effect.bucket, effect.entry, LIMITS.indexLingerMs);
          else await this.#fileIn(effect.index).file(effect.bucket, effect.entry);
          return true;
        case "notify":
          await ports.transport.notification(this.#notificationTopic(effect.topic), effect.id, effect.data);
          return true;
        case "run":
        case "stop":
        case "watch":
          options.local(effect);
          return true;
        default:
          return assertNever(effect);
      }
    } catch (error) {
      log.debug({ effect: effect.kind, fault: faultFrom(error, "sidecar.unavailable") }, "an effect was not performed; it is retried");
      if (effect.kind === "send" && !options.direct && REPLIES.includes(effect.message.body.kind)) this.#replyLater(effect.message, 1);
      return false;
    }
  }

  /** Sends an agent's answer again. Its receiver asks for it too, but no sooner than it must. */
  #replyLater(message: Message, attempt: number): void {
    const { ports, log } = this.#parts;
    const pauseMs = LIMITS.replyRetryMsMin * 2 ** (attempt - 1);
    if (pauseMs > LIMITS.replyRetryMs) return;
    ports.clock.after(pauseMs, () => {
      ports.transport.deliver(message).then(
        () => undefined,
        (error: unknown) => {
          log.debug({ messageId: message.id, err: error }, "an answer was not delivered; it is sent again");
          if (isRetryable(faultFrom(error, "sidecar.unavailable"))) this.#replyLater(message, attempt + 1);
        },
      );
    });
  }

  #fileIn(index: Exclude<IndexName, "Directory" | "Memories" | "Releases">): IndexClient {
    const { desk, audit, inbox } = this.#parts;
    return { DeadLetterQueue: desk, Audit: audit, Inbox: inbox }[index];
  }

  #notificationTopic(topic: Extract<Effect, { kind: "notify" }>["topic"]): string {
    return topics[topic](this.#parts.system);
  }

  #send(effect: Extract<Effect, { kind: "send" }>, options: PerformOptions): Promise<boolean> {
    const { message, topic } = effect;
    const probe = effect.probe === true;
    const attributes = { [ATTRIBUTE.message]: message.id, [ATTRIBUTE.kind]: message.body.kind, [ATTRIBUTE.process]: message.processId };
    const send = (): Promise<boolean> =>
      options.direct || probe || topic === undefined
        ? this.#deliver(message, probe, options)
        : this.#parts.ports.transport.publish(topic, message).then(isSent);
    return inSpan(SPAN.message, message.trace, attributes, send);
  }

  async #deliver(message: Message, probe: boolean, options: PerformOptions): Promise<boolean> {
    const { clock, transport } = this.#parts.ports;
    const trust = this.#receipts.get(message.id);
    if (!probe && options.distrusts !== true && trust !== undefined && clock.nowMs() < trust.untilMs) return true;
    try {
      const answer = await transport.deliver(message);
      if ("receipt" in answer) {
        const isVouched = trust !== undefined && (answer.work !== undefined || message.body.kind === "task");
        this.#trust(message.id, isVouched ? Math.min(2 * trust.forMs, LIMITS.askAgainMsMax) : LIMITS.receiptTrustMs);
        options.received?.(message, answer.work);
        return true;
      }
      return this.#refuse(message, answer.refused, options);
    } catch (error) {
      const fault = faultFrom(error, "sidecar.unavailable");
      if (isRetryable(fault)) throw error as Fault;
      return this.#refuse(message, fault, options);
    }
  }

  /** A permanent refusal counts as an answer; after any other refusal the message is sent again later. */
  #refuse(message: Message, fault: WireFault, options: PerformOptions): boolean {
    if (isRetryable(fault)) return false;
    options.refused?.(message, fault);
    return true;
  }
}

function isSent(): true {
  return true;
}
