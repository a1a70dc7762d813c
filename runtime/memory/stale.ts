/** @module Which work items have read a version that is no longer the newest. Pure. */
import { entryOf } from "../entries.ts";
import type { GONE } from "./fact.ts";
import type { ReadRecord, VersionRef } from "./operations.ts";
import { type MemoryState, versionOf } from "./state.ts";

/** A version that was read, and why it is no longer the newest. */
export interface StaleVersion extends VersionRef {
  readonly why: (typeof GONE)[number];
}

/** A work item, and what it has read that is no longer the newest. */
export interface StaleRead extends Omit<ReadRecord, "facts"> {
  readonly facts: readonly StaleVersion[];
}

/** The reads that a memory still names and that are stale now, the newest first. */
export function staleReads(state: MemoryState): readonly StaleRead[] {
  return state.reads
    .flatMap(({ facts, ...reader }): StaleRead[] => {
      const stale = facts.flatMap((ref) => staleVersion(state, ref));
      return stale.length === 0 ? [] : [{ ...reader, facts: stale }];
    })
    .reverse();
}

function staleVersion(state: MemoryState, ref: VersionRef): StaleVersion[] {
  const { id, version } = ref;
  if (entryOf(state.facts, id)?.fact.version === version) return [];
  const known = versionOf(state, ref)?.fact;
  // A turn that a summary stands for is still true.
  if (known?.gone?.why === "replaced" && known.kind !== "fact") return [];
  return [{ id, version, why: known?.gone?.why ?? "replaced" }];
}
