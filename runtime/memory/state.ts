/**
 * @module State and events of a memory, and how an event changes the state. Pure.
 *
 * Invariants:
 * M1 No record holds content: a fact refers to a value in the scope of its memory, which no other fact refers to.
 * M2 A value that no fact of the state refers to is in `owed` until its removal is recorded.
 * M3 The state is bounded: facts, past facts, reads and links each have a limit.
 * M4 A memory that holds facts derived from versions that are gone is in `toTell` until it has answered that they are gone too.
 */
import { z } from "zod";
import { hashJson, plainJson } from "../canonical.ts";
import { entryOf, recordOf, withEntry, withoutEntries } from "../entries.ts";
import { assertNever } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import { Value } from "../value.ts";
import { withoutNamed } from "./derivation.ts";
import { Fact, GONE } from "./fact.ts";
import { AnyVersion, Compared, ReadRecord, Telling, VersionRef } from "./operations.ts";

/** A fact as its memory holds it. Persisted: changing this needs a version bump. */
export const HeldFact = z.strictObject({
  fact: Fact,
  /** The call that wrote this version. */
  call: z.string(),
  /** Other memories that hold facts derived from it, in any version. */
  derivedIn: z.array(z.string()).optional(),
});
export type HeldFact = z.infer<typeof HeldFact>;

/** The comparisons of a source with its memory. Persisted: changing this needs a version bump. */
const Comparisons = z.strictObject({
  /** Number of the one that began last. */
  number: z.int().positive(),
  begunAtMs: z.int().nonnegative(),
  /** The last one that succeeded. */
  last: Compared.extend({ atMs: z.int().nonnegative() }).optional(),
  /** How many have failed since then. */
  failures: z.int().nonnegative(),
  fault: z.strictObject({ code: z.string(), message: z.string(), atMs: z.int().nonnegative() }).optional(),
});
type Comparisons = z.infer<typeof Comparisons>;

/** The state of a memory. Persisted: changing this needs a version bump. */
export const MemoryState = z.strictObject({
  id: z.string(),
  /** The newest version of each fact that is not gone, by id. */
  facts: recordOf(HeldFact),
  /** Earlier versions, which keep their content for a while, and facts that are gone. The oldest first. */
  past: z.array(HeldFact),
  /** Who read what. The oldest first. */
  reads: z.array(ReadRecord),
  /** Reads that are no longer in `reads`. */
  readsDropped: z.int().nonnegative(),
  /** Values that are to be removed from the store. */
  owed: z.array(Value),
  /** Values that were removed, and when. They are removed once more later. The oldest first. */
  removed: z.array(z.strictObject({ ref: z.string(), atMs: z.int().nonnegative() })),
  /** Other memories that are to be told what is gone. */
  toTell: z.array(Telling),
  /** Something was forgotten, and `owed` or `toTell` is not empty yet. */
  unfinished: z.literal(true).optional(),
  /** Versions of other memories that are gone, as this one was told. A write that is on its way may name them. The oldest first. */
  lostParents: z.array(AnyVersion.extend({ memory: z.string() })),
  /** Only of the memory of a source. */
  comparisons: Comparisons.optional(),
});
export type MemoryState = z.infer<typeof MemoryState>;

/** The events of a memory. Persisted: changing this needs a version bump. */
export const MemoryEvent = z.discriminatedUnion("e", [
  z.strictObject({ e: z.literal("fact-written"), held: HeldFact, atMs: z.int() }),
  z.strictObject({ e: z.literal("facts-gone"), versions: z.array(VersionRef), why: z.enum(GONE), by: z.string(), atMs: z.int() }),
  z.strictObject({ e: z.literal("fact-promoted"), id: z.string(), by: z.string(), reason: z.string(), atMs: z.int() }),
  z.strictObject({ e: z.literal("facts-read"), read: ReadRecord }),
  z.strictObject({ e: z.literal("facts-linked"), ids: z.array(z.string()), memory: z.string() }),
  /** What was owed is removed once more later; what was removed before is done. */
  z.strictObject({ e: z.literal("values-removed"), refs: z.array(z.string()), atMs: z.int() }),
  /** In the record of what is gone. */
  z.strictObject({ e: z.literal("to-tell"), tellings: z.array(Telling) }),
  z.strictObject({ e: z.literal("told"), telling: Telling }),
  z.strictObject({ e: z.literal("parents-lost"), memory: z.string(), from: z.array(AnyVersion) }),
  z.strictObject({ e: z.literal("comparison-begun"), atMs: z.int() }),
  z.strictObject({ e: z.literal("compared"), counts: Compared, atMs: z.int() }),
  z.strictObject({ e: z.literal("comparison-failed"), code: z.string(), message: z.string(), atMs: z.int() }),
]);
export type MemoryEvent = z.infer<typeof MemoryEvent>;

