/**
 * @module Batches event notifications: those that arrive while a request is in flight are sent together in the next
 * one.
 *
 * A notification that the broker did not take is sent again with the next reminder of its process. Events of a group
 * that failed may therefore be sent twice.
 */
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { excerpt, segment, type SidecarClient } from "./client.ts";

/** Notifications in one request. More gain nothing. */
const GROUP_NOTICES_MAX = 64;
/** Bytes of the events of one request. A larger notification is sent alone. */
const GROUP_BYTES_MAX = LIMITS.bodyBytesMax / 4;
const STATUS_NO_CONTENT = 204;

interface Waiting {
  /** A CloudEvent as JSON text. */
  readonly event: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Sends the notifications of one topic, one request at a time. */
export class NotificationLine {
  readonly #client: SidecarClient;
  readonly #topic: string;
  readonly #path: string;
  #waiting: Waiting[] = [];
  #sending = false;

  constructor(client: SidecarClient, pubsub: string, topic: string) {
    this.#client = client;
    this.#topic = topic;
    this.#path = `/v1.0/publish/bulk/${segment(pubsub)}/${segment(topic)}`;
  }

  /**
   * Resolves when the broker has taken the event.
   * @throws `sidecar.unavailable`
   */
  tell(event: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, resolve, reject });
      if (!this.#sending) void this.#send();
    });
  }

  async #send(): Promise<void> {
    this.#sending = true;
    while (this.#waiting.length > 0) {
      const group = this.#take();
      try {
        await this.#publish(group);
        for (const notification of group) notification.resolve();
      } catch (error) {
        for (const notification of group) notification.reject(error);
      }
    }
    this.#sending = false;
  }

  #take(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { event } of this.#waiting) {
      bytes += Buffer.byteLength(event);
      if (count >= GROUP_NOTICES_MAX || (count > 0 && bytes > GROUP_BYTES_MAX)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #publish(group: readonly Waiting[]): Promise<void> {
    const entries = group.map(({ event }, index) => `{"entryId":"${index}","contentType":"application/cloudevents+json","event":${event}}`);
    const answer = await this.#client.call({ method: "POST", path: this.#path, body: `[${entries.join(",")}]` });
    if (answer.status !== STATUS_NO_CONTENT) throw new Fault("sidecar.unavailable", `publish to ${this.#topic}: ${excerpt(answer)}`);
  }
}
