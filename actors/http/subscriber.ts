/**
 * @module The topic subscribers: an event is checked, delivered to the actor, and acknowledged when the actor has
 * answered.
 *
 * Delivery is not trusted: each sender retries until it has the receiver's receipt. Only tasks from outside have no
 * sender that retries, so they are acknowledged on their receipt or kept in the dead letter queue.
 */
import { Router } from "express";
import PQueue from "p-queue";
import { z } from "zod";
import { Fault, faultFrom, isFault, isRetryable, type WireFault } from "../../runtime/faults.ts";
import { encodeActorId, requireTaskId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { actorType, topics, type Message, type Trace } from "../../runtime/protocol.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import type { Operations } from "../operations/operations.ts";
import type { Clock, Transport } from "../engine/ports.ts";
import type { MessageKeys } from "../engine/signatures.ts";
import { readDecision } from "./claims.ts";
import { type Bytes, check, parseBytes, requireJson, tooLarge } from "./body.ts";
import { checkMessage } from "./message.ts";
import { holdingOf } from "./in-flight.ts";
import { InvalidMessages } from "./invalid-messages.ts";
import { readPublished } from "./published.ts";
import { operationsOf } from "./tenancy.ts";
import { SignalEvent, TaskRequest } from "./schemas.ts";
import { callerTrace, traceFrom } from "./trace.ts";
import type { Logger } from "../engine/log.ts";

/** The topics that are served, and the receivers of tasks and messages. */
export interface SubscriberOptions {
  readonly system: string;
  /** The agents hosted here. */
  readonly agents: readonly string[];
  readonly operations: Operations;
  /** Delivers a message from a topic to its actor. */
  readonly transport: Pick<Transport, "deliver">;
  /** The pubsub component. */
  readonly pubsub: string;
  /**
   * Whether to acknowledge before the actor has answered: needed for pubsub.in-memory, which delivers under a lock that publishers wait
   * for. Undefined: not known yet.
   */
  readonly answerAtOnce: boolean | (() => boolean | undefined);
  /** Resolves when the sidecar and its components are known, or were waited for long enough. By default nothing is waited for. */
  readonly ready?: (() => Promise<unknown>) | undefined;
  /** Check the messages between actors. Tasks and signals from outside are not signed. */
  readonly keys: MessageKeys;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Throws `system.stopping` when no new work may begin. */
  readonly admit: () => void;
}

/** daprd's handling of a message: SUCCESS acknowledges it, RETRY makes the broker deliver it again. */
type Status = "SUCCESS" | "RETRY";

/** A CloudEvent as daprd delivers it; it adds attributes of its own. */
const CloudEvent = z.looseObject({
  id: z.string().min(1),
  time: z.iso.datetime({ offset: true }),
  data: z.unknown().refine((data) => data !== undefined, "data is required"),
  traceparent: z.string().optional(),
  tracestate: z.string().optional(),
  /** The publisher's `ttlInSeconds`, as daprd writes it. */
  expiration: z.iso.datetime({ offset: true }).optional(),
  /** The publisher's traceparent that daprd does not change. It replaces `traceparent`, and clears it where tracing is off. */
  troupetrace: z.string().optional(),
});
type CloudEvent = z.infer<typeof CloudEvent>;

/** The time in an event of any kind, if it has one. */
const Told = z.looseObject({ time: z.iso.datetime({ offset: true }) });

/** Refusals of an actor that no valid message of ours gets, so that no sender waits for them. */
const FINAL_REFUSALS: readonly string[] = ["message.invalid", "agent.unknown"];

/** Refusals of a decision on a topic that no operator has to see. */
const LATE_DECISIONS: readonly string[] = ["person.decided", "process.ended", "process.purged"];

/** Retryable faults of events that are kept all the same. */
const KEPT_REFUSALS: readonly string[] = ["journal.newer", "message.signature"];

/** A delivery and its topic. */
interface Delivered {
  readonly received: Bytes;
  readonly topic: string;
  readonly event: CloudEvent;
  /** The delivery goes on after its answer, for so long. */
  readonly until: (delivered: Promise<unknown>) => void;
}

interface Subscription {
  readonly topic: string;
  readonly route: string;
  readonly handle: (delivered: Delivered, trace: Trace | undefined) => Promise<Status>;
}

/** The topic subscriptions of one host. */
export class Subscriber {
  readonly router: Router;
  readonly #options: SubscriberOptions;
  readonly #queues: PQueue[] = [];
  readonly #invalid: InvalidMessages;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#invalid = new InvalidMessages(options);
    this.router = Router({ caseSensitive: true });
    const subscriptions = this.#subscriptions();
    this.router.get("/dapr/subscribe", (_request, response) => {
      response.json(
        subscriptions.map(({ topic, route }) => ({ pubsubname: options.pubsub, topic, route, metadata: { rawPayload: "true" } })),
      );
    });
    for (const subscription of subscriptions) this.#serve(subscription);
  }

  get #answersAtOnce(): boolean | undefined {
    const { answerAtOnce } = this.#options;
    return typeof answerAtOnce === "function" ? answerAtOnce() : answerAtOnce;
  }

  /** Resolves when all messages that were acknowledged early have been delivered. */
  async idle(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.onIdle()));
    await this.#invalid.idle();
  }

  /** Stops all retries. */
  end(): void {
    this.#invalid.end();
  }

  #subscriptions(): readonly Subscription[] {
    const { system, agents } = this.#options;
    return [
      { topic: topics.tasks(system), route: "/topics/tasks", handle: ({ event }, trace) => this.#task(event, trace) },
      { topic: topics.signals(system), route: "/topics/signals", handle: ({ event }, trace) => this.#signal(event, trace) },
      { topic: topics.decisions(system), route: "/topics/decisions", handle: ({ event }, trace) => this.#decision(event, trace) },
      { topic: topics.manager(system), route: "/topics/manager", handle: this.#forwarder(actorType(system, "ProcessManager")) },
      ...agents.map((agent) => ({
        topic: topics.agent(system, agent),
        route: `/topics/agent/${agent}`,
        handle: this.#forwarder(actorType(system, agent)),
      })),
    ];
  }

  #serve({ topic, route, handle }: Subscription): void {
    this.router.post(route, async (request, response) => {
      const answer = (status: Status): void => {
        response.json({ status });
      };
      requireJson(request);
      let received: Bytes | undefined;
      try {
        this.#options.admit();
        received = await readPublished(request);
        // An in-memory broker drops what it should deliver again, so nothing is refused only because it came early.
        await this.#options.ready?.();
        if (received.cut) throw tooLarge();
        const holding = holdingOf(request);
        const parsed = parseBytes(received.bytes, (heapBytes) => holding?.add(heapBytes));
        const event = check(CloudEvent, parsed, "message.invalid", "the event");
        const trace = traceFrom(event.traceparent, event.tracestate) ?? traceFrom(event.troupetrace, undefined) ?? callerTrace(request);
        const until = (delivered: Promise<unknown>): void => void holding?.until(delivered);
        const handled = handle({ received, topic, event, until }, trace);
        // The answer may come first.
        until(handled);
        answer(await this.#inTime(handled));
      } catch (error) {
        answer(await this.#refuse(received, error, topic));
      }
    });
  }

  /**
   * Answers RETRY in the place of a handling that takes too long; the handling goes on, and its repetition finds what it did. From daprd
   * 1.18.5 on, pubsub.redis cuts a call at its processingTimeout, and never acknowledges a message that is cut each time. An in-memory
   * broker drops what it should deliver again and cuts nothing, so there it may take its time.
   */
  async #inTime(handling: Promise<Status>): Promise<Status> {
    if (this.#answersAtOnce !== false) return handling;
    const { promise: late, resolve } = Promise.withResolvers<Status>();
    const cancel = this.#options.clock.after(LIMITS.subscriberAnswerMs, () => resolve("RETRY"));
    try {
      return await Promise.race([handling, late]);
    } finally {
      cancel();
      handling.catch((error: unknown) =>
        this.#options.logger.debug({ fault: faultFrom(error, "turn.failed") }, "a handling of a message ended with a fault"),
      );
    }
  }

  /** Handles a task. The receipt is its acknowledgement. */
  async #task(event: CloudEvent, trace: Trace | undefined): Promise<Status> {
    const task = check(TaskRequest, event.data, "message.invalid", "the task in the event's data");
    // The event's id makes a redelivery the same task.
    const id = task.id === undefined ? encodeActorId(event.id) : requireTaskId(task.id);
    const expiresAtMs =
      event.expiration === undefined ? Date.parse(event.time) + LIMITS.messageLifetimeMsDefault : Date.parse(event.expiration);
    if (this.#options.clock.nowMs() > expiresAtMs) {
      // A new consumer reads a stream from its beginning: a task that was done in time is not an invalid message.
      if (await this.#isKnown(id)) return "SUCCESS";
      throw new Fault("message.expired", `event ${event.id} of ${event.time} expired at ${new Date(expiresAtMs).toISOString()}`);
    }
    // The request's token is daprd's and does not identify the publisher.
    try {
      await this.#options.operations.submit({ ...task, id }, { principal: ANONYMOUS, trace }, 0);
    } catch (error) {
      // It was done long ago: its repetition is not an invalid message.
      if (!isFault(error) || error.code !== "process.purged") throw error;
      this.#options.logger.debug({ processId: id }, "received again a task whose process was purged; ignored");
    }
    return "SUCCESS";
  }

  /** A signal: its receipt is its acknowledgement. To a process that has ended it says nothing more. */
  async #signal(event: CloudEvent, trace: Trace | undefined): Promise<Status> {
    const { processId, name, payload = null, id } = check(SignalEvent, event.data, "message.invalid", "the signal in the event's data");
    try {
      await this.#options.operations.signal(processId, name, payload, { principal: ANONYMOUS, trace }, id ?? encodeActorId(event.id));
    } catch (error) {
      if (!isFault(error) || (error.code !== "process.ended" && error.code !== "process.purged")) throw error;
      this.#options.logger.debug({ processId, signal: name }, "a signal came for a process that has ended");
    }
    return "SUCCESS";
  }

  /** A person's decision: its receipt is its acknowledgement. One that comes after another, or after the end, says nothing more. */
  async #decision(event: CloudEvent, trace: Trace | undefined): Promise<Status> {
    const { keys, clock, operations, logger } = this.#options;
    const { requestId, decision, principal, tenant } = await readDecision(event.data, keys.decisionKeys, clock.nowMs());
    try {
      await operationsOf(operations, tenant).decide(requestId, decision, { principal, trace });
    } catch (error) {
      if (!isFault(error) || !LATE_DECISIONS.includes(error.code)) throw error;
      logger.debug({ requestId, by: principal.subject, code: error.code }, "a decision came too late");
    }
    return "SUCCESS";
  }

  /** Whether the process exists or existed. Throws when that is unknown. */
  async #isKnown(id: string): Promise<boolean> {
    try {
      await this.#options.operations.process(id);
      return true;
    } catch (error) {
      if (!isFault(error) || (error.code !== "process.unknown" && error.code !== "process.purged")) throw error;
      return error.code === "process.purged";
    }
  }

  /** Delivers messages for the actors of one type. */
  #forwarder(type: string): Subscription["handle"] {
    const queue = new PQueue({ concurrency: LIMITS.agentConcurrencyDefault });
    this.#queues.push(queue);
    return async (delivered) => {
      const { event } = delivered;
      const message = checkMessage(this.#options.keys, event.data, "the message in the event's data");
      if (message.to.type !== type)
        throw new Fault("message.invalid", `message ${message.id} is for ${message.to.type} but came on the topic of ${type}`);
      if (this.#answersAtOnce === false) return this.#deliver(message, delivered);
      if (queue.size >= LIMITS.subscriberQueueMax) return "RETRY";
      delivered.until(queue.add(() => this.#deliver(message, delivered)));
      return "SUCCESS";
    };
  }

  /** Delivers a message. Never throws. A final refusal is acknowledged: the sender retries directly and receives it then. */
  async #deliver(message: Message, { received, topic }: Delivered): Promise<Status> {
    const facts = { messageId: message.id, processId: message.processId, to: message.to };
    try {
      const answer = await this.#options.transport.deliver(message);
      if ("receipt" in answer) return "SUCCESS";
      this.#options.logger.debug({ ...facts, fault: answer.refused }, "an actor refused a message");
      if (FINAL_REFUSALS.includes(answer.refused.code)) return await this.#keep(received, answer.refused, topic);
      return isRetryable(answer.refused) ? "RETRY" : "SUCCESS";
    } catch (error) {
      const fault = faultFrom(error, "sidecar.unavailable");
      this.#options.logger.debug({ ...facts, fault }, "a message was not delivered; its sender will retry");
      return isRetryable(fault) ? "RETRY" : "SUCCESS";
    }
  }

  /**
   * Refuses an event by its fault: a temporary fault makes the broker deliver it again; otherwise it is kept in the
   * dead letter queue first. A message of a newer version or with an unknown key is kept too. If it were given back, it
   * would occupy one of the broker's handlers for as long as a deployment lasts, and a few of them all handlers. Its
   * sender retries directly.
   */
  async #refuse(received: Bytes | undefined, error: unknown, topic: string): Promise<Status> {
    const fault = faultFrom(error, "turn.failed");
    // Without bytes there is nothing to keep: the body did not arrive completely.
    if (received === undefined || (isRetryable(fault) && !KEPT_REFUSALS.includes(fault.code))) return "RETRY";
    return this.#keep(received, fault, topic);
  }

  async #keep(received: Bytes, fault: WireFault, topic: string): Promise<Status> {
    const invalid = { bytes: { ...received, publishedAtMs: toldAtMs(received) }, fault, topic };
    // An invalid message is not sent again, so a broker that may be durable keeps it until the dead letter queue has
    // stored it.
    const isKept = this.#answersAtOnce === true ? this.#invalid.queue(invalid) : await this.#invalid.keep(invalid);
    return isKept ? "SUCCESS" : "RETRY";
  }
}

function toldAtMs({ bytes, cut }: Bytes): number | undefined {
  if (cut) return undefined;
  try {
    const told = Told.safeParse(parseBytes(bytes));
    return told.success ? Date.parse(told.data.time) : undefined;
  } catch {
    // Text that is not JSON has no time.
    return undefined;
  }
}
