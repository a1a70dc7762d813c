/** @module What goes into the users' API, as strict schemas. What comes out is in runtime/answers.ts and runtime/process-view.ts. */
import { z } from "zod";
import { LIMITS } from "../../runtime/limits.ts";
import { OUTCOMES } from "../../runtime/protocol.ts";
import { amount, moment, whole, yesOrNo } from "./query-values.ts";

/** Maximum length of a cursor, a reason or a name in a query. */
const CURSOR_CHARS_MAX = 512;
const REASON_CHARS_MAX = 1_024;
const MAX_LINE = 999_999_999;
const ID_TEXT = `1 to ${LIMITS.idLengthMax} characters of A-Z a-z 0-9 _ . -`;
const ID = /^[A-Za-z0-9_.-]{1,128}$/;
/** Ids within the system are longer by what begins those of a tenant. */
const PROCESS_ID = /^[A-Za-z0-9_.-]{1,147}$/;
const REQUEST_ID = /^[A-Za-z0-9_.-]{1,147}\.r\d{1,9}$/;
const RULE_ID = /^rule-[0-9a-f]{16}$/;
const LETTER_ID = /^[A-Za-z0-9_.-]{1,147}(:\d{1,9})?$/;

const Reason = z.string().max(REASON_CHARS_MAX).describe("The reason, for the audit record.");

// ---- requests ------------------------------------------------------------------------------------------------------

/** A task in a body or in the data of a topic's event. `input` may be any JSON, but is required. */
export const TaskRequest = z.strictObject({
  id: z
    .string()
    .optional()
    .describe(`Id of the task: ${ID_TEXT}. The same id with the same input is the same task. If omitted, an id is generated.`),
  route: z.string().min(1).describe("Name of the route."),
  input: z
    .unknown()
    .refine((input) => input !== undefined, "an input is required")
    .describe("Any JSON that matches the route's schema."),
  timeoutMs: z
    .int()
    .min(LIMITS.taskTimeoutMsMin)
    .max(LIMITS.taskTimeoutMsMax)
    .optional()
    .describe(`Lifetime in milliseconds. Default ${LIMITS.taskTimeoutMsDefault}.`),
  permissions: z
    .array(z.string().min(1).max(LIMITS.permissionLengthMax))
    .max(LIMITS.permissionsMax)
    .optional()
    .describe("The permissions that the task is given: some of those of the token. Default: all of them."),
  untrusted: z
    .string()
    .min(1)
    .max(LIMITS.idLengthMax)
    .optional()
    .describe("The input is, or holds, a text of strangers: the name of where it comes from. Default: it is trusted."),
});

/** Body of a cancellation. */
export const CancelRequest = z.strictObject({ reason: Reason.optional() });

const WholeTree = z.boolean().optional().describe("Its nested routes too. Default: true.");

/** Body of a pause or of its end. */
export const PauseRequest = z.strictObject({ reason: Reason.optional(), tree: WholeTree });

/** Body of a termination. */
export const TerminateRequest = z.strictObject({ reason: Reason.min(1) });

/** Body of a decision on many dead letters. */
export const LettersRequest = z.strictObject({
  ids: z
    .array(z.string().regex(LETTER_ID))
    .min(1)
    .max(LIMITS.lettersDecidedMax)
    .describe("Ids of dead letters; each is decided for itself."),
  what: z.enum(["redrive", "discard"]),
  reason: Reason.min(1),
});

/** Body of the revocation of a standing rule. */
export const RevokeRequest = z.strictObject({ reason: Reason.optional() });

/** Body of a signal. */
export const SignalRequest = z.strictObject({
  payload: z.unknown().optional().describe("It must fit the schema of what waits for the signal. Left out: null."),
  signalId: z.string().regex(ID, ID_TEXT).optional().describe("Makes a repeated request the same signal."),
});

/** A signal on the topic `<system>.signals`. */
export const SignalEvent = z.strictObject({
  processId: z.string(),
  name: z.string().min(1).max(LIMITS.idLengthMax),
  payload: z.unknown().optional(),
  id: z.string().optional(),
});

const Hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits: the hash that the request showed")
  .describe("The `hash` of what was shown. A request with another one is not decided: `person.changed`.");
const DecisionReason = z.string().max(LIMITS.requestReasonCharsMax).describe("The reason, for the process and the audit record.");
const Given = z.unknown().refine((content) => content !== undefined, "a content is required");
const decided = {
  hash: Hash,
  decisionId: z.string().regex(ID, ID_TEXT).optional().describe("Makes a repeated request the same decision."),
};

