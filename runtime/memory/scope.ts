/** @module Which memory a work item has: one of its agent, of the key of its actor, or of its principal. Pure. */
import { hashText } from "../canonical.ts";
import { insideId, isId } from "../ids.ts";

/** Whose facts are in one memory: of all work items of the agent, of one key of it, or of one principal. Tenants share none. */
export const MEMORY_SCOPES = ["agent", "key", "principal"] as const;
/** One of {@link MEMORY_SCOPES}. */
export type MemoryScope = (typeof MEMORY_SCOPES)[number];

/** What decides about the memory of a work item. */
export interface MemoryPlace {
  readonly scope: MemoryScope;
  readonly agent: string;
  /** The id of the agent's actor, which its key gives. */
  readonly actor: string;
  readonly principal: { readonly subject: string; readonly tenant: string };
}

const HASH_DIGITS = 32;

/** The id of a memory. No two places share one. */
export function memoryIdOf({ scope, agent, actor, principal: { subject, tenant } }: MemoryPlace): string {
  if (scope === "agent") return insideId(`agent.${agent}`, tenant);
  const of = scope === "key" ? actor : subject;
  const plain = `${scope}.${agent}.${of}`;
  const isPlain = isId(plain) && !of.startsWith("x-");
  return insideId(isPlain ? plain : `${scope}.${agent}.x-${hashText(of).slice(0, HASH_DIGITS)}`, tenant);
}

/** The id of the memory of a source. */
export function sourceMemoryId(source: string): string {
  return `source.${source}`;
}

/** A fact of another memory, as handlers name it: the memory and the id. */
export function outsideFactId(memory: string, id: string): string {
  return `${memory}/${id}`;
}

/** The memory and the id in the id of a fact as handlers name it. `own`: the memory of an id that names none. */
export function factIdParts(text: string, own: string): { readonly memory: string; readonly id: string } {
  const at = text.indexOf("/");
  return at < 0 ? { memory: own, id: text } : { memory: text.slice(0, at), id: text.slice(at + 1) };
}
