/**
 * @module Delivery over the sidecar: through the broker as a CloudEvent, or directly to the actor.
 *
 * Only a receipt with the message's id counts. daprd 1.18.2 can answer an actor call with an empty 200 although the app
 * never ran the turn (pkg/channel/http/http_channel.go). So an answer is parsed strictly, and its status alone proves
 * nothing.
 */
import { z } from "zod";
import { Fault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { DeltaAnswer, type DeltaRequest } from "../../runtime/model/deltas.ts";
import { TurnAnswer, type Address, type Message, type Notification } from "../../runtime/protocol.ts";
import type { Heartbeat, Nudged, Transport } from "../engine/ports.ts";
import { MessageKeys, SIGNATURE_BYTES } from "../engine/signatures.ts";
import { NotificationLine } from "./notifications.ts";
import { codedFault, excerpt, parseJson, segment, type SidecarAnswer, type SidecarClient } from "./client.ts";

const NudgedBody = z.object({ phase: z.string(), bucket: z.string().optional(), isOver: z.boolean().optional() });

const STATUS_OK = 200;
const STATUS_NO_CONTENT = 204;

/** The component and the source name that messages are sent with. */
export interface DaprTransportOptions {
  /** The pubsub component. */
  readonly pubsub: string;
  /** `source` of the CloudEvents: the system's name. */
  readonly source: string;
  /**
   * Sign the messages.
   * @default they are not signed
   */
  readonly keys?: MessageKeys;
}

/** {@link Transport} over the sidecar. */
export class DaprTransport implements Transport {
  readonly #client: SidecarClient;
  readonly #options: DaprTransportOptions;
  readonly #keys: MessageKeys;
  readonly #notifications = new Map<string, NotificationLine>();

  constructor(client: SidecarClient, options: DaprTransportOptions) {
    this.#client = client;
    this.#options = options;
    this.#keys = options.keys ?? new MessageKeys();
  }

  async publish(topic: string, message: Message): Promise<void> {
    const sealed = this.#seal(message);
    const event = {
      id: message.id,
      type: `troupe.${message.body.kind}`,
      time: new Date(message.createdAtMs).toISOString(),
      subject: `${message.to.type}/${message.to.id}`,
    };
    // The message carries the trace. daprd 1.18.2 takes the event's trace from the header, and clears it where tracing
    // is off.
    await this.#publish(topic, this.#event({ ...event, ...traceFields(message.trace) }, sealed), message.trace.traceparent);
  }

  async notification(topic: string, id: string, data: Notification): Promise<void> {
    const line = this.#notifications.get(topic) ?? new NotificationLine(this.#client, this.#options.pubsub, topic);
    this.#notifications.set(topic, line);
    await line.tell(this.#event({ id, type: "troupe.notification", time: new Date(data.atMs).toISOString() }, JSON.stringify(data)));
  }

  async deliver(message: Message): Promise<TurnAnswer> {
    const answer = await this.#method(message.to, "receive", this.#seal(message), message.trace.traceparent);
    const content = answer.status === STATUS_OK ? TurnAnswer.safeParse(parseJson(answer.text)) : undefined;
    if (content?.success !== true) throw failure(message.to, answer);
    if ("receipt" in content.data && content.data.receipt.messageId !== message.id) {
      throw new Fault(
        "sidecar.unavailable",
        `${message.to.type}/${message.to.id} gave a receipt for ${content.data.receipt.messageId} to message ${message.id}`,
      );
    }
    return content.data;
  }

  /** Sends a heartbeat. Never throws: a lost heartbeat is made up by the next one. */
  async heartbeat(actor: Address, beat: Heartbeat): Promise<void> {
    await this.#method(actor, "heartbeat", JSON.stringify(beat)).catch(() => undefined);
  }

  async deltas(process: Address, request: DeltaRequest): Promise<DeltaAnswer> {
    const answer = await this.#method(process, "deltas", JSON.stringify(request));
    const content = answer.status === STATUS_OK ? DeltaAnswer.safeParse(parseJson(answer.text)) : undefined;
    if (content?.success !== true) throw failure(process, answer);
    return content.data;
  }

  async inspect(actor: Address): Promise<Json> {
    const answer = await this.#method(actor, "inspect", "{}");
    const content = answer.status === STATUS_OK ? parseJson(answer.text) : undefined;
    if (content === undefined) throw failure(actor, answer);
    return content;
  }

  async nudge(actor: Address, run: number | undefined): Promise<Nudged> {
    const answer = await this.#method(actor, "nudge", JSON.stringify({ run }));
    // An empty 200 does not prove that the actor was nudged.
    const content = answer.status === STATUS_OK ? NudgedBody.safeParse(parseJson(answer.text)) : undefined;
    if (content?.success !== true) throw failure(actor, answer);
    return content.data;
  }

  #seal(message: Message): string {
    const sealed = this.#keys.seal(message);
    requireSize(message.id, sealed);
    return sealed;
  }

  async #publish(topic: string, event: string, traceparent: string): Promise<void> {
    const answer = await this.#client.call({
      method: "POST",
      path: `/v1.0/publish/${segment(this.#options.pubsub)}/${segment(topic)}`,
      contentType: "application/cloudevents+json",
      body: event,
      headers: { traceparent },
    });
    if (answer.status !== STATUS_NO_CONTENT) throw new Fault("sidecar.unavailable", `publish to ${topic}: ${excerpt(answer)}`);
  }

  /**
   * `datacontenttype` makes daprd keep `data` as JSON. The event's id is the message's id in every resend, so a broker may deduplicate by
   * it. `data` is a JSON text.
   */
  #event(attributes: Readonly<Record<string, unknown>>, data: string): string {
    const event = JSON.stringify({ specversion: "1.0", source: this.#options.source, datacontenttype: "application/json", ...attributes });
    return `${event.slice(0, -1)},"data":${data}}`;
  }

  async #method(actor: Address, method: string, body: string, traceparent?: string): Promise<SidecarAnswer> {
    return this.#client.call({
      method: "POST",
      path: `/v1.0/actors/${segment(actor.type)}/${segment(actor.id)}/method/${method}`,
      body,
      headers: traceparent === undefined ? undefined : { traceparent },
    });
  }
}

function traceFields(trace: Message["trace"]): Readonly<Record<string, string>> {
  return trace.tracestate === undefined
    ? { traceparent: trace.traceparent }
    : { traceparent: trace.traceparent, tracestate: trace.tracestate };
}

/** The fault for an answer that is not a turn answer: the app's own code where the answer has one. */
function failure(actor: Address, answer: SidecarAnswer): Fault {
  const coded = answer.status === STATUS_OK ? undefined : codedFault(answer.text);
  return coded ?? new Fault("sidecar.unavailable", `${actor.type}/${actor.id}: ${excerpt(answer)}`);
}

function requireSize(id: string, text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.messageBytesMax + SIGNATURE_BYTES)
    throw new Fault("message.too-large", `message ${id} has ${bytes} bytes; the limit is ${LIMITS.messageBytesMax}`);
}
