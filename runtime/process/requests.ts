/**
 * @module Decisions on requests to people, and what time does to open ones: reminders, escalation, expiry. Pure.
 *
 * A request has one decision. It names the hash of what was shown; who may not decide leaves the request open.
 */
import { plainJson } from "../canonical.ts";
import { type Json, wireFault, type WireFault } from "../faults.ts";
import { hashJson } from "../canonical.ts";
import { requestId, requestParts } from "../ids.ts";
import { schemaMisfit } from "../json-schema-gate.ts";
import { type Label, labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { readOne } from "../machine.ts";
import type { PersonDecision, RequestContent, Verdict } from "../people/request.ts";
import { actionsOf } from "../people/view.ts";
import { forbids } from "../people/who.ts";
import type { Message, RequestStatus } from "../protocol.ts";
import type { BodyOf } from "../protocol/bodies.ts";
import { contentOf, nextStepMs } from "./begin-request.ts";
import { type ProcessBuilder, taskOf } from "./decision-builder.ts";
import { takeBudgetDecision } from "./continue-budget.ts";
import { decisionLabel } from "./labels.ts";
import { serveNeeds } from "./more.ts";
import { openRequests, rolesNow } from "./people.ts";
import { endedRequestEffects } from "./request-effects.ts";
import type { ProcessState } from "./state.ts";
import { type EndedRequest, isPersonWait, type PersonWait, type Wait, type WaitResult } from "./wait.ts";
import { isJudged, judgeOutput, takeJudgement, takeRefusalDecision } from "./validation.ts";
import { endWait } from "./waits.ts";

/** What an agent or peer has decided is labelled; a person vouches for what it writes. */
interface Labelled {
  readonly label?: Label | undefined;
}

/** How a request ends. */
type How = Omit<EndedRequest, "run" | "wait" | "atMs">;

/** Takes a decision. True if the slip may advance. A refused decision leaves the request as it is; a repeated one gets a receipt. */
export function takeDecision(builder: ProcessBuilder, message: Message, body: BodyOf<"decide">): boolean {
  const { state, context } = builder;
  const count = countOf(state, body.requestId);
  const wait = openRequests(state).find((one) => one.for.count === count);
  if (wait === undefined) {
    const fault = endedFault(state, message, body, count);
    if (fault !== undefined) builder.refuse(fault);
    // The listing may show it as open still.
    for (const effect of endedRequestEffects(state, count, context.nowMs)) builder.order(effect);
    return false;
  }
  const { decision } = body;
  const content = contentOf(wait.for.content, builder);
  const given = givenOf(decision, builder);
  const fault = decisionFault(builder, wait, message, body) ?? misfit(decision, content, given);
  if (fault !== undefined) {
    builder.refuse(fault);
    return false;
  }
  const { subject } = message.principal;
  const reason = decision.reason ?? "";
  const how: How = { state: STATES[decision.do], by: subject, reason, decisionId: body.decisionId, sequence: context.sequence };
  endRequest(builder, wait, { ...how, ...decisionLabel(state, message) }, resultOf(builder, wait, decision, given, how));
  return wait.asker === undefined;
}

const STATES = { approve: "approved", edit: "edited", deny: "denied", answer: "answered" } as const satisfies Record<
  PersonDecision["do"],
  EndedRequest["state"]
>;

/** The number of a request of this process; 0 for the id of another one. */
function countOf(state: ProcessState, id: string): number {
  const parts = requestParts(id);
  return parts?.process === state.id ? parts.count : 0;
}

/** Why a decision comes too late, or names no request. Undefined if it is the one that was taken. */
function endedFault({ people, id }: ProcessState, message: Message, body: BodyOf<"decide">, count: number): WireFault | undefined {
  if (people === undefined || count === 0 || count > people.count)
    return wireFault("person.unknown", `${id} has no request ${JSON.stringify(body.requestId)}`);
  const known = people.ended.find(({ wait }) => wait.for.kind === "person" && wait.for.count === count);
  if (known?.decisionId === body.decisionId && known.by === message.principal.subject) return undefined;
  const how = known === undefined ? "was decided long ago" : `${known.state}${known.by === undefined ? "" : ` by ${known.by}`}`;
  return wireFault("person.decided", `${body.requestId} is no longer open: ${how}`, {
    request: body.requestId,
    ...(known === undefined ? {} : { state: known.state, atMs: known.atMs, ...(known.by === undefined ? {} : { by: known.by }) }),
  });
}

function decisionFault(
  { state, context }: ProcessBuilder,
  wait: PersonWait,
  message: Message,
  body: BodyOf<"decide">,
): WireFault | undefined {
  const { nowMs } = context;
  // While the process is paused, time stands still for its requests.
  const standsAtMs = Math.min(nowMs, state.paused?.atMs ?? nowMs);
  const { endsAtMs = nowMs + 1, hash, who } = wait.for;
  const id = requestId(state.id, wait.for.count);
  if (message.expiresAtMs <= nowMs) return wireFault("message.expired", `the decision expired ${nowMs - message.expiresAtMs} ms ago`);
  if (endsAtMs <= standsAtMs) return wireFault("person.decided", `${id} is no longer open: its deadline passed ${nowMs - endsAtMs} ms ago`);
  if (body.hash !== hash)
    return wireFault("person.changed", `the decision names another hash than ${id} has, so it was made on something else`, { hash });
  const { principal } = taskOf(state);
  return forbids({ id, roles: rolesNow(wait), agentsDecide: who.agentsDecide, for: principal }, message.principal);
}

/** The content that a decision brings. */
function givenOf(decision: PersonDecision, { context }: ProcessBuilder): Json | undefined {
  if (decision.do === "edit") return readOne(decision.input, context);
  return decision.do === "answer" ? readOne(decision.output, context) : undefined;
}

function misfit(decision: PersonDecision, content: RequestContent, given: Json | undefined): WireFault | undefined {
  const actions = actionsOf(content);
  if (!actions.includes(decision.do))
    return wireFault("body.invalid", `the decision at do: this request takes ${actions.join(", ")}, not ${decision.do}`, {
      path: "decision.do",
    });
  if (decision.do === "approve" && decision.always !== undefined && content.always?.[decision.always.rule] === undefined)
    return wireFault("body.invalid", `the decision at always.rule: this request offers ${content.always?.length ?? 0} rules`, {
      path: "decision.always.rule",
    });
  if (given === undefined) return undefined;
  const isAnswer = decision.do === "answer";
  const schema = (isAnswer ? content.outputSchema : content.inputSchema) ?? {};
  return schemaMisfit(
    { schema, hash: hashJson(schema) },
    isAnswer ? "the answer" : "the edit",
    isAnswer ? "schema.output" : "schema.input",
    given,
  );
}

/** What the stop or the handler that waits receives. */
function resultOf(builder: ProcessBuilder, wait: PersonWait, decision: PersonDecision, given: Json | undefined, how: How): WaitResult {
  if (decision.do === "answer") return { output: builder.pack(given ?? null) };
  if (decision.do === "deny" && wait.for.about === "question") return { fault: deniedFault(builder, wait, how) };
  const verdict = decision.do === "approve" ? "approved" : decision.do === "edit" ? "edited" : "denied";
  return verdictResult(builder, wait, {
    verdict,
    ...(given === undefined ? {} : { input: given }),
    request: requestId(builder.state.id, wait.for.count),
    ...(decision.do === "approve" && decision.always !== undefined ? { always: decision.always } : {}),
    ...(how.by === undefined ? {} : { by: how.by }),
    reason: how.reason,
  });
}

function verdictResult(builder: ProcessBuilder, wait: PersonWait, verdict: Omit<Verdict, "hash" | "atMs">): WaitResult {
  const whole: Verdict = { ...verdict, hash: wait.for.hash, atMs: builder.context.nowMs };
  return { output: builder.pack(plainJson(whole)) };
}

function deniedFault({ state }: ProcessBuilder, wait: PersonWait, { by, reason }: How): WireFault {
  const id = requestId(state.id, wait.for.count);
  const why = reason === "" ? "" : `: ${reason}`;
  return wireFault("person.denied", by === undefined ? `${id} was not decided in time, which means no` : `${by} denied ${id}${why}`, {
    request: id,
    ...(by === undefined ? {} : { by }),
    ...(reason === "" ? {} : { reason }),
  });
}

/** Ends a request with what its stop or handler receives. */
function endRequest(builder: ProcessBuilder, wait: PersonWait, { label, ...request }: How & Labelled, result: WaitResult): void {
  const judged = "output" in result && isJudged(builder, wait) ? { judged: true as const } : {};
  endWait(builder, wait, result, { request, ...judged, ...labelField(label) });
  if (judged.judged === undefined && wait.aside === undefined) return;
  const { paused } = builder.state;
  if (paused === undefined) return concludeRequest(builder, wait, result, labelField(label));
  builder.emit({ e: "held-back", what: { kind: "decided", wait, result, ...labelField(label) }, atMs: builder.context.nowMs });
}

/** Takes what follows from the end of a request for an output that is judged, or for a budget. */
export function concludeRequest(builder: ProcessBuilder, wait: Wait, result: WaitResult, { label }: Labelled): void {
  if (!isPersonWait(wait)) return;
  if (wait.aside === undefined) return judgeOutput(builder, wait);
  if (wait.for.about === "budget") {
    takeBudgetDecision(builder, wait, result);
    serveNeeds(builder);
  } else if (wait.for.about === "validation") takeRefusalDecision(builder, wait, result, label);
  else takeJudgement(builder, wait, result, label);
}

/** What became of a request, for the receipt of a decision on it, and the sequence of the record that has it. */
export function requestStatus(
  state: ProcessState,
  id: string,
): { readonly status: RequestStatus; readonly sequence?: number | undefined } | undefined {
  const count = countOf(state, id);
  const known = state.people?.ended.find(({ wait }) => wait.for.kind === "person" && wait.for.count === count);
  if (known === undefined) return undefined;
  const { state: ended, by, atMs, sequence } = known;
  return { status: { state: ended, ...(by === undefined ? {} : { by }), atMs }, sequence };
}

// ---- time -------------------------------------------------------------------------------------------------------------------

/** Reminds people, escalates and expires what is due. True if the slip may advance. */
export function takeDueRequests(builder: ProcessBuilder): boolean {
  const { nowMs } = builder.context;
  const due = openRequests(builder.state).filter(({ dueAtMs = Number.POSITIVE_INFINITY }) => dueAtMs <= nowMs);
  let advances = false;
  for (const wait of due) {
    if (wait.for.endsAtMs === undefined || wait.for.endsAtMs > nowMs) tell(builder, wait);
    else {
      expire(builder, wait);
      advances ||= wait.asker === undefined;
    }
  }
  return advances;
}

/** Tells people once, however many steps are due after a long pause. */
function tell(builder: ProcessBuilder, wait: PersonWait): void {
  const { nowMs } = builder.context;
  const { who, ...known } = wait.for;
  const sinceMs = nowMs - wait.begunAtMs - (wait.for.heldMs ?? 0);
  const reminded = who.remindMs === undefined ? 0 : Math.min(LIMITS.personRemindersMax, Math.floor(sinceMs / who.remindMs));
  const escalated = who.escalate.filter(({ afterMs }) => afterMs <= sinceMs).length;
  const step = escalated > known.escalated ? "escalated" : "reminded";
  const dueAtMs = nextStepMs({ ...wait, for: { ...wait.for, reminded, escalated } });
  const due = dueAtMs === undefined ? {} : { dueAtMs };
  builder.emit({ e: "people-told", waitId: wait.id, reminded, escalated, step, ...due, atMs: nowMs });
}

/** Silence decides. */
function expire(builder: ProcessBuilder, wait: PersonWait): void {
  const how: How = { state: "expired", reason: "no person decided in time" };
  endRequest(builder, wait, how, silence(builder, wait, how));
}

function silence(builder: ProcessBuilder, wait: PersonWait, how: How): WaitResult {
  const { onExpiry } = wait.for.who;
  const id = requestId(builder.state.id, wait.for.count);
  if (onExpiry === "fail") return { fault: wireFault("person.expired", `no person decided on ${id} in time`, { request: id }) };
  if (wait.for.about !== "question") return verdictResult(builder, wait, { verdict: "denied", request: id, reason: how.reason });
  return onExpiry === "deny" ? { fault: deniedFault(builder, wait, { ...how, reason: "" }) } : { output: builder.pack(onExpiry.answer) };
}
