/**
 * @module The gate of a model's reply: calls that may be made, an answer, a hand-off, or what is wrong with it. Pure.
 *
 * A reply is accepted whole or not at all: if one of its calls is wrong, none is made. Nothing is coerced or repaired.
 */
import { Fault, type FaultCode, isFault, type Json } from "../faults.ts";
import { parseJsonText } from "../json-text.ts";
import { LIMITS } from "../limits.ts";
import { unwrapped } from "./as-object.ts";
import type { AskedCall, ModelMessage, ModelReply } from "./conversation.ts";
import type { Checked, LoopAnswer, LoopFunction, LoopRules } from "./rules.ts";
import { canonicalJson } from "../canonical.ts";
import { counted } from "../units.ts";
import { groundedIn } from "./grounding.ts";
import type { ClaimCounts } from "./claims.ts";
import { CUT_REPLY, cutWithNote, echoOf, refusedReply } from "./telling.ts";

/** A call of a reply that passed the gate. */
export interface GatedCall {
  readonly id: string;
  readonly function: LoopFunction;
  readonly input: Json;
}

/** Why a reply is not used. */
export interface Trouble {
  readonly fault: Fault;
  /** What is added to the conversation so that the model knows. Empty: there is nothing to tell. */
  readonly tell: readonly ModelMessage[];
}

/** What a reply is. */
export type Verdict =
  | { readonly kind: "calls"; readonly message: ModelMessage; readonly calls: readonly GatedCall[] }
  | { readonly kind: "hand-off"; readonly target: string; readonly input: Json }
  | { readonly kind: "answer"; readonly value: Json; readonly claims?: ClaimCounts | undefined }
  | ({ readonly kind: "trouble" } & Trouble);

/** What the gate knows besides the rules. */
export interface ReplyPlace {
  /** Whether this request let the model call functions. */
  readonly mayCall: boolean;
  /** Counts the model calls of the run; for ids. */
  readonly round: number;
  /** The ids of earlier calls of the conversation. */
  readonly ids: ReadonlySet<string>;
  /** The input of the agent. */
  readonly input: Json;
  readonly evidence: readonly string[];
}

/** Judges a complete reply. */
export function judge(rules: LoopRules, reply: ModelReply, place: ReplyPlace): Verdict {
  const unusable = unusableReply(rules, reply);
  if (unusable !== undefined) return unusable;
  if (reply.calls.length > 0) return judgeCalls(rules, reply, place);
  return judgeAnswer(rules, reply, place);
}

function unusableReply({ agent, fixed }: LoopRules, reply: ModelReply): Verdict | undefined {
  if (reply.finish === "filter") return trouble("model.filtered", `a content filter stopped the reply to agent ${agent}`, {}, []);
  if (reply.refusal !== undefined && reply.refusal !== "") {
    const refusal = cutWithNote(reply.refusal.toWellFormed(), LIMITS.faultCauseLengthMax);
    return trouble("model.refused", `the model of agent ${agent} declined: ${refusal}`, { refusal }, []);
  }
  if (reply.finish === "length") {
    const { outputTokensMax } = fixed.settings;
    const text = `the reply to agent ${agent} was cut off at the limit of output tokens`;
    return trouble("model.truncated", text, { outputTokensMax, calls: reply.calls.length }, [
      CUT_REPLY,
      refusedReply([], `It was cut off at the limit of ${outputTokensMax} tokens. Reply again, and keep it shorter.`),
    ]);
  }
  if (reply.calls.length === 0 && reply.text.trim() === "")
    return trouble("model.empty", `the reply to agent ${agent} has neither text nor calls`, { finish: reply.finish }, [
      echoOf(reply),
      refusedReply([], "It was empty. Call a function, or answer."),
    ]);
  return undefined;
}

function trouble(code: FaultCode, text: string, details: Readonly<Record<string, Json>>, tell: readonly ModelMessage[]): Verdict {
  return { kind: "trouble", fault: new Fault(code, text, details), tell };
}

// ---- calls ----------------------------------------------------------------------------------------------------------

