/**
 * @module What was derived from facts, within one memory. Pure.
 *
 * A derivation is never lost: a version that is no longer named leaves its own origins to what was derived from it.
 */
import type { Fact, FactRef } from "./fact.ts";
import type { AnyVersion, Telling } from "./operations.ts";
import type { HeldFact, MemoryState } from "./state.ts";

/** All versions that the memory names, the newest ones first. */
export function allVersions({ facts, past }: MemoryState): HeldFact[] {
  return [...Object.values(facts), ...past];
}

/** Whether a parent is one of those that are meant, or stands for one: parents of several versions are noted as the latest. */
export function isOrigin({ id, version }: FactRef, meant: readonly AnyVersion[]): boolean {
  return meant.some((one) => one.id === id && (one.version === undefined || one.version <= version));
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
    const next = all.filter((fact) => !found.has(fact) && fact.parents.some((one) => one.memory === from && isOrigin(one, origins)));
    for (const fact of next) found.add(fact);
    return next;
  };
  for (let next = add(memory, meant); next.length > 0;) next = add(state.id, next);
  return memory === state.id ? [...found].filter((fact) => !isMeant(fact, meant)) : [...found];
}

/** Parents without those that are parents of another one of them, which stands for them. */
export function direct(state: MemoryState, parents: readonly FactRef[]): FactRef[] {
  const own = parents.filter(({ memory }) => memory === state.id);
  const named = own.length < 2 ? [] : allVersions(state).filter(({ fact }) => isMeant(fact, own));
  const covered = named.flatMap(({ fact }) => fact.parents);
  return latest(parents).filter((one) => !covered.some((other) => isSameFact(one, other) && other.version >= one.version));
}

/** An entry after others are no longer named: what it was derived from through them, it is derived from itself now. */
export function withoutNamed(state: MemoryState, held: HeldFact, left: readonly HeldFact[]): HeldFact {
  const { parents } = held.fact;
  const isLeft = (one: FactRef): boolean =>
    one.memory === state.id && left.some(({ fact }) => fact.id === one.id && fact.version === one.version);
  if (!parents.some(isLeft)) return held;
  const next = parents.flatMap((one) => (isLeft(one) ? inherited(one, left) : [one]));
  return { ...held, fact: { ...held.fact, parents: latest(next) } };
}

/** The parents of an entry that leaves, through others that leave with it. An entry leaves after its origins, so there is no ring. */
function inherited({ id, version }: FactRef, left: readonly HeldFact[]): readonly FactRef[] {
  const found = left.find(({ fact }) => fact.id === id && fact.version === version);
  if (found === undefined) return [];
  const others = left.filter((one) => one !== found);
  return found.fact.parents.flatMap((one) =>
    others.some(({ fact }) => fact.id === one.id && fact.version === one.version) ? inherited(one, others) : [one],
  );
}

/** Each fact once, in its latest version. */
function latest(parents: readonly FactRef[]): FactRef[] {
  const found = new Map<string, FactRef>();
  for (const one of parents) {
    const known = found.get(`${one.memory}/${one.id}`);
    if (known === undefined || known.version < one.version) found.set(`${one.memory}/${one.id}`, one);
  }
  return [...found.values()];
}

function isSameFact(left: FactRef, right: FactRef): boolean {
  return left.memory === right.memory && left.id === right.id;
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
