/**
 * @module JSON text from outside: what `JSON.parse` would change without a word is a fault that names its place, and what the parsed value
 * takes in memory is known before it is parsed. Pure.
 */
import { Fault, type Json } from "./faults.ts";
import { placeText } from "./place.ts";

/** Maximum nesting of a text: what canonical.ts accepts, plus the levels of an envelope around it. */
const DEPTH_LEVELS_MAX = 264;
/** Characters of a parser's message that a fault repeats. */
const ECHO_CHARS = 160;
/** Characters of an integer below which it cannot exceed 2^53. */
const SAFE_CHARS_MAX = 15;
const BYTE_ORDER_MARK = "\uFEFF";

/** Bytes of heap that parts of a value take in V8, rounded up: 350,000 empty objects in 1 MiB of text take 22 MiB. */
const HEAP_BYTES = { object: 64, list: 48, item: 16, key: 24, number: 16, text: 24, character: 2 } as const;

const QUOTE_CODE = 0x22;
const BACKSLASH_CODE = 0x5c;
const COMMA_CODE = 0x2c;
const COLON_CODE = 0x3a;
const MINUS_CODE = 0x2d;
const OPEN_LIST_CODE = 0x5b;
const CLOSE_LIST_CODE = 0x5d;
const OPEN_OBJECT_CODE = 0x7b;
const CLOSE_OBJECT_CODE = 0x7d;
const SMALL_U_CODE = 0x75;
const ZERO_CODE = 0x30;
const NINE_CODE = 0x39;

/**
 * Parses JSON text. A byte order mark at its beginning is skipped. `admit` gets the bytes of heap that the value will take, and may throw.
 * @throws `body.invalid`
 */
export function parseJsonText(given: string, what: string, admit: (heapBytes: number) => void = () => {}): Json {
  const text = given.startsWith(BYTE_ORDER_MARK) ? given.slice(1) : given;
  const { depth, heapBytes, flaw } = measure(text);
  if (depth > DEPTH_LEVELS_MAX) throw new Fault("body.invalid", `${what} is nested deeper than ${DEPTH_LEVELS_MAX} levels`);
  admit(heapBytes);
  let parsed: Json;
  try {
    parsed = JSON.parse(text) as Json;
  } catch (error) {
    throw new Fault("body.invalid", `${what} is not JSON: ${error instanceof Error ? error.message.slice(0, ECHO_CHARS) : "no reason"}`);
  }
  if (flaw === undefined) return parsed;
  const path = placeAt(text, flaw.at);
  throw new Fault("body.invalid", `${what}${path === "" ? "" : ` at ${path}`}: ${flaw.text}`, { path });
}

/** Bytes of heap that a value takes, estimated from its structure. */
export function heapSize(value: Json): number {
  if (typeof value === "string") return HEAP_BYTES.text + HEAP_BYTES.character * value.length;
  if (typeof value !== "object" || value === null) return HEAP_BYTES.number;
  let bytes: number = HEAP_BYTES.object;
  if (Array.isArray(value)) for (const item of value as readonly Json[]) bytes += HEAP_BYTES.item + heapSize(item);
  else
    for (const [key, item] of Object.entries(value))
      bytes += HEAP_BYTES.item + HEAP_BYTES.key + HEAP_BYTES.character * key.length + heapSize(item);
  return bytes;
}

/** Something that `JSON.parse` would take and change. */
interface Flaw {
  readonly at: number;
  readonly text: string;
}

interface Measured {
  /** Maximum nesting of brackets outside strings. */
  readonly depth: number;
  readonly heapBytes: number;
  readonly flaw: Flaw | undefined;
}

