/** @module Parses and formats lengths of time. Pure. */
import { entryOf } from "../../runtime/entries.ts";
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };
const SHOWN = [
  [DAY_MS, "d"],
  [HOUR_MS, "h"],
  [MINUTE_MS, "min"],
  [SECOND_MS, "s"],
] as const;

/** `500ms`, `30s`, `5m`, `2h`, `7d` in milliseconds; `undefined` for anything else. */
export function durationMs(text: string): number | undefined {
  const found = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unit = entryOf(UNITS, found?.[2] ?? "");
  const value = unit === undefined ? undefined : Number(found?.[1]) * unit;
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}

/** The time since a moment, in its largest unit: `5 min`. */
export function agoText(atMs: number, nowMs: number): string {
  const ms = Math.max(0, nowMs - atMs);
  for (const [unit, name] of SHOWN) if (ms >= unit) return `${Math.floor(ms / unit)} ${name}`;
  return "now";
}

/** A moment in UTC, to the second. */
export function momentText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
