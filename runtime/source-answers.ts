/** @module Responses of the HTTP API about sources: one schema each for the server, its document and the client. Pure. */
import { z } from "zod";

const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");
const Count = z.int().nonnegative();

const Counts = z.object({
  listed: Count.describe("Documents that the source listed."),
  added: Count,
  changed: Count,
  vanished: Count,
});

/** A work item that had read what is gone. */
export const StaleReader = z.object({
  agent: z.string(),
  processId: z.string(),
  workId: z.string(),
  atMs: EpochMs,
});
/** A work item that had read what is gone. */
export type StaleReader = z.infer<typeof StaleReader>;

/** A source and its memory. */
export const SourceView = z.object({
  name: z.string(),
  memory: z.string().describe("The memory that holds its documents."),
  untrusted: z.boolean(),
  everyMs: z.int().positive().describe("Pause between two comparisons."),
  documents: Count.describe("Documents that the memory holds."),
  compared: Counts.extend({ atMs: EpochMs, unread: Count.describe("Listed documents that could not be read.") })
    .optional()
    .describe("The last comparison that succeeded. Absent: there was none."),
  failures: Count.describe("Comparisons that have failed since then."),
  fault: z.object({ code: z.string(), message: z.string(), atMs: EpochMs }).optional().describe("Why the last comparison failed."),
});
/** A source and its memory. */
export type SourceView = z.infer<typeof SourceView>;

/** The sources of a system. */
export const SourcesAnswer = z.object({ sources: z.array(SourceView) });
/** The sources of a system. */
export type SourcesAnswer = z.infer<typeof SourcesAnswer>;

/** What a comparison found and did. */
export const SyncAnswer = Counts.extend({
  source: z.string(),
  comparison: z.int().positive().describe("Its number; they count up."),
  unread: z.array(z.string()).describe("Ids of listed documents that could not be read; the next comparison reads them again."),
  derived: Count.describe("Facts that were derived from what is gone, in any memory, and went with it."),
  readers: z.array(StaleReader).describe("Who had read what is gone, as far as the memories still name them."),
  readersDropped: Count.describe("Reads that these memories no longer name."),
});
/** What a comparison found and did. */
export type SyncAnswer = z.infer<typeof SyncAnswer>;
