/**
 * @module Waits that a process manager owns itself: timers, signals from outside, people. Pure.
 *
 * A handler's wait for an agent is a work item (work.ts). Timers, signals and people get no work message, so they need no compensation.
 */
import { z } from "zod";
import { Grant } from "../budget.ts";
import { assertNever, WireFault } from "../faults.ts";
import { Label } from "../label.ts";
import { PersonData, REQUEST_KINDS, REQUEST_STATES } from "../people/request.ts";
import { Value } from "../value.ts";
import { Asker } from "./work.ts";

/** What people are told of an open request. */
export const REQUEST_STEPS = ["asked", "reminded", "escalated"] as const;

/** Who may decide on a request, and what time does to it, pinned when it begins. Persisted: changing this needs a version bump. */
const WhoDecides = PersonData.pick({ roles: true, remindMs: true, escalate: true, onExpiry: true, agentsDecide: true });

/** A wait for people. Its request has the id `<process>.r<count>`. Persisted: changing this needs a version bump. */
const ForPerson = z.strictObject({
  kind: z.literal("person"),
  count: z.int().positive(),
  about: z.enum(REQUEST_KINDS),
  /** Name of the person. Absent: all who may decide. */
  person: z.string().optional(),
  /** The agent whose handler or model wants it. Absent: the route. */
  agent: z.string().optional(),
  tool: z.string().optional(),
  /** Why, cut. */
  reason: z.string(),
  /** The stored `RequestContent`. */
  content: Value,
  /** Of its input. */
  hash: z.string(),
  who: WhoDecides,
  /** Its deadline. Absent: that of the process. */
  endsAtMs: z.int().optional(),
  reminded: z.int().nonnegative(),
  escalated: z.int().nonnegative(),
  /** What people were told last, and when. */
  step: z.enum(REQUEST_STEPS),
  toldAtMs: z.int(),
  /** For how long its process was paused. Absent: never. */
  heldMs: z.int().positive().optional(),
});

/** A timer, a signal, a budget or a decision that a stop or a handler waits for. Persisted: changing this needs a version bump. */
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
    ForPerson,
  ]),
  asker: Asker.optional(),
  /** A person judges the output at its place, or continues the budget of the process: it does not count in the progress of the stop. */
  aside: z.literal(true).optional(),
  /** It follows another visit of the same place: after a hand-off, or after an output that was sent back. */
  again: z.literal(true).optional(),
  optional: z.boolean(),
  begunAtMs: z.int(),
  /** When the timer ends, the signal times out, or a request has its next step. Absent: it waits until the deadline of the process. */
  dueAtMs: z.int().optional(),
});
export type Wait = z.infer<typeof Wait>;
/** A wait for people. */
export type PersonWait = Wait & { readonly for: z.infer<typeof ForPerson> };

/** What a stop or handler that waits receives. */
export const WaitResult = z.union([z.strictObject({ output: Value }), z.strictObject({ fault: WireFault })]);
/** What a stop or handler that waits receives. */
export type WaitResult = z.infer<typeof WaitResult>;

/** Whether it is a wait for people. */
export function isPersonWait(wait: Wait): wait is PersonWait {
  return wait.for.kind === "person";
}

/** A request that is no longer open. Persisted: changing this needs a version bump. */
export const EndedRequest = z.strictObject({
  run: z.int().positive(),
  wait: Wait,
  state: z.enum(REQUEST_STATES).exclude(["open"]),
  atMs: z.int(),
  reason: z.string(),
  /** Of a decision: who decided, its id, and the sequence of its record. */
  by: z.string().optional(),
  decisionId: z.string().optional(),
  sequence: z.int().optional(),
});
export type EndedRequest = z.infer<typeof EndedRequest>;

/** What a process remembers of its requests to people, over all its runs. Persisted: changing this needs a version bump. */
export const People = z.strictObject({
  /** Requests so far. */
  count: z.int().nonnegative(),
  /** Those that are no longer open, oldest first, as long as their entries may have to be written again. */
  ended: z.array(EndedRequest),
});
export type People = z.infer<typeof People>;

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
    case "person":
      return wanted.person ?? "a person";
    default:
      return assertNever(wanted);
  }
}
