/**
 * @module The canonical text of a JSON value, and its hash. Pure.
 *
 * Keys are sorted and `undefined` is omitted, so that equal values have equal text on every host (after RFC 8785, JSON
 * Canonicalization Scheme; numbers as ECMAScript prints them, as the RFC requires).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Json } from "./faults.ts";

/** The canonical text of a JSON value. Throws for values that are not JSON: functions, NaN, cycles, class instances. */
export function canonicalJson(value: Json): string {
  return write(value, 0);
}

/** Copies the system's own data as JSON; properties that are `undefined` are absent in the copy. */
export function plainJson(data: unknown): Json {
  // Text is returned unchanged, with any characters.
  if (data === null || typeof data === "string" || typeof data === "boolean") return data;
  return JSON.parse(JSON.stringify(data)) as Json;
}

const DEPTH_MAX = 256;
/** Text that JSON contains unchanged: no quotes, backslashes or control characters, and no half of a surrogate pair. */
const PLAIN = /^[ !#-[\]-~]*$/;

function write(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX) throw new TypeError(`a value is nested deeper than ${DEPTH_MAX} levels`);
  if (typeof value === "string") return writeText(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${value} is not a JSON number`);
    return String(value);
  }
  if (Array.isArray(value)) return writeList(value, depth);
  if (typeof value === "object") return writeObject(value, depth);
  throw new TypeError(`a ${typeof value} is not a JSON value`);
}

function writeText(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  // Half of a surrogate pair is not Unicode text. A broker would replace it by another character.
  if (!text.isWellFormed()) throw new TypeError("a text contains half of a surrogate pair");
  return JSON.stringify(text);
}

function writeList(list: readonly unknown[], depth: number): string {
  let text = "[";
  for (let index = 0; index < list.length; index += 1) text += `${index === 0 ? "" : ","}${write(list[index], depth + 1)}`;
  return `${text}]`;
}

function writeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError("a class instance is not a JSON value");
  let text = "";
  for (const key of Object.keys(value).sort()) {
    const item: unknown = (value as Record<string, unknown>)[key];
    if (item !== undefined) text += `${text === "" ? "" : ","}${writeText(key)}:${write(item, depth + 1)}`;
  }
  return `{${text}}`;
}

/** Hashes of short texts. Hashing is pure, so results may be cached; the oldest is evicted first. The most frequent text is `null`. */
const hashed = new Map<string, string>();
const HASHED_MAX = 1_024;
const HASHED_LENGTH_MAX = 256;

/** SHA-256 of a text, in hex. */
export function hashText(text: string): string {
  if (text.length > HASHED_LENGTH_MAX) return digest(text);
  const known = hashed.get(text);
  if (known !== undefined) return known;
  const made = digest(text);
  if (hashed.size >= HASHED_MAX) hashed.delete(hashed.keys().next().value ?? "");
  hashed.set(text, made);
  return made;
}

function digest(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}

/** SHA-256 of a value's canonical text, in hex. Equal values have equal hashes. */
export function hashJson(value: Json): string {
  return hashText(canonicalJson(value));
}

/**
 * The approximate length of a value's JSON text, computed without writing it. It is exact where nothing is escaped and all characters are
 * ASCII.
 */
export function jsonSize(value: Json): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return String(value).length;
  if (Array.isArray(value)) return listSize(value as readonly Json[]);
  const object = value as Readonly<Record<string, Json>>;
  const names = Object.keys(object);
  let size = 1 + Math.max(1, names.length);
  for (const name of names) size += name.length + 3 + jsonSize(object[name] ?? null);
  return size;
}

function listSize(list: readonly Json[]): number {
  let size = 1 + Math.max(1, list.length);
  for (const item of list) size += jsonSize(item);
  return size;
}

/** Size of a text in UTF-8, in bytes. */
export function textBytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (code >= 0xd800 && code < 0xdc00) {
      bytes += 4;
      index += 1;
    } else bytes += 3;
  }
  return bytes;
}
