/**
 * @module The memory actor: facts with their provenance, versions, readers and derivations. Pure.
 *
 * Owns: which facts there are, who may read them, who has read them, what goes when one is forgotten within this memory. Does not own: what
 * was derived from them in other memories (the host walks there), the search by text, the removal of values from the store (the host
 * removes what is owed and reports it).
 */
import { z } from "zod";
import { hashText } from "../canonical.ts";
import { entryOf } from "../entries.ts";
import { assertNever, type Json, wireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import { type Decision, type DecisionContext, DecisionBuilder, type Machine } from "../machine.ts";
import type { Message } from "../protocol.ts";
import type { Principal } from "../protocol/principal.ts";
import { eventSchemas } from "../record.ts";
import { memoryScope, type PackedValue, packValue, requireValue } from "../value.ts";
import { allVersions, derivedFrom, direct, isMeant, isOrigin, tellingsOf } from "./derivation.ts";
import { type Fact, type FactRef, type GONE, keyHashOf } from "./fact.ts";
import type { MemoryOpOf, ReadRecord } from "./operations.ts";
import { isExpired, selectFacts } from "./select.ts";
import {
  evolveMemory,
  factsOf,
  linksOf,
  MemoryEvent,
  MemoryState,
  newMemory,
  refsOf,
  removableAgain,
  versionOf,
  writtenBy,
} from "./state.ts";

/** An input of a memory: an operation, or a report of its host. */
export type MemoryInput =
  /** `found`: ids that a search by the operation's text gave, best first. */
  | { readonly kind: "message"; readonly message: Message; readonly found?: readonly string[] | undefined }
  /** These values were removed from the store, for the first or the second time. */
  | { readonly kind: "removed"; readonly refs: readonly string[] }
  /** The time of some facts may be over. */
  | { readonly kind: "tick" };

/** The memory actor. Its outbox is empty: its host removes owed values before it answers. */
export const memoryMachine: Machine<MemoryState, MemoryInput, MemoryEvent> = {
  initial: newMemory,
  purged: newMemory,
  decide: decideMemory,
  evolve: evolveMemory,
  outbox: () => [],
  nextDueMs: (state) =>
    allVersions(state).reduce<number | undefined>(
      (first, { fact }) => (fact.content === undefined ? first : earlier(first, fact.validUntilMs)),
      undefined,
    ),
  events: eventSchemas(MemoryEvent),
  states: z.compile(MemoryState),
};

function earlier(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || (right !== undefined && right < left) ? right : left;
}

type Builder = DecisionBuilder<MemoryState, MemoryEvent>;

function decideMemory(state: MemoryState, input: MemoryInput, context: DecisionContext): Decision<MemoryEvent> {
  const builder: Builder = new DecisionBuilder(state, evolveMemory, context);
  if (input.kind === "removed") {
    // Of two first removals at once, the later one is no second removal.
    const meant = new Set([...refsOf(state.owed), ...removableAgain(state, context.nowMs)]);
    const refs = input.refs.filter((ref) => meant.has(ref));
    if (refs.length > 0) builder.emit({ e: "values-removed", refs, atMs: context.nowMs });
    return builder.done();
  }
  expire(builder);
  if (input.kind === "message") take(builder, input.message, input.found);
  return builder.done();
}

/** Facts whose time is over go. What was derived from them has no longer time than they had. */
function expire(builder: Builder): void {
  const { nowMs } = builder.context;
  const expired = allVersions(builder.state).flatMap(({ fact }) => (isExpired(fact, nowMs) ? [fact] : []));
  if (expired.length === 0) return;
  lose(builder, expired, { why: "expired", by: "time" });
}

function take(builder: Builder, message: Message, found: readonly string[] | undefined): void {
  const { body, principal } = message;
  if (message.expiresAtMs <= builder.context.nowMs) return builder.refuse(wireFault("message.expired", `${message.id} expired`));
  if (body.kind !== "memory")
    return builder.refuse(wireFault("message.invalid", `a memory does not accept a message of kind ${body.kind}`));
  const { op } = body;
  switch (op.op) {
    case "write":
      return write(builder, op);
    case "read":
      return read(builder, op, principal, found);
    case "check":
      return undefined;
    case "forget":
      return forget(builder, op);
    case "invalidate":
      return invalidate(builder, op);
    case "promote":
      return promote(builder, op);
    case "link":
      return link(builder, op);
    case "told":
      return builder.state.toTell.length === 0 ? undefined : builder.emit({ e: "told", telling: { memory: op.memory, from: op.from } });
    case "compare":
      return builder.emit({ e: "comparison-begun", atMs: builder.context.nowMs });
    case "compared":
      return endComparison(builder, op);
    default:
      return assertNever(op);
  }
}

/** Writes a fact, or a further version of it. The same call writes once. */
function write(builder: Builder, op: MemoryOpOf<"write">): void {
  const { state, context } = builder;
  if (writtenBy(state, op.call) !== undefined || isFenced(builder, op.comparison)) return;
  const { bytes } = requireValue(op.content);
  if (bytes > LIMITS.factBytesMax)
    return builder.refuse(wireFault("memory.invalid", `the fact has ${bytes} bytes, at most ${LIMITS.factBytesMax} are kept`));
  const gone = op.parents.find((one) => (one.memory === state.id ? isGone(state, one.id) : isLostParent(state, one)));
  if (gone !== undefined)
    return builder.refuse(wireFault("memory.unknown", `the fact ${gone.id}, from which the new one is derived, is gone`));
  const keyHash = op.key === undefined ? undefined : keyHashOf(state.id, op.key);
  const before = keyHash === undefined ? undefined : factsOf(state).find(({ fact }) => fact.keyHash === keyHash)?.fact;
  if (before === undefined && Object.keys(state.facts).length >= LIMITS.factsMax + (op.replaces?.length ?? 0))
    return builder.refuse(wireFault("memory.full", `the memory ${state.id} holds ${LIMITS.factsMax} facts`));
  const id = before?.id ?? factId(op.call);
  const version = (before?.version ?? 0) + 1;
  const content = builder.packStored(contentOf(op), memoryScope(state.id));
  const { kind, writer, source, trust, label, promoted, tokens } = op;
  const parents = direct(state, op.parents);
  // A conversation that has mentioned an offer goes on after the offer.
  const origins = kind === "fact" ? op.parents : [];
  const validUntilMs = origins.reduce((first, one) => earlier(first, validUntilOf(state, one)), op.validUntilMs);
  const fact: Fact = {
    ...{ id, version, kind, content, writer, trust, parents, atMs: context.nowMs },
    ...(keyHash === undefined ? {} : { keyHash }),
    ...(source === undefined ? {} : { source }),
    ...(label === undefined ? {} : { label }),
    ...(validUntilMs === undefined ? {} : { validUntilMs }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(promoted === undefined ? {} : { promoted }),
  };
  builder.emit({ e: "fact-written", held: { fact, call: op.call }, atMs: context.nowMs });
  const replaced = (op.replaces ?? []).flatMap((one) => (one === id ? [] : (entryOf(state.facts, one)?.fact ?? [])));
  replace(builder, replaced, writer.agent);
}

/** The stored content of a fact. */
export function packFact(memory: string, op: MemoryOpOf<"write">): PackedValue {
  return packValue(contentOf(op), memoryScope(memory), 0);
}

/** What is stored of a fact. The call makes it the value of this version alone, so that it can be removed with it. */
function contentOf({ call, key, content }: MemoryOpOf<"write">): Json {
  return { call, ...(key === undefined ? {} : { key }), value: content };
}

/** What stands in the place of facts was derived from them, and stays. */
function replace(builder: Builder, facts: readonly Fact[], by: string): void {
  const versions = facts.map(({ id, version }) => ({ id, version }));
  if (versions.length > 0) builder.emit({ e: "facts-gone", versions, why: "replaced", by, atMs: builder.context.nowMs });
}

/** Refuses what belongs to an earlier comparison: its listing is older than that of the one that has begun since. */
function isFenced(builder: Builder, comparison: number | undefined): boolean {
  const last = builder.state.comparisons?.number;
  if (comparison === undefined || comparison === last) return false;
  builder.refuse(wireFault("work.superseded", `comparison ${last ?? 0} of ${builder.state.id} has begun after comparison ${comparison}`));
  return true;
}

function endComparison(builder: Builder, { comparison, end }: MemoryOpOf<"compared">): void {
  if (isFenced(builder, comparison)) return;
  const { nowMs: atMs } = builder.context;
  if ("counts" in end) builder.emit({ e: "compared", counts: end.counts, atMs });
  else builder.emit({ e: "comparison-failed", ...end.fault, atMs });
}

function isLostParent({ lostParents }: MemoryState, ref: FactRef): boolean {
  return lostParents.some((one) => one.memory === ref.memory && isOrigin(ref, [one]));
}

/** What was derived from facts of another memory goes. They are remembered for a write that is on its way. */
function invalidate(builder: Builder, { memory, from, by }: MemoryOpOf<"invalidate">): void {
  const { lostParents } = builder.state;
  const isNews = from.some(
    ({ id, version }) => !lostParents.some((one) => one.memory === memory && one.id === id && one.version === version),
  );
  if (isNews) builder.emit({ e: "parents-lost", memory, from });
  lose(builder, derivedFrom(builder.state, memory, from), { why: "derived", by });
}

const ID_DIGITS = 16;

function factId(call: string): string {
  return hashText(call).slice(0, ID_DIGITS);
}

function isGone(state: MemoryState, id: string): boolean {
  return entryOf(state.facts, id) === undefined;
}

function validUntilOf(state: MemoryState, { memory, id, version }: FactRef): number | undefined {
  return memory === state.id ? versionOf(state, { id, version })?.fact.validUntilMs : undefined;
}

/** Notes who reads what. A reader that has been noted for the same facts already is not noted again. */
function read(builder: Builder, op: MemoryOpOf<"read">, principal: Principal, found: readonly string[] | undefined): void {
  const { reader } = op;
  if (reader === undefined) return;
  const { nowMs } = builder.context;
  const { facts } = selectFacts(builder.state, op, { principal, nowMs, found });
  const noted = builder.state.reads.filter((one) => one.workId === reader.workId);
  const isNoted = ({ id, version }: Fact): boolean =>
    noted.some((one) => one.facts.some((ref) => ref.id === id && ref.version === version));
  const fresh = facts.filter((fact) => !isNoted(fact)).map(({ id, version }) => ({ id, version }));
  const record: ReadRecord = { ...reader, atMs: nowMs, facts: fresh };
  if (fresh.length > 0) builder.emit({ e: "facts-read", read: record });
}

/** Facts go in all their versions, with what was derived from them in this memory. What is gone already stays so. */
function forget(builder: Builder, { ids, why, by, comparison }: MemoryOpOf<"forget">): void {
  const { state } = builder;
  if (isFenced(builder, comparison)) return;
  const meant = ids.map((id) => ({ id }));
  const named = allVersions(state).flatMap(({ fact }) => (isMeant(fact, meant) ? [fact] : []));
  if (named.length === 0) return builder.refuse(wireFault("memory.unknown", `the memory ${state.id} has no fact ${ids.join(", ")}`));
  const derived = derivedFrom(state, state.id, meant);
  lose(builder, named, { why, by, whole: ids });
  lose(builder, derived, { why: "derived", by });
}

interface Loss {
  readonly why: (typeof GONE)[number];
  readonly by: string;
  /** Facts that go in all their versions. */
  readonly whole?: readonly string[];
}

/** Versions go, and so will what was derived from them in other memories. */
function lose(builder: Builder, facts: readonly Fact[], { why, by, whole = [] }: Loss): void {
  const lost = facts.filter(({ content }) => content !== undefined);
  if (lost.length === 0) return;
  const tellings = tellingsOf(builder.state, lost, whole);
  const versions = lost.map(({ id, version }) => ({ id, version }));
  builder.emit({ e: "facts-gone", versions, why, by, atMs: builder.context.nowMs });
  if (tellings.length > 0) builder.emit({ e: "to-tell", tellings: [...tellings] });
}

function promote(builder: Builder, { id, by, reason }: MemoryOpOf<"promote">): void {
  const held = entryOf(builder.state.facts, id);
  if (held === undefined) return builder.refuse(wireFault("memory.unknown", `the memory ${builder.state.id} has no fact ${id}`));
  if (held.fact.promoted === undefined) builder.emit({ e: "fact-promoted", id, by, reason, atMs: builder.context.nowMs });
}

function link(builder: Builder, { refs, memory }: MemoryOpOf<"link">): void {
  const { state } = builder;
  const gone = refs.find((ref) => isGone(state, ref.id));
  if (gone !== undefined) return builder.refuse(wireFault("memory.unknown", `the fact ${gone.id} of the memory ${state.id} is gone`));
  const ids = [...new Set(refs.map(({ id }) => id))].filter((id) => entryOf(state.facts, id)?.derivedIn?.includes(memory) !== true);
  if (ids.length === 0) return;
  if (linksOf(state) + ids.length > LIMITS.memoryLinksMax)
    return builder.refuse(
      wireFault("memory.full", `facts were derived from those of the memory ${state.id} in too many others: ${LIMITS.memoryLinksMax}`),
    );
  builder.emit({ e: "facts-linked", ids, memory });
}
