/**
 * @module The view of a process for people and programs: one schema for HTTP, the client, the command line, recovery and
 * tests. Pure.
 *
 * The process itself returns a {@link ProcessView}: its head, open work items, the newest history, its outcome. Longer data comes in
 * pages from the journals: the whole history, and each work item with its content, calls and steps.
 */
import { z } from "zod";
import type { Json } from "./faults.ts";
import { RequestLine } from "./people/view.ts";
import { OUTCOMES } from "./protocol.ts";

/** Any JSON value. */
export const AnyJson = z.custom<Json>((value) => value !== undefined, "a JSON value is expected").describe("Any JSON value.");
const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");
const TraceIdText = z.string().describe("W3C trace id: 32 hex digits.");
const Run = z.int().positive();
/** The code of a shown fault. */
export const Code = z.string().describe("A code of the fault table, or one defined by the system's author.");

/** A fault as shown. */
export const FaultView = z.object({
  code: Code,
  message: z.string(),
  details: z.record(z.string(), AnyJson).optional(),
  retryable: z.boolean().optional().describe("Whether it may be tried again; only for user-defined codes."),
  httpStatus: z.int().optional().describe("Its HTTP status; only for user-defined codes."),
  retryAfterMs: z.int().nonnegative().optional().describe("Minimum delay before the next attempt, in milliseconds."),
  cause: z.string().optional().describe("What a handler threw: class, message and the first lines of the stack."),
  fix: z.string().optional().describe("What to do; only for user-defined codes."),
});
/** A fault as shown. */
export type FaultView = z.infer<typeof FaultView>;

/** One event in the history of a process. */
export const HistoryLine = z.object({
  atMs: EpochMs,
  what: z.string(),
  stop: z.string(),
  agent: z.string().describe("Agent or nested route; empty for the process itself."),
  attempt: z.int().nonnegative(),
  code: Code.optional(),
});
/** One event in the history of a process. */
export type HistoryLine = z.infer<typeof HistoryLine>;

/** A page of the whole history of a process, oldest lines first. */
export const HistoryPage = z.object({
  lines: z.array(HistoryLine.extend({ line: z.int().nonnegative().describe("Number of the line, from 0."), run: Run })),
  next: z.int().nonnegative().optional().describe("Pass it back as `from` for the next page; absent on the last."),
});
/** A page of the whole history of a process. */
export type HistoryPage = z.infer<typeof HistoryPage>;

/**
 * The state of a work item. `asked`: sent, nothing more is known. `queued`: accepted by its actor, its handler has not begun.
 * `running`: its handler executes. `waiting`: its handler waits for an answer, a timer or a signal. `retrying`: between two
 * attempts. `dropped`: its answer is no longer waited for.
 */
const WORK_STATES = [
  "asked",
  "queued",
  "running",
  "waiting",
  "retrying",
  "answered",
  "handed off",
  "failed",
  "undone",
  "undone, but its state stands",
  "undone, but an effect stands",
  "undone, but an effect and its state stand",
  "its state stands",
  "its effect stands",
  "its effect and its state stand",
  "nothing to undo",
  "undo failed",
  "dropped",
] as const;
/** The state of a work item. */
export type WorkViewState = (typeof WORK_STATES)[number];

const Count = z.int().nonnegative();

/** Limits or sums of a budget. A limit that is absent does not exist. */
const AmountsView = z.object({
  tokens: Count.optional().describe("Input and output tokens together."),
  usd: z.number().nonnegative().optional().describe("US dollars."),
  modelCalls: Count.optional(),
  toolCalls: Count.optional(),
});
/** Limits or sums of a budget. */
export type AmountsView = z.infer<typeof AmountsView>;

/** What was spent on models and tools. */
export const SpendingView = z.object({
  total: AmountsView,
  by: z.array(
    z.object({
      agent: z.string().describe("Agent or nested route; `(others)` beyond the first 32."),
      toolCalls: Count,
      models: z.array(
        z.object({
          model: z
            .string()
            .describe(
              "Name of the model in the system; `(others)`: beyond the first 16; `(unsettled)`: granted, and no reply told what was spent.",
            ),
          modelCalls: Count,
          inputTokens: Count,
          outputTokens: Count,
          usd: z.number().nonnegative(),
        }),
      ),
    }),
  ),
});
/** What was spent on models and tools. */
export type SpendingView = z.infer<typeof SpendingView>;

