/**
 * @module The loop of a model agent: from the conversation and a reply or results to what is done next. Pure.
 *
 * It asks the model, lets the calls be made that passed the gate, adds their results, and ends with an answer, a hand-off or a fault.
 * The same replies and results lead to the same requests, so a run goes on elsewhere from its records alone.
 */
import { hashText } from "../canonical.ts";
import { Fault, invariant, type Json } from "../faults.ts";
import type { Label } from "../label.ts";
import { LIMITS } from "../limits.ts";
import type { ModelCall, ModelMessage, ModelReply } from "./conversation.ts";
import { endsRun } from "./call-ends.ts";
import { dataText } from "./data-text.ts";
import { evidenceOfResult, evidenceOfTask } from "./evidence.ts";
import { isOnLadder, nextRung, type Rung } from "./ladder.ts";
import { shortened, summarized, summaryRequest, withSummary } from "./less-context.ts";
import type { LoopState, Next, Step } from "./loop-state.ts";
import { costOf, NO_CALLS, withCalls } from "./progress.ts";
import { callOf, conversationOf, fixedPart, withMessages } from "./prompt.ts";
import { type GatedCall, judge, type Trouble } from "./reply-gate.ts";
import type { LoopRules, Purse } from "./rules.ts";
import { ANSWER_NOW, type EditedInput, editedText, faultText, firstMessages, type LoopTask, REPEATED, resultText } from "./telling.ts";

/** How a call ended. */
export type CallResult = ({ readonly output: Json; readonly edited?: EditedInput | undefined } | { readonly fault: Fault }) & {
  /** Of the output, or of the text of the fault. Absent: trusted. */
  readonly label?: Label | undefined;
};

/** Begins a run. The first request follows. */
export function begin(rules: LoopRules, task: LoopTask, purse: Purse): Step {
  const first = firstMessages(task, rules.readsData);
  const state: LoopState = {
    input: task.input,
    prompt: hashText(task.instructions),
    first: first.length,
    evidence: evidenceOfTask(task),
    conversation: conversationOf(first),
    callsMade: 0,
    model: rules.models[0],
    fallbacks: 0,
    rungs: [],
    lastHash: "",
    ids: new Set(),
    progress: NO_CALLS,
    budgetStage: "within",
    outputTokensMax: rules.fixed.settings.outputTokensMax,
    phase: { kind: "over" },
  };
  return ask(rules, state, purse);
}

/** Goes on with the reply of the model call that was asked for. */
export function replied(rules: LoopRules, state: LoopState, reply: ModelReply, purse: Purse): Step {
  const { phase } = state;
  if (phase.kind === "summary") return summaryReplied(rules, state, reply, purse);
  invariant(phase.kind === "reply", "a reply without a request");
  const cut = cutByServer(rules, phase.estimate, reply);
  if (cut !== undefined) return repair(rules, state, { fault: cut, tell: [] }, purse);
  const { callsMade: round, ids: known, input, evidence } = state;
  const verdict = judge(rules, reply, { mayCall: phase.mayCall, round, ids: known, input, evidence });
  switch (verdict.kind) {
    case "trouble":
      return repair(rules, state, verdict, purse);
    case "answer":
      return end(state, verdict);
    case "hand-off":
      return end(state, { kind: "hand-off", target: verdict.target, input: verdict.input });
    case "calls": {
      const { calls, message } = verdict;
      const conversation = withMessages(state.conversation, [message]);
      const ids = new Set([...state.ids, ...calls.map(({ id }) => id)]);
      return { state: { ...state, conversation, ids, rungs: [], phase: { kind: "results", calls } }, next: { kind: "calls", calls } };
    }
  }
}

