/**
 * @module How long a provider asks to wait, in all the forms that providers use. Pure.
 *
 * A form that cannot be read is skipped, and the next one is tried: an unreadable `retry-after-ms` must not hide a valid `Retry-After`.
 */
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../units.ts";

/** Reads a header of an answer by its name in small letters. */
export type ReadHeader = (name: string) => string | undefined;

/** Numbers from here on are points in time, not lengths of time. */
const EPOCH_S_MIN = 1_000_000_000;
const EPOCH_MS_MIN = 1_000_000_000_000;

/** Pairs of headers that say when a rate limit is reset, and what is left of it. */
const RESETS = [
  ["x-ratelimit-reset-requests", "x-ratelimit-remaining-requests"],
  ["x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"],
  ["x-ratelimit-reset", "x-ratelimit-remaining"],
] as const;

const NUMBER = /^[+-]?\d+(\.\d+)?$/;
const LENGTH = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;
/** "retry after 6 seconds", "try again in 1m30s", "retry in 250ms". */
const SENTENCE = new RegExp(
  [
    /\b(?:retry|try again|wait)(?: again)?(?: after| in| for)? /,
    /((?:\d+(?:\.\d+)?(?:ms|[hms]))+|\d+(?:\.\d+)?)/,
    /(?: ?(m|milli|min|s|h)[a-z]*)?\b/,
  ]
    .map(({ source }) => source)
    .join(""),
  "i",
);

/**
 * Returns the pause in milliseconds that an answer asks for; 0: none; undefined: it does not say. `text` is the error's message. `nowMs`
 * is the time of this host, which is used only if the answer has no `Date` of its own.
 */
export function retryAfterMs(header: ReadHeader, text: string, nowMs: number): number | undefined {
  const baseMs = dateMs(header("date")) ?? nowMs;
  return (
    milliseconds(header("retry-after-ms")) ?? secondsOrDate(header("retry-after"), baseMs) ?? resetMs(header, baseMs) ?? sentenceMs(text)
  );
}

function milliseconds(text: string | undefined): number | undefined {
  const value = numberIn(text);
  return value === undefined ? undefined : Math.ceil(value);
}

function secondsOrDate(text: string | undefined, baseMs: number): number | undefined {
  const value = numberIn(text);
  if (value !== undefined) return Math.ceil(value * SECOND_MS);
  const atMs = dateMs(text);
  return atMs === undefined ? undefined : Math.max(0, atMs - baseMs);
}

/** The pause until each limit that is used up is reset; if the answer does not say what is left, until all are. */
function resetMs(header: ReadHeader, baseMs: number): number | undefined {
  const found = RESETS.flatMap(([reset, remaining]) => {
    const ms = lengthMs(header(reset), baseMs);
    return ms === undefined ? [] : [{ ms, left: numberIn(header(remaining)) }];
  });
  const usedUp = found.filter(({ left }) => left === 0);
  const these = usedUp.length > 0 ? usedUp : found;
  return these.length === 0 ? undefined : Math.max(...these.map(({ ms }) => ms));
}

/** A length such as `6m0s` or `20ms`, seconds, or a point in time as seconds or milliseconds since 1970. */
function lengthMs(text: string | undefined, baseMs: number): number | undefined {
  const value = numberIn(text);
  if (value !== undefined) {
    if (value >= EPOCH_MS_MIN) return Math.max(0, value - baseMs);
    return value >= EPOCH_S_MIN ? Math.max(0, value * SECOND_MS - baseMs) : Math.ceil(value * SECOND_MS);
  }
  const trimmed = text?.trim() ?? "";
  const parts = trimmed === "" ? null : LENGTH.exec(trimmed);
  if (parts === null) return undefined;
  const [, hours = "0", minutes = "0", seconds = "0", millis = "0"] = parts;
  return Math.ceil(Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * SECOND_MS + Number(millis));
}

function sentenceMs(text: string): number | undefined {
  const [, value, unit] = SENTENCE.exec(text) ?? [];
  if (value === undefined) return undefined;
  if (numberIn(value) === undefined) return lengthMs(value, 0);
  const each = { m: MINUTE_MS, min: MINUTE_MS, milli: 1, h: HOUR_MS, s: SECOND_MS }[unit?.toLowerCase() ?? "s"] ?? SECOND_MS;
  return Math.ceil(Number(value) * each);
}

/** A number that is not negative. `-1` is what some proxies send for "unknown". */
function numberIn(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  const value = NUMBER.test(trimmed) ? Number(trimmed) : Number.NaN;
  return value >= 0 ? value : undefined;
}

/** An HTTP date. A bare number is none, although `Date.parse` takes it for a year. */
function dateMs(text: string | undefined): number | undefined {
  if (text === undefined || !/[a-z]{3}/i.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
