/** @module Replays of recorded processes in tests: a cassette from production says whether a changed system still does the same. */
import type { System } from "../agents/system.ts";
import { replay } from "../actors/replay/replay.ts";
import { Cassette } from "../runtime/cassette/cassette.ts";
import type { ReplayReport } from "../runtime/cassette/replay-report.ts";
import { Fault } from "../runtime/faults.ts";

/**
 * Replays a cassette with a system: recorded answers, current code, no network. `cassette` is the parsed content of a file that
 * `troupe export` wrote: `replayFrom(JSON.parse(readFileSync("order.json", "utf8")), system)`. An empty list of divergences means that
 * nothing differs.
 * @throws `cassette.invalid` for anything else, or one without contents
 */
export async function replayFrom(cassette: unknown, system: System): Promise<ReplayReport> {
  const parsed = Cassette.safeParse(cassette);
  if (parsed.success) return replay(system, parsed.data);
  const [issue] = parsed.error.issues;
  throw new Fault("cassette.invalid", `this is no cassette: at ${issue?.path.join(".") ?? "top"}: ${issue?.message ?? "it does not fit"}`);
}