/** Goes on after a model call that ended with a fault. */
export function failed(rules: LoopRules, state: LoopState, fault: Fault, purse: Purse): Step {
  const { phase } = state;
  if (fault.code.startsWith("budget.")) return budgetEnded(rules, state, fault, purse);
  if (!isOnLadder(fault.code)) return end(state, { kind: "fault", fault });
  const isOfSummary = phase.kind === "summary" && !fault.retryable;
  return repair(rules, state, isOfSummary ? phase.trouble : { fault, tell: [] }, purse);
}

/** Goes on with the results of the calls that were asked for, in the order of the reply. */
export function returned(rules: LoopRules, state: LoopState, results: readonly CallResult[], purse: Purse): Step {
  const { phase } = state;
  invariant(phase.kind === "results" && phase.calls.length === results.length, "results that do not belong to the calls");
  const ended = phase.calls.flatMap((call, index) => endedBy(call, results[index]));
  const messages = phase.calls.map((call, index) => resultMessage(call, results[index]));
  const made = phase.calls.map(({ function: { name }, input }, index) => ({ name, input, result: messages[index]?.text ?? "" }));
  const progress = withCalls(state.progress, made);
  const told = progress.repeats > 0 ? [...messages, REPEATED] : messages;
  const evidence = rules.grounding === undefined ? [] : [...state.evidence, ...results.map(evidenceOfResult)];
  const after: LoopState = { ...state, progress, evidence, conversation: withMessages(state.conversation, told) };
  const [fault] = ended;
  if (fault !== undefined)
    return fault.code.startsWith("budget.") ? budgetEnded(rules, after, fault, purse) : end(after, { kind: "fault", fault });
  if (progress.repeats >= LIMITS.modelRepeatsMax)
    return giveUp(rules, after, looped(rules, after, purse, `repeats the same calls with the same results: ${progress.ring.join(" -> ")}`));
  return ask(rules, after, purse);
}

function endedBy({ function: { kind } }: GatedCall, result: CallResult | undefined): readonly Fault[] {
  return result !== undefined && "fault" in result && endsRun(result.fault.code, kind) ? [result.fault] : [];
}

function resultMessage({ id, function: { name } }: GatedCall, result: CallResult | undefined): ModelMessage {
  invariant(result !== undefined, "a call without a result");
  const { label } = result;
  if ("fault" in result) return { role: "tool", callId: id, name, ...dataText(faultText(result.fault), label) };
  const note = result.edited === undefined ? undefined : editedText(result.edited);
  return { role: "tool", callId: id, name, ...dataText(resultText(result.output), label, note) };
}

function end(state: LoopState, next: Next): Step {
  return { state: { ...state, phase: { kind: "over" } }, next };
}

// ---- requests -------------------------------------------------------------------------------------------------------

/** Makes the next request. On the last permitted call, and at the end of a budget, the model must answer. */
function ask(rules: LoopRules, state: LoopState, purse: Purse, rung?: string): Step {
  if (state.callsMade >= rules.callsMax)
    return giveUp(rules, state, looped(rules, state, purse, `has made all ${rules.callsMax} model calls that it may make`));
  const hasFunctions = rules.functions.size > 0;
  const isLast = hasFunctions && (state.callsMade + 1 === rules.callsMax || state.budgetStage === "last-answer");
  const conversation = isLast ? withMessages(state.conversation, [ANSWER_NOW]) : state.conversation;
  const call = callOf(rules.fixed, {
    model: state.model,
    conversation,
    prompt: state.prompt,
    promptVersion: rules.promptVersion,
    toolChoice: hasFunctions && !isLast ? "auto" : "none",
    outputTokensMax: state.outputTokensMax,
    rung: rung ?? (isLast ? "last-answer" : undefined),
  });
  return {
    state: {
      ...state,
      conversation,
      callsMade: state.callsMade + 1,
      lastHash: call.hash,
      phase: { kind: "reply", mayCall: hasFunctions && !isLast, estimate: conversation.tokens.estimate },
    },
    next: { kind: "model", call: onItsWay(rules, call) },
  };
}

