/**
 * @module Work items: what a process manager asked of an agent or a nested route. Pure.
 */
import { z } from "zod";
import { WireFault } from "../faults.ts";
import { isItemsPath } from "../ids.ts";
import { Ancestor, Result, WORK_STATES } from "../protocol.ts";
import { Doer, RetryPolicy } from "../slip.ts";
import { Value } from "../value.ts";

/** One link of a chain of hand-offs and asks: the agent, its actor and the hash of the input it was given. */
export const Link = z.strictObject({ agent: z.string(), input: z.string() });
export type Link = { readonly agent: string; readonly input: string };

/** The work item whose handler waits, and the index of its wait. Persisted: changing this needs a version bump. */
export const Asker = z.strictObject({ workId: z.string(), index: z.int().nonnegative() });
export type Asker = z.infer<typeof Asker>;

/** A request that the manager made and that is not answered yet, or waits to be made again. Persisted: changing this needs a version bump. */
export const Work = z.strictObject({
  id: z.string(),
  /** `do`: a stop. `ask`: a question of a handler. `undo`: compensation of another work item. */
  kind: z.enum(["do", "ask", "undo"]),
  /** Order of asking within the process, from 1. Compensation goes backwards along it. */
  order: z.int().positive(),
  /** Path of the stop (runtime/ids.ts). For asks and compensations, that of the work item they belong to. */
  stop: z.string(),
  item: z.int().nonnegative(),
  visit: z.int().positive(),
  target: Doer,
  /** Version of the agent's contract, or of the route, that the slip pins. */
  version: z.int().positive(),
  /** Actor id: of an agent's actor, or the process id of a nested route. */
  actor: z.string(),
  /** The first thing that is asked of this actor, which only this process can know. */
  first: z.boolean().optional(),
  input: Value,
  attempt: z.int().positive(),
  status: z.enum(["asked", "waiting"]),
  askedAtMs: z.int(),
  /** `asked`: when the attempt is out of time. `waiting`: when the next attempt is made. */
  dueAtMs: z.int(),
  timeoutMs: z.int().positive(),
  retry: RetryPolicy,
  optional: z.boolean(),
  /** What the agent's receipt said of this attempt. */
  standing: z.enum(WORK_STATES).optional(),
  /** Since when the attempt's time stands still, because its handler waits. */
  pausedAtMs: z.int().optional(),
  /** When the last answer to its handler was ordered. */
  answeredAtMs: z.int().optional(),
  asker: Asker.optional(),
  /** The work item that this one compensates. */
  undoes: z.string().optional(),
  chain: z.array(Link),
  ancestors: z.array(Ancestor),
  /** Answers to what its handler waits for, until the work is done. */
  answers: z.record(z.string(), Result),
  faults: z.array(z.strictObject({ attempt: z.int(), atMs: z.int(), fault: WireFault })),
});
export type Work = z.infer<typeof Work>;

/** What may have to be compensated: asked once, and not known to be undone. Persisted: changing this needs a version bump. */
export const Asked = z.strictObject({ id: z.string(), order: z.int(), stop: z.string(), target: Doer, actor: z.string() });
export type Asked = z.infer<typeof Asked>;

/** Under which key a stop's work is counted: the item's index in a `forEach`, the branch or stop name elsewhere. */
export function progressKey(work: { readonly stop: string; readonly item: number }): string {
  return isItemsPath(work.stop) ? String(work.item) : work.stop;
}

/** Whether the time of an attempt stands still, because its handler waits for an agent, a timer or a signal. */
export function isPaused(work: Work): boolean {
  return work.status === "asked" && work.pausedAtMs !== undefined;
}
