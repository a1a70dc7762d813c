/**
 * @module Signatures of messages between actors: an HMAC over the canonical message with a key that all hosts of a system share.
 *
 * Otherwise any client that may publish on a topic or call daprd could send a message in the name of any actor and principal.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { canonicalJson } from "../../runtime/canonical.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Message } from "../../runtime/protocol.ts";

/** Separates these signatures from any other use of the key. */
const PURPOSE = "troupe message 1\n";
const DECISIONS = "troupe decisions 1\n";
/** The field beside those of the message that carries its signature. */
const FIELD = "mac";
/** Bytes that a signature adds to the text of a message: a SHA-256 in base64url and its field. */
export const SIGNATURE_BYTES = `"${FIELD}":"",`.length + 43;

/** The message keys of one host. */
export class MessageKeys {
  readonly #keys: readonly string[];

  /**
   * The first key signs; all are accepted. Without a key, nothing is signed or checked.
   * @throws `tokens.invalid` for a key that is too short
   */
  constructor(keys: readonly string[] = []) {
    for (const [index, key] of keys.entries())
      if (key.length < LIMITS.messageKeyCharsMin)
        throw new Fault(
          "tokens.invalid",
          `message key ${index + 1} has ${key.length} characters; at least ${LIMITS.messageKeyCharsMin} random ones are needed`,
        );
    this.#keys = keys;
  }

  /** Whether messages are signed and checked. */
  get isSigning(): boolean {
    return this.#keys.length > 0;
  }

  /** The keys of decisions on the topic of this host, see {@link decisionKey}. */
  get decisionKeys(): readonly string[] {
    return this.#keys.map(decisionKey);
  }

  /** The message as JSON text, with its signature. */
  seal(message: Message): string {
    const text = JSON.stringify(message);
    const [key] = this.#keys;
    if (key === undefined) return text;
    // Of the text, because that is what the receiver sees.
    return `{"${FIELD}":"${macOf(key, JSON.parse(text) as Json).toString("base64url")}",${text.slice(1)}`;
  }

  /**
   * What was sealed, without its signature. Its form is not checked here.
   * @throws `message.signature` when no key of this host made the signature
   */
  open(sealed: unknown): unknown {
    if (typeof sealed !== "object" || sealed === null || Array.isArray(sealed)) return sealed;
    const { [FIELD]: mac, ...message } = sealed as Record<string, Json>;
    if (this.isSigning && !this.#isSigned(message, mac))
      throw new Fault(
        "message.signature",
        mac === undefined ? "the message is not signed" : "the message is not signed with a key of this host",
      );
    return message;
  }

  #isSigned(message: Json, mac: Json | undefined): boolean {
    if (typeof mac !== "string") return false;
    const offered = Buffer.from(mac, "base64url");
    try {
      return this.#keys.some((key) => isEqual(macOf(key, message), offered));
    } catch {
      // Nested too deeply for a canonical text, so none of ours.
      return false;
    }
  }
}

/**
 * The key with which a program outside signs decisions of people, in hex. It is derived from a message key, so who has it can sign nothing
 * else: `printf 'troupe decisions 1\n' | openssl dgst -sha256 -hmac "$TROUPE_MESSAGE_KEY"`.
 */
export function decisionKey(messageKey: string): string {
  return createHmac("sha256", messageKey).update(DECISIONS).digest("hex");
}

function macOf(key: string, message: Json): Buffer {
  return createHmac("sha256", key).update(PURPOSE).update(canonicalJson(message)).digest();
}

function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
