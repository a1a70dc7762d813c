/** @module What a running system shows of itself, as the commands read it. Loose: a newer system may show more. */
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";
import type { Graph, GraphNode } from "../../runtime/graph.ts";
import { CliError } from "../text/problem.ts";

const json = z.custom<Json>();
const Status = z.string();
/** A fault. `fix` is there for a code of the author's own, `cause` for what a handler threw. */
export const FaultOf = z.looseObject({ code: z.string(), message: z.string(), fix: z.string().optional(), cause: z.string().optional() });

/** One thing that happened. */
export const Line = z.looseObject({
  atMs: z.int(),
  what: z.string(),
  stop: z.string(),
  agent: z.string(),
  attempt: z.int(),
  code: z.string().optional(),
});

/** How a process ended, as its own view and the stream of events have it. */
export const OutcomeOf = z.looseObject({
  status: Status,
  atMs: z.int().optional(),
  endedAtMs: z.int().optional(),
  acceptedAtMs: z.int().optional(),
  traceId: z.string().optional(),
  output: json.optional(),
  fault: FaultOf.optional(),
});
export type OutcomeOf = z.infer<typeof OutcomeOf>;

/** A task that was accepted. */
export const Receipt = z.looseObject({
  id: z.string(),
  route: z.string(),
  run: z.int(),
  traceId: z.string(),
  /** Of a redrive with an edited input. */
  notReached: z.array(z.string()).optional(),
});
export type Receipt = z.infer<typeof Receipt>;

/** The answer to a submission that waits: a receipt, or the outcome. */
export const Submitted = z.looseObject({ id: z.string(), status: z.string().optional() });

/** A work of a stop: what was asked of whom, with what, and what came back. */
const StopOf = z.looseObject({
  stop: z.string(),
  agent: z.string(),
  kind: z.string(),
  state: z.string(),
  attempts: z.int(),
  askedAtMs: z.int(),
  endedAtMs: z.int().optional(),
  item: z.int().optional(),
  input: json.optional(),
  output: json.optional(),
  fault: FaultOf.optional(),
});
export type StopOf = z.infer<typeof StopOf>;

/** What happened at each stop, from the journal. */
export const StopsOf = z.looseObject({ stops: z.array(StopOf), left: z.int().optional() });

/** A process. */
export const ProcessOf = z.looseObject({
  id: z.string(),
  phase: z.string(),
  run: z.int(),
  route: z.string().optional(),
  traceId: z.string().optional(),
  acceptedAtMs: z.int().optional(),
  deadlineAtMs: z.int().optional(),
  stop: z.string().optional(),
  history: z.array(Line),
  outcome: OutcomeOf.optional(),
});
export type ProcessOf = z.infer<typeof ProcessOf>;

/** A page of a listing. */
export function pageOf<T extends z.ZodType>(entry: T): z.ZodObject<{ entries: z.ZodArray<T>; cursor: z.ZodOptional<z.ZodString> }> {
  return z.object({ entries: z.array(entry), cursor: z.string().optional() });
}

/** A process in a listing. */
export const ProcessEntry = z.looseObject({
  id: z.string(),
  open: z.boolean(),
  atMs: z.int(),
  route: z.string().optional(),
  status: z.string().optional(),
  run: z.int().optional(),
  code: z.string().optional(),
  acceptedAtMs: z.int().optional(),
});

/** A dead letter in a listing. */
export const LetterEntry = z.looseObject({
  id: z.string(),
  open: z.boolean().optional(),
  atMs: z.int(),
  route: z.string().optional(),
  topic: z.string().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  decision: z.string().optional(),
  by: z.string().optional(),
  reason: z.string().optional(),
  parent: z.string().optional(),
});

/** A dead letter with its content. */
export const LetterOf = LetterEntry.extend({ letter: json });

const NodeOf = z.looseObject({ kind: z.enum(["agent", "route"]), name: z.string() });
const Bounded = z.looseObject({ name: z.string(), visitsMax: z.int().optional() });

/** The graph of a running system. */
export const GraphOf = z.looseObject({
  system: z.string(),
  agents: z.array(Bounded),
  routes: z.array(Bounded),
  edges: z.array(
    z.looseObject({ kind: z.enum(["stop", "route", "ask", "hand-off"]), from: NodeOf, to: NodeOf, stop: z.string().optional() }),
  ),
});

/** The graph of a running system, as the one of a file. */
export function graphFrom(shown: z.infer<typeof GraphOf>): Graph {
  const named = (kind: GraphNode["kind"], all: readonly z.infer<typeof Bounded>[]): readonly GraphNode[] =>
    all.map(({ name, visitsMax }) => ({ kind, name, visitsMax }));
  const nodes = [...named("route", shown.routes), ...named("agent", shown.agents)];
  const indexOf = (node: z.infer<typeof NodeOf>): number => nodes.findIndex(({ kind, name }) => kind === node.kind && name === node.name);
  return { nodes, edges: shown.edges.map(({ kind, from, to, stop }) => ({ kind, from: indexOf(from), to: indexOf(to), stop })) };
}

/** Reads an answer. Throws APP_ANSWER for what has another form. */
export function read<T extends z.ZodType>(schema: T, answer: unknown, what: string): z.infer<T> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CliError(
    "APP_ANSWER",
    `the system shows ${what} in a form that is not known (${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}).`,
    "Use a `troupe` of the system's own version.",
  );
}
