/** @module The operations on sources: how current they are, and a comparison now. */
import type { System } from "../../agents/system.ts";
import { sourceMemoryId } from "../../runtime/memory/scope.ts";
import { factsOf } from "../../runtime/memory/state.ts";
import type { SourceView, SyncAnswer } from "../../runtime/source-answers.ts";
import type { Host } from "../host/host.ts";

/** The sources of a system, as their memories say. Throws `sidecar.unavailable`, `store.unavailable`. */
export function sourceViews(system: System, { memories }: Host): Promise<SourceView[]> {
  return Promise.all(
    [...system.sources.values()].map(async ({ name, untrusted, everyMs }) => {
      const memory = sourceMemoryId(name);
      const state = await memories.state(memory);
      const { last, failures = 0, fault } = state.comparisons ?? {};
      return {
        ...{ name, memory, untrusted, everyMs, documents: factsOf(state).length },
        ...(last === undefined ? {} : { compared: last }),
        failures,
        ...(fault === undefined ? {} : { fault }),
      };
    }),
  );
}

/** Compares a source now. Throws `source.unknown`, `source.unavailable`, `memory.full`. */
export async function syncSource({ sources }: Host, name: string, by: string): Promise<SyncAnswer> {
  const { unread, readers, ...report } = await sources.sync(name, by);
  return {
    ...report,
    unread: [...unread],
    readers: readers.map(({ agent, processId, workId, atMs }) => ({ agent, processId, workId, atMs })),
  };
}
