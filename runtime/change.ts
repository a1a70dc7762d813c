/** @module Changes of lists, as followers are told them: what has changed, and no content of it. Pure. */
import { z } from "zod";
import type { IndexEntry } from "./protocol/bodies.ts";

/** The lists whose changes are told. */
export const CHANGE_KINDS = ["process", "deadletter", "request", "release"] as const;
/** One of {@link CHANGE_KINDS}. */
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** A change of one entry of a list. */
export const Change = z.object({
  kind: z.enum(CHANGE_KINDS),
  id: z.string(),
  route: z.string().optional(),
  status: z.string().describe("`open`, how it ended, or `removed`."),
});
/** A change of one entry of a list. */
export type Change = z.infer<typeof Change>;

/** Changes that are told together. */
export const ChangesNews = z.object({
  changes: z.array(Change),
  more: z.literal(true).optional().describe("There were more than are told: read the lists again."),
});
/** Changes that are told together. */
export type ChangesNews = z.infer<typeof ChangesNews>;

/** The facts that say how an entry ended, by kind. */
const ENDS: Readonly<Record<ChangeKind, string>> = { process: "status", deadletter: "decision", request: "state", release: "state" };

/** The change that an entry tells. */
export function changeOf(kind: ChangeKind, { id, open, facts }: IndexEntry): Change {
  const { route } = facts;
  const end = facts[ENDS[kind]];
  return {
    ...{ kind, id },
    ...(typeof route === "string" ? { route } : {}),
    status: open ? "open" : typeof end === "string" ? end : "ended",
  };
}
