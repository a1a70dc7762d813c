/**
 * @module The exact bytes that were published on a topic.
 *
 * The topics are subscribed to with `rawPayload`: daprd delivers the broker's bytes in an envelope of its own, as
 * base64, and does not parse them. If daprd parsed them, a message that is not JSON would never arrive and would be
 * acknowledged on redis, an expired one would be dropped, and a `traceid` that is not text would end daprd's process
 * (dapr 1.18.2 pkg/runtime/subscription/subscription.go, pkg/runtime/subscription/postman/http/http.go).
 */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { LIMITS } from "../../runtime/limits.ts";
import { type Bytes, type Measured, type Meter, parseBytes, readBytes } from "./body.ts";

/** The beginning of daprd's envelope: Go writes the keys in their order. */
const ENVELOPE = Buffer.from('{"data_base64":"');
const BASE64_KEY = '"data_base64"';
const QUOTE_CODE = 0x22;
/** Base64 has four characters for three bytes. */
const BASE64_CHARS = 4;
const BASE64_BYTES = 3;
/** Maximum size of the attributes of daprd's envelope: ids, names of topic and component. */
const ENVELOPE_BYTES_MAX = 65_536;
const DELIVERED_BYTES_MAX = Math.ceil((LIMITS.bodyBytesMax * BASE64_CHARS) / BASE64_BYTES) + ENVELOPE_BYTES_MAX;

/**
 * Reads a delivery of daprd on a topic, without its envelope. `cut`: it is larger than LIMITS.bodyBytesMax. Throws as {@link readBytes}
 * does.
 */
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

/** Unwraps an envelope whose keys are in another order. */
function otherwiseUnwrapped(bytes: Buffer): Buffer {
  try {
    const envelope = parseBytes(bytes);
    const isObject = typeof envelope === "object" && envelope !== null && !Array.isArray(envelope);
    const inside = isObject && !("data" in envelope) && "data_base64" in envelope ? envelope["data_base64"] : undefined;
    return typeof inside === "string" ? Buffer.from(inside, "base64") : bytes;
  } catch {
    // Not JSON, so not an envelope.
    return bytes;
  }
}

function isEnvelope(bytes: Buffer): boolean {
  return bytes.length >= ENVELOPE.length && bytes.compare(ENVELOPE, 0, ENVELOPE.length, 0, ENVELOPE.length) === 0;
}

/** Measures a delivery that is too large to keep: size, hash and first bytes, without the envelope. */
class PublishedMeter implements Meter {
  readonly #hash = createHash("sha256");
  readonly #first: Buffer[] = [];
  #size = 0;
  #place: "begin" | "base64" | "end" | "plain" = "begin";
  /** Characters of base64 that do not make a whole byte yet. */
  #carry = "";

  /** Takes the next chunk. The first one contains everything that was read until now. */
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
