/**
 * @module The calls that the edited input of a redrive does not reach. Pure.
 *
 * An edit replaces the input of one work item, or of the task. Other calls may read the data from which the replaced input was made, and
 * still use the old data. For an edited task these are the finished calls; for an edited work item, all other calls.
 */
import { type Expression, pathsIn } from "../expression.ts";
import { LIMITS } from "../limits.ts";
import { callsOf, pathsOf, type RouteData } from "../slip.ts";
import type { Work } from "./work.ts";

type Path = readonly string[];

const OUTPUT = "output";

/** Paths of the calls, and `output` for the route's output, that do not use the edit. `cursor`: the stop that the new run begins at. */
export function notReachedBy(route: RouteData, edited: Work | undefined, cursor: number): readonly string[] {
  const found = edited === undefined ? readersOf(route, [["task"]], cursor) : besides(route, edited);
  return found.slice(0, LIMITS.historyMax);
}

/** Finished calls that read one of the paths. */
function readersOf({ stops }: RouteData, read: readonly Path[], cursor: number): string[] {
  return stops.slice(0, cursor).flatMap((stop) => callsOf(stop).flatMap(([path, call]) => (reads(call.input, read) ? [path] : [])));
}

/** Other calls that read the data from which the input of the edited call was made. */
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

/** Whether one path is a prefix of the other, or equal. */
function overlap(one: Path, other: Path): boolean {
  return one.slice(0, other.length).every((part, index) => part === other[index]);
}
