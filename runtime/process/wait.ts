/**
 * @module Waits that a process manager owns itself: timers and signals from outside. Pure.
 *
 * A handler's wait for an agent is a work item (work.ts). Timers and signals send no request, so they need no compensation.
 */
import { z } from "zod";
import { Grant } from "../budget.ts";
import { assertNever } from "../faults.ts";
import { Label } from "../label.ts";
import { Value } from "../value.ts";
import { Asker } from "./work.ts";

/** A timer, a signal or a budget that a stop or a handler waits for. Persisted: changing this needs a version bump. */
export const Wait = z.strictObject({
  /** The id that a work item at the same place would have. */
  id: z.string(),
  /** Path of the stop. For the wait of a handler: the path of its work item. */
  stop: z.string(),
  item: z.int().nonnegative(),
  for: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("timer") }),
    /** `schema`: the JSON Schema of the payload. */
    z.strictObject({ kind: z.literal("signal"), name: z.string(), schema: Value }),
    /** A larger grant, which the parent of a nested route must give. `need`: what the work item needs in all. */
    z.strictObject({ kind: z.literal("budget"), need: Grant }),
  ]),
  asker: Asker.optional(),
  optional: z.boolean(),
  begunAtMs: z.int(),
  /** When the timer ends, or the wait for a signal times out. Absent: it waits until the deadline of the process. */
  dueAtMs: z.int().optional(),
});
export type Wait = z.infer<typeof Wait>;

/** A signal that arrived before its wait. Persisted: changing this needs a version bump. */
export const KeptSignal = z.strictObject({
  name: z.string(),
  signalId: z.string(),
  payload: Value,
  /** Of the payload. Absent: trusted. */
  label: Label.optional(),
  atMs: z.int(),
});
export type KeptSignal = z.infer<typeof KeptSignal>;

/** A signal that ended a wait or was dropped. `hash` is of its payload. Persisted: changing this needs a version bump. */
export const KnownSignal = z.strictObject({
  signalId: z.string(),
  name: z.string(),
  hash: z.string(),
  dropped: z.literal(true).optional(),
});
/** A signal that ended a wait or was dropped. */
export type KnownSignal = z.infer<typeof KnownSignal>;

/** A wait in history entries and messages. */
export function waitText(wait: Wait): string {
  const { for: wanted } = wait;
  switch (wanted.kind) {
    case "timer":
      return "timer";
    case "signal":
      return `signal ${wanted.name}`;
    case "budget":
      return "budget";
    default:
      return assertNever(wanted);
  }
}