/** Body of a decision on a request to a person. */
export const DecisionRequest = z.discriminatedUnion("do", [
  z.strictObject({
    do: z.literal("approve"),
    ...decided,
    reason: DecisionReason.optional(),
    always: z
      .strictObject({
        rule: z.int().nonnegative().describe("Index of a rule that the request offers, from 0."),
        usesMax: z.int().positive().max(LIMITS.ruleUsesMax).optional().describe(`Uses of the rule. Default ${LIMITS.ruleUsesDefault}.`),
        forMs: z.int().positive().max(LIMITS.ruleMsMax).optional().describe(`Lifetime of the rule. Default ${LIMITS.ruleMsDefault}.`),
      })
      .optional()
      .describe("Makes a standing rule: what it covers is approved without a person."),
  }),
  z.strictObject({
    do: z.literal("edit"),
    ...decided,
    input: Given.describe("Replaces the input; it must match `inputSchema`, and is judged again."),
    reason: DecisionReason.optional(),
  }),
  z.strictObject({ do: z.literal("deny"), ...decided, reason: DecisionReason.min(1) }),
  z.strictObject({
    do: z.literal("answer"),
    ...decided,
    output: Given.describe("The answer; it must match `outputSchema`."),
    reason: DecisionReason.optional(),
  }),
]);

/** Body of a redrive. */
export const RedriveRequest = z.strictObject({
  input: z
    .unknown()
    .optional()
    .describe("Replaces the input of the failed work item; it must match its schema. If omitted, the input stays."),
  reason: Reason.optional(),
  decisionId: z.string().regex(ID, ID_TEXT).optional().describe("Makes a repeated request the same decision."),
  undoneByHand: z
    .boolean()
    .optional()
    .describe("What compensation left standing was undone by hand. Required for a dead letter with `left`: a redrive does it again."),
});

/** Body of a discard; the reason is required. */
export const DiscardRequest = z.strictObject({ reason: Reason.min(1) });

/** Body of a purge. */
export const PurgeRequest = z.strictObject({
  olderThanMs: z
    .int()
    .nonnegative()
    .optional()
    .describe(
      "Purges processes that ended longer ago than this, in milliseconds. If omitted, the system's retention. " +
        "A process always stays while others may still refer to it.",
    ),
  dryRun: z.boolean().optional().describe("Only counts."),
});

/** Body of setting an actor aside. */
export const SetAsideRequest = z.strictObject({
  actor: z.string().min(1).describe("As GET /broken names it."),
  reason: Reason.min(1),
  acceptLoss: z.boolean().optional().describe("Required for agents and process managers: what was recorded after the break is lost."),
});

/** A body without content. */
export const EmptyBody = z.strictObject({});
/** A query that must be empty. */
export const NoQuery = z.strictObject({});
/** Query of a stream. */
export const FollowQuery = z.strictObject({
  deltas: yesOrNo().optional().describe("Whether pieces of the replies of models are sent too. Default true."),
});
/** Query of an export. */
export const CassetteQuery = z.strictObject({
  contents: yesOrNo().optional().describe("With all contents, for replays and tests; it needs the role `content`. Default false."),
});
/** Query of a submission. */
export const SubmitQuery = z.strictObject({
  waitMs: whole(0, LIMITS.waitMsMax).optional().describe("Maximum wait for the outcome, in milliseconds."),
});

const Name = z.string().min(1).max(LIMITS.idLengthMax);
const page = {
  cursor: z.string().min(1).max(CURSOR_CHARS_MAX).optional().describe("The `cursor` of the previous page."),
  limit: whole(1, LIMITS.pageEntriesMax).optional().describe("Entries on the page. Default 50."),
};

/** Query of the audit. */
export const AuditQuery = z.strictObject({
  process: z.string().regex(PROCESS_ID, ID_TEXT).optional().describe("Only what concerns this process."),
  what: Name.optional().describe("Only this, such as `redrive`; `call` and `agent made` are checks."),
  ...page,
});
/** Query of the listing of processes. */
export const ProcessesQuery = z.strictObject({
  state: z.enum(["open", "ended"]).optional().describe("Only processes that are open, or only those that have ended."),
  status: z.enum(OUTCOMES).optional().describe("Only processes with this outcome."),
  route: Name.optional().describe("Only those of this route."),
  code: Name.optional().describe("Only those that ended with this fault."),
  by: Name.optional().describe("Only those that this subject submitted."),
  sinceMs: moment().optional().describe("Only those accepted from then on. Epoch, milliseconds."),
  untilMs: moment().optional().describe("Only those accepted before then. Epoch, milliseconds."),
  endedSinceMs: moment().optional().describe("Only those that ended from then on. Epoch, milliseconds."),
  minUsd: amount().optional().describe("Only those whose last run cost at least so much, in US dollars."),
  paused: yesOrNo().optional().describe("Only those that are paused, or only the others."),
  waiting: yesOrNo().optional().describe("Only those that wait for a person, or only the others."),
  text: Name.optional().describe("Only those whose id holds this, or whose trace id it is."),
  version: Name.optional().describe("Only those that used this version: `Agent@prompt/model`."),
  ...page,
});
/** Query of sums since a time. */
export const SinceQuery = z.strictObject({
  sinceMs: moment().optional().describe("Epoch, milliseconds. Default: 24 hours ago."),
});
/** Query of the whole history of a process. */
export const HistoryQuery = z.strictObject({
  from: whole(0, MAX_LINE).optional().describe("Number of the first line wanted: the `next` of the page before. Default 0."),
  limit: whole(1, LIMITS.pageEntriesMax).optional().describe("Lines on the page. Default 50."),
});
/** Query of the listing of dead letters. */
export const LettersQuery = z.strictObject({
  route: Name.optional().describe("Only those of this route."),
  code: Name.optional().describe("Only dead letters with this fault."),
  decided: yesOrNo()
    .optional()
    .describe("Default false: dead letters that wait for a decision. true: those that were redriven or discarded."),
  ...page,
});

