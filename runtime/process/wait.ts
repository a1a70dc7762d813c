/**
 * @module Waits that a process manager owns itself: timers and signals from outside. Pure.
 *
 * A handler's wait for an agent is a work item (work.ts). A wait asks nobody for anything, so there is nothing to undo.
 */
import { z } from "zod";
import { Value } from "../value.ts";
import { Asker } from "./work.ts";

/** A timer or a signal that a stop or a handler waits for. Persisted: changing this needs a version bump. */
export const Wait = z.strictObject({
  /** As of a work item in its place. */
  id: z.string(),
  /** Path of the stop; for the wait of a handler, that of its work item. */
  stop: z.string(),
  item: z.int().nonnegative(),
  for: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("timer") }),
    /** `schema`: the JSON Schema of its payload. */
    z.strictObject({ kind: z.literal("signal"), name: z.string(), schema: Value }),
  ]),
  asker: Asker.optional(),
  optional: z.boolean(),
  begunAtMs: z.int(),
  /** When a timer ends, or the wait for a signal is out of time. Absent: it waits until the deadline of the process. */
  dueAtMs: z.int().optional(),
});
export type Wait = z.infer<typeof Wait>;

/** A signal that came before its wait. Persisted: changing this needs a version bump. */
export const KeptSignal = z.strictObject({ name: z.string(), signalId: z.string(), payload: Value, atMs: z.int() });
export type KeptSignal = z.infer<typeof KeptSignal>;

/** A signal that ended a wait or was dropped. `hash` is of its payload. Persisted: changing this needs a version bump. */
export const KnownSignal = z.strictObject({
  signalId: z.string(),
  name: z.string(),
  hash: z.string(),
  dropped: z.literal(true).optional(),
});
export type KnownSignal = z.infer<typeof KnownSignal>;

/** What a wait is for, in history entries. */
export function waitText(wait: Wait): string {
  return wait.for.kind === "timer" ? "timer" : `signal ${wait.for.name}`;
}
