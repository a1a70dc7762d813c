/** @module What a memory answers to an operation. Pure. */
import { entryOf } from "../entries.ts";
import { allVersions, derivedFrom, isMeant } from "./derivation.ts";
import type { Fact } from "./fact.ts";
import type { AnyVersion, MemoryAnswer, MemoryOp } from "./operations.ts";
import { type SelectFor, selectFacts } from "./select.ts";
import { type MemoryState, writtenBy } from "./state.ts";

const NOTHING: MemoryAnswer = { facts: [], withheld: { untrusted: 0, gone: 0 }, derivedIn: [], readers: [], readersDropped: 0 };

/** The answer from the state after the turn. The same for an operation that is repeated. */
export function memoryAnswer(state: MemoryState, op: MemoryOp, seen: SelectFor): MemoryAnswer {
  switch (op.op) {
    case "write": {
      const written = writtenBy(state, op.call);
      return { ...NOTHING, facts: written === undefined ? [] : [written.fact] };
    }
    case "promote": {
      const held = entryOf(state.facts, op.id);
      return { ...NOTHING, facts: held === undefined ? [] : [held.fact] };
    }
    case "read": {
      const { facts, withheld } = selectFacts(state, op, seen);
      return { ...NOTHING, facts: [...facts], withheld };
    }
    case "forget": {
      const meant = op.ids.map((id) => ({ id }));
      return lost(state, [...namedBy(state, meant), ...derivedFrom(state, state.id, meant)], meant);
    }
    case "invalidate":
      return lost(state, derivedFrom(state, op.memory, op.from), []);
    case "link":
      return NOTHING;
  }
}

function namedBy(state: MemoryState, meant: readonly AnyVersion[]): readonly Fact[] {
  return allVersions(state).flatMap(({ fact }) => (isMeant(fact, meant) ? [fact] : []));
}

/** Tombstones say what went, where more was derived from it, and who had read it. */
function lost(state: MemoryState, facts: readonly Fact[], meant: readonly AnyVersion[]): MemoryAnswer {
  const gone = facts.filter((fact) => fact.gone !== undefined && fact.content === undefined);
  const versions = new Set(gone);
  const places = new Map<string, AnyVersion[]>();
  for (const { fact, derivedIn = [] } of allVersions(state)) {
    if (!versions.has(fact)) continue;
    const whole = meant.some(({ id }) => id === fact.id);
    const from: AnyVersion = whole ? { id: fact.id } : { id: fact.id, version: fact.version };
    for (const memory of derivedIn) places.set(memory, [...(places.get(memory) ?? []).filter((one) => !whole || one.id !== fact.id), from]);
  }
  return {
    ...NOTHING,
    facts: gone,
    derivedIn: [...places].map(([memory, from]) => ({ memory, from })),
    readers: state.reads.filter((read) => read.facts.some((ref) => isMeant(ref, gone))),
    readersDropped: state.readsDropped,
  };
}