/** How the call is made is no part of what is sent. */
function onItsWay({ retry, priority }: LoopRules, call: ModelCall): ModelCall {
  return { ...call, ...(retry === undefined ? {} : { retry }), ...(priority === undefined ? {} : { priority }) };
}

/**
 * A server that reports far fewer input tokens than the messages have has cut the conversation without saying so. Tools do not count:
 * some servers leave them out of their report.
 */
function cutByServer({ agent }: LoopRules, estimate: number, { usage, model }: ModelReply): Fault | undefined {
  if (usage === undefined || estimate < LIMITS.modelTokensSeenMin || usage.inputTokens >= estimate * LIMITS.modelTokensSeenRatio)
    return undefined;
  const text = `the provider read ${usage.inputTokens} of about ${estimate} tokens of agent ${agent}: it has cut the conversation`;
  return new Fault("model.context-length", text, { inputTokens: usage.inputTokens, estimate, model });
}

// ---- the ladder -----------------------------------------------------------------------------------------------------

/** Takes the next rung of the ladder, or gives up. */
function repair(rules: LoopRules, state: LoopState, trouble: Trouble, purse: Purse): Step {
  if (state.callsMade >= rules.callsMax) return giveUp(rules, state, lastFault(rules, state, trouble, purse));
  const index = nextRung(rules.repair, state.rungs, trouble.fault.code, (rung) => isPossible(rules, state, rung, trouble));
  const rung = index === undefined ? undefined : rules.repair[index];
  if (index === undefined || rung === undefined) return giveUp(rules, state, trouble.fault);
  return climb(rules, { ...state, rungs: [...state.rungs, index] }, rung, trouble, purse);
}

/** Why a run without further model calls has failed: a model that still calls functions then is in a loop. */
function lastFault(rules: LoopRules, state: LoopState, { fault }: Trouble, purse: Purse): Fault {
  if (fault.code !== "model.tool-unknown" && fault.code !== "model.tool-input") return fault;
  return looped(rules, state, purse, `has made all ${rules.callsMax} model calls and does not answer: ${fault.message}`);
}

function isPossible(rules: LoopRules, state: LoopState, rung: Rung, { tell }: Trouble): boolean {
  const { conversation, callsMade, phase, first } = state;
  switch (rung) {
    case "tell":
      return tell.length > 0;
    case "shorten":
      return shortened(conversation.messages, first) !== undefined;
    case "summarize":
      // A summary that could not be used is not asked for again at once: that would be the same request.
      return phase.kind !== "summary" && callsMade + 1 < rules.callsMax && summarized(conversation.messages, first) !== undefined;
    case "model":
      return nextFallback(rules, state) !== undefined;
  }
}

function climb(rules: LoopRules, state: LoopState, rung: Rung, trouble: Trouble, purse: Purse): Step {
  const { messages } = state.conversation;
  if (rung === "summarize") return askSummary(rules, state, trouble);
  const shorter = rung === "shorten" ? shortened(messages, state.first) : undefined;
  const conversation = withMessages(shorter === undefined ? state.conversation : conversationOf(shorter), trouble.tell);
  const fallback = rung === "model" ? nextFallback(rules, state) : undefined;
  return ask(rules, { ...state, conversation, ...fallback }, purse, rung);
}

/** The next model to try. After a budget has degraded the run, the next one may be the one that it has: it got this request already. */
function nextFallback({ models }: LoopRules, { fallbacks, model }: LoopState): Pick<LoopState, "fallbacks" | "model"> | undefined {
  const at = models.findIndex((name, index) => index > fallbacks && name !== model);
  const next = models[at];
  return next === undefined ? undefined : { fallbacks: at, model: next };
}

