/**
 * @module What an OpenAI-compatible server replies, as a {@link ModelReply} or a coded fault. Pure.
 *
 * Servers differ in every part of a message. What is unclear is kept as text for the gate and never guessed: arguments stay as they came.
 * A body that is not a reply is a fault, also if its HTTP status was 200.
 */
import type { Fault } from "../faults.ts";
import { faultOfAnswer, malformed, recordOf } from "./chat-faults.ts";
import type { AskedCall, FINISHES, ModelReply, ModelUsage } from "./conversation.ts";
import type { ReadHeader } from "./retry-after.ts";

/** A reply as a provider gives it; the gateway adds the endpoint. */
export type ChatReply = Omit<ModelReply, "endpoint">;

/** What is needed to read a reply beside its body. */
export interface ReplyParts {
  readonly header: ReadHeader;
  /** The time of this host, for a `Retry-After` that is a date. */
  readonly nowMs: number;
  /** The model that was requested, for servers that do not name it. */
  readonly model: string;
  /** Ids of the calls of the conversation so far. A repeated id is replaced, so that each result belongs to one call. */
  readonly knownIds: ReadonlySet<string>;
}

/** The parts of a message while it is collected. */
export interface Collected {
  text: string;
  reasoning: string;
  refusal: string;
  finish: string;
  model: string;
  usage: ModelUsage | undefined;
  readonly calls: CollectedCall[];
}

/** A tool call while it is collected. */
export interface CollectedCall {
  id: string;
  name: string;
  arguments: string;
}

/** An empty message. */
export function nothingCollected(): Collected {
  return { text: "", reasoning: "", refusal: "", finish: "", model: "", usage: undefined, calls: [] };
}

/** Reads the body of an answer that was not streamed. @throws `model.*` */
export function replyOfBody(body: string, parts: ReplyParts): ChatReply {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw malformed(body.trim() === "" ? "the body is empty" : "the body is not JSON", body);
  }
  const root = recordOf(value);
  if (root === undefined) throw malformed("the body is not an object", body);
  const failed = errorIn(root, parts);
  if (failed !== undefined) throw failed;
  const choices = root["choices"];
  if (!Array.isArray(choices)) throw malformed("it has no choices", body);
  const choice = recordOf(choices[0]);
  if (choice === undefined) throw malformed("its list of choices is empty", body);
  const choiceFailed = errorIn(choice, parts);
  if (choiceFailed !== undefined) throw choiceFailed;
  const message = recordOf(choice["message"]);
  if (message === undefined) throw malformed("its choice has no message", body);
  const collected = nothingCollected();
  collectText(collected, message);
  collected.model = textOf(root["model"]);
  collected.usage = usageIn(root) ?? usageIn(choice);
  collected.finish = textOf(choice["finish_reason"]);
  const calls = message["tool_calls"];
  if (Array.isArray(calls)) {
    for (const one of calls) {
      const call = recordOf(one);
      if (call !== undefined) collected.calls.push(callOf(call));
    }
  }
  if (collected.calls.length === 0) {
    const call = recordOf(message["function_call"]);
    if (call !== undefined) collected.calls.push(callOf({ function: call }));
  }
  return replyOf(collected, parts);
}

/** Makes the reply of a message that is complete. @throws `model.unavailable` if the server says that it broke off */
export function replyOf(collected: Collected, { model, knownIds }: ReplyParts): ChatReply {
  const { text, reasoning, refusal, usage } = collected;
  const finish = finishOf(collected);
  if (finish === undefined) throw faultOfBreak(collected.finish);
  return {
    text,
    calls: withIds(collected.calls, knownIds),
    ...(refusal === "" ? {} : { refusal }),
    ...(reasoning === "" ? {} : { reasoning }),
    finish,
    model: collected.model === "" ? model : collected.model,
    ...(usage === undefined ? {} : { usage }),
  };
}

/** The fault of an object with an error in it, in any of its forms. */
export function errorIn(root: Readonly<Record<string, unknown>>, { header, nowMs }: ReplyParts): Fault | undefined {
  const { error, detail, choices } = root;
  const isError =
    (error !== undefined && error !== null && error !== false && error !== "") || (detail !== undefined && choices === undefined);
  if (!isError) return undefined;
  return faultOfAnswer({ status: undefined, header, body: JSON.stringify(root) }, nowMs);
}

