/** @module A source that the test changes, agents that read it, and hosts over one store. */
import { z } from "zod";
import { agent, contract, type Json, route, source, type SourceDefinition, system, type System } from "../../agents/index.ts";
import type { Host } from "../../actors/host/host.ts";
import { hashText } from "../../runtime/canonical.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import type { FactRef } from "../../runtime/memory/fact.ts";
import type { MemoryOpOf } from "../../runtime/memory/operations.ts";
import type { World } from "./world-rig.ts";

/** Whom operations of a test are done for. */
export const BY = { principal: ANONYMOUS };
/** The memory of the source of the rig. */
export const HANDBOOK = "source.handbook";

/** The version of a document with that text. */
export function versionOf(text: string): string {
  return hashText(text).slice(0, 16);
}

/** Documents by id that are listed in pages, with what goes wrong. */
export class Shelf {
  readonly documents = new Map<string, string>();
  readonly reads: string[] = [];
  /** How often a listing began. */
  listings = 0;
  pageSize = 3;
  /** Throws or waits where the test says. */
  onList: (cursor: string | undefined) => void | Promise<void> = () => {};
  onRead: (id: string) => void | Promise<void> = () => {};
  readonly source: SourceDefinition;

  constructor(options: { readonly everyMs?: number; readonly untrusted?: boolean } = {}) {
    this.source = source("handbook", {
      ...options,
      list: async (cursor) => {
        if (cursor === undefined) this.listings += 1;
        const all = [...this.documents].map(([id, text]) => ({ id, version: versionOf(text) }));
        await this.onList(cursor);
        const from = Number(cursor ?? 0);
        const next = from + this.pageSize;
        return { documents: all.slice(from, next), ...(next < all.length ? { cursor: String(next) } : {}) };
      },
      read: async (id) => {
        this.reads.push(id);
        await this.onRead(id);
        return this.documents.get(id);
      },
    });
  }

  set(entries: Readonly<Record<string, string>>): void {
    for (const [id, text] of Object.entries(entries)) this.documents.set(id, text);
  }
}

export const Question = z.object({ text: z.string() });
const Reply = z.object({ text: z.string() });
export const Reader = contract("Reader", 1, { input: Question, output: Reply });

/** A system of one plain agent that recalls from the shelf and answers with what it found. */
export function systemOf(shelf: Shelf): System {
  const reader = agent(Reader, {
    memory: { facts: { scope: "agent" }, sources: [shelf.source] },
    handle: async ({ text }, ctx) => {
      const facts = await ctx.memory.recall({ text });
      return { text: facts.map(({ value }) => String(value)).join("; ") };
    },
  });
  const main = route("main", 1, Question)
    .to("reader", Reader, ({ task }) => task)
    .output(({ reader: answer }) => answer);
  return system("sys", { agents: [reader], routes: [main] });
}

let calls = 0;

/** Writes a fact into a memory, derived from others, as a work item does: it tells their memories first. */
export async function derive(
  host: Host,
  memory: string,
  content: Json,
  parents: readonly FactRef[],
  more: Partial<MemoryOpOf<"write">> = {},
): Promise<FactRef> {
  calls += 1;
  const others = Map.groupBy(
    parents.filter((one) => one.memory !== memory),
    (one) => one.memory,
  );
  for (const [other, refs] of others)
    await host.memories.link(
      other,
      refs.map(({ id, version }) => ({ id, version })),
      memory,
      BY,
    );
  const writer = { agent: "Reader", processId: "p", workId: `p:1:a:0:${calls}`, subject: "anonymous" };
  const draft = {
    call: `derived-${calls}`,
    kind: "fact" as const,
    content,
    writer,
    trust: "model" as const,
    parents: [...parents],
    ...more,
  };
  const { id, version } = await host.memories.write(memory, draft, BY);
  return { memory, id, version };
}

/** The document of the handbook as a fact. */
export async function documentOf(host: Host, id: string): Promise<FactRef | undefined> {
  const state = await host.memories.state(HANDBOOK);
  const found = Object.values(state.facts).find(({ fact }) => fact.source?.id === id);
  return found === undefined ? undefined : { memory: HANDBOOK, id: found.fact.id, version: found.fact.version };
}

/** The contents of a memory's facts. */
export async function contentsOf(host: Host, memory: string): Promise<readonly (Json | undefined)[]> {
  const state = await host.memories.state(memory);
  const contents = await host.memories.contents(Object.values(state.facts).map(({ fact }) => fact));
  return contents.map((content) => content?.value);
}

/** Everything that the store holds, as text. */
export async function everything(world: World): Promise<string> {
  return JSON.stringify([...(await world.store.read(world.store.keys()))]);
}
