/** @module The difference of two JSON values, as lines of indented JSON and as a list of changed places. Pure. */
import type { Json } from "../../../runtime/faults.ts";
import { isList, isObject, isSame, memberOf, pathText, type Path } from "./json.ts";

/** One line of the difference. */
export interface DiffRow {
  readonly how: "same" | "added" | "removed";
  /** Levels by which it is indented. */
  readonly level: number;
  readonly text: string;
}

/** A place that differs. A side that lacks the place is absent. */
export interface Change {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
}

/** Lines that are made; what comes after is cut. */
const DIFF_ROWS_MAX = 4_000;

/** The difference as lines: what is in both once, what was removed before what was added. An absent side has no lines. */
export function diffRows(before: Json | undefined, after: Json | undefined): readonly DiffRow[] {
  const rows: DiffRow[] = [];
  diff({ rows, before, after, key: "", level: 0, tail: "" });
  return rows.slice(0, DIFF_ROWS_MAX);
}

interface Pair {
  readonly rows: DiffRow[];
  readonly before: Json | undefined;
  readonly after: Json | undefined;
  /** What stands before the value in its line. */
  readonly key: string;
  readonly level: number;
  /** What stands behind it. */
  readonly tail: string;
}

function diff(pair: Pair): void {
  const { rows, before, after, key, level, tail } = pair;
  if (rows.length > DIFF_ROWS_MAX) return;
  if (before !== undefined && isSame(before, after)) return whole(rows, "same", before, pair);
  const begin = (text: string): number => rows.push({ how: "same", level, text: `${key}${text}` });
  const end = (text: string): number => rows.push({ how: "same", level, text: `${text}${tail}` });
  if (isObject(before) && isObject(after)) {
    begin("{");
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    for (const [index, name] of keys.entries())
      inner(pair, memberOf(before, name), memberOf(after, name), `${JSON.stringify(name)}: `, index < keys.length - 1);
    end("}");
  } else if (isList(before) && isList(after)) {
    begin("[");
    const rowsOfList = matched(before, after);
    for (const [index, [left, right]] of rowsOfList.entries()) inner(pair, left, right, "", index < rowsOfList.length - 1);
    end("]");
  } else {
    if (before !== undefined) whole(rows, "removed", before, pair);
    if (after !== undefined) whole(rows, "added", after, pair);
  }
}

function inner(pair: Pair, before: Json | undefined, after: Json | undefined, key: string, isFollowed: boolean): void {
  diff({ rows: pair.rows, before, after, key, level: pair.level + 1, tail: isFollowed ? "," : "" });
}

/** Items of two lists side by side: equal ones at both ends first, then by their place. */
function matched(before: readonly Json[], after: readonly Json[]): readonly (readonly [Json | undefined, Json | undefined])[] {
  const least = Math.min(before.length, after.length);
  let head = 0;
  while (head < least && isSame(before[head], after[head])) head += 1;
  let foot = 0;
  while (foot < least - head && isSame(before.at(-1 - foot), after.at(-1 - foot))) foot += 1;
  const middle = Math.max(before.length, after.length) - head - foot;
  const pairAt = (index: number): readonly [Json | undefined, Json | undefined] => [
    index < before.length - foot ? before[index] : undefined,
    index < after.length - foot ? after[index] : undefined,
  ];
  return [
    ...before.slice(0, head).map((item) => [item, item] as const),
    ...Array.from({ length: middle }, (_none, index) => pairAt(head + index)),
    ...before.slice(before.length - foot).map((item) => [item, item] as const),
  ];
}

function whole(rows: DiffRow[], how: DiffRow["how"], value: Json, { key, level, tail }: Pair): void {
  const lines = JSON.stringify(value, null, 1).split("\n");
  for (const [index, line] of lines.entries()) {
    const depth = /^ */.exec(line)?.[0].length ?? 0;
    const text = `${index === 0 ? key : ""}${line.slice(depth)}${index === lines.length - 1 ? tail : ""}`;
    rows.push({ how, level: level + depth, text });
  }
}

/** The places that differ, in the order of the first value. */
export function changesOf(before: Json | undefined, after: Json | undefined, path: Path = []): readonly Change[] {
  if (isSame(before, after)) return [];
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => changesOf(memberOf(before, key), memberOf(after, key), [...path, key]));
  }
  if (isList(before) && isList(after) && before.length === after.length)
    return before.flatMap((item, index) => changesOf(item, after[index], [...path, index]));
  return [
    {
      path: pathText(path),
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    },
  ];
}
