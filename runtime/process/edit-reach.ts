/**
 * @module Which calls the edited input of a redrive does not reach. Pure.
 *
 * An edit changes the input of one work item, or that of the task. Other calls whose mappings read what was changed still read it as it
 * was: finished calls that are pinned, and, if a work item was edited, all others.
 */
import { entryOf } from "../entries.ts";
import { type Expression, pathsIn } from "../expression.ts";
import type { Json } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import { callsOf, pathsOf, type RouteData } from "../slip.ts";
import { isFields, isSame } from "./edited-input.ts";

type Path = readonly string[];

const OUTPUT = "output";

/** An input before and after its edit. */
export interface Edited {
  readonly before: Json;
  readonly after: Json;
  /** Path of the stop whose input it is; absent: it is the task's. */
  readonly stop?: string | undefined;
  /** Its parts are not those of the stop's mapping: it was handed off. */
  readonly isWhole?: boolean | undefined;
}

/** Paths of the calls that the edit does not reach, and `output` if it does not reach the output. `cursor`: first stop of the new run. */
export function notReachedBy(route: RouteData, edited: Edited, cursor: number): readonly string[] {
  const found = edited.stop === undefined ? finished(route, edited, cursor) : besides(route, edited, edited.stop);
  return found.slice(0, LIMITS.historyMax);
}

/** Finished calls that read what was changed in the task. */
function finished({ stops }: RouteData, { before, after }: Edited, cursor: number): string[] {
  const changed = differences(before, after).map((path) => ["task", ...path]);
  return stops.slice(0, cursor).flatMap((stop) => callsOf(stop).flatMap(([path, call]) => (reads(call.input, changed) ? [path] : [])));
}

/** All calls, other than the edited one, that read the sources of what was changed in its input. */
function besides({ stops, output }: RouteData, { before, after, isWhole = false }: Edited, edited: string): string[] {
  const own = stops.find((stop) => pathsOf(stop).includes(edited));
  const isOwn = (path: string): boolean => path === edited || (own?.kind === "forEach" && path === own.name);
  const calls = stops.flatMap(callsOf);
  const sources = calls
    .filter(([path]) => isOwn(path))
    .flatMap(([, { input }]) => (isWhole ? pathsIn(input) : sourcesOf(input, before, after)))
    .filter(([name]) => name !== "item");
  const others = calls.filter(([path, call]) => !isOwn(path) && reads(call.input, sources)).map(([path]) => path);
  return reads(output, sources) ? [...others, OUTPUT] : others;
}

/** The paths from which the changed parts of a mapped input were read. */
function sourcesOf(expression: Expression, before: Json | undefined, after: Json | undefined): readonly Path[] {
  if (isSame(before, after)) return [];
  if ("from" in expression) return differences(before, after).map((path) => [...expression.from, ...path]);
  if ("object" in expression)
    return Object.entries(expression.object).flatMap(([name, part]) => sourcesOf(part, fieldOf(before, name), fieldOf(after, name)));
  if (!("list" in expression)) return [];
  const isMade = Array.isArray(before) && Array.isArray(after) && after.length === expression.list.length;
  return isMade ? expression.list.flatMap((part, index) => sourcesOf(part, before[index], after[index])) : pathsIn(expression);
}

/** The innermost fields that differ. An empty path: the whole differs. */
function differences(before: Json | undefined, after: Json | undefined): readonly Path[] {
  if (isSame(before, after)) return [];
  if (!isFields(before) || !isFields(after)) return [[]];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => differences(entryOf(before, name), entryOf(after, name)).map((path) => [name, ...path]));
}

function fieldOf(content: Json | undefined, name: string): Json | undefined {
  return isFields(content) ? entryOf(content, name) : undefined;
}

function reads(expression: Expression, paths: readonly Path[]): boolean {
  return pathsIn(expression).some((one) => paths.some((other) => overlap(one, other)));
}

/** Whether one path is a prefix of the other. */
function overlap(one: Path, other: Path): boolean {
  return one.slice(0, other.length).every((part, index) => part === other[index]);
}
