/**
 * @module What a model agent sent and received in one work item, for screens and commands. Requests are not stored: they are made again
 * from the records by the code of the host that shows them. Pure.
 */
import { z } from "zod";
import { AnyJson, Code } from "./process-view.ts";

const Count = z.int().nonnegative();

/** One message of a request. */
export const MessageView = z.object({
  role: z.enum(["system", "user", "assistant", "tool"]),
  text: z.string(),
  calls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })).optional(),
  source: z
    .string()
    .describe("Where its content comes from: `instructions`, `task`, `model`, `troupe` (why a reply was not used, a summary), or a tool."),
  label: z.array(z.string()).describe("The untrusted origins of its content. Empty: it is trusted."),
  bytes: Count,
  new: z.boolean().describe("It was not in the request before."),
});
/** One message of a request. */
export type MessageView = z.infer<typeof MessageView>;

/** A share of what one request consists of. */
export const ContextPart = z.object({
  source: z.string().describe("As of a message; `tools`: the descriptions of the tools; `answer`: the schema of the answer."),
  trusted: z.boolean(),
  bytes: Count,
});
/** A share of what one request consists of. */
export type ContextPart = z.infer<typeof ContextPart>;

/** One model call: the request as it was built, and the reply. */
export const ExchangeView = z.object({
  call: z.string().describe("Key of the call in its work item."),
  model: z.string(),
  endpoint: z.string().optional(),
  answered: z.string().optional().describe("The model that answered, as the provider names it."),
  prompt: z.string().optional().describe("The version of the prompt."),
  rung: z.string().optional().describe("The rung of the repair ladder, or of a budget's end, for which it was made."),
  messages: z.array(MessageView),
  context: z.array(ContextPart).describe("The make-up of the request: bytes by source and trust."),
  reply: z
    .object({
      text: z.string(),
      calls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })),
      refusal: z.string().optional(),
      reasoning: z.string().optional(),
      finish: z.string(),
    })
    .optional()
    .describe("Absent: there is none."),
  code: Code.optional().describe("Of the fault that it ended with."),
  inputTokens: Count.optional(),
  outputTokens: Count.optional(),
  usd: z.number().nonnegative().optional(),
});
/** One model call: the request as it was built, and the reply. */
export type ExchangeView = z.infer<typeof ExchangeView>;

/** The conversation of one work item. */
export const ConversationView = z.object({
  process: z.string(),
  work: z.string(),
  agent: z.string(),
  input: AnyJson.optional(),
  exchanges: z.array(ExchangeView),
  divergence: z
    .string()
    .optional()
    .describe("The code of this host is not that of the record, from here on: what differs first. Requests after it are not shown."),
});
/** The conversation of one work item. */
export type ConversationView = z.infer<typeof ConversationView>;
