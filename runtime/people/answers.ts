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
