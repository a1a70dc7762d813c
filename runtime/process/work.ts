/**
 * @module Work items: requests of a process manager to an agent or a nested route. Pure.
 */
import { z } from "zod";
import { Grant } from "../budget.ts";
import { WireFault } from "../faults.ts";
import { isItemsPath } from "../ids.ts";
import { Label } from "../label.ts";
import { WORK_STATES } from "../protocol.ts";
import { Ancestor, Result, SentBack } from "../protocol/bodies.ts";
import { Doer, RetryPolicy } from "../slip.ts";
import { Value } from "../value.ts";

/** One link of a chain of hand-offs and asks: the agent and the hash of its input. */
export const Link = z.strictObject({ agent: z.string(), input: z.string() });
export type Link = { readonly agent: string; readonly input: string };

/** The work item whose handler waits, and the index of its wait. Persisted: changing this needs a version bump. */
export const Asker = z.strictObject({ workId: z.string(), index: z.int().nonnegative() });
export type Asker = z.infer<typeof Asker>;

/** A request that is not answered yet, or waits for its next attempt. Persisted: changing this needs a version bump. */
export const Work = z.strictObject({
  id: z.string(),
  /** `do`: of a stop. `ask`: of a handler. `check`: a validator judges an output. `undo`: compensation of another work item. */
  kind: z.enum(["do", "ask", "check", "undo"]),
  /** Order of the request within the process, from 1. Compensation runs in reverse order. */
  order: z.int().positive(),
  /** Path of the stop (runtime/ids.ts). For an ask or a compensation: the path of its work item. */
  stop: z.string(),
  item: z.int().nonnegative(),
  visit: z.int().positive(),
  target: Doer,
  /** Version of the agent's contract or of the route, as pinned in the slip. */
  version: z.int().positive(),
  /** Actor id of the agent, or process id of the nested route. */
  actor: z.string(),
  /** The first request to a per-process actor; any host may activate it. */
  first: z.boolean().optional(),
  input: Value,
  /** Of the input. Absent: trusted. */
  label: Label.optional(),
  /** The slip of a planned route. Absent: that of the process. */
  slip: Value.optional(),
  attempt: z.int().positive(),
  status: z.enum(["asked", "waiting"]),
  askedAtMs: z.int(),
  /** `asked`: when the attempt times out. `waiting`: when the next attempt begins. */
  dueAtMs: z.int(),
  timeoutMs: z.int().positive(),
  retry: RetryPolicy,
  optional: z.boolean(),
  /** State of this attempt, from the agent's receipt. */
  standing: z.enum(WORK_STATES).optional(),
  /** Since when the time of the attempt is stopped, because its handler waits. */
  pausedAtMs: z.int().optional(),
  /** When the last answer to its handler was ordered. */
  answeredAtMs: z.int().optional(),
  asker: Asker.optional(),
  /** The work item that this one compensates. */
  undoes: z.string().optional(),
  chain: z.array(Link),
  ancestors: z.array(Ancestor),
  /** Answers to the waits of its handler, until the work item is done. */
  answers: z.record(z.string(), Result),
  /** Labels of those answers that are untrusted. */
  answerLabels: z.record(z.string(), Label).optional(),
  faults: z.array(z.strictObject({ attempt: z.int(), atMs: z.int(), fault: WireFault })),
  /** What it may spend in all, as this attempt was told. The account has what it was given since. */
  grant: Grant.optional(),
  /** An earlier output of the call that was sent back. */
  sentBack: SentBack.optional(),
  /** What the budget of its call leaves, after what a work item spent that handed off to it. */
  cap: Grant.optional(),
});
export type Work = z.infer<typeof Work>;

/** An output that a validator judges, or that was sent back. Persisted: changing this needs a version bump. */
export const Check = z.strictObject({
  stop: z.string(),
  item: z.int().nonnegative(),
  /** Visit of the work item or request whose output it is. */
  visit: z.int().positive(),
  /** How often outputs of this call were sent back. */
  round: z.int().nonnegative(),
  /** `judging`: the validator or a person has it. `undoing`: its work items are compensated. `again`: the call is made again. */
  state: z.enum(["judging", "undoing", "again"]),
  output: Value,
  /** Of the output. Absent: trusted. */
  label: Label.optional(),
  /** Why it was sent back. */
  reasons: z.array(z.string()),
  optional: z.boolean(),
  /** Its work item. Absent: a person answered. */
  work: Work.optional(),
});
export type Check = z.infer<typeof Check>;

/** What each work item begins with: its first attempt, which is requested now. */
export function firstAttempt(
  nowMs: number,
  timeoutMs: number,
): Pick<Work, "attempt" | "status" | "askedAtMs" | "dueAtMs" | "timeoutMs" | "answers" | "faults"> {
  return { attempt: 1, status: "asked", askedAtMs: nowMs, dueAtMs: nowMs + timeoutMs, timeoutMs, answers: {}, faults: [] };
}

/** A requested work item that is not known to be undone, so it may need compensation. Persisted: changing this needs a version bump. */
export const Asked = z.strictObject({ id: z.string(), order: z.int(), stop: z.string(), target: Doer, actor: z.string() });
export type Asked = z.infer<typeof Asked>;

/**
 * Finished items of a `forEach` that have left the state, stored as one value: their outputs by key, and the work items of them that may
 * need compensation. An item that failed has no output. Persisted: changing this needs a version bump.
 */
export const Part = z.compile(z.strictObject({ outputs: z.array(z.tuple([z.string(), Value])), asked: z.array(Asked) }));
export type Part = z.infer<typeof Part>;

/**
 * A list that is too large for one value: its items in stored lists of `per` values each. Only the `over` of a `forEach` can read it.
 * Persisted: changing this needs a version bump.
 */
export const LongList = z.strictObject({ per: z.int().positive(), count: z.int().nonnegative(), lists: z.array(Value) });
export type LongList = z.infer<typeof LongList>;

/** The key of a work item in its stop's progress: the item's index in a `forEach`, otherwise the name of the branch or stop. */
export function progressKey(work: { readonly stop: string; readonly item: number }): string {
  return isItemsPath(work.stop) ? String(work.item) : work.stop;
}

/** Whether the time of an attempt is stopped, because its handler waits for an agent, a timer or a signal. */
export function isPaused(work: Work): boolean {
  return work.status === "asked" && work.pausedAtMs !== undefined;
}
