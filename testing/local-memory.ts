/** @module The memories of a local system. */
import type { Forgotten, MemoryView } from "../runtime/memory-answers.ts";
import { ANONYMOUS } from "../runtime/protocol/principal.ts";
import type { SystemOperations } from "../actors/operations/system-operations.ts";

/** The memories of a local system. All methods throw `memory.unknown`. */
export interface LocalMemory {
  list(): Promise<readonly string[]>;
  show(memory: string): Promise<MemoryView>;
  /** Forgets a fact, and what was derived from it in any memory. */
  forget(memory: string, id: string): Promise<Forgotten>;
  promote(memory: string, id: string, reason: string): Promise<void>;
}

/** The memories, over the operations. */
export function localMemory(operations: SystemOperations, during: <T>(action: Promise<T>) => Promise<T>): LocalMemory {
  const caller = { principal: { ...ANONYMOUS, subject: "local" } };
  return {
    list: () => during(operations.memories().then(({ memories }) => memories)),
    show: (memory) => during(operations.memory(memory, {}, caller)),
    forget: (memory, id) => during(operations.forgetFact(memory, id, {}, caller)),
    promote: (memory, id, reason) => during(operations.promoteFact(memory, id, reason, caller).then(() => undefined)),
  };
}
