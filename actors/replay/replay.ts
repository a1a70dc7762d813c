/** @module Replays a cassette with the code of a system: its routes, and the handler of every work item. No network, no store. */
import type { System } from "../../agents/system.ts";
import type { Cassette, CassetteProcess } from "../../runtime/cassette/cassette.ts";
import type { Divergence, ReplayReport } from "../../runtime/cassette/replay-report.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { PackedValue, Value } from "../../runtime/value.ts";
import { replayProcess } from "./replay-process.ts";
import { replayWork } from "./replay-work.ts";

/**
 * Replays a cassette with a system. Each divergence is the first of its process or work item, in the order of the record.
 * @throws `cassette.invalid` for a redacted one
 */
export async function replay(system: System, cassette: Cassette): Promise<ReplayReport> {
  requireContents(cassette);
  const divergences: Divergence[] = [];
  const skipped: { work: string; why: string }[] = [];
  let works = 0;
  for (const process of cassette.processes) {
    const route = system.routes.get(routeOf(process));
    const found = replayProcess(cassette, process, route === undefined ? undefined : slipOf(route));
    if (found.divergence !== undefined) divergences.push(found.divergence);
    if (found.incomplete === true) skipped.push({ work: process.id, why: "contents that its route decides by were removed" });
    const stops = stopsOf(process);
    skipped.push(...process.gone.map((work) => ({ work, why: "it has not ended, or its records are gone" })));
    for (const one of process.works) {
      const work = one.work.id;
      if (works >= LIMITS.replayWorksMax) {
        skipped.push({ work, why: `a replay runs at most ${LIMITS.replayWorksMax} work items` });
        continue;
      }
      const replayed = await replayWork(cassette, one, system.agents.get(one.agent));
      if (replayed.skipped !== undefined) skipped.push({ work, why: replayed.skipped });
      else works += 1;
      if (replayed.divergence !== undefined) divergences.push({ process: process.id, stop: stops.get(work) ?? "", ...replayed.divergence });
    }
  }
  return { id: cassette.processes[0]?.id ?? "", processes: cassette.processes.length, works, skipped, divergences };
}

/** A slip is stored apart from the records, as text. */
function slipOf({ slipValue }: { readonly slipValue: PackedValue }): Value {
  return slipValue.stored === undefined ? slipValue.value : { json: JSON.parse(slipValue.stored.text) as Json };
}

/** Throws `cassette.invalid` for a cassette without contents. */
export function requireContents({ redacted }: Cassette): void {
  if (redacted === true) throw new Fault("cassette.invalid", "the contents of this cassette were redacted, so it cannot be replayed");
}

/** The name of the route of a process. */
export function routeOf({ records }: CassetteProcess): string {
  for (const event of records[0]?.events ?? []) if (event.e === "accepted") return event.task.route;
  return "";
}

/** The stop of each work item. */
function stopsOf({ records }: CassetteProcess): ReadonlyMap<string, string> {
  return new Map(
    records.flatMap(({ events }) => events.flatMap((event) => (event.e === "asked" ? [[event.work.id, event.work.stop]] : []))),
  );
}
