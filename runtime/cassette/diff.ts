/**
 * @module The difference of two runs: path, calls, arguments, results, cost and outcome. What both did is found by its place in the route
 * and its order in the handler, not by times and ids. Pure.
 */
import { z } from "zod";
import { MICROS_PER_USD, type Spent, usedOf } from "../budget.ts";
import type { Json } from "../faults.ts";
import { AnyJson } from "../process-view.ts";
import type { Cassette } from "./cassette.ts";
import { Contents } from "./contents.ts";
import { differingPaths } from "./json-paths.ts";
import { type RunNode, runTree } from "./run-nodes.ts";

/** What a line of a difference is about. */
const DIFF_WHATS = ["stop", "model", "tool", "step", "ask", "signal", "person", "undo", "result", "outcome"] as const;

/** One thing that both runs did, or one of them. */
export const DiffLine = z.object({
  what: z.enum(DIFF_WHATS),
  stop: z.string().describe("Its path, after those of the nested routes around it."),
  agent: z.string().optional(),
  name: z.string(),
  how: z.enum(["same", "changed", "only-a", "only-b"]),
  was: z.string().optional().describe("The name in the first run, if it is another: of the agent or model."),
  paths: z.array(z.string()).optional().describe("The JSON paths that differ, if both did it."),
  a: AnyJson.optional().describe("Arguments, result or outcome of the first run. Absent: it did not do it, or nothing differs."),
  b: AnyJson.optional(),
});
/** One thing that both runs did, or one of them. */
export type DiffLine = z.infer<typeof DiffLine>;

const Cost = z.object({
  modelCalls: z.int().nonnegative(),
  toolCalls: z.int().nonnegative(),
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  usd: z.number().nonnegative(),
});

/** The difference of two runs. */
export const RunDiff = z.object({
  a: z.string().describe("The first run."),
  b: z.string().describe("The second run."),
  same: z.boolean(),
  lines: z.array(DiffLine).describe("In the order of the first run; what only the second did stands where it did it."),
  cost: z.object({ a: Cost, b: Cost }),
  outcome: z.object({ a: z.string(), b: z.string() }),
});
/** The difference of two runs. */
export type RunDiff = z.infer<typeof RunDiff>;

/** How a forked run ended. Nothing of it is in a journal. */
export const ForkReport = z.object({
  id: z.string().describe("The process that it was forked from."),
  at: z.string().describe("The call from which on models were asked again."),
  status: z.string().describe("Status of the outcome, or `unrecorded`: it came to a call that is not in the record."),
  unrecorded: z
    .object({ agent: z.string(), what: z.string(), name: z.string(), input: AnyJson.optional() })
    .optional()
    .describe("The call at which it stopped."),
  output: AnyJson.optional(),
  code: z.string().optional(),
  modelCalls: z.int().nonnegative().describe("Model calls that were really made."),
  usd: z.number().nonnegative().describe("What they cost."),
  diff: RunDiff,
});
/** How a forked run ended. */
export type ForkReport = z.infer<typeof ForkReport>;

/** What a fork changes, and what it may spend. */
export interface ForkWanted {
  /** The key of a call, the id of a work item, both with a slash between, or `start`. */
  readonly at: string;
  /** A model of the system that is asked in the place of each. @default those of the agents */
  readonly model?: string | undefined;
  /** The version of the prompt of each agent that has it, from the forked work item on. @default the recorded ones */
  readonly prompt?: string | undefined;
  /** Another input of the task, if it is forked from the start; otherwise of the work item. @default the recorded one */
  readonly input?: Json | undefined;
  /** @default {@link LIMITS.forkModelCallsDefault}, {@link LIMITS.forkUsdDefault}, {@link LIMITS.forkMsDefault} */
  readonly budget?:
    { readonly modelCalls?: number | undefined; readonly usd?: number | undefined; readonly timeMs?: number | undefined } | undefined;
}

