/**
 * @module What a thrown value says, whatever it is. Pure.
 *
 * A handler may throw a proxy, a frozen object, a symbol, an error whose getters throw. Nothing here throws.
 */
import { LIMITS } from "../limits.ts";
import { shortText } from "./wire.ts";

const UNREADABLE = "a value was thrown that cannot be read";
const CAUSED_BY = "\ncaused by: ";

/** What `read` gives, or `otherwise` when it throws. */
export function safely<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** One line about a thrown value: class and message of an error, a text as it is. */
export function thrownText(value: unknown): string {
  return safely(() => {
    if (value instanceof Error) return `${String(value.name)}: ${String(value.message)}`;
    return typeof value === "string" ? value : `a value was thrown that is no error: ${value === null ? "null" : typeof value}`;
  }, UNREADABLE);
}

/** Class, message and the first lines of the stack of a thrown value and of its causes, shortened. */
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

/** The name that the error gives itself, else that of its class. */
function className(error: Error): string {
  const name = safely(() => String(error.name), "Error");
  return name === "Error" ? safely(() => String(error.constructor.name), name) || name : name;
}
