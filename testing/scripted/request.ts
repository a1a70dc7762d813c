/** @module Reads a Chat Completions request: what conditions and placeholders of a script refer to. Pure. */
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";
import { dataIn } from "../../runtime/model/data-text.ts";

const Parts = z.array(z.looseObject({ type: z.string(), text: z.string().optional() }));
const Content = z.union([z.string(), Parts]);

const ToolCall = z.looseObject({
  id: z.string(),
  type: z.literal("function"),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});

const Message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.enum(["system", "developer"]), content: Content }),
  z.looseObject({ role: z.literal("user"), content: Content }),
  z.looseObject({
    role: z.literal("assistant"),
    content: Content.nullish(),
    tool_calls: z.array(ToolCall).min(1).optional(),
  }),
  z.looseObject({ role: z.literal("tool"), tool_call_id: z.string(), content: Content }),
]);
type Message = z.infer<typeof Message>;

const TokensMax = z.int().positive().nullish();

const ChatRequest = z.looseObject({
  model: z.string().min(1),
  messages: z.array(Message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  tools: z.array(z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string().min(1) }) })).nullish(),
  tool_choice: z.unknown().optional(),
  response_format: z.looseObject({ type: z.string(), json_schema: z.looseObject({ name: z.string() }).optional() }).nullish(),
  max_tokens: TokensMax,
  max_completion_tokens: TokensMax,
});

/** One message as a person reads it. */
export interface SaidMessage {
  readonly role: string;
  readonly text: string;
}

/** A request, as conditions see it. */
export interface Asked {
  readonly model: string;
  /** The name of the schema of the answer. */
  readonly agent: string | undefined;
  readonly instructions: string;
  /** The last user message. */
  readonly user: string;
  /** The first user message, as JSON where it is JSON. */
  readonly input: Json;
  /** The number of this model call in its conversation, from 1. */
  readonly call: number;
  readonly tools: readonly string[];
  readonly choice: "auto" | "none" | "required";
  /** The last result of each tool. */
  readonly results: ReadonlyMap<string, Json>;
  readonly messages: readonly SaidMessage[];
  /** All text that a model would read, for the estimate of its tokens. */
  readonly read: string;
  readonly isStreamed: boolean;
  readonly wantsUsage: boolean;
  readonly outputTokensMax: number | undefined;
}

/** A request that a real server would refuse. */
export class RequestError extends Error {}

/** Reads the body of a request. @throws RequestError */
export function readRequest(body: unknown): Asked {
  const parsed = ChatRequest.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RequestError(`${issue?.path.join(".") || "the body"}: ${issue?.message ?? "is not a Chat Completions request"}`);
  }
  const { model, messages, stream, stream_options, tools, tool_choice, response_format } = parsed.data;
  const said = messages.map((message): SaidMessage => ({ role: message.role, text: textOf(message) }));
  const users = said.filter(({ role }) => role === "user");
  const instructions = said.filter(({ role }) => role === "system" || role === "developer");
  return {
    model,
    agent: response_format?.json_schema?.name,
    instructions: instructions.map(({ text }) => text).join("\n\n"),
    user: users.at(-1)?.text ?? "",
    input: innerJsonOf(users[0]?.text ?? ""),
    call: said.filter(({ role }) => role === "assistant").length + 1,
    tools: (tools ?? []).map((tool) => tool.function.name),
    choice: choiceOf(tool_choice, tools?.length ?? 0),
    results: resultsOf(messages),
    messages: said,
    read: JSON.stringify([messages, tools ?? [], response_format ?? null]),
    isStreamed: stream === true,
    wantsUsage: stream_options?.include_usage === true,
    outputTokensMax: parsed.data.max_completion_tokens ?? parsed.data.max_tokens ?? undefined,
  };
}

/** The results by tool. As real servers do, refuses a history in which calls and results do not belong together. */
function resultsOf(messages: readonly Message[]): ReadonlyMap<string, Json> {
  const results = new Map<string, Json>();
  let open = new Map<string, string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === "tool") {
      const tool = open.get(message.tool_call_id);
      if (tool === undefined)
        throw new RequestError(`messages.${index}: a tool message must follow an assistant message with the call ${message.tool_call_id}`);
      open.delete(message.tool_call_id);
      results.set(tool, jsonOf(dataIn(textOf(message))));
      continue;
    }
    requireAnswered(open, index);
    if (message.role !== "assistant") continue;
    open = new Map(message.tool_calls?.map((call) => [call.id, call.function.name]));
    if (open.size !== (message.tool_calls?.length ?? 0)) throw new RequestError(`messages.${index}: two tool calls have the same id`);
  }
  requireAnswered(open, messages.length);
  return results;
}

function requireAnswered(open: ReadonlyMap<string, string>, index: number): void {
  if (open.size === 0) return;
  throw new RequestError(`messages.${index}: these tool calls have no result: ${[...open.keys()].join(", ")}`);
}

function textOf({ content }: Message): string {
  if (typeof content === "string") return content;
  return (content ?? []).map(({ text = "" }) => text).join("");
}

/** A text as JSON, if it is JSON. Else the text. */
function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** As {@link jsonOf}; also an object inside of other text, from the first brace to the last. */
function innerJsonOf(text: string): Json {
  const inner = jsonOf(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  return typeof inner === "object" ? inner : jsonOf(text);
}

function choiceOf(choice: unknown, tools: number): "auto" | "none" | "required" {
  if (tools === 0 || choice === "none") return "none";
  return choice === undefined || choice === null || choice === "auto" ? "auto" : "required";
}
