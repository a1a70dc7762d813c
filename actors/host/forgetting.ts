/**
 * @module Follows what is gone over memories: tells each memory that holds facts derived from it, until none is left to be told.
 *
 * What is to be told stands in the memory that lost it, until it was told. So any host can go on where another one died.
 */
import { hashJson, plainJson } from "../../runtime/canonical.ts";
import type { Fact } from "../../runtime/memory/fact.ts";
import type { MemoryAnswer, MemoryOp, ReadRecord, Telling } from "../../runtime/memory/operations.ts";
import type { Memories, MemoryCaller } from "./memories.ts";

/** A fact that is gone, and its memory. */
export interface LostFact {
  readonly memory: string;
  readonly fact: Fact;
}

/** Who had read what is gone, and in which memory. */
export interface LostReader extends ReadRecord {
  readonly memory: string;
}

/** What is gone in all memories. */
export interface Lost {
  readonly facts: readonly LostFact[];
  readonly readers: readonly LostReader[];
  /** By memory, the readers that it no longer names. */
  readonly dropped: ReadonlyMap<string, number>;
}

/** How many readers the memories no longer name. */
export function droppedCount(dropped: ReadonlyMap<string, number>): number {
  return [...dropped.values()].reduce((sum, count) => sum + count, 0);
}

/** Tells the other memories, beginning with what `answer` says of one. Throws as operations of memories do; then it may be repeated. */
export async function follow(memories: Pick<Memories, "perform">, memory: string, answer: MemoryAnswer, by: MemoryCaller): Promise<Lost> {
  const facts = new Map<string, LostFact>();
  const readers = new Map<string, LostReader>();
  const dropped = new Map<string, number>();
  const note = (of: string, told: MemoryAnswer): void => {
    for (const fact of told.facts) facts.set(`${of} ${fact.id} ${fact.version}`, { memory: of, fact });
    for (const read of told.readers) readers.set(`${of} ${read.workId} ${read.atMs}`, { memory: of, ...read });
    dropped.set(of, told.readersDropped);
  };
  note(memory, answer);
  const seen = new Set<string>();
  const open: (readonly [memory: string, telling: Telling])[] = answer.derivedIn.map((telling) => [memory, telling]);
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const [from, telling] = next;
    const name = hashJson(plainJson(next));
    if (seen.has(name)) continue;
    seen.add(name);
    const op: MemoryOp = { op: "invalidate", memory: from, from: [...telling.from], by: by.principal.subject };
    const told = await memories.perform(telling.memory, op, by);
    note(telling.memory, told);
    await memories.perform(from, { op: "told", ...telling }, by);
    open.push(...told.derivedIn.map((one) => [telling.memory, one] as const));
  }
  return { facts: [...facts.values()], readers: [...readers.values()], dropped };
}
