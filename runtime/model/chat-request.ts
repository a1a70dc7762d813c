/**
 * @module A {@link ModelRequest} as the body of a Chat Completions request. Pure.
 */
import type { Json } from "../faults.ts";
import type { JsonSchema } from "../schema.ts";
import type { ModelMessage, ModelRequest } from "./conversation.ts";
import { isStrict } from "./strict-schema.ts";

/**
 * How an answer that must be JSON is requested: by its schema, as a JSON object of any form, or in words. The schema is in the words too
 * where the server does not enforce it.
 */
export const ANSWER_FORMS = ["schema", "object", "text"] as const;
/** One of {@link ANSWER_FORMS}. */
export type AnswerForm = (typeof ANSWER_FORMS)[number];

/** The field of the body that limits the output. Newer models of OpenAI refuse the older name, most other servers know only that one. */
export const OUTPUT_LIMITS = ["max_completion_tokens", "max_tokens"] as const;
/** One of {@link OUTPUT_LIMITS}. */
export type OutputLimit = (typeof OUTPUT_LIMITS)[number];

/** The field in which reasoning is sent back on turns with tool calls; `none`: it is not. */
export const REASONING_FIELDS = ["none", "reasoning_content", "reasoning"] as const;
/** One of {@link REASONING_FIELDS}. */
export type ReasoningField = (typeof REASONING_FIELDS)[number];

/** What a body needs beside the request. */
export interface BodyOptions {
  readonly model: string;
  readonly stream: boolean;
  readonly answers: AnswerForm;
  readonly outputLimit: OutputLimit;
  readonly reasoning: ReasoningField;
  /** Further fields, as the provider documents them, such as `reasoning_effort`. */
  readonly extra: Readonly<Record<string, Json>>;
}

/** Returns the body of the request. */
export function chatBody(request: ModelRequest, options: BodyOptions): Readonly<Record<string, Json>> {
  const { tools, toolChoice, answer, temperature, seed } = request;
  const form = answer === undefined ? undefined : formOf(answer.schema, options.answers);
  const messages = request.messages.map((message) => messageBody(message, options.reasoning));
  const words = answer === undefined || form === "schema" ? [] : [{ role: "system", content: askedInWords(answer.schema) }];
  return {
    ...options.extra,
    model: options.model,
    messages: [...messages, ...words],
    ...(tools.length === 0 ? {} : { tools: tools.map(toolBody), tool_choice: toolChoice }),
    ...(answer === undefined ? {} : formatBody(form, answer)),
    [options.outputLimit]: request.outputTokensMax,
    ...(temperature === undefined ? {} : { temperature }),
    ...(seed === undefined ? {} : { seed }),
    ...(options.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
}

/** Only an object can be an answer by schema or by form; anything else is requested in words. */
function formOf(schema: JsonSchema, answers: AnswerForm): AnswerForm {
  return isObject(schema) ? answers : "text";
}

function isObject(schema: JsonSchema): boolean {
  return typeof schema === "object" && schema !== null && !Array.isArray(schema) && "type" in schema && schema["type"] === "object";
}

function formatBody(form: AnswerForm | undefined, { name, schema }: NonNullable<ModelRequest["answer"]>): Readonly<Record<string, Json>> {
  if (form === "schema") {
    return { response_format: { type: "json_schema", json_schema: { name: safeName(name), schema, strict: isStrict(schema) } } };
  }
  return form === "object" ? { response_format: { type: "json_object" } } : {};
}

function askedInWords(schema: JsonSchema): string {
  return `Unless you call a tool, answer with nothing but JSON that fits this JSON Schema: ${JSON.stringify(schema)}`;
}

const NAME_CHARS_MAX = 64;

function safeName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, NAME_CHARS_MAX) || "answer";
}

function toolBody({ name, about, input }: ModelRequest["tools"][number]): Json {
  return { type: "function", function: { name, description: about, parameters: input } };
}

function messageBody(message: ModelMessage, reasoning: ReasoningField): Json {
  if (message.role === "tool") return { role: "tool", tool_call_id: message.callId, content: message.text };
  if (message.role !== "assistant") return { role: message.role, content: message.text };
  const { text, calls } = message;
  if (calls.length === 0) return { role: "assistant", content: text };
  const thoughts = message.reasoning === undefined || reasoning === "none" ? {} : { [reasoning]: message.reasoning };
  const asked = calls.map((call): Json => ({
    id: call.id,
    type: "function",
    // Servers refuse a history whose arguments are no JSON object.
    function: { name: call.name, arguments: readable(call.arguments) },
  }));
  return { role: "assistant", content: text === "" ? null : text, ...thoughts, tool_calls: asked };
}

/** The arguments as they came if a server can read them. Calls with others were not made, and the conversation says so. */
function readable(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? text : "{}";
  } catch {
    return "{}";
  }
}
