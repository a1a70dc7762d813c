/** @module What a replay found: whether the current code does again what is recorded. Pure. */
import { z } from "zod";
import { AnyJson } from "../process-view.ts";

/**
 * Where the current code first differs. `route`: the routing slip asks for something else. `unreached`: something recorded does not happen
 * again. `new`: something happens that is not recorded. `changed`: a call, a model request, a result or a state has another content.
 */
const DIVERGENCES = ["route", "unreached", "new", "changed"] as const;

/** The first difference of one process or work item. */
export const Divergence = z.object({
  process: z.string(),
  kind: z.enum(DIVERGENCES),
  stop: z.string(),
  agent: z.string().optional(),
  work: z.string().optional(),
  call: z.string().optional().describe("The call, step, wait or model call at which it was found."),
  message: z.string(),
  recorded: AnyJson.optional(),
  now: AnyJson.optional(),
});
/** The first difference of one process or work item. */
export type Divergence = z.infer<typeof Divergence>;

/** What a replay found. */
export const ReplayReport = z.object({
  id: z.string(),
  processes: z.int().positive(),
  works: z.int().nonnegative().describe("Work items whose handlers ran again."),
  skipped: z
    .array(z.object({ work: z.string(), why: z.string() }))
    .describe("Work items that cannot be replayed, and processes of which not all can."),
  divergences: z.array(Divergence).describe("The first of each work item and process, in the order of the record. Empty: nothing differs."),
});
/** What a replay found. */
export type ReplayReport = z.infer<typeof ReplayReport>;
