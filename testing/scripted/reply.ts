/** @module Builds the reply of a rule: placeholders are filled, tokens are counted, the output limit is kept. Pure. */
import { estimateTokenCount, sliceByTokens } from "tokenx";
import type { AskedCall, ModelUsage, FINISHES } from "../../runtime/model/conversation.ts";
import { filled, filledText, type Scope } from "./placeholders.ts";
import type { Asked } from "./request.ts";
import type { Reply } from "./script.ts";

/** A complete reply, before it takes the form of a protocol. */
export interface ScriptedReply {
  readonly text: string;
  readonly calls: readonly AskedCall[];
  readonly refusal: string | undefined;
  readonly reasoning: string | undefined;
  readonly finish: (typeof FINISHES)[number];
  readonly usage: ModelUsage;
  readonly delayMs: number;
  readonly pieceDelayMs: number;
}

/** Builds the reply. @throws AbsentError for a placeholder that refers to something that the request does not hold */
export function buildReply(reply: Reply, asked: Asked): ScriptedReply {
  const scope: Scope = {
    input: asked.input,
    user: asked.user,
    model: asked.model,
    call: asked.call,
    results: Object.fromEntries(asked.results),
  };
  const text = reply.json === undefined ? filledText(reply.text ?? "", scope) : JSON.stringify(filled(reply.json, scope));
  const calls = (reply.calls ?? []).map((call, index): AskedCall => ({
    id: call.id ?? `call_${asked.call}_${index + 1}`,
    name: call.tool,
    arguments: JSON.stringify(filled(call.arguments ?? {}, scope)),
  }));
  const whole: ScriptedReply = {
    text,
    calls,
    refusal: reply.refusal === undefined ? undefined : filledText(reply.refusal, scope),
    reasoning: reply.reasoning === undefined ? undefined : filledText(reply.reasoning, scope),
    finish: reply.finish ?? (calls.length > 0 ? "calls" : "stop"),
    usage: reply.usage ?? { inputTokens: estimateTokenCount(asked.read), outputTokens: 0 },
    delayMs: reply.delayMs ?? 0,
    pieceDelayMs: reply.pieceDelayMs ?? 0,
  };
  const limited = withinLimit(whole, asked.outputTokensMax);
  const outputTokens = reply.usage?.outputTokens ?? outputTokensOf(limited);
  return { ...limited, usage: { ...limited.usage, outputTokens } };
}

function outputTokensOf({ text, calls, refusal = "", reasoning = "" }: ScriptedReply): number {
  const texts = [text, refusal, reasoning, ...calls.flatMap((call) => [call.name, call.arguments])];
  return texts.reduce((sum, part) => sum + estimateTokenCount(part), 0);
}

/** Cuts a reply that is longer than the request allows, as a real server does. */
function withinLimit(reply: ScriptedReply, tokensMax: number | undefined): ScriptedReply {
  if (tokensMax === undefined || outputTokensOf(reply) <= tokensMax) return reply;
  let left = tokensMax;
  const cut = (text: string): string => {
    const part = sliceByTokens(text, 0, Math.max(left, 0));
    left -= estimateTokenCount(part);
    return part;
  };
  const reasoning = reply.reasoning === undefined ? undefined : cut(reply.reasoning);
  const text = cut(reply.text);
  const calls = reply.calls.flatMap((call) => {
    left -= estimateTokenCount(call.name);
    return left > 0 ? [{ ...call, arguments: cut(call.arguments) }] : [];
  });
  return { ...reply, reasoning, text, calls, finish: "length" };
}
