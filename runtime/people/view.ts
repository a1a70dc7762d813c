/**
 * @module Requests to people as they are shown and listed: their views, and the entries of the index `Inbox`. Pure.
 */
import { z } from "zod";
import { Spent } from "../budget.ts";
import type { Json } from "../faults.ts";
import { DEFAULT_TENANT } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { IndexEntry } from "../protocol/bodies.ts";
import { Value } from "../value.ts";
import { Evidence, OnExpiry, type PersonDecision, REQUEST_KINDS, REQUEST_STATES, type RequestContent, RuleDraft } from "./request.ts";

const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");
const AnyJson = z.custom<Json>((value) => value !== undefined, "a JSON value is expected").describe("Any JSON value.");
const Schema = z.record(z.string(), AnyJson);

/** How a request ended. */
const Decided = z.object({
  by: z.string().optional().describe("Subject of the person; absent: no person decided."),
  reason: z.string(),
  atMs: EpochMs,
});

/** A request of a process, without its content. */
export const RequestLine = z.object({
  id: z.string(),
  processId: z.string(),
  route: z.string(),
  run: z.int().positive(),
  stop: z.string().describe("The stop that asks, or whose work item does; empty for the process itself."),
  item: z.int().nonnegative().optional().describe("Index in the list of a `forEach`."),
  kind: z.enum(REQUEST_KINDS),
  state: z.enum(REQUEST_STATES),
  person: z.string().optional().describe("Name of the person; absent: all who may decide."),
  agent: z.string().optional().describe("The agent whose handler or model wants it; absent: the route."),
  tool: z.string().optional(),
  about: z.string().describe("Why a person is asked, cut."),
  hash: z.string().describe("SHA-256 of the input; a decision names it."),
  roles: z.array(z.string()).describe("Who may decide now; empty: all who may decide."),
  agentsDecide: z.literal(true).optional(),
  forSubject: z.string().describe("Subject that the task runs for, who may not decide."),
  tenant: z.string().optional(),
  askedAtMs: EpochMs,
  dueAtMs: EpochMs.optional().describe("Its deadline; absent: it waits as long as its process."),
  processEndsAtMs: EpochMs.optional().describe("When its process expires, and with it the request, while it is open."),
  silence: OnExpiry.describe("What happens if no person decides in time."),
  nextAtMs: EpochMs.optional().describe("Next reminder, escalation or deadline of an open request."),
  reminded: z.int().nonnegative(),
  escalated: z.int().nonnegative().describe("Steps of its escalation that have begun."),
  decided: Decided.optional(),
  content: Value,
});
/** A request of a process, without its content. */
export type RequestLine = z.infer<typeof RequestLine>;

/** What a decision can do. */
export const DECISIONS = ["approve", "edit", "deny", "answer"] as const;

/** A request with all that a person needs to decide. */
export const RequestView = RequestLine.omit({ content: true }).extend({
  silence: OnExpiry.optional().describe("What happens if no person decides in time; absent: it was decided long ago."),
  actions: z.array(z.enum(DECISIONS)).describe("What may be decided."),
  input: AnyJson,
  reason: z.string(),
  rule: z.string().describe("The rule that asked."),
  evidence: z.array(Evidence),
  label: z.array(z.string()).optional().describe("Untrusted origins of the input."),
  spent: Spent.optional().describe("What the process had spent when it asked."),
  inputSchema: Schema.describe("JSON Schema that an edited input must fit."),
  outputSchema: Schema.optional().describe("JSON Schema of the answer."),
  always: z.array(RuleDraft).optional().describe("Rules that an approval can make standing ones, by index."),
  hidden: z.literal(true).optional().describe("Contents are left out: the token has not the role `content`."),
});
/** A request with all that a person needs to decide. */
export type RequestView = z.infer<typeof RequestView>;

type ShownLine = Omit<RequestLine, "silence" | "content"> &
  Partial<Pick<RequestLine, "silence">> & { readonly content?: Value | undefined };

/** The view of a request. `content` is what {@link RequestLine} refers to. */
export function requestView({ content: _stored, ...line }: ShownLine, content: RequestContent): RequestView {
  const { input, reason, rule, evidence, label, spent, inputSchema, outputSchema, always } = content;
  return {
    ...line,
    actions: [...actionsOf(content)],
    input,
    reason,
    rule,
    evidence,
    ...(label === undefined ? {} : { label: [...label] }),
    ...(spent === undefined ? {} : { spent }),
    inputSchema,
    ...(outputSchema === undefined ? {} : { outputSchema }),
    ...(always === undefined ? {} : { always }),
  };
}

/** What may be decided on a request: a question with an answer is answered or denied, all others are approved, edited or denied. */
export function actionsOf({ outputSchema }: Pick<RequestContent, "outputSchema">): readonly PersonDecision["do"][] {
  return outputSchema === undefined ? ["approve", "edit", "deny"] : ["answer", "deny"];
}

// ---- the index -------------------------------------------------------------------------------------------------------------

/** A request in a listing. */
export const InboxEntry = RequestLine.pick({
  id: true,
  processId: true,
  route: true,
  run: true,
  stop: true,
  item: true,
  kind: true,
  state: true,
  person: true,
  agent: true,
  tool: true,
  about: true,
  hash: true,
  roles: true,
  forSubject: true,
  tenant: true,
  askedAtMs: true,
  dueAtMs: true,
  reminded: true,
  escalated: true,
}).extend({ by: z.string().optional().describe("Who decided."), decidedAtMs: EpochMs.optional() });
/** A request in a listing. */
export type InboxEntry = z.infer<typeof InboxEntry>;

/**
 * The entry of a request in the index `Inbox`. Facts are for listings only; the process decides. `at` counts the steps of an open request,
 * so that an older entry does not replace a newer one.
 */
export function inboxEntry(line: RequestLine): IndexEntry {
  const { id, state, roles, reminded, escalated, decided, silence: _s, nextAtMs: _n, content, agentsDecide: _a, ...facts } = line;
  return {
    id,
    open: state === "open",
    atMs: decided?.atMs ?? line.askedAtMs,
    facts: {
      ...present(facts),
      state,
      roles: roles.join(" "),
      reminded,
      escalated,
      at: 1 + reminded + escalated,
      ...(decided === undefined ? {} : { decidedAtMs: decided.atMs, ...present({ by: decided.by }) }),
    },
    content,
  };
}

function present(facts: Readonly<Record<string, string | number | undefined>>): IndexEntry["facts"] {
  return Object.fromEntries(Object.entries(facts).flatMap(([name, fact]) => (fact === undefined ? [] : [[name, fact]])));
}

/** A request as its index entry tells it; undefined if the entry is of another form. */
export function inboxLine({ id, facts }: IndexEntry): InboxEntry | undefined {
  const { roles, at: _at, ...others } = facts;
  const names = typeof roles === "string" && roles !== "" ? roles.split(" ") : [];
  const parsed = InboxEntry.safeParse({ ...others, id, roles: names });
  return parsed.success ? parsed.data : undefined;
}

/** The field `tenant` of a line: absent for the default one. */
export function tenantField(tenant: string): { readonly tenant?: string } {
  return tenant === DEFAULT_TENANT ? {} : { tenant };
}

/** A reason as lines have it. */
export function cutAbout(reason: string): string {
  return reason.length <= LIMITS.requestAboutCharsMax ? reason : `${reason.slice(0, LIMITS.requestAboutCharsMax - 1).toWellFormed()}…`;
}
