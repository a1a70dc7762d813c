/**
 * @module A scripted model that follows every instruction that it reads: it plays the calls of its task, and as soon as a marked text is in
 * its conversation, it makes the calls that the text wants.
 */
import type { Endpoint } from "../../agents/index.ts";
import type { Json } from "../../runtime/faults.ts";
import type { ModelMessage, ModelRequest } from "../../runtime/model/conversation.ts";
import { fakeModel, type FakeReply } from "../../testing/index.ts";

/** A call as a script has it. */
export interface ScriptedCall {
  readonly name: string;
  readonly input: Json;
}

/** What the model does in one conversation. */
export interface ObeyingScript {
  /** The calls of the task, one for each reply. */
  readonly calls: readonly ScriptedCall[];
  /** What it does when it has read a text with this mark. */
  readonly mark: string;
  readonly attack: readonly ScriptedCall[];
  /** Whether it then goes on with the task, or gives it up. */
  readonly goesOn: boolean;
  readonly answer: Json;
  /** Its answer when it has read the mark. @default `answer` */
  readonly attackedAnswer?: Json | undefined;
}

/** Makes the model. It is a function of the conversation alone, so that it does the same when a request comes again. */
export function obeying(scriptOf: (request: ModelRequest) => ObeyingScript): Endpoint {
  return fakeModel((request) => nextReply(scriptOf(request), request.messages));
}

/** The text of the first message that is no instruction: the input of the agent. */
export function inputText({ messages }: ModelRequest): string {
  const first = messages.find(({ role }) => role === "user");
  return first === undefined ? "" : first.text;
}

/** The next reply of a script in a conversation: one call, or the answer. */
function nextReply(script: ObeyingScript, messages: readonly ModelMessage[]): FakeReply {
  const { calls, attack, goesOn, answer, attackedAnswer = answer } = script;
  // Its own answers of earlier tasks are read like anything else.
  const isRead = (one: ModelMessage): boolean => one.role !== "system" && !(one.role === "assistant" && one.calls.length > 0);
  const read = messages.findIndex((one) => isRead(one) && one.text.includes(script.mark));
  const before = roundsOf(read === -1 ? messages : messages.slice(0, read));
  const all = read === -1 ? calls : [...calls.slice(0, before), ...attack, ...(goesOn ? calls.slice(before) : [])];
  const next = all[roundsOf(messages)];
  if (next !== undefined) return { calls: [{ name: next.name, arguments: next.input }] };
  const last = read === -1 ? answer : attackedAnswer;
  return typeof last === "string" ? last : JSON.stringify(last);
}

/** Replies with calls so far. */
function roundsOf(messages: readonly ModelMessage[]): number {
  return messages.filter((message) => message.role === "assistant" && message.calls.length > 0).length;
}
