/** @module What was derived from facts, within one memory. Pure. */
import type { Fact } from "./fact.ts";
import type { AnyVersion } from "./operations.ts";
import { factsOf, type HeldFact, type MemoryState } from "./state.ts";

/** All versions that the memory names, the newest ones first. */
export function allVersions(state: MemoryState): HeldFact[] {
  return [...factsOf(state), ...state.past];
}

/** Whether a version is one of those that are meant. */
export function isMeant({ id, version }: { readonly id: string; readonly version: number }, meant: readonly AnyVersion[]): boolean {
  return meant.some((one) => one.id === id && (one.version === undefined || one.version === version));
}

/** The versions of this memory that were derived from these of a memory, directly or not, past ones included. */
export function derivedFrom(state: MemoryState, memory: string, meant: readonly AnyVersion[]): readonly Fact[] {
  const all = allVersions(state).map(({ fact }) => fact);
  const found = new Set<Fact>();
  const add = (from: string, origins: readonly AnyVersion[]): readonly Fact[] => {
    const next = all.filter((fact) => !found.has(fact) && fact.parents.some((one) => one.memory === from && isMeant(one, origins)));
    for (const fact of next) found.add(fact);
    return next;
  };
  for (let next = add(memory, meant); next.length > 0;) next = add(state.id, next);
  return memory === state.id ? [...found].filter((fact) => !isMeant(fact, meant)) : [...found];
}
