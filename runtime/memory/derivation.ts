/** @module What was derived from facts, within one memory. Pure. */
import { ANY, type Fact, type FactRef } from "./fact.ts";
import type { AnyVersion, Telling } from "./operations.ts";
import { factsOf, type HeldFact, type MemoryState } from "./state.ts";

/** All versions that the memory names, the newest ones first. */
export function allVersions(state: MemoryState): HeldFact[] {
  return [...factsOf(state), ...state.past];
}

/** Whether a version is one of those that are meant. */
export function isMeant({ id, version }: { readonly id: string; readonly version: number }, meant: readonly AnyVersion[]): boolean {
  return meant.some((one) => one.id === id && (one.version === undefined || one.version === version));
}

function isFrom({ memory }: FactRef, from: string): boolean {
  return memory === from || memory === ANY;
}

/** The versions of this memory that were derived from these of a memory, directly or not, past ones included. */
export function derivedFrom(state: MemoryState, memory: string, meant: readonly AnyVersion[]): readonly Fact[] {
  const all = allVersions(state).map(({ fact }) => fact);
  const found = new Set<Fact>();
  const add = (from: string, origins: readonly AnyVersion[]): readonly Fact[] => {
    const next = all.filter(
      (fact) => !found.has(fact) && fact.parents.some((one) => isFrom(one, from) && (one.id === ANY || isMeant(one, origins))),
    );
    for (const fact of next) found.add(fact);
    return next;
  };
  for (let next = add(memory, meant); next.length > 0;) next = add(state.id, next);
  return memory === state.id ? [...found].filter((fact) => !isMeant(fact, meant)) : [...found];
}

/**
 * Which other memories hold facts derived from versions that are about to go. `whole`: ids of facts that go in all versions, also in those
 * that are no longer named here.
 */
export function tellingsOf(state: MemoryState, lost: readonly Fact[], whole: readonly string[]): readonly Telling[] {
  const going = new Set(lost);
  const places = new Map<string, Map<string, AnyVersion>>();
  for (const { fact, derivedIn = [] } of allVersions(state)) {
    if (!going.has(fact)) continue;
    const { id, version } = fact;
    const isWhole = whole.includes(id);
    for (const memory of derivedIn) {
      const from = places.get(memory) ?? new Map<string, AnyVersion>();
      from.set(isWhole ? id : `${id}@${version}`, isWhole ? { id } : { id, version });
      places.set(memory, from);
    }
  }
  return [...places].map(([memory, from]) => ({ memory, from: [...from.values()] }));
}
