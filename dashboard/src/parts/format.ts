/** @module Numbers, times and sizes as the page writes them. Pure. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const KIB_BYTES = 1_024;
/** Below this, an amount is written with more digits. */
const SMALL_USD_MAX = 1;

/** A span of time: `840 ms`, `12.4 s`, `3 min 20 s`, `2 h 5 min`, `4 d 2 h`. */
export function spanText(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < SECOND_MS) return `${whole} ms`;
  if (whole < MINUTE_MS) return `${(whole / SECOND_MS).toFixed(1)} s`;
  if (whole < HOUR_MS) return two(whole, MINUTE_MS, "min", SECOND_MS, "s");
  if (whole < DAY_MS) return two(whole, HOUR_MS, "h", MINUTE_MS, "min");
  return two(whole, DAY_MS, "d", HOUR_MS, "h");
}

function two(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeName}${rest === 0 ? "" : ` ${rest} ${smallName}`}`;
}

/** How long ago a moment was, or how far ahead it is. */
export function whenText(atMs: number, nowMs: number): string {
  if (Math.abs(nowMs - atMs) < SECOND_MS) return "now";
  return atMs > nowMs ? `in ${roundSpan(atMs - nowMs)}` : `${roundSpan(nowMs - atMs)} ago`;
}

function roundSpan(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.round(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  return spanText(ms);
}

/** A moment in the reader's time zone, to the second. */
export function momentText(atMs: number): string {
  return new Date(atMs).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** An amount of US dollars. Small amounts keep four digits. */
export function usdText(usd: number): string {
  if (usd === 0) return "$0";
  return usd < SMALL_USD_MAX
    ? `$${usd.toFixed(4)}`
    : `$${usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** A whole number with separators. */
export function countText(count: number): string {
  return count.toLocaleString("en");
}

/** A count with its noun: `1 fact`, `3 facts`. */
export function pluralText(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** A number of bytes. */
export function bytesText(bytes: number): string {
  if (bytes < KIB_BYTES) return `${bytes} B`;
  return bytes < KIB_BYTES * KIB_BYTES ? `${(bytes / KIB_BYTES).toFixed(1)} KiB` : `${(bytes / (KIB_BYTES * KIB_BYTES)).toFixed(1)} MiB`;
}

/** A share as a percentage. */
export function shareText(share: number): string {
  return `${Math.round(share * 100)} %`;
}
