/**
 * @module Requests to people, and decisions on them. Pure.
 *
 * A request belongs to one work item and one call or question of it. It carries the hash of what is asked for, and a decision names that
 * hash, so no decision is made on something else than what was shown.
 */
import { z } from "zod";
import { Spent } from "../budget.ts";
import type { Json } from "../faults.ts";
import { Label } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { JsonContent, Value } from "../value.ts";

/** A role of people, such as `manager`: a text without white space. It is not a role of the HTTP API. */
export const PersonRole = z.string().regex(/^\S+$/u, "expected a role without white space").max(LIMITS.personRoleLengthMax);

/** What silence means when the deadline of a request has passed: it is denied, fails with `person.expired`, or has this answer. */
export const OnExpiry = z.union([z.literal("deny"), z.literal("fail"), z.strictObject({ answer: JsonContent })]);
/** What silence means. */
export type OnExpiry = "deny" | "fail" | { readonly answer: Json };

/** One step of an escalation: from that time on people of these roles may decide too. */
export const Escalation = z.strictObject({
  afterMs: z.int().positive().max(LIMITS.personDeadlineMsMax),
  roles: z.array(PersonRole).min(1).max(LIMITS.personRolesMax),
});
export type Escalation = z.infer<typeof Escalation>;

/** A person as the process manager knows it, pinned in the slip. Persisted: changing this needs a version bump. */
export const PersonData = z.strictObject({
  /** Who may decide. Empty: all who may decide. */
  roles: z.array(PersonRole).max(LIMITS.personRolesMax),
  /** Time from the request to the deadline. Absent: until the process expires. */
  deadlineMs: z.int().positive().max(LIMITS.personDeadlineMsMax).optional(),
  /** Pause between reminders. Absent: none. */
  remindMs: z.int().positive().max(LIMITS.personDeadlineMsMax).optional(),
  /** Earliest first. */
  escalate: z.array(Escalation).max(LIMITS.personEscalationsMax),
  onExpiry: OnExpiry,
  /** Principals that are agents or peers may decide. */
  agentsDecide: z.literal(true).optional(),
  /** JSON Schemas of what it is asked and of its answer. Absent: the request is approved or denied. */
  input: z.record(z.string(), JsonContent).optional(),
  output: z.record(z.string(), JsonContent).optional(),
});
export type PersonData = z.infer<typeof PersonData>;

/** The person that is asked where nothing names one: all who may decide. */
export const ANY_PERSON: PersonData = { roles: [], escalate: [], onExpiry: "deny" };

/** Why a person is asked. */
export const REQUEST_KINDS = ["question", "consent", "budget", "validation"] as const;

/**
 * The state of a request. `open`: a person may decide. `expired`: its deadline passed, and silence decided. `closed`: it is no longer
 * needed, because its process ended, its branch lost or the work item that asked is over.
 */
export const REQUEST_STATES = ["open", "approved", "edited", "denied", "answered", "expired", "closed"] as const;
/** One of {@link REQUEST_STATES}. */
export type RequestState = (typeof REQUEST_STATES)[number];

/** A piece of evidence: where it comes from, and the text, cut. */
export const Evidence = z.strictObject({
  origin: z.string().max(LIMITS.originLengthMax),
  trusted: z.boolean(),
  text: z.string().max(LIMITS.evidenceTextCharsMax),
});
export type Evidence = z.infer<typeof Evidence>;

/** A rule that a person may make from a request with "always": a CEL condition over `input` for one tool of one agent. */
export const RuleDraft = z.strictObject({ about: z.string(), when: z.string() });
export type RuleDraft = z.infer<typeof RuleDraft>;

/** What is asked of a person, as it was asked. It never changes; decisions name its hash. Persisted: changing this needs a version bump. */
export const RequestContent = z.strictObject({
  kind: z.enum(REQUEST_KINDS),
  /** The agent whose handler or model wants it. Absent: a stop of the route. */
  agent: z.string().optional(),
  tool: z.string().optional(),
  /** The input of the person, or the arguments of the call. */
  input: JsonContent,
  /** Why a person is asked, for people. */
  reason: z.string().max(LIMITS.requestReasonCharsMax),
  /** The rule that asked, such as `approve: input.amount > 100` or `untrusted text in a write`. */
  rule: z.string().max(LIMITS.requestReasonCharsMax),
  evidence: z.array(Evidence).max(LIMITS.evidenceMax),
  label: Label.optional(),
  spent: Spent.optional(),
  /** JSON Schema of the input, which an edit must fit. */
  inputSchema: z.record(z.string(), JsonContent),
  /** JSON Schema of the answer. Absent: the request is approved or denied. */
  outputSchema: z.record(z.string(), JsonContent).optional(),
  /** Rules that "always" offers. */
  always: z.array(RuleDraft).max(LIMITS.alwaysRulesMax).optional(),
});
export type RequestContent = z.infer<typeof RequestContent>;

/** What a handler asks of a person. `content` is a stored {@link RequestContent}, `hash` the SHA-256 of its `input`. */
export const PersonAsk = z.strictObject({ person: z.string().optional(), content: Value, hash: z.string() });
export type PersonAsk = z.infer<typeof PersonAsk>;

/** Any JSON value, with a JSON Schema that takes all. */
const AnyContent = z.unknown() as z.ZodType<Json>;

const Reason = z.string().max(LIMITS.requestReasonCharsMax);

/** Which rule of a request is made to a standing one, with its limits. */
const AlwaysChoice = z.strictObject({
  /** Index in `RequestContent.always`. */
  rule: z.int().nonnegative(),
  usesMax: z.int().positive().max(LIMITS.ruleUsesMax).optional(),
  forMs: z.int().positive().max(LIMITS.ruleMsMax).optional(),
});

/** A decision of a person on one request. */
export const PersonDecision = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("approve"), reason: Reason.optional(), always: AlwaysChoice.optional() }),
  z.strictObject({ do: z.literal("edit"), input: Value, reason: Reason.optional() }),
  z.strictObject({ do: z.literal("deny"), reason: Reason }),
  z.strictObject({ do: z.literal("answer"), output: Value, reason: Reason.optional() }),
]);
export type PersonDecision = z.infer<typeof PersonDecision>;

/**
 * How a request ended, as the handler that waits receives it: the output of the answer to a wait of kind `person` that is no question. A
 * question has the answer itself as its output, or the fault `person.denied` or `person.expired`.
 */
export const Verdict = z.strictObject({
  verdict: z.enum(["approved", "edited", "denied"]),
  /** The hash of the arguments that were shown. */
  hash: z.string(),
  /** Of an edit. */
  input: AnyContent.optional(),
  /** The request that a person decided on; absent if a standing rule decided. */
  request: z.string().optional(),
  /** The rule of the request that the person chose to make a standing one. */
  always: AlwaysChoice.optional(),
  /** Subject of who decided; absent if no person did: the deadline passed, or a rule decided. */
  by: z.string().optional(),
  /** The standing rule that decided. */
  rule: z.string().optional(),
  reason: z.string(),
  atMs: z.int().nonnegative(),
});
export type Verdict = z.infer<typeof Verdict>;
