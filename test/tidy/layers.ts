/** @module Tests that start real processes belong to the live project of vitest. */
import { matchesGlob } from "node:path/posix";
import { LIVE } from "../../vitest.config.ts";
import { edges } from "./imports.ts";
import type { Check, Project } from "./project.ts";

/** Functions that start Dapr, a store or the command, by file and name. */
const STARTERS: readonly (readonly [string, string])[] = [
  ["cli/dapr/cluster.ts", "Cluster"],
  ["cli/dapr/index.ts", "Cluster"],
  ["cli/dapr/stores.ts", "startRedis"],
  ["cli/dapr/stores.ts", "startPostgres"],
  ["cli/dapr/index.ts", "startRedis"],
  ["cli/dapr/index.ts", "startPostgres"],
  ["test/cli/command.ts", "startCommand"],
  ["test/cli/command.ts", "runCommand"],
];

/**
 * A test that starts a real program, itself or through a helper of its own, is a live test: these run two at a time, or
 * alone, with longer timeouts.
 */
export const liveTests: Check = (project) =>
  [...project.sources.keys()]
    .filter((path) => path.endsWith(".test.ts") && !LIVE.some((glob) => matchesGlob(path, glob)))
    .flatMap((path) => {
      const own = helpers(project, path);
      const starts = edges(project).filter(
        (edge) => own.has(edge.from) && !edge.typeOnly && STARTERS.some(([file, name]) => file === edge.to && edge.names.includes(name)),
      );
      return starts.map(({ from, to }) => ({
        path,
        line: 1,
        text: `${from} starts something of ${to}, so the test belongs in LIVE of vitest.config.ts`,
      }));
    });

function helpers(project: Project, path: string): ReadonlySet<string> {
  const found = new Set([path]);
  for (const file of found) {
    for (const { from, to, typeOnly } of edges(project)) if (from === file && !typeOnly && to.startsWith("test/")) found.add(to);
  }
  return found;
}
