/**
 * @module One spelling of a JSON value, and its hash. Pure.
 *
 * Keys are sorted and `undefined` is left out, so that equal values have equal text on every host
 * (after RFC 8785, JSON Canonicalization Scheme; numbers as ECMAScript prints them, which is what the RFC asks).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Json } from "./faults.ts";

/** The canonical text of a JSON value. Throws on what is not JSON: functions, NaN, cycles, class instances. */
export function canonicalJson(value: Json): string {
  return write(value, 0);
}

/** Data of the system's own as JSON: a copy in which properties that are `undefined` are absent. */
export function plainJson(data: unknown): Json {
  // A text comes back as it was, whatever is in it.
  if (data === null || typeof data === "string" || typeof data === "boolean") return data;
  return JSON.parse(JSON.stringify(data)) as Json;
}

const DEPTH_MAX = 256;
/** Texts that stand in JSON as they are: no quotes, backslashes or controls, and nothing that could be half a pair. */
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
  // A half of a surrogate pair is no Unicode text; on its way through a broker it would become another character.
  if (!text.isWellFormed()) throw new TypeError("a text holds half a surrogate pair");
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

/** Hashing is pure, so results for short texts may be kept; the oldest is forgotten first. The commonest is `null`. */
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

/** SHA-256 of a value's canonical text, in hex: equal values, equal hash. */
export function hashJson(value: Json): string {
  return hashText(canonicalJson(value));
}

/** About how long a value's JSON text is, without writing it: where nothing is escaped and all is ASCII, the length itself. */
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
