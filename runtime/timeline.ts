/**
 * @module The timeline of a process for screens and commands: one bar for each thing that took time, with its cause. It tells waiting in
 * a queue apart from work, and work of code, models, tools and people apart from each other. Pure.
 */
import { z } from "zod";
import { Code } from "./process-view.ts";

const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");
const Count = z.int().nonnegative();

/**
 * What a bar shows. `work`: a work item from its request to its answer. `queue`: until its handler began. `handler`: its code. `retry`: the
 * pause between two attempts or tries. `paused`: an operator had paused the process.
 */
const BAR_KINDS = [
  "work",
  "queue",
  "handler",
  "model",
  "tool",
  "step",
  "ask",
  "person",
  "timer",
  "signal",
  "retry",
  "undo",
  "paused",
] as const;

/** One bar of a timeline. */
export const Bar = z.object({
  id: z.string().describe("Unique in the timeline."),
  in: z.string().optional().describe("The bar that this one is a part of."),
  kind: z.enum(BAR_KINDS),
  name: z.string().describe("Of the agent, model, tool, step, person or signal."),
  stop: z.string(),
  agent: z.string().optional(),
  work: z.string().optional().describe("Id of the work item."),
  call: z.string().optional().describe("Key of the call in its work item, as `fork --at` takes it."),
  request: z.string().optional().describe("Id of the request to people."),
  process: z.string().optional().describe("Of a nested route: its process."),
  attempt: z.int().positive().optional(),
  tries: z.int().positive().optional(),
  beginMs: EpochMs,
  endMs: EpochMs.optional().describe("Absent: it goes on, or its end was not recorded."),
  state: z.enum(["open", "ended", "failed", "undone", "dropped"]),
  code: Code.optional(),
  model: z.string().optional().describe("The model that answered, as the provider names it."),
  prompt: z.string().optional().describe("The version of the prompt."),
  tokens: Count.optional(),
  usd: z.number().nonnegative().optional(),
});
/** One bar of a timeline. */
export type Bar = z.infer<typeof Bar>;

/** The bars of one run of a process, in the order in which they began. */
export const TimelineView = z.object({
  id: z.string(),
  run: z.int().positive(),
  beginMs: EpochMs,
  endMs: EpochMs.optional(),
  fromMs: EpochMs.optional().describe("Records before this were not read: what happened earlier in the run is not shown."),
  bars: z.array(Bar),
  left: z.int().positive().optional().describe("Older bars that are not shown."),
});
/** The bars of one run of a process. */
export type TimelineView = z.infer<typeof TimelineView>;
