/** @module Responses of the HTTP API about memories: one schema each for the server, its document and the client. Pure. */
import { z } from "zod";
import { GONE, TRUSTS } from "./memory/fact.ts";
import { StaleReader } from "./source-answers.ts";

const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");
const Count = z.int().nonnegative();
const Named = z.object({ memory: z.string(), id: z.string(), version: z.int().positive() });

/** The memories of a system. */
export const MemoriesAnswer = z.object({ memories: z.array(z.string()) });
/** The memories of a system. */
export type MemoriesAnswer = z.infer<typeof MemoriesAnswer>;

/** A fact with its content. */
export const FactEntry = z.object({
  id: z.string(),
  key: z.string().optional(),
  version: z.int().positive(),
  kind: z.enum(["fact", "turn", "summary", "document"]),
  value: z.unknown().describe("Its content, any JSON; absent: it is hidden."),
  trust: z.enum(TRUSTS),
  label: z.array(z.string()).describe("Untrusted origins; empty if it has none."),
  atMs: EpochMs,
  validUntilMs: EpochMs.optional(),
  writer: z.object({ agent: z.string(), processId: z.string(), workId: z.string(), subject: z.string() }),
  source: z.object({ name: z.string(), id: z.string() }).optional(),
  parents: z.array(Named).describe("What it was derived from."),
  promoted: z.object({ by: z.string(), atMs: EpochMs, reason: z.string() }).optional().describe("Who vouches for it."),
  readers: z.array(StaleReader).describe("Who has read it, as far as the memory still names them."),
  hidden: z.literal(true).optional().describe("The content is left out: the token has not the role `content`."),
});
/** A fact with its content. */
export type FactEntry = z.infer<typeof FactEntry>;

/** A fact, or an earlier version of one, that is gone. */
export const GoneFact = z.object({
  id: z.string(),
  version: z.int().positive(),
  why: z.enum(GONE),
  by: z.string(),
  atMs: EpochMs,
});
/** A fact, or an earlier version of one, that is gone. */
export type GoneFact = z.infer<typeof GoneFact>;

/** Work that had read a version which is no longer the newest. */
const StaleWork = StaleReader.extend({
  facts: z.array(z.object({ id: z.string(), version: z.int().positive(), why: z.enum(GONE) })),
});
/** A memory: its facts, the newest first, and the last ones that are gone. */
export const MemoryView = z.object({
  id: z.string(),
  total: Count.describe("Facts that the memory holds."),
  facts: z.array(FactEntry),
  gone: z.array(GoneFact),
  stale: z.array(StaleWork).describe("Work that had read what is no longer the newest, the newest first, as far as the memory names it."),
  readersDropped: Count.describe("Reads that the memory no longer names."),
  hidden: z.literal(true).optional().describe("Contents are left out: the token has not the role `content`."),
});
/** A memory: its facts, the newest first, and the last ones that are gone. */
export type MemoryView = z.infer<typeof MemoryView>;

/** What was forgotten. */
export const Forgotten = z.object({
  facts: z.array(Named).describe("The versions that are gone, in all memories."),
  readers: z.array(StaleReader).describe("Work that had read what is gone, as far as the memories still name it."),
  readersDropped: Count,
  purged: z.array(z.string()).optional().describe("Processes that had written or read it and were purged."),
  waiting: z.array(z.string()).optional().describe("Processes that had written or read it and must stay for now: purge them later."),
});
/** What was forgotten. */
export type Forgotten = z.infer<typeof Forgotten>;

/** Which facts of a memory are shown. An omitted field matches all. */
export interface FactFilter {
  readonly id?: string | undefined;
  readonly key?: string | undefined;
  /** Words to search for, best first. */
  readonly text?: string | undefined;
  /** At most 64, which is the default. */
  readonly limit?: number | undefined;
}

/** Options of forgetting a fact. */
export interface ForgetOptions {
  /** For the audit. */
  readonly reason?: string | undefined;
  /** Ended processes that had written or read it are purged, too. @default false */
  readonly purge?: boolean | undefined;
}
