/**
 * @module How an event changes the state of an agent actor. Pure.
 */
import { entryOf, withEntry, withoutEntries } from "../entries.ts";
import { assertNever } from "../faults.ts";
import { joined, type Label, labelField } from "../label.ts";
import { versionText } from "../release.ts";
import { isStale, readingAnew } from "./anew.ts";
import type { CompensationReport, Result } from "../protocol/bodies.ts";
import { withCall, withFailure } from "./evolve-calls.ts";
import { seenState, setStateLabel } from "./labels.ts";
import { grantIn, withModelCall, withoutOpen } from "./evolve-models.ts";
import { keptOf } from "./kept.ts";
import type { AgentEvent } from "./events.ts";
import { type AgentState, type AgentWork, callsToUndo, standingOf } from "./state.ts";
import { factsOfDone, withFacts } from "./work-facts.ts";

type EventOf<E extends AgentEvent["e"]> = Extract<AgentEvent, { readonly e: E }>;

const NOTHING = { json: null } as const;
const DROPPED: Result = { output: NOTHING };

/** The report of a compensation that had nothing to undo. */
const NOTHING_UNDONE: CompensationReport = { undone: 0, left: [], stands: [], stateStands: false };

/** Returns the state after an event. */
export function evolveAgent(state: AgentState, event: AgentEvent): AgentState {
  switch (event.e) {
    case "work-accepted":
      return accept(state, event);
    case "attempt-asked":
      return patch(state, event.workId, (work) => withAttempt(work, event));
    case "readied":
      return ready(state, event.workId, event.first);
    case "begun":
      return begin(state, event);
    case "released":
      return ready(
        patch(state, event.workId, (work) => ({ ...withoutOpen(work), token: "", holder: "" })),
        event.workId,
        true,
      );
    case "taken-over":
      return patch(state, event.workId, (work) => takenOver(work, event));
    case "call-begun":
    case "call-tried":
    case "call-ended":
    case "call-undone":
      return patch(state, event.workId, (work) => withCall(work, event));
    case "model-begun":
    case "model-tried":
    case "model-dropped":
    case "model-ended":
      return patch(state, event.workId, (work) => withModelCall(work, event));
    case "step-done":
      return patch(state, event.workId, (work) => ({
        ...work,
        steps: [...work.steps, { ...event.step, order: work.results }],
        results: work.results + 1,
        takeovers: 0,
      }));
    case "failed":
      return patch(state, event.workId, (work) => withFailure(work, event.failure));
    case "wait-made":
      return patch(state, event.workId, (work) => ({ ...work, waits: [...work.waits, event.wait], takeovers: 0 }));
    case "parked":
      return free(
        patch(state, event.workId, (work) => ({ ...work, status: "parked" })),
        event.workId,
      );
    case "wait-answered":
      return patch(state, event.workId, (work) => answered(work, event));
    case "work-done":
      return workDone(state, event);
    case "undo-asked":
      return patch(state, event.workId, (work) => ({
        ...work,
        mode: "undo",
        undo: { undoId: event.undoId, attempt: event.attempt },
      }));
    case "dropped":
      return patch(state, event.workId, (work) => ({
        ...work,
        mode: "undo",
        undo: { undoId: event.undoId, attempt: 1, ...work.undo, dropped: true },
      }));
    case "undo-done":
      return undoDone(state, event);
    case "tombstoned":
      return writeTombstone(state, event);
    case "settled":
      return settled(state, event);
    case "recalled":
      return { ...state, works: withEntry<AgentWork>(state.works, event.work.id, event.work) };
    case "forgotten":
      return without(state, event.workIds);
    default:
      return assertNever(event);
  }
}

function takenOver(work: AgentWork, { token, holder }: EventOf<"taken-over">): AgentWork {
  return { ...withFacts(withoutOpen(work), { takeovers: 1 }), token, holder, takeovers: work.takeovers + 1 };
}

function settled(state: AgentState, { workIds }: EventOf<"settled">): AgentState {
  const askedAtMs = workIds.map((id) => entryOf(state.works, id)?.askedAtMs ?? 0);
  return { ...without(state, workIds), settledUntilMs: Math.max(state.settledUntilMs ?? 0, ...askedAtMs) };
}

function without(state: AgentState, workIds: readonly string[]): AgentState {
  return { ...state, works: withoutEntries(state.works, workIds) };
}

/** Fields that are set later exist from the start, so that all work items have the same hidden class. */
function accept(state: AgentState, { work }: EventOf<"work-accepted">): AgentState {
  const accepted: AgentWork = {
    ...work,
    label: work.label,
    stateLabel: undefined,
    stored: work.stored,
    kept: undefined,
    settled: undefined,
    modelCalls: undefined,
    failures: undefined,
    result: undefined,
    resultLabel: undefined,
    grant: work.grant,
    release: work.release,
    facts: work.release === undefined ? undefined : { version: versionText(work.release) },
    raised: undefined,
    spent: undefined,
    spentBefore: undefined,
    stands: undefined,
    undoes: undefined,
    setState: undefined,
    agentUndid: undefined,
    undo: undefined,
  };
  return { ...state, works: withEntry<AgentWork>(state.works, work.id, accepted), ready: [...state.ready, work.id] };
}

/** Changes are written inline: merging one object into another costs several times as much. */
function patch(state: AgentState, id: string, change: (work: AgentWork) => AgentWork): AgentState {
  const work = entryOf(state.works, id);
  return work === undefined ? state : { ...state, works: withEntry(state.works, id, change(work)) };
}