/** The state of a new memory. */
export function newMemory(id: string): MemoryState {
  return { id, facts: {}, past: [], reads: [], readsDropped: 0, owed: [], removed: [], toTell: [], lostParents: [] };
}

/** Returns the state after an event. */
export function evolveMemory(state: MemoryState, event: MemoryEvent): MemoryState {
  switch (event.e) {
    case "fact-written":
      return write(state, event.held, event.atMs);
    case "facts-gone":
      return event.why === "replaced" ? lose(state, event) : { ...lose(state, event), unfinished: true };
    case "fact-promoted": {
      const { by, reason, atMs } = event;
      return patch(state, event.id, (held) => ({ ...held, fact: { ...held.fact, promoted: { by, reason, atMs } } }));
    }
    case "facts-read":
      return noteRead(state, event.read);
    case "facts-linked":
      return link(state, event.ids, event.memory);
    case "values-removed":
      return finished(removeValues(state, event));
    case "to-tell":
      return { ...state, toTell: [...state.toTell, ...event.tellings] };
    case "told": {
      const told = hashJson(plainJson(event.telling));
      return finished({ ...state, toTell: state.toTell.filter((one) => hashJson(plainJson(one)) !== told) });
    }
    case "parents-lost": {
      const lost = event.from.map((version) => ({ ...version, memory: event.memory }));
      return { ...state, lostParents: [...state.lostParents, ...lost].slice(-LIMITS.memoryLostParentsMax) };
    }
    case "comparison-begun": {
      const { number = 0, failures = 0, ...rest } = state.comparisons ?? {};
      return { ...state, comparisons: { ...rest, failures, number: number + 1, begunAtMs: event.atMs } };
    }
    case "compared":
      return compared(state, ({ fault: _fault, ...rest }) => ({ ...rest, last: { ...event.counts, atMs: event.atMs }, failures: 0 }));
    case "comparison-failed": {
      const { code, message, atMs } = event;
      return compared(state, (known) => ({ ...known, failures: known.failures + 1, fault: { code, message, atMs } }));
    }
    default:
      return assertNever(event);
  }
}

/** A reader may have had an earlier version than the newest, so each version that is named notes it. */
function link(state: MemoryState, ids: readonly string[], memory: string): MemoryState {
  const linked = (held: HeldFact): HeldFact => ({ ...held, derivedIn: [...new Set([...(held.derivedIn ?? []), memory])] });
  const past = state.past.map((held) => (ids.includes(held.fact.id) ? linked(held) : held));
  return ids.reduce((next, id) => patch(next, id, linked), { ...state, past });
}

function compared(state: MemoryState, change: (known: Comparisons) => Comparisons): MemoryState {
  return state.comparisons === undefined ? state : { ...state, comparisons: change(state.comparisons) };
}

function removeValues(state: MemoryState, { refs, atMs }: Extract<MemoryEvent, { e: "values-removed" }>): MemoryState {
  const meant = new Set(refs);
  const first = refsOf(state.owed).filter((ref) => meant.has(ref));
  return {
    ...state,
    owed: state.owed.filter((value) => !("ref" in value && meant.has(value.ref))),
    removed: [...state.removed.filter(({ ref }) => !meant.has(ref)), ...first.map((ref) => ({ ref, atMs }))],
  };
}

/** What was forgotten is gone everywhere when nothing is owed. */
function finished({ unfinished, ...state }: MemoryState): MemoryState {
  return unfinished !== true || (state.owed.length === 0 && state.toTell.length === 0) ? state : { ...state, unfinished };
}

function patch(state: MemoryState, id: string, change: (held: HeldFact) => HeldFact): MemoryState {
  const held = entryOf(state.facts, id);
  return held === undefined ? state : { ...state, facts: withEntry(state.facts, id, change(held)) };
}

/** A newer version takes the place of the one before it, which keeps its content until it is too old. */
function write(state: MemoryState, held: HeldFact, atMs: number): MemoryState {
  const { id } = held.fact;
  const before = entryOf(state.facts, id);
  const facts = withEntry(state.facts, id, { ...held, ...derivedIn(before) });
  // A call that is no longer named may write the same again.
  const { content } = held.fact;
  const removed = content === undefined || !("ref" in content) ? state.removed : state.removed.filter(({ ref }) => ref !== content.ref);
  if (before === undefined) return { ...state, facts, removed };
  const by = held.fact.writer.agent;
  const replaced: HeldFact = { ...before, fact: { ...before.fact, gone: { why: "replaced", atMs, by } } };
  return remembered({ ...state, facts, removed }, [replaced]);
}

