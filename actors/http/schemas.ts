/**
 * @module What goes in and out of the users' API, as strict schemas: the checks at run time and the OpenAPI document are
 * both made of them.
 */
import { z } from "zod";
import { FAULTS, type FaultCode, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { STANDINGS } from "../../runtime/process/stops.ts";
import { OUTCOMES, WORK_STATES } from "../../runtime/protocol.ts";

/** Characters of a cursor, a reason or a name in a query that are taken. */
const CURSOR_CHARS_MAX = 512;
const REASON_CHARS_MAX = 1_024;
/** Decimal digits of a number in a query: enough for every limit, too few to overflow. */
const WHOLE_NUMBER = /^\d{1,9}$/;
const ID_TEXT = `1 to ${LIMITS.idLengthMax} characters of A-Z a-z 0-9 _ . -`;
const ID = /^[A-Za-z0-9_.-]{1,128}$/;
const LETTER_ID = /^[A-Za-z0-9_.-]{1,128}(:\d{1,9})?$/;

/** How a schema whose values are texts in a query stands in the document. */
export const SHOWN_AS = new WeakMap<object, Readonly<Record<string, Json>>>();

function shownAs<T extends z.ZodType>(schema: T, shown: Readonly<Record<string, Json>>): T {
  SHOWN_AS.set(schema, shown);
  return schema;
}

function whole(min: number, max: number): z.ZodType<number> {
  const schema = z
    .string()
    .regex(WHOLE_NUMBER, `a whole number up to ${max} is expected`)
    .transform(Number)
    .refine((value) => value <= max, `at most ${max} is allowed`)
    .refine((value) => value >= min, `at least ${min} is needed`);
  return shownAs(schema, { type: "integer", minimum: min, maximum: max });
}

function yesOrNo(): z.ZodType<boolean> {
  return shownAs(
    z.enum(["true", "false"], "true or false is expected").transform((text) => text === "true"),
    { type: "boolean" },
  );
}

const AnyJson = z.custom<Json>((value) => value !== undefined, "a JSON value is expected");
shownAs(AnyJson, { description: "Any JSON value." });

const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");
const TraceIdText = z.string().describe("W3C trace id: 32 hex digits.");
const Reason = z.string().max(REASON_CHARS_MAX).describe("Why; it stands in the audit record.");

// ---- what is asked --------------------------------------------------------------------------------------------------

/** A task as it stands in a body or in the data of a topic's event. `input` may be any JSON, but it must be there. */
export const TaskRequest = z.strictObject({
  id: z
    .string()
    .optional()
    .describe(`Id of the task: ${ID_TEXT}. The same id with the same input is the same task. Left out: one is made.`),
  route: z.string().min(1).describe("Name of the route."),
  input: z
    .unknown()
    .refine((input) => input !== undefined, "an input is required")
    .describe("Any JSON that fits the route's schema."),
  timeoutMs: z
    .int()
    .min(LIMITS.taskTimeoutMsMin)
    .max(LIMITS.taskTimeoutMsMax)
    .optional()
    .describe(`Lifetime in milliseconds. Default ${LIMITS.taskTimeoutMsDefault}.`),
});

/** Body of a cancellation. */
export const CancelRequest = z.strictObject({ reason: Reason.optional() });

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

/** Body of a redrive. */
export const RedriveRequest = z.strictObject({
  input: z.unknown().optional().describe("Replaces the input of the work that failed; it must fit its schema. Left out: the input stays."),
  reason: Reason.optional(),
  decisionId: z.string().regex(ID, ID_TEXT).optional().describe("Makes a repeated request the same decision."),
});

/** Body of a discard: the reason is needed. */
export const DiscardRequest = z.strictObject({ reason: Reason.min(1) });

/** Body of a purge. */
export const PurgeRequest = z.strictObject({
  olderThanMs: z
    .int()
    .nonnegative()
    .optional()
    .describe(
      "What ended longer ago than this is purged, in milliseconds. Left out: the system's retention. What somebody may still speak of stays in any case.",
    ),
  dryRun: z.boolean().optional().describe("Only counts."),
});

/** A query that must be empty. */
export const NoQuery = z.strictObject({});
/** Query of a submission. */
export const SubmitQuery = z.strictObject({
  waitMs: whole(0, LIMITS.waitMsMax).optional().describe("Waits so long for the outcome, in milliseconds."),
});

const Name = z.string().min(1).max(LIMITS.idLengthMax);
const page = {
  cursor: z.string().min(1).max(CURSOR_CHARS_MAX).optional().describe("The `cursor` of the page before."),
  limit: whole(1, LIMITS.pageEntriesMax).optional().describe("Entries on the page. Default 50."),
};

/** Query of a listing without filters. */
export const PageQuery = z.strictObject(page);
/** Query of the listing of processes. */
export const ProcessesQuery = z.strictObject({
  state: z.enum(["open", "ended"]).optional().describe("Only those that are open, or that have ended."),
  status: z.enum(OUTCOMES).optional().describe("Only those that ended so."),
  route: Name.optional().describe("Only those of this route."),
  ...page,
});
/** Query of the listing of dead letters. */
export const LettersQuery = z.strictObject({
  route: Name.optional().describe("Only those of this route."),
  code: Name.optional().describe("Only those with this fault."),
  decided: yesOrNo().optional().describe("Default false: those that wait for a decision. true: those that were redriven or discarded."),
  ...page,
});

/** A path without parameters. */
export const NoParams = z.strictObject({});
/** A path with the id of a process. */
export const ProcessParams = z.strictObject({ id: z.string().regex(ID, ID_TEXT).describe("Id of the task.") });
/** Path of a signal. */
export const SignalParams = ProcessParams.extend({ name: z.string().min(1).max(LIMITS.idLengthMax).describe("Name of the signal.") });
/** A path with the id of a dead letter. */
export const LetterParams = z.strictObject({
  id: z
    .string()
    .regex(LETTER_ID, "<process id>:<run> or invalid-<hash> is expected")
    .describe("`<process id>:<run>`, or `invalid-<hash>`; percent-encoded."),
});

// ---- what is answered -----------------------------------------------------------------------------------------------

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

/** A task, cancellation or redrive stands in the journal. */
export const Receipt = z.strictObject({
  id: z.string(),
  route: z.string(),
  run: z.int().positive(),
  sequence: z.int().nonnegative().describe("Record of the process's journal at which this stands."),
  traceId: TraceIdText,
  notReached: z
    .array(z.string())
    .optional()
    .describe("Of a redrive with an edited input: stops, and `output`, that still read what the edit replaces."),
});

/** A signal is taken, or kept for a wait to come. */
export const SignalAnswer = z.strictObject({
  id: z.string().describe("The process."),
  name: z.string(),
  signalId: z.string(),
  run: z.int().positive(),
  sequence: z.int().nonnegative().describe("Record of the process's journal at which this stands."),
  traceId: TraceIdText,
});

/** How a process ended, for whoever waited for it. */
export const OutcomeAnswer = z.strictObject({
  id: z.string(),
  status: z.enum(OUTCOMES),
  output: AnyJson.optional(),
  fault: FaultView.optional(),
  traceId: TraceIdText,
  acceptedAtMs: EpochMs,
  endedAtMs: EpochMs,
});

/** One thing that happened in a process: the data of `event: line`. */
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

/** A process as it stands in its journal. */
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
  stop: z.string().optional().describe("The stop in work."),
  ending: z.enum(OUTCOMES).optional().describe("How it will end when everything is undone."),
  unanswered: z.array(
    z.strictObject({
      work: z.string(),
      kind: z.enum(["do", "ask", "undo"]),
      stop: z.string(),
      target: z.string(),
      attempt: z.int(),
      status: z.enum(["asked", "waiting"]),
      standing: z
        .enum(WORK_STATES)
        .optional()
        .describe("What its agent last said: whether it waits in a queue, runs, or waits for an answer."),
      dueAtMs: EpochMs,
    }),
  ),
  waits: z
    .array(
      z.strictObject({
        wait: z.string(),
        stop: z.string(),
        kind: z.enum(["timer", "signal"]),
        name: z.string().optional().describe("Of the signal."),
        begunAtMs: EpochMs,
        dueAtMs: EpochMs.optional(),
      }),
    )
    .optional()
    .describe("Timers and signals that its stops and handlers wait for."),
  historyFrom: z.int().nonnegative().describe("Number of the first line of `history`; earlier ones are no longer kept."),
  history: z.array(HistoryLine),
  outcome: ProcessOutcome.optional(),
  runs: z
    .array(z.strictObject({ run: z.int().positive(), status: z.enum(OUTCOMES), atMs: EpochMs, code: Code.optional() }))
    .optional()
    .describe("Earlier runs that were redriven, the last of them."),
});

