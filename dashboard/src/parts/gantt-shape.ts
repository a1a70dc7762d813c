/** @module The shape of a timeline on screen: rows in the order of their causes, the time in sight, and the marks of its axis. Pure. */
import type { Bar, TimelineView } from "../../../runtime/timeline.ts";

/** A bar in its row. */
export interface Row {
  readonly bar: Bar;
  /** How many bars it stands in. */
  readonly depth: number;
}

/** A part of time. Epoch, milliseconds. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The least part of time that can be seen. */
const SPAN_MS_MIN = 5;
const TICKS = 6;
const STEPS = [1, 2, 5];
const TIMES_MS = [60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000];
const SECOND_MS = 1_000;

/** The rows: each bar below the one that it is a part of, in the order in which they began. */
export function rowsOf({ bars }: Pick<TimelineView, "bars">): readonly Row[] {
  const ids = new Set(bars.map(({ id }) => id));
  const parts = new Map<string, Bar[]>();
  for (const bar of bars) {
    const parent = bar.in !== undefined && ids.has(bar.in) && bar.in !== bar.id ? bar.in : "";
    parts.set(parent, [...(parts.get(parent) ?? []), bar]);
  }
  const rows: Row[] = [];
  const add = (parent: string, depth: number): void => {
    for (const bar of (parts.get(parent) ?? []).toSorted((a, b) => a.beginMs - b.beginMs)) {
      rows.push({ bar, depth });
      add(bar.id, depth + 1);
    }
  };
  add("", 0);
  return rows;
}

/** All of a run. What goes on ends now. */
export function wholeOf({ beginMs, endMs, bars }: TimelineView, nowMs: number): Span {
  const last = bars.reduce((max, bar) => Math.max(max, bar.endMs ?? bar.beginMs), beginMs);
  const toMs = endMs === undefined ? Math.max(nowMs, last) : Math.max(endMs, last);
  return { fromMs: beginMs, toMs: Math.max(toMs, beginMs + SPAN_MS_MIN) };
}

/** A part of time that is longer or shorter by a factor, around a place from 0 to 1 in it, and stays in the whole. */
export function zoomed({ fromMs, toMs }: Span, factor: number, whole: Span, around = 0.5): Span {
  const length = Math.min(whole.toMs - whole.fromMs, Math.max(SPAN_MS_MIN, (toMs - fromMs) * factor));
  const middle = fromMs + (toMs - fromMs) * around;
  return inside({ fromMs: middle - length * around, toMs: middle + length * (1 - around) }, whole);
}

/** A part of time moved by a share of its length. */
export function moved({ fromMs, toMs }: Span, share: number, whole: Span): Span {
  const by = (toMs - fromMs) * share;
  return inside({ fromMs: fromMs + by, toMs: toMs + by }, whole);
}

function inside({ fromMs, toMs }: Span, whole: Span): Span {
  const length = Math.min(toMs - fromMs, whole.toMs - whole.fromMs);
  const from = Math.min(Math.max(fromMs, whole.fromMs), whole.toMs - length);
  return { fromMs: from, toMs: from + length };
}

/** Where a bar stands in the part in sight, from 0 to 1; undefined when it is out of sight. */
export function placeOf(
  { beginMs, endMs }: Pick<Bar, "beginMs" | "endMs">,
  { fromMs, toMs }: Span,
  nowMs: number,
): { readonly left: number; readonly width: number } | undefined {
  const [begin, end] = [Math.max(beginMs, fromMs), Math.min(endMs ?? nowMs, toMs)];
  if (end < fromMs || begin > toMs) return undefined;
  const length = toMs - fromMs;
  return { left: (begin - fromMs) / length, width: Math.max(0, end - begin) / length };
}

/** Marks of the axis: times since the beginning of the run, at round numbers. */
export function ticksOf({ fromMs, toMs }: Span, beginMs: number): readonly number[] {
  const step = stepOf((toMs - fromMs) / TICKS);
  const ticks: number[] = [];
  for (let at = Math.ceil((fromMs - beginMs) / step) * step; at <= toMs - beginMs; at += step) ticks.push(at);
  return ticks;
}

function stepOf(least: number): number {
  if (least > 30 * SECOND_MS) return TIMES_MS.find((ms) => ms >= least) ?? 86_400_000 * Math.ceil(least / 86_400_000);
  for (let unit = 1; ; unit *= 10) for (const step of STEPS) if (step * unit >= least) return step * unit;
}