function derivedIn(held: HeldFact | undefined): Pick<HeldFact, "derivedIn"> {
  return held?.derivedIn === undefined ? {} : { derivedIn: held.derivedIn };
}

/** Versions go, with their content. What is left is a tombstone. */
function lose(state: MemoryState, { versions, why, by, atMs }: Extract<MemoryEvent, { e: "facts-gone" }>): MemoryState {
  const owed: Value[] = [];
  const meant = new Set(versions.map(nameOf));
  const emptied = (held: HeldFact): HeldFact => {
    const { content, keyHash: _keyHash, ...rest } = held.fact;
    if (content !== undefined) owed.push(content);
    return { ...held, fact: { ...rest, gone: { why, by, atMs } } };
  };
  const past = state.past.map((one) => (meant.has(nameOf(one.fact)) ? emptied(one) : one));
  const lost = versions.flatMap(({ id, version }) => {
    const held = entryOf(state.facts, id);
    return held?.fact.version === version ? [held] : [];
  });
  const facts =
    lost.length === 0
      ? state.facts
      : withoutEntries(
          state.facts,
          lost.map(({ fact }) => fact.id),
        );
  const tombstones = lost.map(emptied);
  return remembered({ ...state, facts, past, owed: [...state.owed, ...owed] }, tombstones);
}

function nameOf({ id, version }: VersionRef): string {
  return `${id}@${version}`;
}

/**
 * Adds past facts. The oldest leave, and their content with them. One that was derived, and from which other memories have derived, stays:
 * they are found through it.
 */
function remembered(state: MemoryState, added: readonly HeldFact[]): MemoryState {
  const all = [...state.past, ...added];
  const surplus = all.length - LIMITS.memoryPastMax;
  const left =
    surplus <= 0 ? [] : all.filter(({ fact, derivedIn = [] }) => derivedIn.length === 0 || fact.parents.length === 0).slice(0, surplus);
  if (left.length === 0) return { ...state, past: all };
  const owed = left.flatMap(({ fact: { content } }) => content ?? []);
  const past = all.filter((held) => !left.includes(held)).map((held) => withoutNamed(state, held, left));
  const kept = Object.entries(state.facts).flatMap(([id, held]): [string, HeldFact][] => {
    const next = withoutNamed(state, held, left);
    return next === held ? [] : [[id, next]];
  });
  const facts = kept.reduce((next, [id, held]) => withEntry(next, id, held), state.facts);
  return { ...state, facts, past, owed: owed.length === 0 ? state.owed : [...state.owed, ...owed] };
}

function noteRead(state: MemoryState, read: ReadRecord): MemoryState {
  const reads = [...state.reads, read];
  let dropped = Math.max(0, reads.length - LIMITS.memoryReadsMax);
  let named = reads.slice(dropped).reduce((sum, { facts }) => sum + facts.length, 0);
  for (; named > LIMITS.memoryReadFactsMax; dropped += 1) named -= reads[dropped]?.facts.length ?? 0;
  reads.splice(0, dropped);
  return { ...state, reads, readsDropped: state.readsDropped + dropped };
}

/** The names of stored values. */
export function refsOf(values: readonly Value[]): readonly string[] {
  return values.flatMap((value) => ("ref" in value ? [value.ref] : []));
}

/** Values that were removed so long ago that they are to be removed once more. */
export function removableAgain({ removed }: MemoryState, nowMs: number): readonly string[] {
  const early = removed.length - LIMITS.memoryRemovedMax;
  return removed.flatMap(({ ref, atMs }, at) => (at < early || atMs + LIMITS.memoryRemoveAgainMs <= nowMs ? [ref] : []));
}

/** One version of a fact, also one that was replaced and is still kept; undefined if it is unknown or no longer named. */
export function versionOf(state: MemoryState, { id, version }: VersionRef): HeldFact | undefined {
  const newest = entryOf(state.facts, id);
  if (newest?.fact.version === version) return newest;
  return state.past.findLast(({ fact }) => fact.id === id && fact.version === version);
}

/** All facts that are not gone, as they were written, the oldest first. */
export function factsOf(state: MemoryState): HeldFact[] {
  return Object.values(state.facts);
}

/** The links from facts of this memory to others. */
export function linksOf(state: MemoryState): number {
  return factsOf(state).reduce((count, held) => count + (held.derivedIn?.length ?? 0), 0);
}

/** The version that a call has written; undefined if it has written none, or so long ago that its version is no longer named. */
export function writtenBy(state: MemoryState, call: string): HeldFact | undefined {
  return factsOf(state).find((held) => held.call === call) ?? state.past.findLast((held) => held.call === call);
}