/** The budget of the current run and its use. */
export const BudgetView = z.object({
  limit: AmountsView.optional().describe("What the run may spend; absent: it has no budget."),
  reserved: AmountsView.optional().describe("Granted to open work items, and not reported as spent."),
  left: AmountsView.optional().describe("What can still be granted."),
  spent: SpendingView.describe("Spent in this run, as far as it was reported."),
  before: SpendingView.optional().describe("Spent in earlier runs. The budget of each run is whole again."),
});
/** The budget of the current run and its use. */
export type BudgetView = z.infer<typeof BudgetView>;

/** What the handler of a work item waits for. */
const WaitView = z.object({
  index: z.int().nonnegative(),
  kind: z.enum(["agent", "timer", "signal", "budget", "person"]),
  name: z.string().optional().describe("The agent or person that is asked, or the signal."),
  request: z.string().optional().describe("Id of the request to people."),
  dueAtMs: EpochMs.optional().describe("When a timer ends, or the wait for a signal times out."),
});

/** What a handler waits for. */
export type WaitView = z.infer<typeof WaitView>;

/** A recorded step, call or model call of a handler. Without what was sent and replied. */
export const CallView = z.object({
  kind: z.enum(["step", "call", "model"]),
  key: z.string().optional().describe("Its key in the work item, as `fork --at` takes it."),
  name: z.string().describe("Of the step, the tool or the model."),
  state: z.enum(["begun", "ended", "failed", "undone", "undo failed"]),
  attempt: z.int().positive().describe("Attempt of the work item in which it was recorded last."),
  failures: z.int().nonnegative().describe("How often it failed."),
  begunAtMs: EpochMs.optional(),
  endedAtMs: EpochMs.optional(),
  undoneAtMs: EpochMs.optional(),
  code: Code.optional().describe("Code of its latest fault."),
  endpoint: z.string().optional().describe("Model calls: the endpoint that answered last."),
  answered: z.string().optional().describe("Model calls: the model that answered, as the provider names it; `scripted` is no model."),
  prompt: z.string().optional().describe("Model calls: the version of the prompt; absent: it has none."),
  rung: z.string().optional().describe("Model calls: the rung of the repair ladder, or of a budget's end, for which it was made."),
  tries: z.int().positive().optional().describe("Model calls: how often it was begun, in all attempts."),
  inputTokens: z.int().nonnegative().optional().describe("Model calls: input tokens of all tries whose end is known."),
  outputTokens: z.int().nonnegative().optional().describe("Model calls: output tokens of all tries whose end is known."),
  usd: z.number().nonnegative().optional().describe("Model calls: cost of all tries whose end is known, in US dollars."),
});
/** A recorded step, call or model call of a handler. */
export type CallView = z.infer<typeof CallView>;

/** A work item: its target, state and times. Data that only the journals hold, such as contents and calls, is in `stops` only. */
export const WorkView = z.object({
  work: z.string().describe("Id of the work item."),
  stop: z.string(),
  agent: z.string().describe("Agent, or nested route."),
  kind: z.enum(["do", "ask", "check", "undo"]),
  item: z.int().nonnegative().optional().describe("Index in the list of a `forEach`."),
  state: z.enum(WORK_STATES),
  attempts: z.int().positive(),
  askedAtMs: EpochMs,
  dueAtMs: EpochMs.optional().describe("Open work items: when the attempt times out; `retrying`: when the next attempt is made."),
  endedAtMs: EpochMs.optional(),
  input: AnyJson.optional(),
  output: AnyJson.optional(),
  fault: FaultView.optional(),
  waits: z.array(WaitView).optional(),
  grant: AmountsView.optional().describe("What it may spend in all; only while it is open."),
  spent: AmountsView.optional().describe("What it has reported as spent; only while it is open."),
  calls: z.array(CallView).optional().describe("Recorded steps, calls and model calls of the handler."),
  takeovers: z.int().positive().optional().describe("How often another host took the handler over."),
});
/** A work item: its target, state and times. */
export type WorkView = z.infer<typeof WorkView>;

/** The work items of the current run. */
export const StopsView = z.object({
  task: AnyJson.optional().describe("Input of the task, as the current run has it."),
  stops: z.array(WorkView),
  left: z.int().positive().optional().describe("Older ones that are not shown."),
  hidden: z.literal(true).optional().describe("Contents are left out: the token has not the role `content`."),
});
/** The work items of the current run. */
export type StopsView = z.infer<typeof StopsView>;