function askSummary(rules: LoopRules, state: LoopState, trouble: Trouble): Step {
  const { messages } = state.conversation;
  const part = summarized(messages, state.first);
  invariant(part !== undefined, "a summary of nothing");
  const call = callOf(fixedPart([], undefined, rules.fixed.settings), {
    model: state.model,
    conversation: conversationOf(summaryRequest(messages, part)),
    prompt: state.prompt,
    promptVersion: rules.promptVersion,
    toolChoice: "none",
    outputTokensMax: state.outputTokensMax,
    rung: "summarize",
  });
  const phase = { kind: "summary", part, trouble } as const;
  return {
    state: { ...state, callsMade: state.callsMade + 1, lastHash: call.hash, phase },
    next: { kind: "model", call: onItsWay(rules, call) },
  };
}

/** A summary that cannot be used is no summary: the next rung follows. */
function summaryReplied(rules: LoopRules, state: LoopState, reply: ModelReply, purse: Purse): Step {
  const { phase } = state;
  invariant(phase.kind === "summary", "a summary that was not asked for");
  const isUsable = reply.finish === "stop" && reply.calls.length === 0 && reply.refusal === undefined && reply.text.trim() !== "";
  if (!isUsable) return repair(rules, state, phase.trouble, purse);
  const messages = withSummary(state.conversation.messages, phase.part, reply.text.toWellFormed());
  const conversation = withMessages(conversationOf(messages), phase.trouble.tell);
  return ask(rules, { ...state, conversation }, purse, "summarize");
}

/** The ladder has ended: the fault, or the agent that answers instead. */
function giveUp({ onGiveUp }: LoopRules, state: LoopState, fault: Fault): Step {
  // A fault that may pass is tried again by the stop.
  if (onGiveUp === "fault" || fault.retryable) return end(state, { kind: "fault", fault });
  return end(state, { kind: "hand-off", target: onGiveUp.handOff, input: state.input });
}

function looped({ agent }: LoopRules, { progress, callsMade }: LoopState, { spent }: Purse, text: string): Fault {
  return new Fault("model.loop", `the model of agent ${agent} ${text}`, {
    ring: progress.ring,
    modelCalls: callsMade,
    spent: costOf(spent),
  });
}

// ---- the end of a budget --------------------------------------------------------------------------------------------

/** Ends a run whose time is over: there is no room for a last answer. */
export function timeEnded(rules: LoopRules, state: LoopState, timeMs: number): Step {
  const { agent, onBudgetEnd } = rules;
  if (typeof onBudgetEnd === "object" && "handOff" in onBudgetEnd)
    return end(state, { kind: "hand-off", target: onBudgetEnd.handOff, input: state.input });
  const fault = new Fault("budget.exhausted", `the time of agent ${agent} is over: ${timeMs} ms`, { limit: "timeMs", timeMs });
  return end(state, { kind: "fault", fault });
}

function budgetEnded(rules: LoopRules, state: LoopState, fault: Fault, purse: Purse): Step {
  const { onBudgetEnd } = rules;
  if (fault.code !== "budget.exhausted" || onBudgetEnd === "stop") return end(state, { kind: "fault", fault });
  if (typeof onBudgetEnd === "object" && "handOff" in onBudgetEnd)
    return end(state, { kind: "hand-off", target: onBudgetEnd.handOff, input: state.input });
  const cheaper = typeof onBudgetEnd === "object" ? onBudgetEnd.degradeTo : undefined;
  if (cheaper !== undefined && state.budgetStage === "within" && state.model !== cheaper)
    return ask(rules, { ...state, model: cheaper, budgetStage: "degraded" }, purse, "degrade");
  if (state.budgetStage === "last-answer") return end(state, { kind: "fault", fault });
  const outputTokensMax = Math.min(state.outputTokensMax, LIMITS.modelLastAnswerTokensMax);
  const last = ask(rules, { ...state, outputTokensMax, budgetStage: "last-answer" }, purse, "last-answer");
  const isSame = last.next.kind === "model" && last.next.call.hash === state.lastHash;
  return isSame ? end(state, { kind: "fault", fault }) : last;
}