interface JudgedCall {
  readonly asked: AskedCall;
  readonly result: GatedCall | Wrong;
}

/** What is wrong with a call. */
interface Wrong {
  readonly code: "model.tool-unknown" | "model.tool-input";
  readonly reasons: readonly string[];
  /** The arguments are an object, so that the call can be repeated to the model as a call. */
  readonly isForm: boolean;
}

function judgeCalls(rules: LoopRules, reply: ModelReply, place: ReplyPlace): Verdict {
  if (reply.calls.length > LIMITS.modelParallelCallsMax) return tooManyCalls(rules, reply);
  const judged = withIds(reply.calls, place).map((asked): JudgedCall => ({ asked, result: judgeCall(rules, asked, reply, place) }));
  const gated = judged.flatMap(({ result }) => ("function" in result ? [result] : []));
  const message: ModelMessage = {
    role: "assistant",
    text: reply.text.toWellFormed(),
    calls: judged.map(({ asked }) => asked),
    ...(reply.reasoning === undefined ? {} : { reasoning: reply.reasoning.toWellFormed() }),
  };
  if (gated.length < judged.length) return refusedCalls(rules, reply, message, judged);
  const [first] = gated;
  if (first?.function.kind === "hand-off") return { kind: "hand-off", target: first.function.target, input: first.input };
  return { kind: "calls", message, calls: gated };
}

function tooManyCalls({ agent }: LoopRules, reply: ModelReply): Verdict {
  const text = `${reply.calls.length} calls in one reply to agent ${agent}, at most ${LIMITS.modelParallelCallsMax} are allowed`;
  return trouble("model.tool-input", text, { calls: reply.calls.length }, [echoOf(reply), refusedReply([text], "No call was made.")]);
}

/** Ids that are missing, blank or used before are replaced by ids that are the same in each execution. */
function withIds(calls: readonly AskedCall[], { round, ids }: ReplyPlace): readonly AskedCall[] {
  const used = new Set(ids);
  return calls.map((asked, index) => {
    let id = asked.id.toWellFormed().trim();
    for (let count = 0; id === "" || used.has(id); count += 1) id = `call_${round}_${index}${count === 0 ? "" : `_${count}`}`;
    used.add(id);
    return { id, name: asked.name.toWellFormed(), arguments: asked.arguments.toWellFormed() };
  });
}

function judgeCall(rules: LoopRules, { id, name, arguments: given }: AskedCall, reply: ModelReply, place: ReplyPlace): GatedCall | Wrong {
  const found = rules.functions.get(name);
  if (!place.mayCall) return { code: "model.tool-unknown", reasons: ["no function may be called now: answer"], isForm: false };
  if (found === undefined) {
    const known = [...rules.functions.keys()].join(", ");
    return { code: "model.tool-unknown", reasons: [`there is no function ${cutWithNote(name, 64)}; known are ${known}`], isForm: false };
  }
  if (found.kind === "hand-off" && reply.calls.length > 1)
    return { code: "model.tool-input", reasons: [`${name} must be the only call of a reply`], isForm: false };
  const parsed = parsedObject(given);
  if ("violations" in parsed) return { code: "model.tool-input", reasons: parsed.violations, isForm: false };
  const inner = unwrapped(parsed.value, found.under);
  const checked = "violations" in inner ? inner : found.check(inner.value);
  if ("violations" in checked) return { code: "model.tool-input", reasons: checked.violations, isForm: true };
  return { id, function: found, input: checked.value };
}

/** Parses the text of an object, strictly and once. An empty text is an empty object: some servers send no arguments as nothing. */
function parsedObject(text: string): Checked {
  let value: Json;
  try {
    value = parseJsonText(text.trim() === "" ? "{}" : text, "the text of the arguments");
  } catch (error) {
    if (!isFault(error)) throw error;
    return { violations: [error.message] };
  }
  if (typeof value === "string")
    return { violations: ["the arguments are a JSON string, probably an object that was encoded twice; give the object itself"] };
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { violations: ["the arguments must be a JSON object"] };
  return { value };
}

