/**
 * @module State and events of the process manager, and how one becomes the other. Pure.
 *
 * One process manager per task. The state holds what is unanswered in full and what is finished in a line each, so that
 * a thousand stops later it has grown by what happened and no more.
 */
import { z } from "zod";
import { entryOf, withEntry, withoutEntry } from "../entries.ts";
import { assertNever, WireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import { Ancestor, Outcome, Parent, Principal, Result, Trace } from "../protocol.ts";
import { RetryPolicy, Target } from "../slip.ts";
import { Value } from "../value.ts";
import { act, Act, begun, keptAtEnding, PastRun, reopen, Reopened, Replaced, undone } from "./runs.ts";

/** The task as it was accepted. Persisted: changing this needs a version bump. */
export const Task = z.strictObject({
  route: z.string(),
  input: Value,
  /** Hash of route and input: what makes a repeated task the same. */
  fingerprint: z.string(),
  slip: Value,
  principal: Principal,
  trace: Trace,
  acceptedAtMs: z.int(),
  deadlineAtMs: z.int(),
  bucket: z.string(),
  parent: Parent.optional(),
  /** Until then a parent may ask for the compensation of the whole process. */
  retainUntilMs: z.int().optional(),
  nesting: z.array(z.string()),
  /** Lifetime of a run, in milliseconds. */
  timeoutMs: z.int().positive(),
});
export type Task = z.infer<typeof Task>;

/** One link of a chain of hand-offs and asks: the agent, its actor and the hash of the input it was given. */
export const Link = z.strictObject({ agent: z.string(), input: z.string() });
export type Link = { readonly agent: string; readonly input: string };

/** A request that the manager made and that is not answered yet, or waits to be made again. Persisted: changing this needs a version bump. */
export const Work = z.strictObject({
  id: z.string(),
  /** `do`: a stop. `ask`: a question of a handler. `undo`: compensation of another work. */
  kind: z.enum(["do", "ask", "undo"]),
  /** Order of asking within the process, from 1. Compensation goes backwards along it. */
  order: z.int().positive(),
  /** Output name of the stop (or `stop.branch` of an `any`). For asks and compensations, that of the work they belong to. */
  stop: z.string(),
  item: z.int().nonnegative(),
  visit: z.int().positive(),
  target: Target,
  /** Version of the agent's contract, or of the route, that the slip pins. */
  version: z.int().positive(),
  /** Actor id: session key of an agent, process id of a nested route. */
  actor: z.string(),
  /** The first thing that is asked of this actor, which only this process can know. */
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
  /** The work whose handler asks; the index of its ask. */
  asker: z.strictObject({ workId: z.string(), index: z.int().nonnegative() }).optional(),
  /** The work that this one compensates. */
  undoes: z.string().optional(),
  chain: z.array(Link),
  ancestors: z.array(Ancestor),
  /** Answers to this work's own asks, until the work is done. */
  answers: z.record(z.string(), Result),
  faults: z.array(z.strictObject({ attempt: z.int(), atMs: z.int(), fault: WireFault })),
});
export type Work = z.infer<typeof Work>;

/** What may have to be compensated: asked once, and not known to be undone. Persisted: changing this needs a version bump. */
export const Asked = z.strictObject({ id: z.string(), order: z.int(), stop: z.string(), target: Target, actor: z.string() });
export type Asked = z.infer<typeof Asked>;

/** The stop in work. Persisted: changing this needs a version bump. */
export const Progress = z.strictObject({
  stop: z.string(),
  total: z.int().nonnegative(),
  /** Items or branches begun so far. */
  begun: z.int().nonnegative(),
  items: Value.optional(),
  outputs: z.record(z.string(), Value),
  failed: z.record(z.string(), WireFault),
});
export type Progress = z.infer<typeof Progress>;

/** One thing that happened, for people. At most LIMITS.historyMax are kept. Persisted: changing this needs a version bump. */
const HistoryLine = z.strictObject({
  atMs: z.int(),
  what: z.string(),
  stop: z.string(),
  agent: z.string(),
  attempt: z.int(),
  code: z.string().optional(),
});
type HistoryLine = z.infer<typeof HistoryLine>;

/** Why the process no longer goes forward. Persisted: changing this needs a version bump. */
export const Ending = z.strictObject({
  status: z.enum(["failed", "cancelled", "expired"]),
  fault: WireFault,
  stop: z.string(),
  /** The work that failed, as it stood: the original message of the dead letter. */
  work: Work.optional(),
});
export type Ending = z.infer<typeof Ending>;

/** The state of one process. A new run begins it anew, but for what runtime/process/runs.ts keeps. Persisted: changing this needs a version bump. */
export const ProcessState = z.strictObject({
  id: z.string(),
  /** `void`: a reminder found nothing; a task may still come. `refused`: undone before it was ever asked. `purged`: what is left is being taken away. */
  phase: z.enum(["new", "void", "refused", "open", "ended", "purged"]),
  run: z.int().nonnegative(),
  task: Task.optional(),
  cursor: z.int().nonnegative(),
  progress: Progress.optional(),
  outputs: z.record(z.string(), Value),
  works: z.record(z.string(), Work),
  asked: z.array(Asked),
  /** Works of `asked` whose compensation is due now (losers, optional failures, or everything while ending). */
  undoing: z.array(z.string()),
  /** Works that may run still although nobody waits for them any more; they may hold actors that others wait for. */
  stopping: z.array(z.string()).optional(),
  /** Agents without a key that were asked, in any run: their actors of this process are not new any more. */
  met: z.array(z.string()).optional(),
  order: z.int().nonnegative(),
  hops: z.int().nonnegative(),
  /** Stops that were passed although an optional call of theirs failed: the outcome is partial. */
  lacking: z.array(z.string()).optional(),
  ending: Ending.optional(),
  /** The work of a stop that failed for good most recently, as it stood: a dead letter's original message. */
  failedWork: Work.optional(),
  undoFault: WireFault.optional(),
  history: z.array(HistoryLine),
  /** Lines that have left `history`, so that a line keeps its number. */
  historyGone: z.int().positive().optional(),
  outcome: Outcome.optional(),
  /** A parent asked for the compensation of this whole process, under these ids. */
  undo: z.strictObject({ undoId: z.string(), workId: z.string(), attempt: z.int(), done: z.boolean() }).optional(),
  /** `refused`: until then its task may come. */
  refuseUntilMs: z.int().optional(),
  /** Earlier runs, oldest first. */
  runs: z.array(PastRun).optional(),
  /** What people did, oldest first. */
  acts: z.array(Act).optional(),
  /** Runs up to this one can no longer be: a reminder rang for one that had no record, or a letter was discarded. */
  voidedRun: z.int().positive().optional(),
  /** Works that were due for compensation before the process turned round: losers, and optional calls that failed. */
  leftovers: z.array(z.string()).optional(),
  /** `path#item` of counted works whose effect was undone, so that their output does not stand for a next run. */
  torn: z.array(z.string()).optional(),
  /** What was finished of the stop in work when the process turned round. */
  kept: z.strictObject({ stop: z.string(), outputs: z.record(z.string(), Value) }).optional(),
  /** What of the first stop of this run is finished already. */
  pins: z.record(z.string(), Value).optional(),
  replaced: Replaced.optional(),
});
export type ProcessState = z.infer<typeof ProcessState>;

/** Facts of a process. Persisted: changing this needs a version bump. */
export const ProcessEvent = z.discriminatedUnion("e", [
  z.strictObject({ e: z.literal("voided") }),
  z.strictObject({ e: z.literal("refused-for-ever"), undoId: z.string(), workId: z.string(), attempt: z.int(), retainUntilMs: z.int() }),
  z.strictObject({ e: z.literal("accepted"), run: z.int().positive(), task: Task }),
  z.strictObject({ e: z.literal("stop-begun"), stop: z.string(), total: z.int().nonnegative(), items: Value.optional() }),
  z.strictObject({ e: z.literal("asked"), work: Work }),
  z.strictObject({ e: z.literal("skipped"), stop: z.string(), key: z.string() }),
  z.strictObject({
    e: z.literal("attempt-failed"),
    workId: z.string(),
    attempt: z.int(),
    fault: WireFault,
    atMs: z.int(),
    againAtMs: z.int(),
  }),
  z.strictObject({ e: z.literal("asked-again"), workId: z.string(), attempt: z.int(), atMs: z.int(), dueAtMs: z.int() }),
  z.strictObject({ e: z.literal("answered"), workId: z.string(), output: Value, atMs: z.int() }),
  z.strictObject({ e: z.literal("handed-off"), workId: z.string(), to: z.string(), atMs: z.int() }),
  z.strictObject({ e: z.literal("failed"), workId: z.string(), fault: WireFault, atMs: z.int(), tolerated: z.boolean() }),
  z.strictObject({ e: z.literal("wait-answered"), workId: z.string(), index: z.int(), result: Result }),
  z.strictObject({ e: z.literal("stop-done"), stop: z.string(), outputs: z.record(z.string(), Value), atMs: z.int() }),
  z.strictObject({ e: z.literal("undo-due"), workIds: z.array(z.string()) }),
  /** `undid`: there was something to undo. */
  z.strictObject({ e: z.literal("undone"), workId: z.string(), atMs: z.int(), undid: z.literal(true).optional() }),
  z.strictObject({ e: z.literal("undo-failed"), workId: z.string(), fault: WireFault, atMs: z.int() }),
  z.strictObject({ e: z.literal("ending"), ending: Ending, atMs: z.int() }),
  z.strictObject({ e: z.literal("ended"), outcome: Outcome }),
  z.strictObject({ e: z.literal("undo-requested"), undoId: z.string(), workId: z.string(), attempt: z.int() }),
  z.strictObject({ e: z.literal("undo-finished") }),
  z.strictObject({ e: z.literal("purged") }),
  z.strictObject({ e: z.literal("acted"), act: Act }),
  z.strictObject({ e: z.literal("run-voided"), run: z.int().positive() }),
  Reopened,
]);
export type ProcessEvent = z.infer<typeof ProcessEvent>;

/** A process manager that was never asked. What most processes come to have is there from the beginning: states of one shape are copied fastest. */
export function newProcess(id: string): ProcessState {
  return {
    id,
    phase: "new",
    run: 0,
    task: undefined,
    cursor: 0,
    progress: undefined,
    outputs: {},
    works: {},
    asked: [],
    undoing: [],
    stopping: undefined,
    met: undefined,
    order: 0,
    hops: 0,
    lacking: undefined,
    ending: undefined,
    failedWork: undefined,
    history: [],
    outcome: undefined,
    acts: undefined,
    leftovers: undefined,
    torn: undefined,
    kept: undefined,
  };
}

/** The state after an event. Pure; never fails on an event that `decide` gave. */
export function evolveProcess(state: ProcessState, event: ProcessEvent): ProcessState {
  switch (event.e) {
    case "voided":
      return { ...state, phase: "void", run: state.run + 1 };
    case "refused-for-ever":
      return {
        ...state,
        phase: "refused",
        refuseUntilMs: event.retainUntilMs,
        undo: { undoId: event.undoId, workId: event.workId, attempt: event.attempt, done: true },
      };
    case "accepted":
      return { ...newProcess(state.id), phase: "open", run: event.run, task: event.task };
    case "acted":
      return event.act.what === "discard"
        ? addLine(act(state, event.act), { atMs: event.act.atMs, what: "discarded", stop: "", agent: "", attempt: 0 })
        : act(state, event.act);
    case "run-voided":
      return { ...state, voidedRun: event.run };
    case "reopened":
      return addLine(reopen(state, event, newProcess(state.id)), {
        atMs: event.act.atMs,
        what: "redriven",
        stop: event.stop,
        agent: "",
        attempt: 0,
      });
    case "stop-begun":
      return begun(state, {
        stop: event.stop,
        total: event.total,
        begun: 0,
        outputs: {},
        failed: {},
        ...(event.items === undefined ? {} : { items: event.items }),
      });
    case "skipped":
      return withProgress(state, (progress) => ({
        ...progress,
        begun: progress.begun + 1,
        outputs: withEntry(progress.outputs, event.key, entryOf(progress.outputs, event.key) ?? { json: null }),
      }));
    case "stop-done":
      return stopDone(state, event.outputs);
    case "ending":
      return beginEnding(state, event);
    case "ended":
      return { ...state, phase: "ended", outcome: event.outcome };
    case "undo-requested":
      return { ...state, undo: { undoId: event.undoId, workId: event.workId, attempt: event.attempt, done: false } };
    case "undo-finished":
      return state.undo === undefined
        ? state
        : { ...state, phase: state.outcome === undefined ? state.phase : "ended", undo: { ...state.undo, done: true } };
    case "purged":
      return { ...state, phase: "purged" };
    case "undo-due":
      return undoDue(state, event.workIds);
    default:
      return evolveWork(state, event);
  }
}

type WorkEvent = Exclude<
  ProcessEvent,
  {
    e:
      | "voided"
      | "refused-for-ever"
      | "accepted"
      | "stop-begun"
      | "skipped"
      | "stop-done"
      | "ending"
      | "ended"
      | "undo-requested"
      | "undo-finished"
      | "purged"
      | "acted"
      | "run-voided"
      | "reopened"
      | "undo-due";
  }
>;

function evolveWork(state: ProcessState, event: WorkEvent): ProcessState {
  switch (event.e) {
    case "asked":
      return ask(state, event.work);
    case "asked-again":
      return line(
        patchWork(state, event.workId, (work) => ({
          ...work,
          attempt: event.attempt,
          status: "asked",
          askedAtMs: event.atMs,
          dueAtMs: event.dueAtMs,
        })),
        event.workId,
        event.atMs,
        "asked again",
      );
    case "attempt-failed": {
      const work = entryOf(state.works, event.workId);
      const faults = [...(work?.faults ?? []), { attempt: event.attempt, atMs: event.atMs, fault: event.fault }].slice(-LIMITS.historyMax);
      return line(
        patchWork(state, event.workId, (known) => ({ ...known, status: "waiting", dueAtMs: event.againAtMs, faults })),
        event.workId,
        event.atMs,
        "attempt failed",
        event.fault.code,
      );
    }
    case "answered":
      return finish(line(state, event.workId, event.atMs, "answered"), event.workId, { output: event.output });
    case "handed-off":
      return removeWork(line(state, event.workId, event.atMs, `handed off to ${event.to}`), event.workId);
    case "failed": {
      const work = entryOf(state.works, event.workId);
      const mayRun = event.fault.code === "stop.timeout" ? unanswered(state, (id) => id === event.workId) : {};
      const next = finish(line({ ...state, ...mayRun }, event.workId, event.atMs, "failed", event.fault.code), event.workId, {
        fault: event.fault,
      });
      if (event.tolerated) return { ...next, lacking: [...new Set([...(state.lacking ?? []), state.progress?.stop ?? ""])] };
      return work === undefined || work.kind !== "do" ? next : { ...next, failedWork: work };
    }
    case "wait-answered":
      return patchWork(state, event.workId, (work) => ({ ...work, answers: withEntry(work.answers, String(event.index), event.result) }));
    case "undone":
      return dropUndo(
        {
          ...line(state, event.workId, event.atMs, "undone"),
          ...(event.undid === true ? undone(state, targetOf(state, event.workId)) : {}),
        },
        event.workId,
      );
    case "undo-failed":
      return {
        ...dropUndo(
          { ...line(state, event.workId, event.atMs, "undo failed", event.fault.code), ...undone(state, targetOf(state, event.workId)) },
          event.workId,
        ),
        undoFault: event.fault,
      };
    default:
      return assertNever(event);
  }
}

/** The work that a compensation is to undo, as it was asked. */
function targetOf(state: ProcessState, undoId: string): Asked | undefined {
  const target = entryOf(state.works, undoId)?.undoes;
  return target === undefined ? undefined : state.asked.find((one) => one.id === target);
}

function withProgress(state: ProcessState, change: (progress: Progress) => Progress): ProcessState {
  return state.progress === undefined ? state : { ...state, progress: change(state.progress) };
}

function withoutProgress(state: ProcessState): ProcessState {
  return { ...state, progress: undefined };
}

/** A failure that the stop survived is not the cause of a later one. */
function stopDone(state: ProcessState, outputs: Readonly<Record<string, Value>>): ProcessState {
  return { ...state, progress: undefined, failedWork: undefined, cursor: state.cursor + 1, outputs: { ...state.outputs, ...outputs } };
}

/** What changes is written out where it changes: merging one object into another costs several times as much. */
function patchWork(state: ProcessState, id: string, change: (work: Work) => Work): ProcessState {
  const work = entryOf(state.works, id);
  return work === undefined ? state : { ...state, works: withEntry(state.works, id, change(work)) };
}

function removeWork(state: ProcessState, id: string): ProcessState {
  return { ...state, works: withoutEntry(state.works, id) };
}

function ask(state: ProcessState, work: Work): ProcessState {
  const counted = { ...state, order: Math.max(state.order, work.order), works: withEntry(state.works, work.id, work) };
  if (work.kind === "undo") return line(counted, work.id, work.askedAtMs, "undo asked");
  const met = work.first === true && "agent" in work.target ? [...(state.met ?? []), work.target.agent] : state.met;
  const asked = {
    ...counted,
    met,
    hops: state.hops + 1,
    asked: [...state.asked, { id: work.id, order: work.order, stop: work.stop, target: work.target, actor: work.actor }],
  };
  const begun =
    work.kind === "do" && work.visit === 1 ? withProgress(asked, (progress) => ({ ...progress, begun: progress.begun + 1 })) : asked;
  return line(begun, work.id, work.askedAtMs, work.kind === "ask" ? "asked by a handler" : "asked");
}

/** The work's answer goes where it belongs: to the stop in progress, or to the work whose handler asked. */
function finish(state: ProcessState, id: string, result: Result): ProcessState {
  const work = entryOf(state.works, id);
  if (work === undefined) return state;
  const rest = removeWork(state, id);
  if (work.asker !== undefined) {
    const asker = entryOf(rest.works, work.asker.workId);
    const { index } = work.asker;
    return asker === undefined
      ? rest
      : patchWork(rest, asker.id, (known) => ({ ...known, answers: withEntry(known.answers, String(index), result) }));
  }
  return withProgress(rest, (progress) => {
    const key = progressKey(work);
    if ("output" in result) return { ...progress, outputs: withEntry(progress.outputs, key, result.output) };
    return "fault" in result ? { ...progress, failed: withEntry(progress.failed, key, result.fault) } : progress;
  });
}

/** Under which key a stop's work is counted: the item's index in a `forEach`, the branch or stop name elsewhere. */
export function progressKey(work: { readonly stop: string; readonly item: number }): string {
  return work.stop.endsWith("[]") ? String(work.item) : work.stop;
}

function dropUndo(state: ProcessState, undoId: string): ProcessState {
  const target = entryOf(state.works, undoId)?.undoes;
  const rest = removeWork(state, undoId);
  if (target === undefined) return rest;
  return { ...rest, asked: rest.asked.filter((one) => one.id !== target), undoing: rest.undoing.filter((one) => one !== target) };
}

/** What is to be undone is no longer waited for. */
function undoDue(state: ProcessState, workIds: readonly string[]): ProcessState {
  const due = new Set(workIds);
  const works = Object.fromEntries(Object.entries(state.works).filter(([id, work]) => work.kind === "undo" || !due.has(id)));
  const stopping = unanswered(state, (id) => due.has(id));
  return { ...state, works, ...stopping, undoing: [...state.undoing, ...workIds.filter((id) => !state.undoing.includes(id))] };
}

/** The works that have no answer, as ones that may run still. */
function unanswered(state: ProcessState, isMeant: (id: string) => boolean): { readonly stopping?: string[] } {
  const ids = Object.values(state.works)
    .filter((work) => work.kind !== "undo" && isMeant(work.id))
    .map((work) => work.id);
  return ids.length === 0 ? {} : { stopping: [...(state.stopping ?? []), ...ids] };
}

/** Everything asked and not undone becomes due for compensation; what is unanswered is no longer waited for. */
function beginEnding(state: ProcessState, event: Extract<ProcessEvent, { e: "ending" }>): ProcessState {
  const works = Object.fromEntries(Object.entries(state.works).filter(([, work]) => work.kind === "undo"));
  const undoing = [...state.undoing, ...state.asked.map((one) => one.id).filter((id) => !state.undoing.includes(id))];
  return addLine(
    withoutProgress({
      ...state,
      failedWork: undefined,
      ...keptAtEnding(state),
      ...unanswered(state, () => true),
      phase: "open",
      works,
      undoing,
      ending: event.ending,
    }),
    {
      atMs: event.atMs,
      what: event.ending.status,
      stop: event.ending.stop,
      agent: "",
      attempt: 0,
      code: event.ending.fault.code,
    },
  );
}

function line(state: ProcessState, id: string, atMs: number, what: string, code?: string): ProcessState {
  const work = entryOf(state.works, id);
  if (work === undefined) return state;
  const agent = "agent" in work.target ? work.target.agent : work.target.route;
  return addLine(state, { atMs, what, stop: work.stop, agent, attempt: work.attempt, ...(code === undefined ? {} : { code }) });
}

function addLine(state: ProcessState, added: HistoryLine): ProcessState {
  const { history } = state;
  if (history.length < LIMITS.historyMax) return { ...state, history: [...history, added] };
  return { ...state, history: [...history.slice(1 - LIMITS.historyMax), added], historyGone: (state.historyGone ?? 0) + 1 };
}
