/**
 * @module What a turn of a process manager needs before it runs, and before its record is written. Pure.
 *
 * Before a turn ({@link taskPreparation}, {@link decisionPreparation}); all other messages need nothing:
 *
 * | message  | state                                  | needs                                                             |
 * |----------|----------------------------------------|-------------------------------------------------------------------|
 * | task     | no run yet, not expired                | free capacity (not for a child), valid input, index entry         |
 * | task     | any other                              | nothing: the turn repeats its answer or refuses                   |
 * | decision | a dead letter awaits it, and it is valid | free capacity (redrive), valid new input, index entry             |
 * | decision | any other                              | nothing                                                           |
 *
 * Before a record ({@link recordEntry}): an index entry, where the record is all that there is of a task that never came.
 */
import { type WireFault, wireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { Message } from "../protocol.ts";
import type { BodyOf, IndexEntry } from "../protocol/bodies.ts";
import type { Doer } from "../slip.ts";
import type { Value } from "../value.ts";
import { decisionFault, failedWorkOf } from "./dead-letter.ts";
import { entryFacts } from "./messages.ts";
import { decisionOn, nextRun } from "./runs.ts";
import type { ProcessState, Task } from "./state.ts";

/** How many processes a host has open, with tasks that are admitted and not yet journaled, how many it may have, and how late it is. */
export interface HostLoad {
  readonly open: number;
  readonly admitted: number;
  readonly openMax: number;
  /** How late the host's timers are, or the ticks that they began. */
  readonly lagMs: number;
}

/** Content that must match the input schema of an agent or a route before the turn. */
export interface InputGate {
  readonly doer: Doer;
  readonly content: Value;
  /** Fault code of content that does not match. */
  readonly code: "schema.task" | "schema.input";
  /** What happens if this host does not have the agent or route: the content passes unread, or the message is refused. */
  readonly absent: "pass" | "refuse";
  /** What happens to content that does not match: the message is refused, or the turn records the fault. */
  readonly misfit: "refuse" | "record";
}

/** A run that must be in the index before its first record. */
export interface RunPreparation {
  readonly kind: "run";
  readonly run: number;
  readonly gate?: InputGate;
  /** Bucket of the process in the index. Absent for a task: the index chooses it. */
  readonly bucket?: string;
  readonly task: Omit<EntryTask, "acceptedAtMs"> & Partial<Pick<EntryTask, "acceptedAtMs">>;
}

type EntryTask = Pick<Task, "route" | "trace" | "principal" | "acceptedAtMs" | "parent">;

/** What a message needs before its turn. `refuse`: no turn takes place. */
export type Preparation = { readonly kind: "none" } | { readonly kind: "refuse"; readonly fault: WireFault } | RunPreparation;

const NOTHING: Preparation = { kind: "none" };

/** What a task needs before its turn. `known` may be outdated: the turn then finds the process and writes nothing. */
export function taskPreparation(known: ProcessState, message: Message, body: BodyOf<"task">, load: HostLoad, nowMs: number): Preparation {
  if ((known.phase !== "new" && known.phase !== "void") || message.expiresAtMs <= nowMs) return NOTHING;
  if (body.parent === undefined && isFull(load)) return overloaded(load);
  const run = nextRun(known);
  return {
    kind: "run",
    run,
    // A route that only another version of this system has is pinned in the slip; the host that took the task has checked the input.
    gate: {
      doer: { kind: "route", route: body.route },
      content: body.input,
      code: "schema.task",
      absent: "pass",
      // A child is accepted and fails with the fault, so that its parent learns of it.
      misfit: body.parent === undefined ? "refuse" : "record",
    },
    task: {
      route: body.route,
      trace: message.trace,
      principal: message.principal,
      ...(body.parent === undefined ? {} : { parent: body.parent }),
    },
  };
}

/** What a decision on a dead letter needs before its turn. `state` must be the current one. */
export function decisionPreparation(state: ProcessState, body: BodyOf<"decision">, load: HostLoad): Preparation {
  const { task } = state;
  const isDecidable = decisionFault(state, body) === undefined && decisionOn(state, body.run) === undefined;
  if (!isDecidable || task === undefined) return NOTHING;
  if (body.what === "redrive" && isFull(load)) return overloaded(load);
  const run = nextRun(state);
  const gate: InputGate | undefined =
    body.input === undefined
      ? undefined
      : {
          doer: failedWorkOf(state)?.target ?? { kind: "route", route: task.route },
          content: body.input,
          code: "schema.input",
          absent: "refuse",
          misfit: "refuse",
        };
  return { kind: "run", run, bucket: task.bucket, task, ...(gate === undefined ? {} : { gate }) };
}

/** The index entry of a prepared run. */
export function preparedEntry(id: string, { run, task }: RunPreparation, host: string, atMs: number): IndexEntry {
  return { id, open: true, atMs, facts: { ...entryFacts(run, { acceptedAtMs: atMs, ...task }), host } };
}

/** The index entry of an id that a host has in reserve. It shows no process. */
export function reservedEntry(id: string, host: string, atMs: number): IndexEntry {
  return { id, open: true, atMs, facts: { run: 1, host, status: "reserved" } };
}

/** The index entry of a reserved id that its host does not use. */
export function givenUpEntry(id: string, host: string, atMs: number): IndexEntry {
  return { id, open: false, atMs, facts: { run: 1, host, status: "void" } };
}

/** The index entry of an open run that a host takes over, at a sequence of its journal. */
export function takenEntry(
  { id, run, task, paused }: ProcessState,
  host: string,
  sequence: number,
  atMs: number,
  dueAtMs: number,
): IndexEntry | undefined {
  if (task === undefined) return undefined;
  const due = Number.isFinite(dueAtMs) ? { dueAtMs } : {};
  const state = paused === undefined ? {} : { paused: true };
  return { id, open: true, atMs, facts: { ...entryFacts(run, task), host, at: sequence, ...due, ...state } };
}

/**
 * Whether a decision is recorded and did not open a run. A repeated decision may mean that the host that recorded it stopped before it
 * updated the dead letter queue and the audit, so the process performs its last effects again.
 */
export function isDecidedAndEnded(state: ProcessState, body: BodyOf<"decision">): boolean {
  return state.phase === "ended" && state.run === body.run && decisionOn(state, body.run) !== undefined;
}

/** Whether a host accepts no further top-level task now. */
export function isFull({ open, admitted, openMax, lagMs }: HostLoad): boolean {
  return open + admitted >= openMax || lagMs > LIMITS.admissionLagMsMax;
}

function overloaded({ open, lagMs }: HostLoad): Preparation {
  const why =
    lagMs > LIMITS.admissionLagMsMax ? `this host is ${lagMs} ms late` : `${open} processes are open on this host, which is its limit`;
  return { kind: "refuse", fault: wireFault("system.overloaded", why) };
}

/**
 * The facts of an index entry that must be open before the record that leads from one state to another: only with an entry can retention
 * find and purge the process. The entry is open, because the task may still come.
 */
export function recordEntry(before: ProcessState, next: ProcessState): IndexEntry["facts"] | undefined {
  return before.phase === "new" && (next.phase === "void" || next.phase === "refused") ? { status: next.phase } : undefined;
}
