/**
 * @module The thin subscribers: a topic's event is checked, handed to the actor and acknowledged on the actor's word.
 *
 * Nothing here is trusted to deliver: whoever sent a message asks again until it has the receiver's receipt. Only tasks
 * from outside have nobody who asks again, so they are acknowledged on their receipt or kept at the dead letter queue.
 */
import { Router } from "express";
import PQueue from "p-queue";
import { z } from "zod";
import { Fault, faultFrom, isFault, isRetryable, type WireFault } from "../../runtime/faults.ts";
import { encodeActorId, requireId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { actorType, ANONYMOUS, topics, type Message, type Trace } from "../../runtime/protocol.ts";
import type { Operations } from "../operations/operations.ts";
import type { Clock, Transport } from "../engine/ports.ts";
import { type Bytes, check, parseBytes, tooLarge } from "./body.ts";
import { checkMessage } from "./message.ts";
import { InvalidMessages } from "./invalid-messages.ts";
import { readPublished } from "./published.ts";
import { SignalEvent, TaskRequest } from "./schemas.ts";
import { traceFrom, traceOf } from "./trace.ts";
import type { Logger } from "../engine/log.ts";

/** Whose topics are served, and whom tasks and messages are handed to. */
export interface SubscriberOptions {
  readonly system: string;
  /** The agents hosted here. */
  readonly agents: readonly string[];
  readonly operations: Operations;
  /** How a message from a topic reaches its actor. */
  readonly transport: Pick<Transport, "deliver">;
  /** The pubsub component. */
  readonly pubsub: string;
  /** Answer before the actor was asked: for pubsub.in-memory, which delivers under a lock that publishers wait for. Undefined: not known yet. */
  readonly answerAtOnce: boolean | (() => boolean | undefined);
  /** Resolves when the sidecar and its components are known, or were waited for long enough. Default: at once. */
  readonly ready?: (() => Promise<unknown>) | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Throws `system.stopping` when no new work may begin. */
  readonly admit: () => void;
}

/** What daprd does with a message: SUCCESS takes it off the broker, RETRY gives it back. */
type Status = "SUCCESS" | "RETRY";

/** A CloudEvent as daprd hands it over; it adds attributes of its own. */
const CloudEvent = z.looseObject({
  id: z.string().min(1),
  time: z.iso.datetime({ offset: true }),
  data: z.unknown().refine((data) => data !== undefined, "data is required"),
  traceparent: z.string().optional(),
  tracestate: z.string().optional(),
  /** daprd writes `ttlInSeconds` of the publisher so. */
  expiration: z.iso.datetime({ offset: true }).optional(),
  /** A traceparent of the publisher's that daprd leaves alone: it replaces `traceparent`, and empties it where tracing is off. */
  troupetrace: z.string().optional(),
});
type CloudEvent = z.infer<typeof CloudEvent>;

/** The moment that an event of any kind tells, if it does. */
const Told = z.looseObject({ time: z.iso.datetime({ offset: true }) });

/** Refusals of an actor that no message of ours gets in good order, so that nobody waits for being told. */
const NOBODYS: readonly string[] = ["message.invalid", "agent.unknown"];

/** What came, and where. */
interface Delivered {
  readonly received: Bytes;
  readonly topic: string;
  readonly event: CloudEvent;
}

interface Subscription {
  readonly topic: string;
  readonly route: string;
  readonly handle: (delivered: Delivered, trace: Trace) => Promise<Status>;
}

/** The topics of one host. */
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

  /** Resolves when what was taken off the broker before its actor was asked has been handed over. */
  async idle(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.onIdle()));
    await this.#invalid.idle();
  }

  /** Nothing that waits is tried again. */
  end(): void {
    this.#invalid.end();
  }

  #subscriptions(): readonly Subscription[] {
    const { system, agents } = this.#options;
    return [
      { topic: topics.tasks(system), route: "/topics/tasks", handle: ({ event }, trace) => this.#task(event, trace) },
      { topic: topics.signals(system), route: "/topics/signals", handle: ({ event }, trace) => this.#signal(event, trace) },
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
      let received: Bytes | undefined;
      try {
        this.#options.admit();
        received = await readPublished(request);
        // A broker in memory forgets what is given back, so nothing is refused only because it came early.
        await this.#options.ready?.();
        if (received.cut) throw tooLarge();
        const event = check(CloudEvent, parseBytes(received.bytes), "message.invalid", "the event");
        answer(
          await handle(
            { received, topic, event },
            traceFrom(event.traceparent, event.tracestate) ?? traceFrom(event.troupetrace, undefined) ?? traceOf(request),
          ),
        );
      } catch (error) {
        answer(await this.#refuse(received, error, topic));
      }
    });
  }

  /** A task: its receipt is its acknowledgement. */
  async #task(event: CloudEvent, trace: Trace): Promise<Status> {
    const task = check(TaskRequest, event.data, "message.invalid", "the task in the event's data");
    // The event's id makes a redelivery the same task.
    const id = task.id === undefined ? encodeActorId(event.id) : requireId(task.id, "task id");
    const expiresAtMs =
      event.expiration === undefined ? Date.parse(event.time) + LIMITS.messageLifetimeMsDefault : Date.parse(event.expiration);
    if (this.#options.clock.nowMs() > expiresAtMs) {
      // A new consumer reads a stream from its beginning: what was done in time is no invalid.
      if (await this.#isKnown(id)) return "SUCCESS";
      throw new Fault("message.expired", `event ${event.id} of ${event.time} expired at ${new Date(expiresAtMs).toISOString()}`);
    }
    // The token of the request is daprd's and says nothing about who published.
    try {
      await this.#options.operations.submit({ ...task, id }, { principal: ANONYMOUS, trace }, 0);
    } catch (error) {
      // It was done long ago: a repetition of it is no invalid.
      if (!isFault(error) || error.code !== "process.purged") throw error;
      this.#options.logger.debug({ processId: id }, "a task came again whose process was purged");
    }
    return "SUCCESS";
  }

  /** A signal: its receipt is its acknowledgement. To a process that has ended it says nothing more. */
  async #signal(event: CloudEvent, trace: Trace): Promise<Status> {
    const { processId, name, payload = null, id } = check(SignalEvent, event.data, "message.invalid", "the signal in the event's data");
    try {
      await this.#options.operations.signal(processId, name, payload, { principal: ANONYMOUS, trace }, id ?? encodeActorId(event.id));
    } catch (error) {
      if (!isFault(error) || (error.code !== "process.ended" && error.code !== "process.purged")) throw error;
      this.#options.logger.debug({ processId, signal: name }, "a signal came for a process that has ended");
    }
    return "SUCCESS";
  }

  /** Whether there is or was such a process. Throws when nobody can tell. */
  async #isKnown(id: string): Promise<boolean> {
    try {
      await this.#options.operations.process(id);
      return true;
    } catch (error) {
      if (!isFault(error) || (error.code !== "process.unknown" && error.code !== "process.purged")) throw error;
      return error.code === "process.purged";
    }
  }

  /** Hands messages for the actors of one type over. */
  #forwarder(type: string): Subscription["handle"] {
    const queue = new PQueue({ concurrency: LIMITS.agentConcurrencyDefault });
    this.#queues.push(queue);
    return async (delivered) => {
      const { event } = delivered;
      const message = checkMessage(event.data, "the message in the event's data");
      if (message.to.type !== type)
        throw new Fault("message.invalid", `message ${message.id} is for ${message.to.type} and came on the topic of ${type}`);
      if (this.#answersAtOnce === false) return this.#deliver(message, delivered);
      if (queue.size >= LIMITS.subscriberQueueMax) return "RETRY";
      void queue.add(() => this.#deliver(message, delivered));
      return "SUCCESS";
    };
  }

  /** Never throws. A refusal that is final is acknowledged: the sender asks again by itself and gets it told. */
  async #deliver(message: Message, { received, topic }: Delivered): Promise<Status> {
    const facts = { messageId: message.id, processId: message.processId, to: message.to };
    try {
      const answer = await this.#options.transport.deliver(message);
      if ("receipt" in answer) return "SUCCESS";
      this.#options.logger.debug({ ...facts, fault: answer.refused }, "an actor refused a message");
      if (NOBODYS.includes(answer.refused.code)) return await this.#keep(received, answer.refused, topic);
      return isRetryable(answer.refused) ? "RETRY" : "SUCCESS";
    } catch (error) {
      const fault = faultFrom(error, "sidecar.unavailable");
      this.#options.logger.debug({ ...facts, fault }, "a message was not delivered; its sender will ask again");
      return isRetryable(fault) ? "RETRY" : "SUCCESS";
    }
  }

  /**
   * What was wrong with an event decides: what may pass is given back, what will not is kept at the dead letter queue first. A message
   * of a newer version is kept too: given back, it would hold a handler of the broker for as long as a deployment lasts,
   * and a few of them all handlers. Its sender asks again by itself.
   */
  async #refuse(received: Bytes | undefined, error: unknown, topic: string): Promise<Status> {
    const fault = faultFrom(error, "turn.failed");
    // Without bytes there is nothing to keep: the body did not arrive whole.
    if (received === undefined || (isRetryable(fault) && fault.code !== "journal.newer")) return "RETRY";
    return this.#keep(received, fault, topic);
  }

  async #keep(received: Bytes, fault: WireFault, topic: string): Promise<Status> {
    const invalid = { bytes: { ...received, publishedAtMs: toldAtMs(received) }, fault, topic };
    // Nobody sends poison again, so a broker that may be a durable one keeps it until the dead letter queue has it.
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
    // No JSON tells nothing.
    return undefined;
  }
}
