/**
 * @module The order of test files: the longest begin first, so that no core is idle while the last one runs.
 *
 * Vitest orders by the times of its last run, which a clean clone does not have, and else by the size of the file, which says little.
 */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Parts of the paths of files that take a minute or more, longest first. */
const LONG = [
  "simulation/simulation.test",
  "simulation/everywhere.test",
  "simulation/canaries.test",
  "dashboard/screens.live.test",
  "cli/supervised.live.test",
  "cli/demo.test",
  "examples/documents.test",
  "live/chaos.test",
  "live/releases.test",
  "cli/trip.live.test",
  "conformance/world.test",
  "live/purge.test",
  "beds/retail.live.test",
  "live/invalid.test",
  "live/people.test",
  "actors/http/fuzz.test",
];

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONG.findIndex((part) => moduleId.includes(part));
  return rank === -1 ? LONG.length : rank;
}

/** Vitest's order, with the long files before all others. */
export class LongestFirst extends BaseSequencer {
  /** The files in the order in which they begin. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}
