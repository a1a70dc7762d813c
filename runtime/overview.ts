/** @module What operators see of a whole system: overview, agents, costs, drift, digest. Sums over index entries. Pure. */
import { z } from "zod";
import { Code } from "./process-view.ts";
import { OUTCOMES } from "./protocol.ts";

const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");
const Count = z.int().nonnegative();
const Usd = z.number().nonnegative();

/** Something that an operator should look at. */
export const Problem = z.object({
  code: z.string(),
  message: z.string(),
  fix: z.string(),
  command: z.string().optional(),
});
/** Something that an operator should look at. */
export type Problem = z.infer<typeof Problem>;

/** The state of a system in numbers. */
export const OverviewView = z.object({
  system: z.string(),
  atMs: EpochMs,
  sinceMs: EpochMs.describe("Ended processes are counted from here on."),
  open: Count,
  waitingForPeople: Count,
  paused: Count,
  dead: Count.describe("Dead letters that wait for a decision."),
  ended: z.array(z.object({ status: z.enum(OUTCOMES), count: Count })),
  redriven: Count.describe("Of these, processes that had failed before and were redriven."),
  usd: Usd,
  tokens: Count,
  oldestOpen: z.object({ id: z.string(), route: z.string(), acceptedAtMs: EpochMs }).optional(),
  perHour: z
    .array(z.object({ atMs: EpochMs, ended: Count, failed: Count, usd: Usd }))
    .describe("Ended processes of each hour, oldest first."),
  problems: z.array(Problem),
  atLeast: z.boolean().describe("There are more entries than were counted: the numbers are lower bounds."),
});
/** The state of a system in numbers. */
export type OverviewView = z.infer<typeof OverviewView>;

/** One agent as a host sees it. */
export const AgentView = z.object({
  name: z.string(),
  version: z.int().positive(),
  kind: z.enum(["code", "model", "person"]),
  about: z.string().optional(),
  keyed: z.boolean(),
  tools: z.array(
    z.object({
      name: z.string(),
      effect: z.string(),
      undo: z.boolean(),
      permission: z.string().optional(),
      breaker: z.string().optional(),
    }),
  ),
  models: z.array(z.string()),
  prompts: z.array(z.string()).describe("Versions of its prompt that the code has."),
  running: Count,
  queued: Count,
  slots: Count.optional(),
});
/** One agent as a host sees it. */
export type AgentView = z.infer<typeof AgentView>;
/** The agents of a system as one host sees them. */
export const AgentsView = z.object({ host: z.string(), agents: z.array(AgentView) });
/** The agents of a system as one host sees them. */
export type AgentsView = z.infer<typeof AgentsView>;

/** Hosts, store and settings of a system. */
export const SystemView = z.object({
  system: z.string(),
  hosts: z.array(
    z.object({
      incarnation: z.string(),
      open: Count.optional().describe("Open processes; only of the host that answers."),
      self: z.boolean(),
      leaseAtMs: EpochMs.optional().describe("When its lease was renewed last, as the host that answers has seen it."),
      alive: z.boolean(),
    }),
  ),
  problems: z.array(Problem),
});
/** Hosts, store and settings of a system. */
export type SystemView = z.infer<typeof SystemView>;

/** What was spent by one group. */
export const CostLine = z.object({
  name: z.string(),
  processes: Count,
  modelCalls: Count,
  toolCalls: Count,
  inputTokens: Count,
  outputTokens: Count,
  usd: Usd,
});
/** What was spent by one group. */
export type CostLine = z.infer<typeof CostLine>;
/** What ended processes have spent. */
export const CostView = z.object({
  sinceMs: EpochMs,
  total: CostLine.describe("Of processes that were submitted; what their nested routes spent is in it."),
  byRoute: z.array(CostLine).describe("Each process by its route: what a nested route spent is also in the line of its parent."),
  byVersion: z.array(CostLine).describe("As `byRoute`, by the versions that each process used."),
  dearest: z.array(z.object({ id: z.string(), route: z.string(), usd: Usd, tokens: Count })).describe("Of processes that were submitted."),
  atLeast: z.boolean(),
});
/** What was spent. */
export type CostView = z.infer<typeof CostView>;

/** A rate in a window and in its baseline: events per process. */
const Rate = z.object({ now: z.number().nonnegative(), before: z.number().nonnegative(), drifted: z.boolean() });
/** The coordination of one route and version, against its baseline. */
export const DriftLine = z.object({
  route: z.string(),
  version: z.string().describe("`Agent@prompt/model` of the versions used, or empty."),
  against: z.enum(["version", "route"]).describe("`route`: a new version, compared with all versions of its route in the baseline."),
  processes: Count,
  processesBefore: Count,
  comparable: z.boolean().describe("Whether both sides have enough processes to find drift."),
  retries: Rate,
  takeovers: Rate,
  waits: Rate,
  repairs: Rate,
  fallbacks: Rate,
  refusals: Rate,
  ungrounded: Rate,
  failed: Rate,
  durationMs: Rate,
  usd: Rate,
});
/** The coordination of one route and version, against its baseline. */
export type DriftLine = z.infer<typeof DriftLine>;
/** Coordination drift: a window against the baseline before it. */
export const DriftView = z.object({ sinceMs: EpochMs, baselineMs: EpochMs, lines: z.array(DriftLine), atLeast: z.boolean() });
/** Coordination drift. */
export type DriftView = z.infer<typeof DriftView>;

/** What happened since a time, for a person who reads one page a day. It holds no contents. */
export const DigestView = z.object({
  system: z.string(),
  sinceMs: EpochMs,
  untilMs: EpochMs,
  processes: z
    .array(z.object({ route: z.string(), ended: Count, failed: Count, redriven: Count, usd: Usd }))
    .describe("By route, the most frequent first; the last line may be `others`."),
  waiting: Count.describe("Requests that wait for people."),
  people: z
    .array(z.object({ request: z.string(), person: z.string(), about: z.string(), sinceMs: EpochMs, escalated: z.boolean() }))
    .describe("Those that have waited longest."),
  dead: Count.describe("Dead letters that wait for a decision."),
  deadLetters: z
    .array(
      z.object({ code: Code, count: Count, fresh: Count.describe("Of these, since the beginning."), example: z.string(), fix: z.string() }),
    )
    .describe("Those that wait, by cause, most frequent first."),
  releases: z
    .array(z.object({ agent: z.string(), what: z.string(), atMs: EpochMs, why: z.string() }))
    .describe("Canaries that were stopped."),
  drift: z.array(z.object({ route: z.string(), version: z.string(), what: z.string(), now: z.number(), before: z.number() })),
  slowest: z
    .array(z.object({ route: z.string(), stop: z.string(), count: Count, p50Ms: Count, maxMs: Count }))
    .describe("Stops that were the slowest of their runs, by the time that they took in all."),
  usd: Usd,
  dearest: z.array(z.object({ id: z.string(), route: z.string(), usd: Usd })),
  atLeast: z.boolean().describe("There is more than was counted: the numbers are lower bounds."),
});
/** What happened since a time. */
export type DigestView = z.infer<typeof DigestView>;
