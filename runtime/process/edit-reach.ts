/**
 * @module Which calls the edited input of a redrive does not reach. Pure.
 *
 * An edit replaces the input of one work item, or that of the task. Other calls whose mappings read the sources of the replaced input still
 * read the old content: finished calls that are pinned, and, if a work item was edited, also later calls.
 */
import { type Expression, pathsIn } from "../expression.ts";
import { LIMITS } from "../limits.ts";
import { callsOf, pathsOf, type RouteData } from "../slip.ts";
import type { Work } from "./work.ts";

type Path = readonly string[];

const OUTPUT = "output";

/** Paths of the calls that the edit does not reach, and `output` if it does not reach the output. `cursor`: first stop of the new run. */
export function notReachedBy(route: RouteData, edited: Work | undefined, cursor: number): readonly string[] {
  const found = edited === undefined ? readersOf(route, [["task"]], cursor) : besides(route, edited);
  return found.slice(0, LIMITS.historyMax);
}

/** Finished calls that read the given paths. */
function readersOf({ stops }: RouteData, read: readonly Path[], cursor: number): string[] {
  return stops.slice(0, cursor).flatMap((stop) => callsOf(stop).flatMap(([path, call]) => (reads(call.input, read) ? [path] : [])));
}

/** All calls, other than the edited one, that read the sources of its input. */
function besides({ stops, output }: RouteData, edited: Work): string[] {
  const own = stops.find((stop) => pathsOf(stop).includes(edited.stop));
  const isOwn = (path: string): boolean => path === edited.stop || (own?.kind === "forEach" && path === own.name);
  const calls = stops.flatMap(callsOf);
  const read = calls.filter(([path]) => isOwn(path)).flatMap(([, call]) => pathsIn(call.input).filter(([name]) => name !== "item"));
  const others = calls.filter(([path, call]) => !isOwn(path) && reads(call.input, read)).map(([path]) => path);
  return reads(output, read) ? [...others, OUTPUT] : others;
}

function reads(expression: Expression, paths: readonly Path[]): boolean {
  return pathsIn(expression).some((one) => paths.some((other) => overlap(one, other)));
}

/** Whether one path is a prefix of the other. */
function overlap(one: Path, other: Path): boolean {
  return one.slice(0, other.length).every((part, index) => part === other[index]);
}
