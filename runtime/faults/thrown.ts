/**
 * @module Reads thrown values of any kind. Pure.
 *
 * A handler may throw a proxy, a frozen object, a symbol, or an error whose getters throw. No function here throws.
 */
import { LIMITS } from "../limits.ts";
import { shortText } from "./wire.ts";

const UNREADABLE = "a value was thrown that cannot be read";
const CAUSED_BY = "\ncaused by: ";

/** Returns the result of `read`, or `otherwise` if it throws. */
export function safely<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** Describes a thrown value in one line: class and message of an error, or a text as it is. */
export function thrownText(value: unknown): string {
  return safely(() => {
    if (value instanceof Error) return `${String(value.name)}: ${String(value.message)}`;
    return typeof value === "string" ? value : `a value was thrown that is not an Error: ${value === null ? "null" : typeof value}`;
  }, UNREADABLE);
}

/** Returns class, message and first stack lines of a thrown value and of its causes, shortened. */
export function causeText(value: unknown): string {
  const parts: string[] = [];
  const seen = new Set<unknown>();
  let next: unknown = value;
  while (next !== undefined && next !== null && !seen.has(next) && parts.length < LIMITS.faultCausesMax) {
    const one: unknown = next;
    seen.add(one);
    parts.push(safely(() => errorText(one), UNREADABLE));
    next = safely(() => (one instanceof Error ? one.cause : undefined), undefined);
  }
  return shortText(parts.length === 0 ? thrownText(value) : parts.join(CAUSED_BY), LIMITS.faultCauseLengthMax);
}

function errorText(value: unknown): string {
  if (!(value instanceof Error)) return thrownText(value);
  const head = shortText(`${className(value)}: ${String(value.message)}`, LIMITS.faultCauseHeadLengthMax);
  const stack = safely(() => String(value.stack), "");
  const frames = stack.split("\n").filter((line) => FRAME.test(line));
  return [head, ...frames.slice(0, LIMITS.faultStackLinesMax)].join("\n");
}

const FRAME = /^\s+at /;

/** Returns the name that the error sets, else the name of its class. */
function className(error: Error): string {
  const name = safely(() => String(error.name), "Error");
  return name === "Error" ? safely(() => String(error.constructor.name), name) || name : name;
}