/** Goes through a text once. A loop, because recursion over hostile JSON would overflow the stack. The text need not be valid JSON. */
function measure(text: string): Measured {
  let level = 0;
  let depth = 0;
  let heapBytes = 0;
  let flaw: Flaw | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE_CODE) {
      const end = stringEnd(text, at);
      heapBytes += HEAP_BYTES.text + HEAP_BYTES.character * (end.at - at);
      if (end.halfAt !== undefined)
        flaw ??= { at: end.halfAt, text: "half of a surrogate pair, which is not a character; send whole characters" };
      at = end.at;
    } else if (code === OPEN_LIST_CODE || code === OPEN_OBJECT_CODE) {
      level += 1;
      depth = Math.max(depth, level);
      heapBytes += code === OPEN_LIST_CODE ? HEAP_BYTES.list : HEAP_BYTES.object;
    } else if (code === CLOSE_LIST_CODE || code === CLOSE_OBJECT_CODE) level -= 1;
    else if (code === COMMA_CODE) heapBytes += HEAP_BYTES.item;
    else if (code === COLON_CODE) heapBytes += HEAP_BYTES.key;
    else if (code === MINUS_CODE || isDigit(code)) {
      const end = numberEnd(text, at);
      heapBytes += HEAP_BYTES.number;
      flaw ??= changedNumber(text, at, end);
      at = end - 1;
    }
  }
  return { depth, heapBytes, flaw };
}

/** The closing quote of the string that begins at `from`, and its first half of a surrogate pair, which only an escape can be. */
function stringEnd(text: string, from: number): { readonly at: number; readonly halfAt: number | undefined } {
  let halfAt: number | undefined;
  let at = from + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE_CODE) break;
    if (code !== BACKSLASH_CODE) at += 1;
    else if (isHigh(escapeAt(text, at)) && isLow(escapeAt(text, at + ESCAPE_CHARS))) at += 2 * ESCAPE_CHARS;
    else {
      const escaped = escapeAt(text, at);
      if (isHigh(escaped) || isLow(escaped)) halfAt ??= at;
      at += 2;
    }
  }
  return { at, halfAt };
}

/** Characters of `\uD83D`. */
const ESCAPE_CHARS = 6;

/** The code of the escape `\uXXXX` at a place, or -1. */
function escapeAt(text: string, at: number): number {
  if (text.charCodeAt(at) !== BACKSLASH_CODE || text.charCodeAt(at + 1) !== SMALL_U_CODE) return -1;
  const hex = text.slice(at + 2, at + ESCAPE_CHARS);
  return /^[0-9a-fA-F]{4}$/.test(hex) ? Number.parseInt(hex, 16) : -1;
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

function isDigit(code: number): boolean {
  return code >= ZERO_CODE && code <= NINE_CODE;
}

const IN_NUMBER = /[0-9.eE+-]/;

function numberEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && IN_NUMBER.test(text.charAt(at))) at += 1;
  return at;
}

/** An integer that would be read as another one. What this system writes itself is read as it was written. */
function changedNumber(text: string, from: number, end: number): Flaw | undefined {
  if (end - from <= SAFE_CHARS_MAX) return undefined;
  const written = text.slice(from, end);
  if (!/^-?\d+$/.test(written) || String(Number(written)) === written) return undefined;
  const shown = written.length > ECHO_CHARS ? `${written.slice(0, ECHO_CHARS)}...` : written;
  return { at: from, text: `${shown} is larger than a JSON number holds exactly (2^53 - 1); send it as a string` };
}

/** The path of what stands at an index of a valid JSON text, such as `items[0].price`; empty for the value itself. */
function placeAt(text: string, place: number): string {
  const path: (string | number)[] = [];
  const isList: boolean[] = [];
  let quotedAt = -1;
  for (let at = 0; at < place; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE_CODE) {
      quotedAt = at;
      at = stringEnd(text, at).at;
    } else if (code === OPEN_LIST_CODE || code === OPEN_OBJECT_CODE) {
      isList.push(code === OPEN_LIST_CODE);
      path.push(code === OPEN_LIST_CODE ? 0 : "");
    } else if (code === CLOSE_LIST_CODE || code === CLOSE_OBJECT_CODE) {
      isList.pop();
      path.pop();
    } else if (code === COLON_CODE) path[path.length - 1] = JSON.parse(text.slice(quotedAt, stringEnd(text, quotedAt).at + 1)) as string;
    else if (code === COMMA_CODE && isList.at(-1) === true) path[path.length - 1] = Number(path.at(-1)) + 1;
  }
  // A key that is itself the flaw has no name.
  return placeText(path.at(-1) === "" ? path.slice(0, -1) : path);
}
