/** @module What a memory answers to an operation. Pure. */
import { entryOf } from "../entries.ts";
import { allVersions, derivedFrom, isMeant } from "./derivation.ts";
import type { Fact } from "./fact.ts";
import type { AnyVersion, MemoryAnswer, MemoryOp, VersionRef } from "./operations.ts";
import { type SelectFor, selectFacts } from "./select.ts";
import { type MemoryState, versionOf, writtenBy } from "./state.ts";

/** The answer of an operation that concerns no facts. */
export const NO_ANSWER: MemoryAnswer = { facts: [], withheld: { untrusted: 0, gone: 0 }, derivedIn: [], readers: [], readersDropped: 0 };

/** The answer from the state after the turn. The same for an operation that is repeated. */
export function memoryAnswer(state: MemoryState, op: MemoryOp, seen: SelectFor): MemoryAnswer {
  switch (op.op) {
    case "write": {
      const written = writtenBy(state, op.call);
      return { ...NO_ANSWER, facts: written === undefined ? [] : [written.fact] };
    }
    case "promote": {
      const held = entryOf(state.facts, op.id);
      return { ...NO_ANSWER, facts: held === undefined ? [] : [held.fact] };
    }
    case "read": {
      const { facts, withheld } = selectFacts(state, op, seen);
      return { ...NO_ANSWER, facts: [...facts], withheld };
    }
    case "check":
      return checked(state, op.refs);
    case "forget": {
      const meant = op.ids.map((id) => ({ id }));
      return lost(state, [...namedBy(state, meant), ...derivedFrom(state, state.id, meant)]);
    }
    case "invalidate":
      return lost(state, derivedFrom(state, op.memory, op.from));
    case "told":
      return { ...NO_ANSWER, derivedIn: state.toTell };
    case "compare":
    case "compared":
      return { ...NO_ANSWER, ...(state.comparisons === undefined ? {} : { comparison: state.comparisons.number }) };
    case "link":
      return NO_ANSWER;
  }
}

function checked(state: MemoryState, refs: readonly VersionRef[]): MemoryAnswer {
  const old = refs.filter(({ id, version }) => entryOf(state.facts, id)?.fact.version !== version);
  const facts = old.flatMap((ref) => versionOf(state, ref)?.fact ?? []);
  return { ...NO_ANSWER, facts, withheld: { untrusted: 0, gone: old.length - facts.length } };
}

function namedBy(state: MemoryState, meant: readonly AnyVersion[]): readonly Fact[] {
  return allVersions(state).flatMap(({ fact }) => (isMeant(fact, meant) ? [fact] : []));
}

/** Tombstones say what went and who had read it. */
function lost(state: MemoryState, facts: readonly Fact[]): MemoryAnswer {
  const gone = facts.filter((fact) => fact.gone !== undefined && fact.content === undefined);
  return {
    ...NO_ANSWER,
    facts: gone,
    derivedIn: state.toTell,
    readers: state.reads.filter((read) => read.facts.some((ref) => isMeant(ref, gone))),
    readersDropped: state.readsDropped,
  };
}
