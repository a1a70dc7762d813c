/**
 * @module The semantic conventions for generative AI as schemas of spans: the name, the kind, and the attributes that each operation
 * requires, requires in some cases, or recommends. An attribute `gen_ai.*` that the conventions do not know is a fault.
 */
import { SpanKind } from "@opentelemetry/api";
import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import { z } from "zod";

const text = z.string().min(1);
const count = z.number().int().nonnegative();
/** Names that were replaced. */
const OLD = /^gen_ai\.(system|prompt|completion|openai\..*|usage\.(prompt|completion)_tokens)$/;
const KNOWN = new Set<string>(
  Object.values<unknown>(conventions).flatMap((value) =>
    typeof value === "string" && value.startsWith("gen_ai.") && !OLD.test(value) ? [value] : [],
  ),
);

const attributesOf = (shape: z.ZodRawShape) =>
  z.looseObject(shape).superRefine((attributes, context) => {
    for (const name of Object.keys(attributes))
      if (name.startsWith("gen_ai.") && !KNOWN.has(name)) context.addIssue(`${name} is not in the conventions`);
  });

/** A span as far as the conventions have a say in it. */
const spanOf = (operation: string, subject: string, kinds: readonly SpanKind[], shape: z.ZodRawShape) =>
  z
    .looseObject({
      name: z.string(),
      kind: z.number().refine((kind) => kinds.includes(kind), `the kind of ${operation} is ${kinds.join(" or ")}`),
      isError: z.boolean(),
      attributes: attributesOf({ "gen_ai.operation.name": z.literal(operation), "error.type": text.optional(), ...shape }),
    })
    .superRefine(({ name, isError, attributes }, context) => {
      if (name !== `${operation} ${String(attributes[subject])}`) context.addIssue(`${name} is not "${operation} {${subject}}"`);
      if (isError !== (attributes["error.type"] !== undefined))
        context.addIssue("error.type is there if and only if the status is an error");
    });

/** The spans of each operation. */
export const GEN_AI: Readonly<Record<string, z.ZodType>> = {
  invoke_workflow: spanOf("invoke_workflow", "gen_ai.workflow.name", [SpanKind.INTERNAL], {
    "gen_ai.workflow.name": text,
    "gen_ai.conversation.id": text,
  }),
  invoke_agent: spanOf("invoke_agent", "gen_ai.agent.name", [SpanKind.INTERNAL, SpanKind.CLIENT], {
    "gen_ai.provider.name": text,
    "gen_ai.agent.name": text,
    "gen_ai.agent.version": text,
    "gen_ai.conversation.id": text,
    "gen_ai.request.model": text.optional(),
  }),
  chat: spanOf("chat", "gen_ai.request.model", [SpanKind.CLIENT], {
    "gen_ai.provider.name": text,
    "gen_ai.request.model": text,
    "gen_ai.request.max_tokens": count,
    "gen_ai.output.type": z.enum(["text", "json", "image", "speech"]),
    "gen_ai.conversation.id": text,
    "gen_ai.agent.name": text,
    "gen_ai.response.model": text.optional(),
    "gen_ai.response.finish_reasons": z.array(text).optional(),
    "gen_ai.usage.input_tokens": count.optional(),
    "gen_ai.usage.output_tokens": count.optional(),
  }).superRefine((span, context) => {
    const { attributes, isError } = span as unknown as {
      readonly attributes: Readonly<Record<string, unknown>>;
      readonly isError: boolean;
    };
    const replied = ["gen_ai.response.model", "gen_ai.response.finish_reasons", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"];
    for (const name of replied) if (!isError && attributes[name] === undefined) context.addIssue(`${name} is missing on a reply`);
  }),
  execute_tool: spanOf("execute_tool", "gen_ai.tool.name", [SpanKind.INTERNAL], {
    "gen_ai.tool.name": text,
    "gen_ai.tool.type": z.enum(["function", "extension", "datastore"]),
    "gen_ai.tool.call.id": text,
    "gen_ai.agent.name": text,
  }),
};

/** What a span has against the conventions; nothing for spans that are none of theirs. */
export function issuesOf(span: { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }): readonly string[] {
  const operation = span.attributes["gen_ai.operation.name"];
  if (operation === undefined) {
    const strays = Object.keys(span.attributes).filter((name) => name.startsWith("gen_ai.") && !KNOWN.has(name));
    const looks = Object.keys(GEN_AI).some((one) => span.name.startsWith(`${one} `)) ? ["gen_ai.operation.name is missing"] : [];
    return [...strays.map((name) => `${name} is not in the conventions`), ...looks].map((issue) => `${span.name}: ${issue}`);
  }
  const schema = GEN_AI[String(operation)];
  if (schema === undefined) return [`${span.name}: ${String(operation)} is no operation of the conventions`];
  const checked = schema.safeParse(span);
  return checked.success ? [] : checked.error.issues.map(({ path, message }) => `${span.name}: ${path.join(".")}: ${message}`);
}
