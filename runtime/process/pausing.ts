/** @module The records of pauses and terminations of a process. Pure. The decisions are in pause.ts and terminate.ts. */
import { z } from "zod";
import { WireFault } from "../faults.ts";
import { Label } from "../label.ts";
import { AnswerBody, ResultBody, TreeOrder, WaitBody } from "../protocol/bodies.ts";
import { Act } from "./runs.ts";
import { Wait, WaitResult } from "./wait.ts";
import { Asked } from "./work.ts";

export { TreeOrder };

/** The pause of a process. Persisted: changing this needs a version bump. */
export const Pause = z.strictObject({
  atMs: z.int(),
  /** Then the process goes on by itself. */
  untilMs: z.int(),
  by: z.string(),
  reason: z.string(),
});
export type Pause = z.infer<typeof Pause>;

/** A person has decided while the process was paused; what follows from it waits. Persisted: changing this needs a version bump. */
const Decided = z.strictObject({ kind: z.literal("decided"), wait: Wait, result: WaitResult, label: Label.optional() });

/** What arrived while the process was paused and is taken when it goes on. Persisted: changing this needs a version bump. */
export const HeldBack = z.discriminatedUnion("kind", [ResultBody, WaitBody, AnswerBody, Decided]);
export type HeldBack = z.infer<typeof HeldBack>;

/** A pause begins. Persisted: changing this needs a version bump. */
export const Paused = z.strictObject({ e: z.literal("paused"), act: Act, untilMs: z.int() });
export type Paused = z.infer<typeof Paused>;

/** A pause ends: by an operator, or for another reason. Persisted: changing this needs a version bump. */
export const Resumed = z.strictObject({
  e: z.literal("resumed"),
  act: Act.optional(),
  /** Why it ended without an operator. */
  why: z.string().optional(),
  atMs: z.int(),
});
export type Resumed = z.infer<typeof Resumed>;

/**
 * An operator ends the process without compensation. `dropped`: open work items, whose handlers are cancelled. `left`: what was asked and
 * is not undone. Persisted: changing this needs a version bump.
 */
export const Terminated = z.strictObject({
  e: z.literal("terminated"),
  act: Act,
  fault: WireFault,
  dropped: z.array(Asked),
  left: z.array(z.string()),
});
export type Terminated = z.infer<typeof Terminated>;