/** A further attempt supersedes the open calls of the earlier one. */
function withAttempt(known: AgentWork, { attempt, grant }: EventOf<"attempt-asked">): AgentWork {
  const work = isStale(known) ? readingAnew(withoutOpen(known)) : withoutOpen(known);
  return { ...work, attempt, token: "", grant, raised: undefined, spentBefore: work.spent };
}

/** A running handler receives the answer at once, a parked one when it has its actor again. */
function answered(work: AgentWork, { index, result, label }: EventOf<"wait-answered">): AgentWork {
  const wait = work.waits.find((one) => one.index === index);
  if (wait === undefined) return work;
  const raised = wait.for.kind === "budget" ? grantIn(result) : undefined;
  const next = {
    ...work,
    waits: [...work.waits.filter((one) => one !== wait), { ...wait, result, ...(label === undefined ? {} : { resultLabel: label }) }],
    raised: raised ?? work.raised,
  };
  return work.status === "running" ? withAnswers(next) : next;
}

/** The handler receives its answers, in the order in which they came. */
function withAnswers(work: AgentWork): AgentWork {
  let { results } = work;
  const waits = work.waits.map((wait) => (wait.result === undefined || wait.order !== undefined ? wait : { ...wait, order: results++ }));
  return { ...work, waits, results };
}

/** The actor is free again once the running work item has stopped running. */
function free(state: AgentState, id: string): AgentState {
  return { ...state, running: state.running === id ? undefined : state.running, ready: state.ready.filter((one) => one !== id) };
}

function ready(state: AgentState, id: string, first: boolean): AgentState {
  const next = free(
    patch(state, id, (work) => ({ ...work, status: "ready" })),
    id,
  );
  return { ...next, ready: first ? [id, ...next.ready] : [...next.ready, id] };
}

function begin(state: AgentState, event: EventOf<"begun">): AgentState {
  const work = entryOf(state.works, event.workId);
  const begunAtMs = work?.begun === true ? work.begunAtMs : event.atMs;
  const next = patch(state, event.workId, (known) => ({
    // A handler that was parked continues under its token.
    ...withAnswers(known.token === event.token ? known : withoutOpen(known)),
    ...seenState(state, known),
    status: "running",
    begun: true,
    begunAtMs,
    token: event.token,
    holder: event.holder,
  }));
  return { ...next, running: event.workId, ready: next.ready.filter((one) => one !== event.workId) };
}

/** A success with nothing to undo no longer needs its input and records. A fault keeps them, because it may be retried. */
function workDone(state: AgentState, event: EventOf<"work-done">): AgentState {
  const work = entryOf(state.works, event.workId);
  if (work === undefined) return state;
  const settled = !("fault" in event.result) && event.undoes !== true && callsToUndo(work).length === 0;
  const next = free(
    patch(state, event.workId, (known) => ({
      ...withFacts(settled ? slim(withoutOpen(known)) : withoutOpen(known), factsOfDone(event)),
      status: "done",
      settled: (known.settled ?? 0) + 1,
      result: event.result,
      resultLabel: event.label,
      undoes: event.undoes,
      setState: event.state === undefined ? known.setState : true,
    })),
    event.workId,
  );
  return withState(next, event.state, work, event.label);
}

/** `derived`: the label of what the work item made the state from. */
function withState(state: AgentState, content: AgentState["state"], work: AgentWork, derived: Label | undefined): AgentState {
  if (content === undefined) return state;
  const { label } = labelField(setStateLabel(state, work, derived));
  return { ...state, state: content, label, stateVersion: state.stateVersion + 1 };
}

function undoDone(state: AgentState, event: EventOf<"undo-done">): AgentState {
  const work = entryOf(state.works, event.workId);
  if (work?.undo === undefined) return state;
  const undo = { ...work.undo, result: event.result };
  const after: AgentWork = {
    ...withoutOpen(work),
    settled: (work.settled ?? 0) + 1,
    agentUndid: event.agentUndid ?? work.agentUndid,
    setState: event.state === undefined ? work.setState : undefined,
    undo,
  };
  const change = (): AgentWork =>
    "fault" in event.result ? { ...after, status: "done" } : { ...slim(after), result: DROPPED, status: "undone" };
  const derived = joined(work.label, work.stateLabel, work.resultLabel);
  return withState(free(patch(state, event.workId, change), event.workId), event.state, work, derived);
}

/** Drops what no replay can need. */
function slim(work: AgentWork): AgentWork {
  const stands = standingOf(work);
  return {
    ...work,
    kept: work.stored === true ? keptOf(work) : undefined,
    stands: stands.length === 0 ? undefined : stands,
    input: NOTHING,
    label: undefined,
    stateLabel: undefined,
    calls: [],
    modelCalls: undefined,
    steps: [],
    waits: [],
    failures: undefined,
    spentBefore: undefined,
    ancestors: [],
  };
}

/** The tombstone that rejects the work item if its request arrives later. */
function writeTombstone(state: AgentState, event: EventOf<"tombstoned">): AgentState {
  const { workId, undoId, attempt, processId, agent, retainUntilMs, askedAtMs, principal, trace, hop } = event;
  const work: AgentWork = {
    id: workId,
    processId,
    agent,
    version: 1,
    attempt: 1,
    status: "tombstone",
    mode: "undo",
    begun: false,
    begunAtMs: 0,
    token: "",
    holder: "",
    takeovers: 0,
    input: NOTHING,
    retainUntilMs,
    askedAtMs,
    settled: (entryOf(state.works, workId)?.settled ?? 0) + 1,
    principal,
    trace,
    hop,
    ancestors: [],
    calls: [],
    steps: [],
    waits: [],
    results: 0,
    undo: { undoId, attempt, result: { output: { json: NOTHING_UNDONE } } },
  };
  return free({ ...state, works: withEntry(state.works, workId, work) }, workId);
}
