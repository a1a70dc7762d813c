/** @module Whether what a work item has recalled is still true. */
import { Fault, isFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Fact as MemoryFact, FactRef } from "../../runtime/memory/fact.ts";
import type { Memories, MemoryCaller } from "./memories.ts";

/**
 * Looks whether these versions are still there; with `newest`, also whether there are newer ones.
 * @throws `memory.stale`
 */
export async function requireCurrent(
  memories: Pick<Memories, "check">,
  seen: readonly FactRef[],
  { newest, by }: { readonly newest: boolean; readonly by: MemoryCaller },
): Promise<void> {
  const places = Map.groupBy(seen, ({ memory }) => memory);
  await Promise.all(
    [...places].map(async ([memory, refs]) => {
      for (let at = 0; at < refs.length; at += LIMITS.factsReadMax) {
        const some = refs.slice(at, at + LIMITS.factsReadMax).map(({ id, version }) => ({ id, version }));
        const { facts, withheld } = await memories.check(memory, some, by);
        // A turn that a summary stands for is still true.
        const lost = facts.find(({ gone, kind }) => gone?.why !== "replaced" || (newest && kind === "fact"));
        if (lost !== undefined) throw staleFault({ memory, id: lost.id, version: lost.version });
        if (withheld.gone > 0) throw staleFault({ memory, ...(some[0] ?? { id: "", version: 1 }) });
      }
    }),
  );
}

/** The fault of a work item that had recalled a fact which has gone since. Nothing was sent to a model after that was found. */
export function staleFault({ memory, id, version }: FactRef): Fault {
  const text = `the fact ${id} of the memory ${memory}, which this work item had recalled, is gone or has a newer version`;
  return new Fault("memory.stale", text, { memory, id, version, sent: false });
}

/**
 * Writes what was derived from facts. One of them may have gone since it was recalled: then the attempt ends. A turn is left out instead,
 * since its task is answered.
 * @throws `memory.stale`
 */
export async function whileThere<T>(kind: MemoryFact["kind"], refs: readonly FactRef[], write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const [first] = refs;
    if (!isFault(error) || error.code !== "memory.unknown" || kind === "turn" || first === undefined) throw error;
    throw staleFault(first);
  }
}