/** How a run ended. */
export const ProcessOutcome = z.object({
  status: z.enum(OUTCOMES),
  atMs: EpochMs,
  output: AnyJson.optional(),
  fault: FaultView.optional(),
  deadLetter: AnyJson.optional().describe("Original message, fault, attempts, spending, history, path."),
  spent: SpendingView.optional().describe("What the run spent; absent: nothing."),
  label: z.array(z.string()).optional().describe("From which untrusted origins the output was derived; absent: it is trusted."),
  hidden: z.literal(true).optional().describe("As an event of a followed process: contents are left out."),
});
/** How a run ended. */
export type ProcessOutcome = z.infer<typeof ProcessOutcome>;

const PastRunView = z.object({ run: Run, status: z.enum(OUTCOMES), atMs: EpochMs, code: Code.optional() });

const ActionView = z.object({
  what: z.enum(["cancel", "pause", "resume", "terminate", "redrive", "discard"]),
  run: Run.describe("The run to which it applies."),
  by: z.string(),
  reason: z.string(),
  atMs: EpochMs,
  opened: Run.optional().describe("For a redrive: the run that it opened."),
  edited: z.string().optional().describe("For a redrive with an edited input: whose, such as `bill`, `pages[3]` or `the task`."),
});

/** A process as recorded in its journal. */
export const ProcessView = z.object({
  id: z.string(),
  phase: z.enum(["open", "ended"]),
  run: Run,
  sequence: z.int().nonnegative().describe("Record of the process's journal that this view reflects."),
  route: z.string(),
  fingerprint: z.string().describe("Hash of route and input."),
  traceId: TraceIdText,
  traceparent: z.string().optional().describe("W3C trace context of its task, in which acts on it continue."),
  bucket: z.string(),
  acceptedAtMs: EpochMs,
  deadlineAtMs: EpochMs,
  by: z.string().describe("Subject of the token that it was submitted with."),
  parent: z.string().optional().describe("Process that runs it as a nested route."),
  paused: z
    .object({ atMs: EpochMs, untilMs: EpochMs.describe("Then it goes on by itself."), by: z.string(), reason: z.string() })
    .optional()
    .describe("An operator has paused it: nothing new begins."),
  stop: z.string().optional().describe("The current stop."),
  items: z
    .object({ total: z.int().nonnegative(), begun: z.int().nonnegative(), ended: z.int().nonnegative() })
    .optional()
    .describe("How many items the current stop has, if it is a `forEach`."),
  ending: z.enum(OUTCOMES).optional().describe("How it will end when its compensation is done."),
  works: z.array(WorkView).describe("Open work items."),
  waits: z
    .array(
      z.object({
        wait: z.string().describe("Id of the wait."),
        stop: z.string(),
        item: z.int().nonnegative().optional().describe("Index in the list of a `forEach`."),
        agent: z.string().optional().describe("The agent whose handler waits; absent if a stop waits."),
        kind: z.enum(["timer", "signal", "budget", "person"]),
        name: z.string().optional().describe("Of the signal or the person."),
        request: z.string().optional().describe("Id of the request to people."),
        begunAtMs: EpochMs,
        dueAtMs: EpochMs.optional(),
      }),
    )
    .optional()
    .describe("Timers, signals, people, and larger grants of a parent that its stops and handlers wait for."),
  requests: z
    .array(RequestLine.partial({ content: true }))
    .optional()
    .describe("Requests to people: the open ones, and the newest of the others."),
  budget: BudgetView.optional().describe("What it may spend and has spent; absent: it has no budget and has spent nothing."),
  historyFrom: z.int().nonnegative().describe("Number of the first line of `history`; `history` pages have the earlier ones."),
  history: z.array(HistoryLine).describe("The newest lines."),
  outcome: ProcessOutcome.optional(),
  runs: z.array(PastRunView).optional().describe("Earlier runs that were redriven, the last of them."),
  actions: z.array(ActionView).optional().describe("Operator actions, oldest first."),
  hidden: z.literal(true).optional().describe("Contents are left out: the token has not the role `content`."),
});
/** A process as recorded in its journal. */
export type ProcessView = z.infer<typeof ProcessView>;

/** The view of a process manager without a process: none was submitted, or its process was refused or purged. */
const AbsentView = z.object({
  id: z.string(),
  phase: z.enum(["new", "void", "refused", "purged"]),
  run: z.int().nonnegative(),
  sequence: z.int().nonnegative(),
});

/** The view of a process manager. */
export const ManagerView = z.discriminatedUnion("phase", [ProcessView, AbsentView]);
/** The view of a process manager. */
export type ManagerView = z.infer<typeof ManagerView>;
