/**
 * @module What the edited input of a redrive does not reach: whoever reads the same as it was. Pure.
 *
 * An edit replaces the input of one work item, or that of the task. Other calls whose mappings read what the replaced input was
 * made of still see it as it was: those that are finished and pinned, and, beside an edited work item, those to come.
 */
import { type Expression, pathsIn } from "../expression.ts";
import { LIMITS } from "../limits.ts";
import { callsOf, pathsOf, type RouteData } from "../slip.ts";
import type { Work } from "./work.ts";

type Path = readonly string[];

const OUTPUT = "output";

/** Calls, by their paths, and the output of the route that do not see the edit. `cursor`: the stop that the new run begins at. */
export function notReachedBy(route: RouteData, edited: Work | undefined, cursor: number): readonly string[] {
  const found = edited === undefined ? readersOf(route, [["task"]], cursor) : besides(route, edited);
  return found.slice(0, LIMITS.historyMax);
}

/** Finished calls that read the task as it was. */
function readersOf({ stops }: RouteData, read: readonly Path[], cursor: number): string[] {
  return stops.slice(0, cursor).flatMap((stop) => callsOf(stop).flatMap(([path, call]) => (reads(call.input, read) ? [path] : [])));
}

/** All calls but the edited one that read what its input was made of. */
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

/** One leads to, or into, what the other leads to. */
function overlap(one: Path, other: Path): boolean {
  return one.slice(0, other.length).every((part, index) => part === other[index]);
}