/** Compares the last runs of two cassettes. `names`: how they are called. @default the ids of the processes */
export function diffOf(a: Cassette, b: Cassette, names: { readonly a?: string; readonly b?: string } = {}): RunDiff {
  const contents = new Contents([a, b]);
  const [first, second] = [runTree(a, contents), runTree(b, contents)];
  const lines = aligned(first.nodes, second.nodes);
  return {
    a: names.a ?? first.id,
    b: names.b ?? second.id,
    same: lines.every(({ how }) => how === "same"),
    lines,
    cost: { a: costOf(first.spent), b: costOf(second.spent) },
    outcome: { a: first.outcome, b: second.outcome },
  };
}

function costOf(spent: Spent): RunDiff["cost"]["a"] {
  const { modelCalls, toolCalls, costMicros } = usedOf(spent);
  const sum = (of: "inputTokens" | "outputTokens"): number => Object.values(spent.models).reduce((all, model) => all + model[of], 0);
  return {
    ...{ modelCalls, toolCalls, inputTokens: sum("inputTokens"), outputTokens: sum("outputTokens") },
    usd: costMicros / MICROS_PER_USD,
  };
}

/** Pairs the nodes of two runs, and returns their lines in the order of the first. */
function aligned(a: readonly RunNode[], b: readonly RunNode[]): DiffLine[] {
  const partners = pairs(a, b);
  const places = new Map(b.map((node, index) => [node, index]));
  const taken = new Set(partners.values());
  const lines: DiffLine[] = [];
  let next = 0;
  const onlyOfB = (until: number): void => {
    for (; next < until; next += 1) {
      const node = b[next];
      if (node !== undefined && !taken.has(node)) lines.push(...oneSided(node, "only-b"));
    }
  };
  for (const node of a) {
    const partner = partners.get(node);
    if (partner === undefined) {
      lines.push(...oneSided(node, "only-a"));
      continue;
    }
    onlyOfB(places.get(partner) ?? 0);
    lines.push(pairLine(node, partner), ...aligned(node.parts, partner.parts));
  }
  onlyOfB(b.length);
  return lines;
}

/** First what has the same key; of the rest, in their order, what has the same name; then what is of the same kind. */
function pairs(a: readonly RunNode[], b: readonly RunNode[]): Map<RunNode, RunNode> {
  const found = new Map<RunNode, RunNode>();
  const free = new Set(b);
  const pair = (node: RunNode, partner: RunNode | undefined): void => {
    if (partner === undefined || !free.delete(partner)) return;
    found.set(node, partner);
  };
  const keyed = new Map(b.map((node) => [`${node.what} ${node.key}`, node]));
  for (const node of a) pair(node, keyed.get(`${node.what} ${node.key}`));
  for (const same of [sameName, sameKind])
    for (const node of a)
      if (!found.has(node))
        pair(
          node,
          [...free].find((other) => other.what === node.what && other.stop === node.stop && same(node, other)),
        );
  return found;
}

function sameName(a: RunNode, b: RunNode): boolean {
  return a.name === b.name;
}

/** Model calls are the same by their order, with any model. Another tool, step or agent is another thing. */
function sameKind({ what }: RunNode): boolean {
  return what === "model";
}

function pairLine(a: RunNode, b: RunNode): DiffLine {
  const at = headOf(b);
  const paths = differingPaths(a.content, b.content);
  if (paths.length === 0 && a.name === b.name) return { ...at, how: "same" };
  return { ...at, how: "changed", ...(a.name === b.name ? {} : { was: a.name }), paths, a: a.content, b: b.content };
}

function oneSided(node: RunNode, how: "only-a" | "only-b"): DiffLine[] {
  const line: DiffLine = { ...headOf(node), how, [how === "only-a" ? "a" : "b"]: node.content };
  return [line, ...node.parts.flatMap((part) => oneSided(part, how))];
}

function headOf({ what, stop, agent, name }: RunNode): Pick<DiffLine, "what" | "stop" | "agent" | "name"> {
  return { what, stop, ...(agent === undefined ? {} : { agent }), name };
}
