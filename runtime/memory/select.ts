/** @module Which facts a reader is given, and which are withheld. Pure. */
import { asSeenBy, isUntrusted } from "../label.ts";
import { LIMITS } from "../limits.ts";
import type { Principal } from "../protocol/principal.ts";
import { type Fact, keyHashOf } from "./fact.ts";
import type { MemoryOpOf, Withheld } from "./operations.ts";
import { factsOf, type MemoryState, versionOf } from "./state.ts";

/** Facts for a reader. */
export interface Selected {
  readonly facts: readonly Fact[];
  readonly withheld: Withheld;
}

/** What a selection depends on besides the state. `found`: ids that a search by text gave, best first. */
export interface SelectFor {
  readonly principal: Pick<Principal, "tenant" | "subject">;
  readonly nowMs: number;
  readonly found?: readonly string[] | undefined;
}

/** Whether a reader may not have a fact: it is untrusted, was written in another conversation, and no one vouches for it. */
function isWithheld(fact: Fact, processId: string | undefined, principal: Pick<Principal, "tenant" | "subject">): boolean {
  if (processId === undefined || fact.writer.processId === processId || fact.promoted !== undefined) return false;
  // What an operator's source says was not read by a conversation. Its label goes with it.
  if (fact.kind === "document") return false;
  return fact.trust === "untrusted" || isUntrusted(asSeenBy(fact.label ?? [], principal));
}

/** Whether the time of a fact is over. */
export function isExpired(fact: Fact, nowMs: number): boolean {
  return fact.validUntilMs !== undefined && fact.validUntilMs <= nowMs;
}

/** Selects facts: by version, by key, as a search found them, or the newest. */
export function selectFacts(state: MemoryState, read: MemoryOpOf<"read">, { principal, nowMs, found }: SelectFor): Selected {
  const { refs, reader } = read;
  const isGiven = (fact: Fact): boolean => fact.content !== undefined && !isExpired(fact, nowMs);
  const wanted = refs === undefined ? queried(state, read, found).filter(isGiven) : versions(state, refs, isGiven);
  const given = wanted.filter((fact) => !isWithheld(fact, reader?.processId, principal));
  const limit = refs === undefined ? (read.limit ?? LIMITS.factsRecalledDefault) : refs.length;
  const untrusted = wanted.length - given.length;
  return { facts: given.slice(0, limit), withheld: { untrusted, gone: refs === undefined ? 0 : refs.length - wanted.length } };
}

function versions(state: MemoryState, refs: MemoryOpOf<"read">["refs"] = [], isGiven: (fact: Fact) => boolean): readonly Fact[] {
  return refs.flatMap((ref) => {
    const fact = versionOf(state, ref)?.fact;
    return fact !== undefined && isGiven(fact) ? [fact] : [];
  });
}

/** Newest first, or as a search found them. */
function queried(state: MemoryState, read: MemoryOpOf<"read">, found?: readonly string[]): readonly Fact[] {
  const { key, sinceMs = 0, kinds = ["fact"], fill } = read;
  const keyHash = key === undefined ? undefined : keyHashOf(state.id, key);
  const all = factsOf(state)
    .map(({ fact }) => fact)
    .filter((fact) => kinds.includes(fact.kind) && fact.atMs >= sinceMs && (keyHash === undefined || fact.keyHash === keyHash));
  const places = new Map(found?.map((id, place) => [id, place]));
  const placeOf = ({ id }: Fact): number => places.get(id) ?? places.size;
  const some = found === undefined || fill === true ? all : all.filter(({ id }) => places.has(id));
  // What was written in one moment stands in the order of its writing, the last first.
  return some.reverse().sort((left, right) => placeOf(left) - placeOf(right) || right.atMs - left.atMs);
}