function refusedCalls({ agent }: LoopRules, reply: ModelReply, message: ModelMessage, judged: readonly JudgedCall[]): Verdict {
  const lines = judged.flatMap(({ asked, result }) => ("code" in result ? result.reasons.map((reason) => `${asked.name}: ${reason}`) : []));
  const wrong = judged.flatMap(({ result }) => ("code" in result ? [result] : []));
  const code = wrong.find((one) => one.code === "model.tool-unknown")?.code ?? "model.tool-input";
  const errors = boundedLines(lines);
  const asCalls = wrong.every(({ isForm }) => isForm);
  const text = `a reply to agent ${agent} has a call that cannot be made: ${errors[0] ?? ""}`;
  // A server may refuse a history whose calls it cannot parse, so those are told as text.
  return trouble(code, text, { errors }, asCalls ? [message, ...judged.map(answered)] : [echoOf(reply), refusedReply(errors, NO_CALL)]);
}

const NO_CALL = "No call was made:";
const OTHER_CALL = "not made, because another call of the same reply is wrong; make it again with the corrected one";

function answered({ asked, result }: JudgedCall): ModelMessage {
  const told: Json = "code" in result ? { error: result.code, errors: boundedLines(result.reasons) } : { error: OTHER_CALL };
  return { role: "tool", callId: asked.id, name: asked.name, text: canonicalJson(told) };
}

const ERROR_CHARS_MAX = 180;

function boundedLines(lines: readonly string[]): readonly string[] {
  return lines.slice(0, LIMITS.modelViolationsMax).map((line) => line.slice(0, ERROR_CHARS_MAX).toWellFormed());
}

// ---- the answer -----------------------------------------------------------------------------------------------------

function judgeAnswer(rules: LoopRules, reply: ModelReply, { input, evidence }: ReplyPlace): Verdict {
  const { agent, answer } = rules;
  const checked = answerOf(answer, reply.text, input);
  if ("value" in checked) return judgeClaims(rules, reply, checked.value, evidence);
  const errors = boundedLines(checked.violations);
  const form = answer.request === undefined ? undefined : canonicalJson(answer.request.schema);
  const schema = form === undefined || form.length > LIMITS.modelEchoBytesMax ? "" : `\nThe schema: ${form}`;
  return trouble("model.answer", `the answer of agent ${agent} does not fit its output: ${errors[0] ?? ""}`, { errors }, [
    echoOf(reply),
    refusedReply(errors, `The answer does not fit.${schema}\nWhat is wrong:`),
  ]);
}

function judgeClaims({ agent, grounding }: LoopRules, reply: ModelReply, value: Json, evidence: readonly string[]): Verdict {
  if (grounding === undefined) return { kind: "answer", value };
  const { claims: made, ungrounded } = groundedIn(value, evidence, grounding.kinds);
  if (ungrounded.length === 0 || grounding.onUngrounded === "count")
    return { kind: "answer", value, claims: { made, ungrounded: ungrounded.length } };
  const errors = boundedLines(ungrounded.map(({ kind, text }) => `${kind} ${JSON.stringify(text)} stands in nothing that you were given`));
  const what = counted(ungrounded.length, "claim");
  return trouble("model.ungrounded", `the answer of agent ${agent} has ${what} without evidence: ${errors[0] ?? ""}`, { errors }, [
    echoOf(reply),
    refusedReply(
      errors,
      "Answer again, with nothing but what your instructions, the input and results of functions say. What has no evidence:",
    ),
  ]);
}

function answerOf(answer: LoopAnswer, text: string, input: Json): Checked {
  if (answer.request === undefined) return answer.check(text, input);
  let value: Json;
  try {
    value = parseJsonText(text, "the answer");
  } catch (error) {
    if (!isFault(error)) throw error;
    return { violations: [`${error.message}; answer with the JSON alone, without a markdown fence or other text`] };
  }
  const inner = unwrapped(value, answer.under);
  return "violations" in inner ? inner : answer.check(inner.value, input);
}