/** One piece of work of a process. */
const StopWork = z.strictObject({
  work: z.string(),
  stop: z.string(),
  agent: z.string().describe("Agent, or nested route."),
  kind: z.enum(["do", "ask", "undo"]),
  item: z.int().nonnegative().optional().describe("Index in the list of a `forEach`."),
  state: z.enum(STANDINGS),
  attempts: z.int().positive(),
  askedAtMs: EpochMs,
  endedAtMs: EpochMs.optional(),
  input: AnyJson.optional(),
  output: AnyJson.optional(),
  fault: FaultView.optional(),
});

/** The stops of a process's run. */
export const StopsAnswer = z.strictObject({
  stops: z.array(StopWork),
  left: z.int().positive().optional().describe("Older ones that are not shown."),
});

/** A line of the directory. What a process has not done yet is absent. */
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

/** A line of the dead letter queue, without content. */
const letterEntry = {
  id: z.string(),
  open: z.boolean().describe("It waits for a decision."),
  atMs: EpochMs,
  route: z.string().optional(),
  run: z.int().positive().optional(),
  status: z.enum(OUTCOMES).optional(),
  traceId: TraceIdText.optional(),
  topic: z.string().optional().describe("Where poison came from."),
  code: Code.optional(),
  message: z.string().optional(),
  decision: z.enum(["redriven", "discarded"]).optional(),
  processId: z.string().optional().describe("Of poison there is none."),
  parent: z.string().optional().describe("Process that ran it as a nested route."),
  by: z.string().optional().describe("Subject of the token that decided."),
  reason: z.string().optional(),
  decidedAtMs: EpochMs.optional(),
  opened: z.int().positive().optional().describe("The run that the redrive opened."),
  decisionId: z.string().optional().describe("Of invalid: the decision that holds it."),
  taskId: z.string().optional().describe("Of redriven invalid: the task that was submitted in its place."),
};
/** A line of the dead letter queue, without content. */
export const LetterEntry = z.strictObject(letterEntry);
/** A dead letter with its content. */
export const Letter = z.strictObject({
  ...letterEntry,
  letter: AnyJson.describe("The original message, the fault, attempts, history and path; or the bytes of invalid."),
});

/** One act that changed something. */
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
    cursor: z.string().optional().describe("Pass it back for the next page; absent on the last."),
  });
}

/** A page of the listing of processes. */
export const ProcessPage = pageOf(ProcessEntry);
/** A page of the listing of dead letters. */
export const LetterPage = pageOf(LetterEntry);
/** A page of the audit. */
export const AuditPage = pageOf(AuditEntry);

const GraphNode = z.strictObject({ kind: z.enum(["agent", "route"]), name: z.string() });
/** What `graph show --json` prints. */
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
/** How many processes went (or would), and how many ended and may not go yet. */
export const PurgeAnswer = z.strictObject({ purged: z.int().nonnegative(), waiting: z.int().nonnegative() });
/** Whether the host takes work. */
export const HealthAnswer = z.strictObject({ status: z.enum(["ok", "stopping", "resetting"]) });
/** An OpenAPI document. */
export const OpenApiAnswer = z.looseObject({ openapi: z.string() });

/** The schemas that have a name in the document. */
export const COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  Task: TaskRequest,
  Cancel: CancelRequest,
  Signal: SignalRequest,
  SignalReceipt: SignalAnswer,
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
