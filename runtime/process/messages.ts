/**
 * @module The effects of a process, derived from its state alone. Pure.
 *
 * The same function makes an effect when it is first ordered and when it is repeated, so a repeated request has the same id and content.
 */
import { entryOf } from "../entries.ts";
import { assertNever, invariant } from "../faults.ts";
import { answerId, DEFAULT_TENANT, messageId, runId } from "../ids.ts";
import { auditEntry, bucketOf, DECIDED } from "../index-actor.ts";
import { labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import type { DecisionContext } from "../machine.ts";
import { type Address, type Effect, type Message, type Outcome, actorType, topics, traceId } from "../protocol.ts";
import type { Body, IndexEntry, Result } from "../protocol/bodies.ts";
import { doerName } from "../slip.ts";
import { summaryOf } from "./run-counts.ts";
import { type Act, decisionOn, isDecision, type PastRun } from "./runs.ts";
import { taskOf } from "./decision-builder.ts";
import { requestEffects } from "./request-effects.ts";
import { moreEffects, parentReply, undoReply } from "./parent-messages.ts";
import type { ProcessState, Task } from "./state.ts";
import type { Work } from "./work.ts";

/**
 * Until when an agent must keep the work items of a process: as long as their compensation may be requested. Agents were told that time
 * with the request, so pauses do not move it.
 */
export function retainUntilMs(state: ProcessState): number {
  const { deadlineAtMs, retainUntilMs: parents = 0 } = taskOf(state);
  return Math.max(deadlineAtMs - (state.heldMs ?? 0) + LIMITS.compensationMsMax, parents);
}

/** The request of a work item. */
export function workEffect(state: ProcessState, work: Work, context: DecisionContext, probe = false): Effect {
  const body = work.kind === "undo" ? undoBody(state, work) : doBody(state, work);
  const { to, topic } = address(context.system, work);
  // A late request is superseded by its next attempt or refused by its tombstone. It expires with the process.
  const expiresAtMs = work.kind === "undo" ? retainUntilMs(state) : taskOf(state).deadlineAtMs;
  return {
    kind: "send",
    topic,
    ...(probe ? { probe } : {}),
    message: envelope(state, context, {
      id: requestId(state, work),
      to,
      body,
      expiresAtMs,
      createdAtMs: work.askedAtMs,
      hop: work.chain.length,
    }),
  };
}

/** The message id of the request of a work item. A nested route gets each order of its parent with a request of its own. */
export function requestId({ tree }: ProcessState, { id, attempt, target }: Work): string {
  const known = messageId(id, attempt);
  return tree === undefined || target.kind !== "route" ? known : `${known}~${tree.sequence}`;
}

function address(system: string, { target, actor }: Pick<Work, "target" | "actor">): { readonly to: Address; readonly topic: string } {
  switch (target.kind) {
    case "agent":
      return { to: { type: actorType(system, target.agent), id: actor }, topic: topics.agent(system, target.agent) };
    case "route":
      return { to: { type: actorType(system, "ProcessManager"), id: actor }, topic: topics.manager(system) };
    default:
      return assertNever(target);
  }
}

function doBody(state: ProcessState, work: Work): Body {
  const { target } = work;
  switch (target.kind) {
    case "agent":
      return workBody(state, work, target.agent);
    case "route":
      return taskBody(state, work, target.route);
    default:
      return assertNever(target);
  }
}

function taskBody(state: ProcessState, work: Work, route: string): Body {
  const task = taskOf(state);
  return {
    kind: "task",
    route,
    slip: work.slip ?? task.slip,
    input: work.input,
    timeoutMs: Math.max(LIMITS.taskTimeoutMsMin, Math.min(work.timeoutMs, task.deadlineAtMs - work.askedAtMs)),
    parent: { processId: state.id, workId: work.id },
    root: task.root ?? state.id,
    retainUntilMs: retainUntilMs(state),
    nesting: [...task.nesting, task.route],
    ...(work.grant === undefined ? {} : { grant: work.grant }),
    ...labelField(work.label),
    ...(state.tree === undefined ? {} : { tree: state.tree }),
  };
}

function workBody(state: ProcessState, work: Work, agent: string): Body {
  const { root } = taskOf(state);
  return {
    kind: "work",
    workId: work.id,
    attempt: work.attempt,
    agent,
    version: work.version,
    input: work.input,
    retainUntilMs: retainUntilMs(state),
    ancestors: work.ancestors,
    ...(root === undefined ? {} : { root }),
    ...(work.first === true && work.attempt === 1 ? { first: true } : {}),
    ...(work.grant === undefined ? {} : { grant: work.grant }),
    ...labelField(work.label),
    ...(work.sentBack === undefined ? {} : { sentBack: work.sentBack }),
  };
}

function undoBody(state: ProcessState, work: Work): Body {
  invariant(work.undoes !== undefined, "a compensation names the work that it undoes");
  return {
    kind: "undo",
    workId: work.undoes,
    undoId: work.id,
    attempt: work.attempt,
    agent: doerName(work.target),
    retainUntilMs: retainUntilMs(state),
    ...(state.tree === undefined || work.target.kind !== "route" ? {} : { tree: state.tree }),
  };
}

/** The answer to a wait of a handler. */
export function answerEffect(state: ProcessState, asker: Work, index: number, result: Result, context: DecisionContext): Effect {
  const { to, topic } = address(context.system, asker);
  const label = entryOf(asker.answerLabels ?? {}, String(index));
  const body: Body = { kind: "answer", workId: asker.id, index, result, ...labelField(label) };
  return {
    kind: "send",
    topic,
    message: envelope(state, context, {
      id: answerId(asker.id, index),
      to,
      body,
      expiresAtMs: taskOf(state).deadlineAtMs,
      createdAtMs: asker.askedAtMs,
      hop: asker.chain.length,
    }),
  };
}

interface Parts {
  readonly id: string;
  readonly to: Address;
  readonly body: Body;
  readonly expiresAtMs: number;
  readonly createdAtMs: number;
  readonly hop: number;
}

function envelope(state: ProcessState, context: DecisionContext, parts: Parts): Message {
  const { principal, trace } = taskOf(state);
  const { id, to, body, expiresAtMs, createdAtMs, hop } = parts;
  return {
    v: 1,
    id,
    to,
    from: `${actorType(context.system, "ProcessManager")}/${state.id}`,
    processId: state.id,
    createdAtMs,
    expiresAtMs,
    hop,
    principal,
    trace,
    body,
  };
}

/** The facts of a run's index entry from its beginning: route, caller, trace and parent. */
export function entryFacts(
  run: number,
  task: Pick<Task, "route" | "trace" | "principal" | "acceptedAtMs" | "parent">,
): IndexEntry["facts"] {
  const { route, trace, principal, acceptedAtMs, parent } = task;
  return {
    route,
    run,
    traceId: traceId(trace),
    acceptedAtMs,
    by: principal.subject,
    ...(principal.tenant === DEFAULT_TENANT ? {} : { tenant: principal.tenant }),
    ...(parent === undefined ? {} : { parent: parent.processId }),
  };
}

/** The last effects of an ended process: index entry, dead letter, notifications, answer to the parent, operator actions. */
export function finalEffects(state: ProcessState, context: DecisionContext): Effect[] {
  const { outcome } = state;
  if (outcome === undefined || state.task === undefined) return undoReply(state, context);
  const task = state.task;
  const id = runId(state.id, state.run);
  const effects: Effect[] = [closingEffect(state)];
  const data = {
    processId: state.id,
    route: task.route,
    run: state.run,
    status: outcome.status,
    traceId: traceId(task.trace),
    atMs: outcome.atMs,
  };
  if (outcome.deadLetter !== undefined) {
    if (decisionOn(state, state.run) === undefined) effects.push(letterEffect(state, { run: state.run, ...outcome }, undefined));
    effects.push({ kind: "notify", topic: "deadletters", id, data });
  }
  effects.push({ kind: "notify", topic: "results", id, data });
  if (task.parent !== undefined) effects.push(parentReply(state, context));
  return [
    ...effects,
    ...dropEffects(state, context),
    ...actEffects(state, context.nowMs),
    ...requestEffects(state, outcome.atMs, "recent"),
    ...undoReply(state, context),
  ];
}

/** Cancels the handlers of a process that was terminated, and terminates its nested routes. */
function dropEffects(state: ProcessState, context: DecisionContext): Effect[] {
  const act = state.acts?.findLast(({ what, run }) => what === "terminate" && run === state.run);
  if (state.dropped === undefined || act === undefined) return [];
  const expiresAtMs = retainUntilMs(state);
  return state.dropped.map((one) => {
    const { id, target } = one;
    const { to, topic } = address(context.system, one);
    const body: Body =
      target.kind === "agent"
        ? { kind: "drop", workId: id, agent: target.agent, retainUntilMs: expiresAtMs }
        : { kind: "terminate", reason: act.reason, child: { workId: id, by: act.by, retainUntilMs: expiresAtMs } };
    const message = envelope(state, context, { id: `${id}:drop`, to, body, expiresAtMs, createdAtMs: act.atMs, hop: 0 });
    return { kind: "send", topic, message };
  });
}

/** Closes the index entry, also one that was opened for a run that is void now. */
function closingEffect(state: ProcessState): Effect {
  const task = taskOf(state);
  const { outcome, voidedRun = 0 } = state;
  invariant(outcome !== undefined, "an index entry is closed after the outcome");
  const facts = {
    ...entryFacts(state.run, task),
    status: outcome.status,
    ...codeOf(outcome.fault),
    ...summaryOf(state),
    ...(voidedRun > state.run ? { voided: voidedRun } : {}),
  };
  return { kind: "index", index: "Directory", bucket: task.bucket, entry: { id: state.id, open: false, atMs: outcome.atMs, facts } };
}

/**
 * The audit entries of operator actions, and the entries of the dead letters that they decided. They are repeated while the process has a
 * reminder. An action that is older than the retention of the audit is not sent to it again.
 */
export function actEffects(state: ProcessState, nowMs: number): Effect[] {
  return (state.acts ?? []).flatMap((act) => {
    const past = [...(state.runs ?? []), ...(state.outcome === undefined ? [] : [{ run: state.run, ...state.outcome }])].find(
      ({ run }) => run === act.run,
    );
    const letter = !isDecision(act) || past?.deadLetter === undefined ? [] : [letterEffect(state, past, act)];
    const isOld = act.atMs + LIMITS.auditMsMin - LIMITS.clockDriftMsMax <= nowMs;
    return isOld ? letter : [...letter, auditEffect(state, act)];
  });
}

function auditEffect(state: ProcessState, act: Act): Effect {
  const { what, run, by, reason, atMs, sequence } = act;
  const letter = runId(state.id, run);
  const id = what === "pause" || what === "resume" ? `${letter}:${what}${sequence}` : `${letter}:${what}`;
  return {
    kind: "index",
    index: "Audit",
    bucket: bucketOf(atMs, 0),
    entry: auditEntry({ id, atMs, who: by, what, target: isDecision(act) ? letter : state.id, why: reason }),
  };
}

/** The entry of a dead letter. It is closed by a decision. */
function letterEffect(state: ProcessState, { run, status, atMs, fault, deadLetter }: PastRun, decision: Act | undefined): Effect {
  const task = taskOf(state);
  const { acceptedAtMs: _of, by: _submitter, ...line } = entryFacts(run, task);
  const facts = {
    ...line,
    processId: state.id,
    status,
    ...codeOf(fault),
    message: fault?.message ?? "",
    ...(decision === undefined ? {} : decisionFacts(decision)),
  };
  return {
    kind: "index",
    index: "DeadLetterQueue",
    bucket: task.bucket,
    entry: {
      id: runId(state.id, run),
      open: decision === undefined,
      atMs,
      facts,
      ...(deadLetter === undefined ? {} : { content: deadLetter }),
    },
  };
}

function decisionFacts({ what, by, reason, atMs, opened }: Act): IndexEntry["facts"] {
  return {
    decision: DECIDED[what === "redrive" ? "redrive" : "discard"],
    by,
    reason,
    decidedAtMs: atMs,
    ...(opened === undefined ? {} : { opened }),
  };
}

/** What the run cost, for a listing. */
function codeOf(fault: Outcome["fault"]): { readonly code?: string } {
  return fault === undefined ? {} : { code: fault.code };
}

/** The requests of nested routes, which bring them the newest order. */
function nestedRequests(state: ProcessState, context: DecisionContext): Effect[] {
  const nested = Object.values(state.works).filter(({ status, target }) => status === "asked" && target.kind === "route");
  return nested.map((work) => workEffect(state, work, context));
}

/** Every effect that is not answered yet. A paused process requests nothing, but its nested routes are told. */
export function processOutbox(state: ProcessState, context: DecisionContext): Effect[] {
  if (state.phase === "refused") return undoReply(state, context);
  if (state.phase === "ended") return finalEffects(state, context);
  if (state.phase !== "open") return [];
  if (state.paused !== undefined) return state.tree?.paused === true ? nestedRequests(state, context) : [];
  const works = Object.values(state.works).flatMap((work) => {
    const answers = Object.entries(work.answers).map(([index, result]) => answerEffect(state, work, Number(index), result, context));
    return work.status === "asked" ? [workEffect(state, work, context), ...answers] : answers;
  });
  return [...works, ...moreEffects(state, context)];
}