// ---- finish reasons -------------------------------------------------------------------------------------------------

const LENGTH = ["length", "max_tokens", "model_length", "max_output_tokens"];
const FILTER = ["content_filter", "safety", "sensitive", "recitation"];
/** The server gave up in the midst of its reply. */
const BREAK = ["error", "abort", "aborted", "insufficient_system_resource", "network_error", "cancelled"];

/**
 * The finish of a complete message; undefined if the server broke off. Calls decide, not the word: some servers say `stop` with calls,
 * others `tool_calls` without any.
 */
function finishOf({ finish, calls }: Collected): (typeof FINISHES)[number] | undefined {
  const word = finish.toLowerCase();
  if (BREAK.includes(word)) return undefined;
  if (LENGTH.includes(word)) return "length";
  // A filter that let a whole reply pass is reported in other fields.
  if (FILTER.includes(word)) return "filter";
  return calls.length > 0 ? "calls" : "stop";
}

function faultOfBreak(finish: string): Fault {
  const body = JSON.stringify({
    error: { message: `the reply broke off: finish_reason is ${JSON.stringify(finish)}`, type: "server_error" },
  });
  return faultOfAnswer({ status: undefined, header: () => undefined, body }, 0);
}

// ---- parts of messages ----------------------------------------------------------------------------------------------

/** Adds what a message or a delta says: content, reasoning, refusal. Returns the added text and reasoning. */
export function collectText(
  collected: Collected,
  message: Readonly<Record<string, unknown>>,
): { readonly text: string; readonly reasoning: string } {
  const content = contentOf(message["content"]);
  const reasoning = content.reasoning + (textOf(message["reasoning_content"]) || textOf(message["reasoning"]));
  collected.text += content.text;
  collected.reasoning += reasoning;
  collected.refusal += content.refusal + textOf(message["refusal"]);
  return { text: content.text, reasoning };
}

interface Content {
  readonly text: string;
  readonly reasoning: string;
  readonly refusal: string;
}

/** Content is a text, null, or a list of parts of which some are thoughts. */
function contentOf(content: unknown): Content {
  if (!Array.isArray(content)) return { text: textOf(content), reasoning: "", refusal: "" };
  let text = "";
  let reasoning = "";
  let refusal = "";
  for (const one of content) {
    const part = recordOf(one);
    if (part === undefined) text += textOf(one);
    else if (part["type"] === "thinking" || part["type"] === "reasoning") {
      const thought = part["thinking"] ?? part["text"] ?? part["reasoning"];
      reasoning += Array.isArray(thought) ? contentOf(thought).text : textOf(thought);
    } else if (part["type"] === "refusal") refusal += textOf(part["refusal"]);
    else text += textOf(part["text"]);
  }
  return { text, reasoning, refusal };
}

function callOf(call: Readonly<Record<string, unknown>>): CollectedCall {
  const asked = recordOf(call["function"]) ?? call;
  return { id: textOf(call["id"]), name: textOf(asked["name"]), arguments: argumentsText(asked["arguments"]) };
}

/** Arguments as text. An object, which some servers send, is written as JSON; a text is kept as it came, also if it is encoded twice. */
export function argumentsText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

/** Gives each call an id of its own: ids that are missing, blank or used before are replaced. */
function withIds(calls: readonly CollectedCall[], known: ReadonlySet<string>): AskedCall[] {
  const used = new Set(known);
  let next = known.size;
  return calls.map((call) => {
    let id = call.id.trim();
    while (id === "" || used.has(id)) {
      next += 1;
      id = `call_${next}`;
    }
    used.add(id);
    return { id, name: call.name, arguments: call.arguments };
  });
}

/** The usage in a body, a chunk or a choice, if it is one. */
export function usageIn(root: Readonly<Record<string, unknown>>): ModelUsage | undefined {
  const usage = recordOf(root["usage"]) ?? recordOf(recordOf(root["x_groq"])?.["usage"]);
  const inputTokens = usage?.["prompt_tokens"];
  const outputTokens = usage?.["completion_tokens"];
  return isCount(inputTokens) && isCount(outputTokens) ? { inputTokens, outputTokens } : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** A text; anything else is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
