/**
 * @module The script of a scripted model: rules in order, each with a condition on the request and a reply. Pure.
 *
 * A reply depends on the request alone (`attempt` is the only exception), so a repeated request gets the same reply and conversations that
 * run at the same time do not disturb each other.
 */
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";
import { FINISHES } from "../../runtime/model/conversation.ts";
import { isPlaceholderText } from "./placeholders.ts";
import { SHAPE_NAMES } from "./shapes.ts";
import { WIRE_ENDS } from "./wire.ts";

const DELAY_MS_MAX = 600_000;
const STATUS_MIN = 200;
const STATUS_MAX = 599;
const REPLIES_MAX = 1_000;
const PATTERN = /^\/(.+)\/([imsu]*)$/s;

/** A pattern in a script: `/.../flags` is a regular expression. Undefined for other text. */
export function regexOf(text: string): RegExp | undefined {
  const [, source, flags] = PATTERN.exec(text) ?? [];
  return source === undefined ? undefined : new RegExp(source, flags);
}

const Pattern = z.string().min(1).refine(isPattern, "the regular expression between the slashes is not valid");
const Value = z.custom<Json>(
  (value) => value !== undefined && patternsOf(value).every(isPattern),
  "a value with valid patterns is expected",
);
const Template = z.custom<Json>(
  (value) => value !== undefined && patternsOf(value).every(isPlaceholderText),
  "a placeholder is {{input}}, {{user}}, {{model}}, {{call}} or {{results.TOOL}}, each with a path such as {{input.items.0.name}}",
);
const TemplateText = z.string().refine(isPlaceholderText, "a placeholder is {{input}}, {{user}}, {{model}}, {{call}} or {{results.TOOL}}");
const Tool = z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/, "the name of a tool is expected");
const From1 = z.int("a whole number from 1 is expected").min(1);
const Count = z.int().nonnegative();
const Counted = z.union([From1, z.strictObject({ min: From1.optional(), max: From1.optional() })], {
  error: "a whole number from 1, or { min, max }, is expected",
});
const DelayMs = Count.max(DELAY_MS_MAX);

/** What a request must hold. All parts that are given must match. */
export const Condition = z.strictObject({
  /** The name of the model in the request, exactly. */
  model: z.string().min(1).optional(),
  /** The name of the schema that the answer must fit: that of the agent. */
  agent: z.string().min(1).optional(),
  /** Text in the system messages, or a regular expression. */
  instructions: Pattern.optional(),
  /** Text in the last user message, or a regular expression. */
  user: Pattern.optional(),
  /** The first user message as JSON, in part: keys that are not named may have any value. */
  input: Value.optional(),
  /** The number of this model call in its conversation, from 1. */
  call: Counted.optional(),
  /** Tools that the request offers. */
  tools: z.array(Tool).min(1).optional(),
  /** Tools whose results are there; or what their last result is, in part. */
  results: z
    .union([z.array(Tool).min(1), z.record(Tool, Value)], { error: "a list of tools, or a value for each tool, is expected" })
    .optional(),
  /** Tools without a result in the conversation. */
  missing: z.array(Tool).min(1).optional(),
  /** Whether tools may or must be called. */
  choice: z.enum(["auto", "none", "required"]).optional(),
  /** How often the server got this request, from 1: the same idempotency key, or the same body where there is no key. */
  attempt: Counted.optional(),
});
export type Condition = z.infer<typeof Condition>;

const Call = z.strictObject({
  tool: z.string().min(1),
  /** @default {} */
  arguments: Template.optional(),
  /** @default unique in the conversation */
  id: z.string().optional(),
});

/** An answer as it is, for what no shape sends. */
const Raw = z.strictObject({
  /** @default 200 */
  status: z.int().min(STATUS_MIN).max(STATUS_MAX).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().optional(),
  /** @default complete */
  end: z.enum(WIRE_ENDS).optional(),
});

export const Reply = z
  .strictObject({
    text: TemplateText.optional(),
    /** The text of the reply, as JSON. */
    json: Template.optional(),
    calls: z.array(Call).min(1).optional(),
    refusal: TemplateText.optional(),
    reasoning: TemplateText.optional(),
    /** @default calls if there are some, else stop */
    finish: z.enum(FINISHES).optional(),
    /** Pause before the reply. */
    delayMs: DelayMs.optional(),
    /** Pause before each piece of a streamed reply. */
    pieceDelayMs: DelayMs.optional(),
    /** @default estimated from the texts */
    usage: z.strictObject({ inputTokens: Count, outputTokens: Count }).optional(),
    /** Sends the reply in one of the shapes that real servers send. */
    shape: z.enum(SHAPE_NAMES, "the name of a shape is expected; they are in docs/scripted-model.md").optional(),
    /** Damages the reply as this seed says. */
    mangle: Count.optional(),
    raw: Raw.optional(),
  })
  .refine(({ text, json }) => text === undefined || json === undefined, "give text or json, not both")
  .refine(
    ({ shape, mangle, raw }) => [shape, mangle, raw].filter((part) => part !== undefined).length <= 1,
    "give only one of shape, mangle and raw",
  )
  .refine(
    ({ text, json, calls, refusal, shape, raw }) => [text, json, calls, refusal, shape, raw].some((part) => part !== undefined),
    "a reply needs text, json, calls, refusal, shape or raw",
  );
export type Reply = z.infer<typeof Reply>;

const Rule = z
  .strictObject({
    /** For logs and error messages. */
    name: z.string().min(1).optional(),
    /** @default every request matches */
    when: Condition.optional(),
    reply: Reply.optional(),
    /** The reply of the first model call of the conversation, of the second, and so on. A later call does not match the rule. */
    replies: z.array(Reply).min(1).max(REPLIES_MAX).optional(),
  })
  .refine(({ reply, replies }) => (reply === undefined) !== (replies === undefined), "give either reply or replies");
export type Rule = z.infer<typeof Rule>;

/** The content of a script. */
export const ScriptContent = z.strictObject({ rules: z.array(Rule).min(1) });
export type ScriptContent = z.input<typeof ScriptContent>;

/** A checked script. */
export interface Script {
  /** How messages name it: its file. */
  readonly file: string;
  readonly rules: readonly ScriptRule[];
}

/** A rule, and how messages name it. */
export interface ScriptRule extends Rule {
  /** Such as `model.script.yaml:12`. */
  readonly place: string;
}

function isPattern(text: string): boolean {
  try {
    regexOf(text);
    return true;
  } catch {
    return false;
  }
}

/** All texts in a value. */
function patternsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(patternsOf) : [];
}
