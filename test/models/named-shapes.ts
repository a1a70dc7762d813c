/** @module What each named shape of the scripted model is: the valid reply, a changed one, or a fault. One table for both ends. */
import { expect } from "vitest";
import { Fault, type FaultCode } from "../../runtime/faults.ts";
import type { ChatReply } from "../../runtime/model/chat-reply.ts";
import type { ShapeName } from "../../testing/scripted/shapes.ts";

/** `same`: the valid reply. Otherwise parts of the reply that differ, or a fault and its pause. */
export type ShapeEnd =
  "same" | { readonly reply: (valid: ChatReply) => Partial<ChatReply> } | { readonly fault: FaultCode; readonly retryAfterMs?: number };

/** What a shape is when the reply is streamed, and when it is one document. */
export interface NamedEnd {
  readonly streamed: ShapeEnd;
  readonly whole: ShapeEnd;
}

const both = (end: ShapeEnd): NamedEnd => ({ streamed: end, whole: end });
const onlyStreamed = (end: ShapeEnd): NamedEnd => ({ streamed: end, whole: "same" });
const fault = (code: FaultCode, retryAfterMs?: number): NamedEnd =>
  both(retryAfterMs === undefined ? { fault: code } : { fault: code, retryAfterMs });
const calls = (change: (call: ChatReply["calls"][number], index: number) => Partial<ChatReply["calls"][number]>): ShapeEnd => ({
  reply: (valid) => ({ calls: valid.calls.map((call, index) => ({ ...call, ...change(call, index) })) }),
});
const emptyReply: ShapeEnd = { reply: () => ({ text: "", calls: [], finish: "stop" }) };

/** The whole table. */
export const NAMED_ENDS: Readonly<Record<ShapeName, NamedEnd>> = {
  "finish-stop-with-calls": both("same"),
  "finish-end-turn": both("same"),
  "function-call": both({
    reply: ({ calls: [first] }) => ({ calls: first === undefined ? [] : [{ ...first, id: "call_1" }] }),
  }),
  "usage-missing": both({ reply: () => ({ usage: undefined }) }),
  "context-cut-silently": both({ reply: () => ({ usage: { inputTokens: 1, outputTokens: 8 } }) }),
  "call-ids-missing": both(calls((_call, index) => ({ id: `call_${index + 1}` }))),
  "call-ids-blank": both(calls((_call, index) => ({ id: `call_${index + 1}` }))),
  "call-ids-repeated": both(calls((_call, index) => ({ id: index === 0 ? "call_same" : "call_1" }))),
  "call-name-missing": both(calls(() => ({ name: "" }))),
  "call-indexes-missing": both("same"),
  "call-indexes-reused": both("same"),
  "call-indexes-with-gaps": both("same"),
  "arguments-empty": both(calls(() => ({ arguments: "" }))),
  "arguments-encoded-twice": both(calls((call) => ({ arguments: JSON.stringify(call.arguments) }))),
  "arguments-object": both("same"),
  "calls-empty-list": both({ reply: () => ({ calls: [], finish: "stop" }) }),
  "content-null": both(emptyReply),
  "content-empty": both(emptyReply),
  "content-in-parts": both({ reply: () => ({ reasoning: "Think first." }) }),
  "refusal-false": both({ reply: () => ({ refusal: undefined }) }),
  reasoning: both({ reply: (valid) => ({ reasoning: valid.reasoning ?? "Think first." }) }),
  "finish-empty-text": onlyStreamed("same"),
  "finish-missing": onlyStreamed({ fault: "model.malformed" }),
  "finish-with-last-content": onlyStreamed("same"),
  "chunk-after-finish": onlyStreamed("same"),
  "choices-empty-first": onlyStreamed("same"),
  "usage-in-choice": onlyStreamed("same"),
  "role-missing": onlyStreamed("same"),
  "done-missing": onlyStreamed("same"),
  comments: onlyStreamed("same"),
  "refusal-in-finish": onlyStreamed({ reply: (valid) => ({ refusal: `${valid.refusal ?? ""}I cannot do that.` }) }),
  "error-in-stream": onlyStreamed({ fault: "model.unavailable" }),
  "rate-limit-in-stream": onlyStreamed({ fault: "model.rate-limited" }),
  "chunk-broken": onlyStreamed({ fault: "model.malformed" }),
  "call-name-last": onlyStreamed("same"),
  "arguments-by-character": onlyStreamed("same"),
  "cut-half": fault("model.unavailable"),
  "cut-before-finish": fault("model.unavailable"),
  "closed-before-finish": { streamed: { fault: "model.unavailable" }, whole: { fault: "model.malformed" } },
  "no-answer": fault("model.unavailable"),
  hang: fault("model.unavailable"),
  "slow-drip": both("same"),
  "ok-with-error": fault("model.unavailable"),
  "ok-with-error-text": fault("model.unavailable"),
  "ok-empty-object": fault("model.malformed"),
  "ok-without-choices": fault("model.malformed"),
  "ok-empty-body": fault("model.malformed"),
  "ok-html-page": fault("model.malformed"),
  "error-text": fault("model.unavailable"),
  "error-detail": fault("model.rejected"),
  "error-html-page": fault("model.unavailable"),
  "error-empty-body": fault("model.unavailable"),
  "server-error": fault("model.unavailable"),
  unavailable: fault("model.unavailable", 1_000),
  overloaded: fault("model.unavailable"),
  "key-wrong": fault("model.rejected"),
  "model-unknown": fault("model.rejected"),
  "history-refused": fault("model.rejected"),
  "context-length": fault("model.context-length"),
  "context-length-text": fault("model.context-length"),
  filtered: fault("model.filtered"),
  quota: fault("model.quota"),
  "rate-limited": fault("model.rate-limited", 1_000),
  "rate-limited-date": fault("model.rate-limited", 2_000),
  "rate-limited-milliseconds": fault("model.rate-limited", 250),
  "rate-limited-unreadable-milliseconds": fault("model.rate-limited", 1_000),
  "rate-limited-reset": fault("model.rate-limited", 60_000),
  "rate-limited-text": fault("model.rate-limited", 2_000),
  "rate-limited-negative": fault("model.rate-limited"),
  "rate-limited-zero": fault("model.rate-limited"),
};

/** Checks what a shape was read as. */
export function expectNamedEnd(end: ShapeEnd, got: ChatReply | Fault, valid: ChatReply): void {
  if (end !== "same" && "fault" in end) {
    expect(got).toBeInstanceOf(Fault);
    expect(got).toMatchObject({ code: end.fault });
    if (got instanceof Fault) expect(got.retryAfterMs).toBe(end.retryAfterMs);
  } else expect(got).toEqual({ ...valid, ...(end === "same" ? {} : end.reply(valid)) });
}
