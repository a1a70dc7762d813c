/**
 * @module The inputs and outputs of the HTTP API as strict schemas. The checks at run time and the OpenAPI document are both generated
 * from them.
 */
import { z } from "zod";
import { FAULTS, type FaultCode, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { OUTCOMES } from "../../runtime/protocol.ts";

/** Maximum length of a cursor, a reason or a name in a query. */
const CURSOR_CHARS_MAX = 512;
const REASON_CHARS_MAX = 1_024;
/** Decimal digits of a number in a query: enough for every limit, too few to overflow. */
const WHOLE_NUMBER = /^\d{1,9}$/;
const ID_TEXT = `1 to ${LIMITS.idLengthMax} characters of A-Z a-z 0-9 _ . -`;
const ID = /^[A-Za-z0-9_.-]{1,128}$/;
const LETTER_ID = /^[A-Za-z0-9_.-]{1,128}(:\d{1,9})?$/;

/** How a schema whose values are texts in a query is shown in the document. */
export const SHOWN_AS = new WeakMap<object, Readonly<Record<string, Json>>>();

function shownAs<T extends z.ZodType>(schema: T, shown: Readonly<Record<string, Json>>): T {
  SHOWN_AS.set(schema, shown);
  return schema;
}

function whole(min: number, max: number): z.ZodType<number> {
  const schema = z
    .string()
    .regex(WHOLE_NUMBER, `expected a whole number up to ${max}`)
    .transform(Number)
    .refine((value) => value <= max, `at most ${max} is allowed`)
    .refine((value) => value >= min, `at least ${min} is required`);
  return shownAs(schema, { type: "integer", minimum: min, maximum: max });
}

function yesOrNo(): z.ZodType<boolean> {
  return shownAs(
    z.enum(["true", "false"], "expected true or false").transform((text) => text === "true"),
    { type: "boolean" },
  );
}

const AnyJson = z.custom<Json>((value) => value !== undefined, "expected a JSON value");
shownAs(AnyJson, { description: "Any JSON value." });

const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");
const TraceIdText = z.string().describe("W3C trace id: 32 hex digits.");
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
});

/** Body of a cancellation. */
export const CancelRequest = z.strictObject({ reason: Reason.optional() });

