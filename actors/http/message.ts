/**
 * @module A message from outside: checked strictly, and told apart from one that a newer version of this software sent.
 */
import { Fault } from "../../runtime/faults.ts";
import { Message } from "../../runtime/protocol.ts";
import { check } from "./body.ts";

/** The version of messages that this host reads. */
const MESSAGE_VERSION = 1;

/**
 * Checks a message. Throws `message.invalid`, and `journal.newer`, which is retryable, for a newer version: while a
 * deployment goes on, the sender asks again until a new host answers. What the broker brought of it is kept at the dead letter queue.
 */
export function checkMessage(value: unknown, what: string): Message {
  const version = typeof value === "object" && value !== null && "v" in value ? value.v : undefined;
  if (typeof version === "number" && version > MESSAGE_VERSION) {
    throw new Fault("journal.newer", `${what} is of version ${version}; this host reads up to ${MESSAGE_VERSION}`, { version });
  }
  return check<Message>(Message, value, "message.invalid", what);
}
