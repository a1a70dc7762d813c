/** @module Requests to people as HTTP, the client and the command show them: one schema each. Pure. */
import { z } from "zod";
import { pageOf } from "../answers.ts";
import { AmountsView, AnyJson } from "../process-view.ts";
import { Evidence, REQUEST_KINDS, RuleDraft } from "./request.ts";

const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");

/** How a request ended. `answered`: by a person, or by what silence means. `withdrawn`: its process no longer waits for it. */
export const REQUEST_ENDS = ["approved", "edited", "denied", "answered", "expired", "withdrawn"] as const;

/** A request to a person, without content. */
export const RequestEntry = z.object({
  id: z.string(),
  open: z.boolean().describe("It waits for a decision."),
  atMs: EpochMs.describe("When it was asked."),
  processId: z.string(),
  route: z.string().optional(),
  kind: z.enum(REQUEST_KINDS),
  person: z.string().optional().describe("The person that is asked; absent: whoever may decide."),
  agent: z.string().optional().describe("The agent that asks; absent: a stop of the route."),
  tool: z.string().optional(),
  reason: z.string().describe("Why a person is asked."),
  for: z.string().describe("Subject of the token that the task was submitted with; it may not decide."),
  roles: z.array(z.string()).describe("Who may decide now: people with one of these roles. Empty: whoever may decide at all."),
  tenant: z.string().optional().describe("Tenant of its process, if it has one."),
  dueAtMs: EpochMs.optional().describe("Its deadline; absent: that of the process."),
  overdue: z.boolean().describe("It was escalated, or its deadline has passed."),
  reminded: z.int().nonnegative().describe("How often people were reminded."),
  ended: z.enum(REQUEST_ENDS).optional(),
  by: z.string().optional().describe("Subject of the token that decided; absent: silence, or a standing rule."),
  why: z.string().optional().describe("The reason of the decision."),
  decidedAtMs: EpochMs.optional(),
});
/** A request to a person, without content. */
export type RequestEntry = z.infer<typeof RequestEntry>;

/** A page of the inbox. */
export const InboxPage = pageOf(RequestEntry);
/** A page of the inbox. */
export type InboxPage = z.infer<typeof InboxPage>;

const Schema = z.record(z.string(), AnyJson);

/** A request to a person with all that it shows. */
export const RequestView = RequestEntry.extend({
  hash: z.string().describe("SHA-256 of `input` in its canonical form. A decision carries it."),
  input: AnyJson.describe("What is asked: the input of the person, or the arguments of the call."),
  rule: z.string().describe("The rule that asked."),
  evidence: z.array(Evidence).describe("What the request was derived from, cut."),
  label: z.array(z.string()).optional().describe("The untrusted origins of the input; absent: none."),
  spent: AmountsView.optional().describe("What the process has spent so far."),
  inputSchema: Schema.describe("JSON Schema that an edited input must fit."),
  outputSchema: Schema.optional().describe("JSON Schema of the answer; absent: the request is approved or denied."),
  always: z.array(RuleDraft).describe("Rules that an approval may make, in the order of their numbers, from 0."),
});
/** A request to a person with all that it shows. */
export type RequestView = z.infer<typeof RequestView>;

/** A decision is recorded in the journal of the process. */
export const DecisionReceipt = z.object({
  id: z.string().describe("The request."),
  processId: z.string(),
  do: z.enum(["approve", "edit", "deny", "answer"]),
  decisionId: z.string(),
  run: z.int().positive(),
  sequence: z.int().nonnegative().describe("Record of the process's journal at which this stands."),
  traceId: z.string().describe("W3C trace id: 32 hex digits."),
});
/** A decision is recorded in the journal of the process. */
export type DecisionReceipt = z.infer<typeof DecisionReceipt>;
