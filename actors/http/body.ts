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
import { LIMITS } from "../../runtime/limits.ts";

/** Maximum nesting of a body: what runtime/canonical.ts accepts, plus the levels of an envelope around it. */
const DEPTH_LEVELS_MAX = 264;
/** Violations listed in the details of one fault. */
const ISSUES_MAX = 8;
/** Characters of a name or value that a fault repeats. */
const ECHO_CHARS = 80;

const QUOTE_CODE = 0x22;
const BACKSLASH_CODE = 0x5c;
const OPEN_BRACKET_CODE = 0x5b;
const CLOSE_BRACKET_CODE = 0x5d;
const OPEN_BRACE_CODE = 0x7b;
const CLOSE_BRACE_CODE = 0x7d;

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
 * @throws `body.invalid` when the sender disconnected or the body is compressed
 */
export async function readBytes(request: IncomingMessage, bytesMax: number = LIMITS.bodyBytesMax, newMeter?: () => Meter): Promise<Bytes> {
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity")
    throw new Fault("body.invalid", `content-encoding ${encoding.slice(0, ECHO_CHARS)} is not supported; send the body uncompressed`);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
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
      if (room > 0) chunks.push(chunk.subarray(0, room));
    });
    const broken = (): void => {
      if (!request.readableEnded) reject(new Fault("body.invalid", "the request ended before its body was complete"));
    };
    request.once("end", () => {
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      resolve({ bytes, size, ...meter?.measured(), cut: size > bytesMax });
    });
    request.once("close", broken);
    request.once("error", broken);
  });
}

/**
 * The JSON of a body, or undefined when the body is empty.
 * @throws `message.too-large`, `body.invalid`
 */
export async function readJson(request: IncomingMessage): Promise<Json | undefined> {
  const { bytes, cut } = await readBytes(request);
  if (cut) throw tooLarge();
  return bytes.length === 0 ? undefined : parseBytes(bytes);
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
 * Parses bytes as JSON.
 * @throws `body.invalid`
 */
export function parseBytes(bytes: Buffer): Json {
  if (depth(bytes) > DEPTH_LEVELS_MAX) throw new Fault("body.invalid", `the body is nested deeper than ${DEPTH_LEVELS_MAX} levels`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Fault("body.invalid", "the body is not UTF-8");
  }
  try {
    return (HALF_PAIR.test(text) ? JSON.parse(text, requireWellFormed) : JSON.parse(text)) as Json;
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(
      "body.invalid",
      `the body is not JSON: ${error instanceof Error ? error.message.slice(0, 2 * ECHO_CHARS) : "it cannot be parsed"}`,
    );
  }
}

/** An escape that may be half of a surrogate pair without the other half. */
const HALF_PAIR = /\\u[dD][89a-fA-F]/;

/**
 * Rejects half of a surrogate pair, which is not a character. daprd stores U+FFFD in its place (Go's encoding/json), so the store would
 * return another value.
 */
function requireWellFormed(this: unknown, key: string, value: unknown): unknown {
  if (!key.isWellFormed() || (typeof value === "string" && !value.isWellFormed()))
    throw new Fault("body.invalid", "a string contains half of a surrogate pair, which is not a character");
  return value;
}

/** Checks a value against a strict schema. The fault names the first place that does not match and what was expected there. */
export function check<T>(schema: z.ZodType<T>, value: unknown, code: FaultCode, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, ISSUES_MAX).flatMap(violations);
  const first = issues[0];
  throw new Fault(code, first === undefined ? `${what} does not match its schema` : `${what}: at ${first.path}: ${first.expected}`, {
    issues: issues.map((issue) => ({ ...issue })),
  });
}

interface Violation {
  readonly path: string;
  readonly expected: string;
}

function violations(issue: z.core.$ZodIssue): readonly Violation[] {
  const at = issue.path.map((part) => String(part).slice(0, ECHO_CHARS));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.slice(0, ISSUES_MAX).map((key) => ({ path: [...at, key.slice(0, ECHO_CHARS)].join("."), expected: "unknown key" }));
  }
  return [{ path: at.join(".") || "the top", expected: issue.message }];
}

/** Maximum nesting of brackets outside strings. A loop, because recursion over hostile JSON would overflow the stack. */
function depth(bytes: Buffer): number {
  let level = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH_CODE) at += 1;
      else if (byte === QUOTE_CODE) inString = false;
    } else if (byte === QUOTE_CODE) inString = true;
    else if (byte === OPEN_BRACKET_CODE || byte === OPEN_BRACE_CODE) {
      level += 1;
      if (level > deepest) deepest = level;
    } else if (byte === CLOSE_BRACKET_CODE || byte === CLOSE_BRACE_CODE) level -= 1;
  }
  return deepest;
}
