/** @module Messages from outside: checked strictly, and distinguished from messages of a newer version of this software. */
import { Fault } from "../../runtime/faults.ts";
import { Message } from "../../runtime/protocol.ts";
import type { MessageKeys } from "../engine/signatures.ts";
import { check } from "./body.ts";

/** The message version that this host reads. */
const MESSAGE_VERSION = 1;

/**
 * Checks a message and its signature.
 * @throws `message.signature`; `message.invalid`; `journal.newer`, which is retryable, for a newer version: during a deployment the sender
 * retries until a new host answers. A message of a newer version from the broker is kept in the dead letter queue.
 */
export function checkMessage(keys: MessageKeys, sealed: unknown, what: string): Message {
  const value = keys.open(sealed);
  const version = typeof value === "object" && value !== null && "v" in value ? value.v : undefined;
  if (typeof version === "number" && version > MESSAGE_VERSION) {
    throw new Fault("journal.newer", `${what} has version ${version}; this host reads versions up to ${MESSAGE_VERSION}`, { version });
  }
  return check<Message>(Message, value, "message.invalid", what);
}
