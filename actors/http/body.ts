/**
 * @module Request bodies: bytes up to a limit, JSON up to a depth, strict schemas whose faults name the place and the
 * expectation.
 *
 * Express's own parsers are not used: they answer bad JSON themselves and discard the bytes, but a message that cannot
 * be read must be kept, as bytes, in the dead letter queue.
 */
import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { Fault, type FaultCode, type Json } from "../../runtime/faults.ts";
import { parseJsonText } from "../../runtime/json-text.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { violationOf } from "../../runtime/schema.ts";
import { holdingOf } from "./in-flight.ts";

/** Violations listed in the details of one fault. */
const ISSUES_MAX = 8;
/** Characters of a name or value that a fault repeats. */
const ECHO_CHARS = 80;

/** The bytes of a body. Bytes beyond the limit are read and dropped, so that the sender gets the answer. */
export interface Bytes {
  readonly bytes: Buffer;
  /** Whether the body was larger than the limit; then `bytes` is its beginning. */
  readonly cut: boolean;
  /** Size of the whole body, in bytes. */
  readonly size: number;
  /** SHA-256 of a whole body that was cut, in hex. */
  readonly sha256?: string;
}

/** The result of a {@link Meter}. */
export type Measured = Pick<Bytes, "bytes" | "size" | "sha256">;

/** Measures a body that is larger than its limit, from its first byte on, without keeping it. */
export interface Meter {
  /** Takes the next chunk. The first call gets everything that was read until the limit was exceeded. */
  take(chunk: Buffer): void;
  measured(): Measured;
}

/**
 * Reads a body of at most `bytesMax` bytes, by default LIMITS.bodyBytesMax. For a larger one the result has its beginning, or what the
 * meter measured.
 * @throws `body.invalid` when the sender disconnected or the body is compressed; `body.too-many`
 */
export async function readBytes(request: IncomingMessage, bytesMax: number = LIMITS.bodyBytesMax, newMeter?: () => Meter): Promise<Bytes> {
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity")
    throw new Fault("body.invalid", `content-encoding ${encoding.slice(0, ECHO_CHARS)} is not supported; send the body uncompressed`);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const holding = holdingOf(request);
    let refused: unknown;
    let size = 0;
    let meter: Meter | undefined;
    // Events, because an async iterator over the request costs more than everything else in reading it.
    request.on("data", (chunk: Buffer) => {
      const room = bytesMax - size;
      size += chunk.length;
      if (chunk.length > room && meter === undefined) {
        meter = newMeter?.();
        meter?.take(Buffer.concat([...chunks, chunk]));
      } else meter?.take(chunk);
      if (room <= 0 || refused !== undefined) return;
      try {
        holding?.add(Math.min(chunk.length, room));
        chunks.push(chunk.subarray(0, room));
      } catch (error) {
        // The rest is read and dropped, so that the sender gets the answer.
        refused = error;
        chunks.length = 0;
      }
    });
    const broken = (): void => {
      if (!request.readableEnded) reject(new Fault("body.invalid", "the request ended before its body was complete"));
    };
    request.once("end", () => {
      if (refused !== undefined) return reject(refused);
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      resolve({ bytes, size, ...meter?.measured(), cut: size > bytesMax });
    });
    request.once("close", broken);
    request.once("error", broken);
  });
}

/**
 * The JSON of a body, or undefined when the body is empty.
 * @throws `message.too-large`, `body.invalid`, `body.too-many`
 */
export async function readJson(request: IncomingMessage): Promise<Json | undefined> {
  const { bytes, cut } = await readBytes(request);
  if (cut) throw tooLarge();
  return bytes.length === 0 ? undefined : parseBytes(bytes, (heapBytes) => holdingOf(request)?.add(heapBytes));
}

/**
 * Requires the content type of JSON, even without a body: a page of another site may send other types without a CORS preflight.
 * @throws `body.invalid`
 */
export function requireJson(request: IncomingMessage): void {
  if (!JSON_TYPE.test(request.headers["content-type"] ?? ""))
    throw new Fault("body.invalid", "send the request with content-type application/json, also without a body");
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** The fault of a body above the limit. */
export function tooLarge(): Fault {
  return new Fault("message.too-large", `the body is too large; at most ${LIMITS.bodyBytesMax} bytes are allowed`, {
    bytesMax: LIMITS.bodyBytesMax,
  });
}

/**
 * Parses bytes as JSON. `admit` gets the bytes of heap that the value will take, and may throw.
 * @throws `body.invalid`
 */
export function parseBytes(bytes: Buffer, admit?: (heapBytes: number) => void): Json {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Fault("body.invalid", "the body is not UTF-8");
  }
  return parseJsonText(text, "the body", admit);
}

/** Checks a value against a strict schema. The fault names the first place that does not match and what was expected there. */
export function check<T>(schema: z.ZodType<T>, value: unknown, code: FaultCode, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, ISSUES_MAX).map((issue) => violationOf(issue, value as Json));
  const [first] = issues;
  throw new Fault(
    code,
    first === undefined ? `${what} does not match its schema` : `${what}${first.path === "" ? "" : ` at ${first.path}`}: ${first.text}`,
    { issues: issues.map(({ path, expected }) => ({ path, expected })) },
  );
}
