/** @module Responses of the HTTP API besides the views of a process: one schema each for the server, its document and the client. Pure. */
import { z } from "zod";
import { OUTCOMES, SIGNAL_STATES } from "./protocol.ts";
import { RunSummary } from "./summary.ts";
import { AnyJson, Code, FaultView, SpendingView } from "./process-view.ts";

const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");
const TraceIdText = z.string().describe("W3C trace id: 32 hex digits.");

/** The body of every error. */
export const ErrorAnswer = z.object({
  error: FaultView.omit({ cause: true }).extend({ fix: z.string().describe("What to do.") }),
  traceId: TraceIdText,
});

/** A task, cancellation or redrive is recorded in the journal. */
export const Receipt = z.object({
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
/** A task, cancellation or redrive is recorded in the journal. */
export type Receipt = z.infer<typeof Receipt>;

/** A signal is taken, or kept for a later wait. */
export const SignalReceipt = z.object({
  id: z.string().describe("The process."),
  name: z.string(),
  signalId: z.string(),
  state: z
    .enum(SIGNAL_STATES)
    .describe(
      "`taken`: it ended a wait. `kept`: nothing waits for it yet. `dropped`: it was kept, and did not fit the wait that came for it.",
    ),
  waitsFor: z.array(z.string()).optional().describe("Of a kept one: the signals that the process waits for."),
  run: z.int().positive(),
  sequence: z.int().nonnegative().describe("Record of the process's journal at which this stands."),
  traceId: TraceIdText,
});
/** A signal is taken, or kept for a later wait. */
export type SignalReceipt = z.infer<typeof SignalReceipt>;

/** How a process ended, for a caller that waited for it. */
export const OutcomeAnswer = z.object({
  id: z.string(),
  status: z.enum(OUTCOMES),
  output: AnyJson.optional(),
  fault: FaultView.optional(),
  traceId: TraceIdText,
  acceptedAtMs: EpochMs,
  endedAtMs: EpochMs,
  spent: SpendingView.optional().describe("What the run spent on models and tools; absent: nothing."),
  label: z.array(z.string()).optional().describe("From which untrusted origins the output was derived; absent: it is trusted."),
});
/** How a process ended, for a caller that waited for it. */
export type OutcomeAnswer = z.infer<typeof OutcomeAnswer>;

/** An entry of the directory. Fields of what has not happened yet are absent. */
export const ProcessEntry = z.object({
  id: z.string(),
  open: z.boolean(),
  atMs: EpochMs,
  route: z.string().optional(),
  traceId: TraceIdText.optional(),
  acceptedAtMs: EpochMs.optional(),
  status: z.enum(OUTCOMES).optional(),
  run: z.int().positive().optional(),
  code: Code.optional(),
  ...RunSummary.shape,
  by: z.string().optional().describe("Subject of the token that it was submitted with."),
  tenant: z.string().optional().describe("Tenant of that token, if it names one."),
  parent: z.string().optional().describe("Process that runs it as a nested route."),
  paused: z.literal(true).optional().describe("An operator has paused it. The entry says so within seconds."),
  request: z.string().optional().describe("An open request to a person that it waits for, see GET /inbox/{id}."),
  person: z.string().optional().describe("The person whom that request asks. Empty means that each person who may decide is asked."),
});
/** An entry of the directory. */
export type ProcessEntry = z.infer<typeof ProcessEntry>;

/** An entry of the dead letter queue, without content. */
export const LetterEntry = z.object({
  id: z.string(),
  open: z.boolean().describe("It waits for a decision."),
  atMs: EpochMs,
  route: z.string().optional(),
  run: z.int().positive().optional(),
  status: z.enum(OUTCOMES).optional(),
  traceId: TraceIdText.optional(),
  tenant: z.string().optional().describe("Tenant of its process, if it has one."),
  topic: z.string().optional().describe("Where an invalid message came from."),
  code: Code.optional(),
  message: z.string().optional(),
  decision: z.enum(["redriven", "discarded"]).optional(),
  processId: z.string().optional().describe("An invalid message has none."),
  parent: z.string().optional().describe("Process that ran it as a nested route."),
  by: z.string().optional().describe("Subject of the token that decided."),
  reason: z.string().optional(),
  decidedAtMs: EpochMs.optional(),
  opened: z.int().positive().optional().describe("The run that the redrive opened."),
  decisionId: z.string().optional().describe("Of an invalid message: the decision that holds it."),
  taskId: z.string().optional().describe("Of a redriven invalid message: the task that was submitted in its place."),
});
/** An entry of the dead letter queue, without content. */
export type LetterEntry = z.infer<typeof LetterEntry>;

/** A dead letter with its content. */
export const Letter = LetterEntry.extend({
  letter: AnyJson.describe("The original message, the fault, attempts, history and path; or the bytes of an invalid message."),
  hidden: z.literal(true).optional().describe("Contents are left out: the token has not the role `content`."),
});
/** A dead letter with its content. */
export type Letter = z.infer<typeof Letter>;

/** One operator action, or one check before an act. */
export const AuditEntry = z.object({
  id: z.string(),
  atMs: EpochMs,
  who: z.string(),
  what: z.string(),
  target: z.string(),
  why: z.string().optional(),
  kind: z.string().optional().describe("Of a look at contents: what was looked at: process, deadletter, request or memory."),
  agent: z.string().optional().describe("Of a check."),
  tool: z.string().optional().describe("Of the check of a call."),
  verdict: z.string().optional().describe("Of the check of a call: allowed, refused, or asks (a person)."),
  rule: z.string().optional().describe("Of the check of a call: the rule that decided."),
});
/** One operator action, or one check before an act. */
export type AuditEntry = z.infer<typeof AuditEntry>;

/** An actor whose journal is broken. */
export const BrokenActor = z.object({
  actor: z.string().describe("Its agent, or Directory, DeadLetterQueue, Audit or ProcessManager; and its id, after a slash."),
  code: Code,
  message: z.string(),
  atMs: EpochMs.describe("When this host found it."),
});
/** An actor whose journal is broken. */
export type BrokenActor = z.infer<typeof BrokenActor>;
/** All that are known. */
export const BrokenActors = z.object({ entries: z.array(BrokenActor) });
/** All that are known. */
export type BrokenActors = z.infer<typeof BrokenActors>;

/** The schema of a page of entries. */
export function pageOf<T extends z.ZodType>(
  entry: T,
): z.ZodObject<{ entries: z.ZodArray<T>; cursor: z.ZodOptional<z.ZodString>; broken: z.ZodOptional<z.ZodArray<z.ZodString>> }> {
  return z.object({
    entries: z.array(entry),
    cursor: z.string().optional().describe("Pass it back for the next page; absent on the last."),
    broken: z.array(z.string()).optional().describe("Broken buckets, whose entries are missing; see GET /broken."),
  });
}

/** A page of the listing of processes. */
export const ProcessPage = pageOf(ProcessEntry);
/** A page of the listing of dead letters. */
export const LetterPage = pageOf(LetterEntry);
/** What became of each dead letter of a bulk decision. `run`: the run that a redrive opened. */
export const LettersDecided = z.object({
  decided: z.int().nonnegative().describe("How many were decided."),
  results: z.array(
    z.object({
      id: z.string(),
      decided: z.boolean(),
      run: z.int().positive().optional().describe("The run that the redrive opened."),
      fault: z.object({ code: z.string(), message: z.string() }).optional().describe("Why it was not decided."),
    }),
  ),
});
export type LettersDecided = z.infer<typeof LettersDecided>;
/** A page of the audit. */
export const AuditPage = pageOf(AuditEntry);

const GraphNode = z.object({ kind: z.enum(["agent", "route"]), name: z.string() });
const Bounded = z.object({ name: z.string(), version: z.int().positive(), visitsMax: z.int().positive().optional() });

/** Agents and routes, and which may lead to which. */
export const GraphAnswer = z.object({
  system: z.string(),
  agents: z.array(Bounded.extend({ about: z.string().optional().describe("What the agent is for.") })),
  routes: z.array(Bounded.extend({ stops: z.array(z.string()) })),
  edges: z.array(
    z.object({ kind: z.enum(["stop", "route", "ask", "hand-off"]), from: GraphNode, to: GraphNode, stop: z.string().optional() }),
  ),
});
/** Agents and routes, and which may lead to which. */
export type GraphAnswer = z.infer<typeof GraphAnswer>;

/** A code for one login to the dashboard. */
export const LoginCode = z.object({ code: z.string().describe("Valid once, for a minute. Empty: no login is needed.") });
/** A code for one login to the dashboard. */
export type LoginCode = z.infer<typeof LoginCode>;

const JsonSchemaView = z.record(z.string(), AnyJson).describe("JSON Schema, draft 2020-12.");
const Schemas = z.record(z.string(), z.object({ version: z.int().positive(), input: JsonSchemaView, output: JsonSchemaView.optional() }));

/** What routes and agents take and give, for forms and for programs without their contracts. */
export const SchemasAnswer = z.object({
  routes: Schemas.describe("By route; of what a task holds."),
  agents: Schemas.describe("By agent, people among them."),
});
/** What routes and agents take and give. */
export type SchemasAnswer = z.infer<typeof SchemasAnswer>;

/** One endpoint of a model in one host: no keys and no addresses. */
export const EndpointView = z.object({
  name: z.string(),
  provider: z.string(),
  model: z.string().describe("The model as the provider names it, as currently configured."),
  weight: z.number(),
  concurrency: z.int(),
  running: z.int().nonnegative().describe("Attempts under way."),
  breaker: z.enum(["closed", "open", "half-open"]),
  restMs: z.int().nonnegative().describe("How long the provider asked to wait, from now."),
  connection: z.string().describe("`connected`, or what is missing."),
});
/** One endpoint of a model in one host: no keys and no addresses. */
export type EndpointView = z.infer<typeof EndpointView>;

/** The models of a system as one host sees them. */
export const ModelsAnswer = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      waiting: z.int().nonnegative().describe("Calls that wait for an endpoint."),
      endpoints: z.array(EndpointView),
    }),
  ),
});
/** The models of a system as one host sees them. */
export type ModelsAnswer = z.infer<typeof ModelsAnswer>;

/** How many processes were purged (or would be), and how many ended ones must be kept. */
export const PurgeAnswer = z.object({ purged: z.int().nonnegative(), waiting: z.int().nonnegative() });
/** How many processes were purged (or would be), and how many ended ones must be kept. */
export type PurgeAnswer = z.infer<typeof PurgeAnswer>;

/** Whether the host accepts work. */
export const HealthAnswer = z.object({ status: z.enum(["ok", "stopping", "resetting"]) });
/** Whether the host accepts work. */
export type HealthAnswer = z.infer<typeof HealthAnswer>;