/** Body of a redrive. */
export const RedriveRequest = z.strictObject({
  input: z
    .unknown()
    .optional()
    .describe("Replaces the input of the failed work item; it must match its schema. If omitted, the input stays."),
  reason: Reason.optional(),
  decisionId: z.string().regex(ID, ID_TEXT).optional().describe("Makes a repeated request the same decision."),
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

/** A query that must be empty. */
export const NoQuery = z.strictObject({});
/** Query of a submission. */
export const SubmitQuery = z.strictObject({
  waitMs: whole(0, LIMITS.waitMsMax).optional().describe("Maximum wait for the outcome, in milliseconds."),
});

const Name = z.string().min(1).max(LIMITS.idLengthMax);
const page = {
  cursor: z.string().min(1).max(CURSOR_CHARS_MAX).optional().describe("The `cursor` of the previous page."),
  limit: whole(1, LIMITS.pageEntriesMax).optional().describe("Entries on the page. Default 50."),
};

/** Query of a listing without filters. */
export const PageQuery = z.strictObject(page);
/** Query of the listing of processes. */
export const ProcessesQuery = z.strictObject({
  state: z.enum(["open", "ended"]).optional().describe("Only processes that are open, or only those that have ended."),
  status: z.enum(OUTCOMES).optional().describe("Only processes with this outcome."),
  route: Name.optional().describe("Only processes of this route."),
  ...page,
});
/** Query of the listing of dead letters. */
export const LettersQuery = z.strictObject({
  route: Name.optional().describe("Only dead letters of this route."),
  code: Name.optional().describe("Only dead letters with this fault."),
  decided: yesOrNo()
    .optional()
    .describe("Default false: dead letters that wait for a decision. true: those that were redriven or discarded."),
  ...page,
});

/** A path without parameters. */
export const NoParams = z.strictObject({});
/** A path with the id of a process. */
export const ProcessParams = z.strictObject({ id: z.string().regex(ID, ID_TEXT).describe("Id of the task.") });
/** A path with the id of a dead letter. */
export const LetterParams = z.strictObject({
  id: z
    .string()
    .regex(LETTER_ID, "expected <process id>:<run> or invalid-<hash>")
    .describe("`<process id>:<run>`, or `invalid-<hash>`; percent-encoded."),
});

// ---- answers -------------------------------------------------------------------------------------------------------

const TableCode = z.custom<FaultCode>((value) => typeof value === "string" && Object.hasOwn(FAULTS, value));
shownAs(TableCode, { type: "string", enum: Object.keys(FAULTS) });
const Code = z.string().describe("A code of the fault table, or one that the system's author defined.");
/** What a fault may carry beside its code and message. */
const FaultFacts = {
  details: z.record(z.string(), AnyJson).optional(),
  retryable: z.boolean().optional().describe("Whether it may be tried again; of a code of the author's own."),
  httpStatus: z.int().optional().describe("Its HTTP status; of a code of the author's own."),
  retryAfterMs: z.int().nonnegative().optional().describe("The next attempt waits at least this long, in milliseconds."),
  cause: z.string().optional().describe("What a handler threw: class, message and the first lines of the stack."),
};
const FaultView = z.strictObject({
  code: Code,
  message: z.string(),
  ...FaultFacts,
  fix: z.string().optional().describe("What to do; of a code of the author's own."),
});

/** The body of every error. */
const ErrorAnswer = z.strictObject({
  error: z.strictObject({
    code: TableCode,
    message: z.string(),
    details: FaultFacts.details,
    retryAfterMs: FaultFacts.retryAfterMs,
    fix: z.string().describe("What to do."),
  }),
  traceId: TraceIdText,
});

/** Proves that a task, cancellation or redrive is recorded in the journal. */
export const Receipt = z.strictObject({
  id: z.string(),
  route: z.string(),
  run: z.int().positive(),
  sequence: z.int().nonnegative().describe("Record of the process's journal that contains it."),
  traceId: TraceIdText,
});

/** How a process ended, for a caller that waited for it. */
export const OutcomeAnswer = z.strictObject({
  id: z.string(),
  status: z.enum(OUTCOMES),
  output: AnyJson.optional(),
  fault: FaultView.optional(),
  traceId: TraceIdText,
  acceptedAtMs: EpochMs,
  endedAtMs: EpochMs,
});

/** One history event of a process: the data of `event: line`. */
const HistoryLine = z.strictObject({
  atMs: EpochMs,
  what: z.string(),
  stop: z.string(),
  agent: z.string(),
  attempt: z.int().nonnegative(),
  code: Code.optional(),
});

/** How a run ended: the data of `event: outcome`. */
const ProcessOutcome = z.strictObject({
  status: z.enum(OUTCOMES),
  atMs: EpochMs,
  output: AnyJson.optional(),
  fault: FaultView.optional(),
  deadLetter: AnyJson.optional().describe("Original message, fault, attempts, history, path."),
});

/** A process as recorded in its journal. */
export const ProcessAnswer = z.strictObject({
  id: z.string(),
  phase: z.enum(["open", "ended"]),
  run: z.int().positive(),
  sequence: z.int().nonnegative(),
  route: z.string(),
  fingerprint: z.string().describe("Hash of route and input."),
  traceId: TraceIdText,
  bucket: z.string(),
  acceptedAtMs: EpochMs,
  deadlineAtMs: EpochMs,
  stop: z.string().optional().describe("The current stop."),
  ending: z.enum(OUTCOMES).optional().describe("The outcome after the compensation that is running."),
  unanswered: z.array(
    z.strictObject({
      work: z.string(),
      kind: z.enum(["do", "ask", "undo"]),
      stop: z.string(),
      target: z.string(),
      attempt: z.int(),
      status: z.enum(["asked", "waiting"]),
      dueAtMs: EpochMs,
    }),
  ),
  historyFrom: z.int().nonnegative().describe("Number of the first event of `history`; earlier ones are no longer kept."),
  history: z.array(HistoryLine),
  outcome: ProcessOutcome.optional(),
  runs: z
    .array(z.strictObject({ run: z.int().positive(), status: z.enum(OUTCOMES), atMs: EpochMs, code: Code.optional() }))
    .optional()
    .describe("The most recent earlier runs that were redriven."),
});

/** One work item of a process. */
const StopWork = z.strictObject({
  work: z.string(),
  stop: z.string(),
  agent: z.string().describe("Agent, or nested route."),
  kind: z.enum(["do", "ask", "undo"]),
  item: z.int().nonnegative().optional().describe("Index in the list of a `forEach`."),
  state: z.enum(["asked", "waiting", "answered", "handed off", "failed", "undone", "undo failed", "dropped"]),
  attempts: z.int().positive(),
  askedAtMs: EpochMs,
  endedAtMs: EpochMs.optional(),
  input: AnyJson.optional(),
  output: AnyJson.optional(),
  fault: FaultView.optional(),
});

/** The work history of a process's run. */
export const StopsAnswer = z.strictObject({
  stops: z.array(StopWork),
  left: z.int().positive().optional().describe("Number of older ones that are not shown."),
});

/** An entry of the directory. Fields that do not apply yet are absent. */
const ProcessEntry = z.strictObject({
  id: z.string(),
  open: z.boolean(),
  atMs: EpochMs,
  route: z.string().optional(),
  traceId: TraceIdText.optional(),
  acceptedAtMs: EpochMs.optional(),
  status: z.enum(OUTCOMES).optional(),
  run: z.int().positive().optional(),
  code: Code.optional(),
  by: z.string().optional().describe("Subject of the token that it was submitted with."),
  parent: z.string().optional().describe("Process that runs it as a nested route."),
});

/** The fields of a dead letter without content. */
const letterEntry = {
  id: z.string(),
  open: z.boolean().describe("Whether it waits for a decision."),
  atMs: EpochMs,
  route: z.string().optional(),
  run: z.int().positive().optional(),
  status: z.enum(OUTCOMES).optional(),
  traceId: TraceIdText.optional(),
  topic: z.string().optional().describe("Topic of an invalid message."),
  code: Code.optional(),
  message: z.string().optional(),
  decision: z.enum(["redriven", "discarded"]).optional(),
  processId: z.string().optional().describe("Absent for an invalid message."),
  parent: z.string().optional().describe("Process that ran it as a nested route."),
  by: z.string().optional().describe("Subject of the token that decided."),
  reason: z.string().optional(),
  decidedAtMs: EpochMs.optional(),
  opened: z.int().positive().optional().describe("The run that the redrive opened."),
  decisionId: z.string().optional().describe("For an invalid message: the decision that holds it."),
  taskId: z.string().optional().describe("For a redriven invalid message: the task that was submitted in its place."),
};
/** An entry of the dead letter queue, without content. */
export const LetterEntry = z.strictObject(letterEntry);
/** A dead letter with its content. */
export const Letter = z.strictObject({
  ...letterEntry,
  letter: AnyJson.describe("The original message, the fault, attempts, history and path; or the bytes of an invalid message."),
});

/** One operator action. */
const AuditEntry = z.strictObject({
  id: z.string(),
  atMs: EpochMs,
  who: z.string(),
  what: z.string(),
  target: z.string(),
  why: z.string().optional(),
});

function pageOf(entry: z.ZodType): z.ZodType {
  return z.strictObject({
    entries: z.array(entry),
    cursor: z.string().optional().describe("Pass it back for the next page; absent on the last page."),
  });
}

/** A page of the listing of processes. */
export const ProcessPage = pageOf(ProcessEntry);
/** A page of the listing of dead letters. */
export const LetterPage = pageOf(LetterEntry);
/** A page of the audit. */
export const AuditPage = pageOf(AuditEntry);

const GraphNode = z.strictObject({ kind: z.enum(["agent", "route"]), name: z.string() });
/** The output of `graph show --json`. */
export const GraphAnswer = z.strictObject({
  system: z.string(),
  agents: z.array(z.strictObject({ name: z.string(), version: z.int().positive(), visitsMax: z.int().positive().optional() })),
  routes: z.array(
    z.strictObject({ name: z.string(), version: z.int().positive(), visitsMax: z.int().positive().optional(), stops: z.array(z.string()) }),
  ),
  edges: z.array(
    z.strictObject({ kind: z.enum(["stop", "route", "ask", "hand-off"]), from: GraphNode, to: GraphNode, stop: z.string().optional() }),
  ),
});
/** How many processes were purged (or would be), and how many ended and must stay for now. */
export const PurgeAnswer = z.strictObject({ purged: z.int().nonnegative(), waiting: z.int().nonnegative() });
/** Whether the host accepts work. */
export const HealthAnswer = z.strictObject({ status: z.enum(["ok", "stopping", "resetting"]) });
/** An OpenAPI document. */
export const OpenApiAnswer = z.looseObject({ openapi: z.string() });

/** The schemas that have a name in the document. */
export const COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  Task: TaskRequest,
  Cancel: CancelRequest,
  Redrive: RedriveRequest,
  Discard: DiscardRequest,
  Purge: PurgeRequest,
  Error: ErrorAnswer,
  Receipt,
  Outcome: OutcomeAnswer,
  Process: ProcessAnswer,
  StopWork,
  Stops: StopsAnswer,
  HistoryLine,
  ProcessOutcome,
  ProcessEntry,
  ProcessPage,
  LetterEntry,
  Letter,
  LetterPage,
  AuditEntry,
  AuditPage,
  Graph: GraphAnswer,
  Purged: PurgeAnswer,
  Health: HealthAnswer,
  OpenApi: OpenApiAnswer,
};