/** Query of the standing rules. */
export const RulesQuery = z.strictObject({ all: yesOrNo().optional().describe("Also those that have ended. Default false.") });
/** Query of the inbox. */
export const InboxQuery = z.strictObject({
  state: z.enum(["open", "decided"]).optional().describe("Default open: requests that wait for a decision."),
  person: Name.optional().describe("Only requests to this person."),
  route: Name.optional().describe("Only those of this route."),
  process: z.string().regex(PROCESS_ID, ID_TEXT).optional().describe("Only those of this process."),
  ...page,
});

/** Query of drift. */
export const DriftQuery = z.strictObject({
  sinceMs: moment().optional().describe("Beginning of the window. Epoch, milliseconds. Default: a day ago."),
  baselineMs: moment()
    .optional()
    .describe("Beginning of the baseline, which ends where the window begins. Default: seven windows before that."),
});
/** Query of a digest. */
export const DigestQuery = z.strictObject({ sinceMs: moment().optional().describe("Epoch, milliseconds. Default: a day ago.") });

/** A path without parameters. */
export const NoParams = z.strictObject({});
/** A path with the id of a process. */
export const ProcessParams = z.strictObject({ id: z.string().regex(PROCESS_ID, ID_TEXT).describe("Id of the task.") });
/** Path of a work item. */
export const WorkParams = ProcessParams.extend({
  work: z
    .string()
    .min(1)
    .max(4 * LIMITS.idLengthMax)
    .describe("Id of the work item."),
});
/** Path of a signal. */
export const SignalParams = ProcessParams.extend({ name: z.string().min(1).max(LIMITS.idLengthMax).describe("Name of the signal.") });
/** A path with the id of a request to a person. */
export const RequestParams = z.strictObject({
  id: z.string().regex(REQUEST_ID, "expected <process id>.r<number>").describe("`<process id>.r<number>`, as GET /inbox lists it."),
});
/** A path with the id of a standing rule. */
export const RuleParams = z.strictObject({
  id: z.string().regex(RULE_ID, "expected rule-<digits>").describe("The rule, as GET /rules lists it."),
});
/** A path with the id of a dead letter. */
export const LetterParams = z.strictObject({
  id: z
    .string()
    .regex(LETTER_ID, "expected <process id>:<run> or invalid-<hash>")
    .describe("`<process id>:<run>`, or `invalid-<hash>`; percent-encoded."),
});

/** A path with the id of a memory. */
export const MemoryParams = z.strictObject({ memory: z.string().regex(PROCESS_ID, `expected ${ID_TEXT}`).describe("Id of the memory.") });
/** Which facts of a memory are shown. */
export const FactsQuery = z.strictObject({
  id: z.string().max(LIMITS.idLengthMax).optional().describe("Only the fact with this id."),
  key: z.string().max(LIMITS.factKeyLengthMax).optional().describe("Only the fact with this key."),
  text: z.string().min(1).max(LIMITS.factTextCharsMax).optional().describe("Words to search for, best first."),
  limit: whole(1, LIMITS.factsReadMax).optional().describe("Facts at most."),
});
/** A fact to forget. */
export const ForgetRequest = z.strictObject({
  id: z.string().min(1).max(LIMITS.idLengthMax).describe("Id of the fact."),
  reason: Reason.optional(),
  purge: z.boolean().optional().describe("Purge ended processes that had written or read it, too."),
});
/** A fact to vouch for. */
export const PromoteRequest = z.strictObject({ id: z.string().min(1).max(LIMITS.idLengthMax).describe("Id of the fact."), reason: Reason });

/** A path with the name of a source. */
export const SourceParams = z.strictObject({ name: Name.describe("Name of the source.") });

/** A path with the name of an agent that has a release. */
export const ReleaseParams = z.strictObject({ agent: Name.describe("Name of the agent.") });
/** Body of stopping a canary. */
export const StopReleaseRequest = z.strictObject({ reason: Reason.min(1) });

/** An OpenAPI document. */
export const OpenApiAnswer = z.looseObject({ openapi: z.string() });
