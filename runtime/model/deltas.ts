/**
 * @module Pieces of replies that are being received, for those who follow a process. Pure.
 *
 * They are for screens only: nothing is decided by them, they are in no journal, and any of them may be lost. What was replied is in the
 * journal.
 */
import { z } from "zod";

const Count = z.int().nonnegative();

/** A piece of a reply, as the host that receives the reply sends it. */
export const DeltaEntry = z.strictObject({
  work: z.string(),
  stop: z.string(),
  agent: z.string(),
  /** The key of the model call in its work item. */
  call: z.string(),
  /** Differs for each try of a call. */
  attempt: z.string(),
  text: z.string().optional(),
  reasoning: z.string().optional(),
  /** Name of a tool whose call begins. */
  tool: z.string().optional(),
  /** Earlier pieces of the call were not kept. */
  skipped: z.literal(true).optional(),
  /** The try has ended: with a reply or with a fault. */
  ended: z.enum(["reply", "fault"]).optional(),
});
export type DeltaEntry = z.infer<typeof DeltaEntry>;

/** A piece as followers get it. `restarted`: the call is made again, and what came before of it is void. */
export const FollowedDelta = DeltaEntry.omit({ attempt: true }).extend({ restarted: z.literal(true).optional() });
export type FollowedDelta = z.infer<typeof FollowedDelta>;

/** A place in the pieces of a process: `epoch` is that of the host that keeps them, `next` the number of the next piece. */
export const DeltaPlace = z.strictObject({ epoch: z.string(), next: Count });
export type DeltaPlace = z.infer<typeof DeltaPlace>;

/** What is requested of the host of a process: to keep pieces, or to give those from a place on. */
export const DeltaRequest = z.union([z.strictObject({ add: z.array(DeltaEntry) }), z.strictObject({ after: DeltaPlace.optional() })]);
export type DeltaRequest = z.infer<typeof DeltaRequest>;

/** Whether a follower reads the pieces of the process; if not, nothing was kept. */
const DeltasAdded = z.strictObject({ followed: z.boolean() });

/** Pieces of a process from a number on. */
export const DeltaPage = z.strictObject({ epoch: z.string(), from: Count, entries: z.array(FollowedDelta) });
export type DeltaPage = z.infer<typeof DeltaPage>;

/** The answer to either request. */
export const DeltaAnswer = z.union([DeltasAdded, DeltaPage]);
export type DeltaAnswer = z.infer<typeof DeltaAnswer>;

/** Joins two pieces of one try, if they can be one. */
export function joined(one: DeltaEntry, other: DeltaEntry): DeltaEntry | undefined {
  if (one.work !== other.work || one.call !== other.call || one.attempt !== other.attempt) return undefined;
  if (one.ended !== undefined || other.ended !== undefined || one.tool !== undefined || other.tool !== undefined) return undefined;
  if (one.text !== undefined && other.text !== undefined && one.reasoning === undefined && other.reasoning === undefined)
    return { ...one, text: one.text + other.text };
  if (one.reasoning !== undefined && other.reasoning !== undefined && one.text === undefined && other.text === undefined)
    return { ...one, reasoning: one.reasoning + other.reasoning };
  return undefined;
}

/** Characters of the texts of a piece. */
function deltaChars({ text = "", reasoning = "", tool = "" }: FollowedDelta): number {
  return text.length + reasoning.length + tool.length;
}

/** The last pieces of a list that have together at most so many characters. Pieces are dropped whole, the oldest first. */
export function lastDeltas<T extends FollowedDelta>(entries: readonly T[], charsMax: number, countMax: number): readonly T[] {
  let chars = 0;
  let from = entries.length;
  while (from > 0 && entries.length - from < countMax) {
    const entry = entries[from - 1];
    chars += entry === undefined ? 0 : deltaChars(entry);
    if (chars > charsMax) break;
    from -= 1;
  }
  return entries.slice(from);
}
