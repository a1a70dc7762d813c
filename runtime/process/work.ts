/**
 * @module Work items: requests of a process manager to agents and nested routes. Pure.
 */
import { z } from "zod";
import { WireFault } from "../faults.ts";
import { isItemsPath } from "../ids.ts";
import { Ancestor, Result, WORK_STATES } from "../protocol.ts";
import { Doer, RetryPolicy } from "../slip.ts";
import { Value } from "../value.ts";

/** One link of a chain of hand-offs and asks: the agent, and the hash of its input. */
export const Link = z.strictObject({ agent: z.string(), input: z.string() });
export type Link = { readonly agent: string; readonly input: string };

/** The work item whose handler waits, and the index of the wait. Persisted: changing this needs a version bump. */
export const Asker = z.strictObject({ workId: z.string(), index: z.int().nonnegative() });
export type Asker = z.infer<typeof Asker>;

/** A request that is unanswered, or that waits for its next attempt. Persisted: changing this needs a version bump. */
export const Work = z.strictObject({
  id: z.string(),
  /** `do`: a call of a stop. `ask`: an ask of a handler. `undo`: compensation of another work item. */
  kind: z.enum(["do", "ask", "undo"]),
  /** Number of the request within the process, from 1. Compensation goes from the highest to the lowest. */
  order: z.int().positive(),
  /** Path of the stop (runtime/ids.ts). For an ask or a compensation: the path of the work item that it belongs to. */
  stop: z.string(),
  item: z.int().nonnegative(),
  visit: z.int().positive(),
  target: Doer,
  /** Version of the agent's contract, or of the route, that the slip pins. */
  version: z.int().positive(),
  /** Actor id: of an agent's actor, or the process id of a nested route. */
  actor: z.string(),
  /** The first request to this actor, if only this process can call it. */
  first: z.boolean().optional(),
  input: Value,
  attempt: z.int().positive(),
  status: z.enum(["asked", "waiting"]),
  askedAtMs: z.int(),
  /** `asked`: when the attempt times out. `waiting`: when the next attempt is made. */
  dueAtMs: z.int(),
  timeoutMs: z.int().positive(),
  retry: RetryPolicy,
  optional: z.boolean(),
  /** State of this attempt that the agent's receipt reported. */
  standing: z.enum(WORK_STATES).optional(),
  /** When the timeout of the attempt was paused because its handler waits. */
  pausedAtMs: z.int().optional(),
  /** When the last answer to its handler was sent. */
  answeredAtMs: z.int().optional(),
  asker: Asker.optional(),
  /** The work item that this one compensates. */
  undoes: z.string().optional(),
  chain: z.array(Link),
  ancestors: z.array(Ancestor),
  /** Answers to the waits of its handler, by index. Kept until the work item ends. */
  answers: z.record(z.string(), Result),
  faults: z.array(z.strictObject({ attempt: z.int(), atMs: z.int(), fault: WireFault })),
});
export type Work = z.infer<typeof Work>;

/** A requested work item that may need compensation, because it is not known to be undone. Persisted: changing this needs a version bump. */
export const Asked = z.strictObject({ id: z.string(), order: z.int(), stop: z.string(), target: Doer, actor: z.string() });
export type Asked = z.infer<typeof Asked>;

/** Key of a work item in the progress of its stop: the item index in a `forEach`, otherwise the name of the branch or stop. */
export function progressKey(work: { readonly stop: string; readonly item: number }): string {
  return isItemsPath(work.stop) ? String(work.item) : work.stop;
}

/** Whether the timeout of an attempt is paused because its handler waits for an agent, a timer or a signal. */
export function isPaused(work: Work): boolean {
  return work.status === "asked" && work.pausedAtMs !== undefined;
}
