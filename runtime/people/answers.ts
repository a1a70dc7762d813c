/** @module Answers of the HTTP API about requests to people, beside their views in view.ts. Pure. */
import { z } from "zod";
import { pageOf } from "../answers.ts";
import { REQUEST_STATES } from "./request.ts";
import { DECISIONS, InboxEntry } from "./view.ts";

/** A page of the inbox. */
export const InboxPage = pageOf(InboxEntry);
/** A page of the inbox. */
export type InboxPage = z.infer<typeof InboxPage>;

/** A decision is recorded in the journal of the process. */
export const DecisionReceipt = z.object({
  id: z.string().describe("The request."),
  processId: z.string(),
  do: z.enum(DECISIONS),
  decisionId: z.string(),
  state: z.enum(REQUEST_STATES).describe("How the request stands."),
  run: z.int().positive(),
  sequence: z.int().nonnegative().describe("Record of the process's journal at which this stands."),
  traceId: z.string().describe("W3C trace id: 32 hex digits."),
});
/** A decision is recorded in the journal of the process. */
export type DecisionReceipt = z.infer<typeof DecisionReceipt>;

/** What a person decides on a request, as clients send it. */
export type DecisionContent =
  | {
      readonly do: "approve";
      readonly reason?: string | undefined;
      /** Makes the rule at this index of the request's `always` a standing one. */
      readonly always?: { readonly rule: number; readonly usesMax?: number | undefined; readonly forMs?: number | undefined } | undefined;
    }
  /** Approves another input, which must fit `inputSchema`. */
  | { readonly do: "edit"; readonly input: unknown; readonly reason?: string | undefined }
  | { readonly do: "deny"; readonly reason: string }
  /** Answers a question; the output must fit `outputSchema`. */
  | { readonly do: "answer"; readonly output: unknown; readonly reason?: string | undefined };
