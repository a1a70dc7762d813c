/** @module Reads what a scripted model would send with the parser of the endpoint, in memory. */
import { Fault } from "../../runtime/faults.ts";
import { faultOfAnswer } from "../../runtime/model/chat-faults.ts";
import { type ChatReply, replyOfBody, type ReplyParts } from "../../runtime/model/chat-reply.ts";
import { ChatStream, cut } from "../../runtime/model/chat-stream.ts";
import type { ScriptedReply } from "../../testing/scripted/reply.ts";
import type { WireAnswer } from "../../testing/scripted/wire.ts";

const NOW_MS = Date.UTC(2026, 9, 21);
const USAGE = { inputTokens: 40, outputTokens: 8 };
const NONE = { refusal: undefined, reasoning: undefined, usage: USAGE, delayMs: 0, pieceDelayMs: 0 };

/** Valid replies, one of each kind. */
export const VALID: Readonly<Record<"text" | "calls" | "refusal", ScriptedReply>> = {
  text: { ...NONE, text: 'The order is "paid" – thanks, déjà.', calls: [], finish: "stop" },
  calls: {
    ...NONE,
    text: "I pay and tell.",
    reasoning: "Pay first.",
    calls: [
      { id: "call_1_1", name: "pay", arguments: '{"amount":10,"to":{"name":"Zoë","tags":["a","b"]}}' },
      { id: "call_1_2", name: "mail", arguments: '{"text":"paid: 10 €"}' },
    ],
    finish: "calls",
  },
  refusal: { ...NONE, text: "", calls: [], refusal: "I cannot help with that.", finish: "stop" },
};

/** Facts of a reply on the wire. */
export const FACTS = { id: "chatcmpl-scripted-0123456789abcdef01234567", createdSeconds: 1_790_000_000, wantsUsage: true };

/** The reply or the fault that an answer is. Errors that are no faults are thrown. */
export function readAnswer({ status, headers, pieces, end }: WireAnswer, isStreamed: boolean): ChatReply | Fault {
  const parts: ReplyParts = { header: (name) => headers[name], nowMs: NOW_MS, model: "asked-model", knownIds: new Set() };
  const body = pieces.map(({ text }) => text).join("");
  try {
    // An answer without an end meets the timeout of its attempt, and is read like one that was cut.
    if (end !== "complete" && (!isStreamed || pieces.length === 0)) return cut();
    if (status !== 200) return faultOfAnswer({ status, header: parts.header, body }, NOW_MS);
    if (!isStreamed) return replyOfBody(body, parts);
    const stream = new ChatStream(parts);
    for (const { text } of pieces) stream.push(text);
    return stream.end();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}
