/**
 * @module What was published on a topic, byte by byte.
 *
 * The topics are subscribed to with `rawPayload`: daprd hands over what lies on the broker in an envelope of its own, as
 * base64, and reads nothing of it. Read by daprd, what is no JSON never comes here and is acknowledged on redis, what has
 * expired is dropped, and a `traceid` that is no text ends daprd's whole process (dapr 1.18.2
 * pkg/runtime/subscription/subscription.go, pkg/runtime/subscription/postman/http/http.go).
 */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { LIMITS } from "../../runtime/limits.ts";
import { type Bytes, type Measured, type Meter, parseBytes, readBytes } from "./body.ts";

/** How daprd's envelope begins: Go writes the keys in their order. */
const ENVELOPE = Buffer.from('{"data_base64":"');
const BASE64_KEY = '"data_base64"';
const QUOTE_CODE = 0x22;
/** Base64 has four characters for three bytes. */
const BASE64_CHARS = 4;
const BASE64_BYTES = 3;
/** Attributes of daprd's envelope: ids, names of topic and component. */
const ENVELOPE_BYTES_MAX = 65_536;
const DELIVERED_BYTES_MAX = Math.ceil((LIMITS.bodyBytesMax * BASE64_CHARS) / BASE64_BYTES) + ENVELOPE_BYTES_MAX;

/** Reads what daprd delivers of a topic, without its envelope. `cut`: it is larger than LIMITS.bodyBytesMax. Throws as {@link readBytes}. */
export async function readPublished(request: IncomingMessage): Promise<Bytes> {
  const delivered = await readBytes(request, DELIVERED_BYTES_MAX, () => new PublishedMeter());
  if (delivered.cut) return delivered;
  const bytes = unwrapped(delivered.bytes);
  return { bytes, cut: bytes.length > LIMITS.bodyBytesMax, size: bytes.length };
}

function unwrapped(bytes: Buffer): Buffer {
  if (isEnvelope(bytes)) {
    const end = bytes.indexOf(QUOTE_CODE, ENVELOPE.length);
    if (end >= 0) return Buffer.from(bytes.toString("latin1", ENVELOPE.length, end), "base64");
  }
  return bytes.includes(BASE64_KEY) ? otherwiseUnwrapped(bytes) : bytes;
}

/** An envelope whose keys stand in another order. */
function otherwiseUnwrapped(bytes: Buffer): Buffer {
  try {
    const envelope = parseBytes(bytes);
    const isObject = typeof envelope === "object" && envelope !== null && !Array.isArray(envelope);
    const inside = isObject && !("data" in envelope) && "data_base64" in envelope ? envelope["data_base64"] : undefined;
    return typeof inside === "string" ? Buffer.from(inside, "base64") : bytes;
  } catch {
    // No JSON, so no envelope.
    return bytes;
  }
}

function isEnvelope(bytes: Buffer): boolean {
  return bytes.length >= ENVELOPE.length && bytes.compare(ENVELOPE, 0, ENVELOPE.length, 0, ENVELOPE.length) === 0;
}

/** Measures what is too large to be kept whole: its size, its hash, and its first bytes, without the envelope. */
class PublishedMeter implements Meter {
  readonly #hash = createHash("sha256");
  readonly #first: Buffer[] = [];
  #size = 0;
  #place: "begin" | "base64" | "end" | "plain" = "begin";
  /** Characters of base64 that make no whole byte yet. */
  #carry = "";

  /** The first chunk has the whole beginning: it is what was read until now. */
  take(chunk: Buffer): void {
    if (this.#place === "begin") {
      this.#place = isEnvelope(chunk) ? "base64" : "plain";
      this.take(this.#place === "base64" ? chunk.subarray(ENVELOPE.length) : chunk);
    } else if (this.#place === "base64") this.#decode(chunk);
    else if (this.#place === "plain") this.#count(chunk);
  }

  #decode(chunk: Buffer): void {
    const end = chunk.indexOf(QUOTE_CODE);
    const text = this.#carry + chunk.toString("latin1", 0, end < 0 ? chunk.length : end);
    const whole = end < 0 ? text.length - (text.length % BASE64_CHARS) : text.length;
    this.#count(Buffer.from(text.slice(0, whole), "base64"));
    this.#carry = text.slice(whole);
    if (end >= 0) this.#place = "end";
  }

  #count(bytes: Buffer): void {
    this.#hash.update(bytes);
    if (this.#size < LIMITS.invalidBytesMax) this.#first.push(bytes.subarray(0, LIMITS.invalidBytesMax - this.#size));
    this.#size += bytes.length;
  }

  measured(): Measured {
    return { bytes: Buffer.concat(this.#first), size: this.#size, sha256: this.#hash.digest("hex") };
  }
}
