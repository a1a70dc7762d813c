/**
 * @module Random systems whose contents carry where they truly come from, so that a lost label shows.
 *
 * Each content is a {@link Node} with the origins that it was made from. A handler joins all that it receives, as a model may. Labels must be
 * at least what the contents say; what they say is computed by the handlers alone.
 */
import fc from "fast-check";
import { z } from "zod";
import {
  type AgentDefinition,
  agent,
  contract,
  type Contract,
  route,
  type RouteDefinition,
  type System,
  system,
  tool,
} from "../../agents/index.ts";
import type { RuntimeContext } from "../../agents/context.ts";
import { isFault, type Json } from "../../runtime/faults.ts";
import type { FakeHandler } from "../../testing/index.ts";

export const Node = z.object({ taint: z.array(z.string()) });
export type Node = z.infer<typeof Node>;
const Inputs = z.object({ in: z.array(Node) });

/** What a handler does, in order. */
type Action =
  | { readonly do: "call"; readonly tool: number }
  | { readonly do: "calls"; readonly tools: readonly number[] }
  | { readonly do: "ask"; readonly ahead: number }
  | { readonly do: "sleep" }
  | { readonly do: "signal" };

interface Program {
  readonly actions: readonly Action[];
  readonly keeps: boolean;
  /** Agents further on that answers instead. */
  readonly handsOff: number;
}

const SOURCES = ["one", "t", "1", "t1", "2", "t2", "12", "t12", "3", "13", "23", "123"] as const;
type Source = (typeof SOURCES)[number];
interface StopPlan {
  readonly kind: "one" | "any" | "forEach" | "nested";
  readonly agent: number;
  readonly other: number;
  readonly source: number;
}

/** A system in data. */
export interface Plan {
  readonly programs: readonly Program[];
  readonly stops: readonly StopPlan[];
  readonly output: number;
  readonly inner: readonly [number, number];
  readonly untrusted: boolean;
  readonly people: readonly number[];
}

export const AGENTS_COUNT = 4;
const index = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: max - 1 });

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant("call" as const), tool: index(4) }),
  fc.record({ do: fc.constant("calls" as const), tools: fc.array(index(4), { minLength: 2, maxLength: 3 }) }),
  fc.record({ do: fc.constant("ask" as const), ahead: fc.integer({ min: 1, max: 2 }) }),
  fc.constant({ do: "sleep" as const }),
  fc.constant({ do: "signal" as const }),
);

export const plans: fc.Arbitrary<Plan> = fc.record({
  programs: fc.array(
    fc.record({ actions: fc.array(action, { maxLength: 3 }), keeps: fc.boolean(), handsOff: fc.constantFrom(0, 0, 1, 2) }),
    { minLength: AGENTS_COUNT, maxLength: AGENTS_COUNT },
  ),
  stops: fc.array(
    fc.record({
      kind: fc.constantFrom("one" as const, "any" as const, "forEach" as const, "nested" as const),
      agent: index(AGENTS_COUNT),
      other: index(AGENTS_COUNT),
      source: index(SOURCES.length),
    }),
    { minLength: 3, maxLength: 3 },
  ),
  output: index(SOURCES.length),
  inner: fc.tuple(index(AGENTS_COUNT), index(AGENTS_COUNT)),
  untrusted: fc.boolean(),
  people: fc.array(index(3), { minLength: 1, maxLength: 3 }),
});

// ---- tools ------------------------------------------------------------------------------------------------------------

const noted = (name: string, untrusted: boolean): ReturnType<typeof reading> =>
  reading(name, untrusted, () => ({ taint: untrusted ? [`tool:${name}`] : [] }));
function reading(name: string, untrusted: boolean, run: () => Node) {
  return tool(name, { input: z.object({ n: z.int() }), output: Node, effect: "read", untrusted, run });
}
const broken = reading("broken", true, () => {
  throw new Error("a text of tool:broken");
});
const TOOLS = [noted("clean", false), noted("web", true), noted("mail", true), broken] as const;

// ---- agents -----------------------------------------------------------------------------------------------------------

const CONTRACTS: readonly Contract<string, z.infer<typeof Inputs>, Node>[] = Array.from({ length: AGENTS_COUNT }, (_, at) =>
  // The last agent serves all processes, so its state is shared.
  contract(`A${at}`, 1, { input: Inputs, output: Node, ...(at === AGENTS_COUNT - 1 ? { key: () => "all" } : {}) }),
);

/** What a run of a system has shown: labels that lack an origin, and how often a label says more than its content. */
export interface Findings {
  readonly lost: string[];
  checks: number;
  exact: number;
}

export function compare(findings: Findings, where: string, label: readonly string[], taint: readonly string[]): void {
  const missing = taint.filter((origin) => !label.includes(origin));
  if (missing.length > 0) findings.lost.push(`${where}: ${missing.join(", ")} is not in the label [${label.join(", ")}]`);
  findings.checks += 1;
  if (label.every((origin) => taint.includes(origin))) findings.exact += 1;
}

function handlerOf(at: number, program: Program, findings: Findings): FakeHandler {
  return async (given, context) => {
    const own = `principal:${context.principal.tenant}/${context.principal.subject}`;
    const taint = new Set<string>();
    const receive = (node: unknown, what: string): void => {
      for (const origin of Node.parse(node).taint) if (origin !== own) taint.add(origin);
      compare(findings, `A${at} after ${what}`, context.label, [...taint]);
    };
    for (const node of Inputs.parse(given).in) receive(node, "its input");
    if (program.keeps) receive(context.state, "its state");
    for (const [step, one] of program.actions.entries())
      await perform(one, { at, step, context, receive, known: () => ({ taint: [...taint] }) });
    if (program.keeps) receive(context.state, "its state again");
    const made: Node = { taint: [...taint] };
    if (program.keeps) context.setState({ taint: [...new Set([...taint, ...(context.principal.subject === "anonymous" ? [] : [own])])] });
    const next = at + program.handsOff;
    return program.handsOff === 0 || next >= AGENTS_COUNT ? made : context.handOff({ name: `A${next}` }, { in: [made] });
  };
}

interface Doing {
  readonly at: number;
  readonly step: number;
  readonly context: RuntimeContext;
  readonly receive: (node: unknown, what: string) => void;
  /** What the handler has received so far. */
  readonly known: () => Node;
}

async function perform(one: Action, { at, step, context, receive, known }: Doing): Promise<void> {
  const call = async (index: number, n: number): Promise<void> => {
    const made = TOOLS[index] ?? TOOLS[0];
    try {
      receive(await context.call(made, { n }), made.name);
    } catch (error) {
      if (!isFault(error) || context.signal.aborted) throw error;
      receive({ taint: made.untrusted ? [`tool:${made.name}`] : [] }, `the fault of ${made.name}`);
    }
  };
  if (one.do === "call") await call(one.tool, step);
  else if (one.do === "calls") await Promise.all(one.tools.map((index, n) => call(index, 100 * step + n)));
  else if (one.do === "sleep") await context.sleep(5);
  else if (one.do === "signal") receive(await context.waitFor("news", {}, {}), "a signal");
  else if (at + one.ahead < AGENTS_COUNT) receive(await context.ask({ name: `A${at + one.ahead}` }, { in: [known()] }), "an answer");
}

function agentOf(at: number, program: Program): AgentDefinition {
  const made = CONTRACTS[at];
  const ahead = CONTRACTS.slice(at + 1);
  if (made === undefined) throw new Error("no such agent");
  const options = { tools: TOOLS, asks: ahead, handsOffTo: ahead, handle: (): Node => ({ taint: [] }) };
  return program.keeps ? agent(made, { ...options, state: { schema: Node, initial: { taint: [] } } }) : agent(made, options);
}

// ---- routes -----------------------------------------------------------------------------------------------------------

type Scope = Readonly<Record<"task" | "s1" | "s2" | "s3", Node>>;
type Mapping = (scope: Scope) => z.infer<typeof Inputs>;
const MAPPINGS: Readonly<Record<Source, Mapping>> = {
  one: () => ({ in: [] }),
  t: ({ task }) => ({ in: [task] }),
  "1": ({ s1 }) => ({ in: [s1] }),
  t1: ({ task, s1 }) => ({ in: [task, s1] }),
  "2": ({ s2 }) => ({ in: [s2] }),
  t2: ({ task, s2 }) => ({ in: [task, s2] }),
  "12": ({ s1, s2 }) => ({ in: [s1, s2] }),
  t12: ({ task, s1, s2 }) => ({ in: [task, s1, s2] }),
  "3": ({ s3 }) => ({ in: [s3] }),
  "13": ({ s1, s3 }) => ({ in: [s1, s3] }),
  "23": ({ s2, s3 }) => ({ in: [s2, s3] }),
  "123": ({ s1, s2, s3 }) => ({ in: [s1, s2, s3] }),
};

/** The first source from an index on that reads only what is there: `known` stops. */
function sourceOf(from: number, known: number): Mapping {
  const fits = (source: Source): boolean => source === "one" || [...source.replace("t", "")].every((digit) => Number(digit) <= known);
  const found = [...SOURCES.slice(from), ...SOURCES].find(fits) ?? "one";
  return MAPPINGS[found];
}

/** Joins all that came, as an agent with the empty program does: the route's last stop makes one node of its inputs. */
export function systemOf(plan: Plan, findings: Findings): { readonly made: System; readonly fakes: Readonly<Record<string, FakeHandler>> } {
  const agentAt = (at: number): (typeof CONTRACTS)[number] => {
    const found = CONTRACTS[at];
    if (found === undefined) throw new Error("no such agent");
    return found;
  };
  const inner = route("inner", 1, Inputs)
    .to("a", agentAt(plan.inner[0]), ({ task }) => task)
    .to("b", agentAt(plan.inner[1]), ({ a }) => ({ in: [a] }))
    .output(({ b }) => b);
  // Scopes differ by the stops before; the mappings read only what is there.
  let building = route("main", 1, Node) as unknown as Building;
  for (const [at, stop] of plan.stops.entries())
    building = withStop(building, `s${at + 1}`, stop, sourceOf(stop.source, at), agentAt, inner);
  const main = building.to("last", agentAt(0), sourceOf(plan.output, plan.stops.length)).output(({ last }) => last);
  const agents = plan.programs.map((program, at) => agentOf(at, program));
  const handlers = plan.programs.map((program, at) => [`A${at}`, handlerOf(at, program, findings)] as const);
  return { made: system("labels", { agents, routes: [main, inner] }), fakes: Object.fromEntries(handlers) };
}

interface Building {
  to(name: string, target: Contract | RouteDefinition, mapping: Mapping): Building;
  any(name: string, branches: (stop: (target: Contract, mapping: Mapping) => unknown) => object): Building;
  forEach(
    name: string,
    over: (scope: Scope) => Json,
    each: (stop: (target: Contract, mapping: (scope: { item: Node }) => unknown) => unknown) => unknown,
  ): Building;
  output(mapping: (scope: { readonly last: Node }) => Node): RouteDefinition;
}

function withStop(
  building: Building,
  name: string,
  { kind, agent: at, other }: StopPlan,
  mapping: Mapping,
  agentAt: (at: number) => Contract,
  inner: RouteDefinition,
): Building {
  if (kind === "one") return building.to(name, agentAt(at), mapping);
  if (kind === "nested") return building.to(name, inner, mapping);
  if (kind === "any") return building.any(name, (stop) => ({ x: stop(agentAt(at), mapping), y: stop(agentAt(other), mapping) }));
  // A list of outputs is no node: an agent makes one of it.
  const items = `${name}items`;
  return building
    .to(`${name}first`, agentAt(other), mapping)
    .forEach(items, listOf(name), (stop) => stop(agentAt(at), ({ item }) => ({ in: [item] })))
    .to(name, agentAt(other), joinOf(name));
}

function listOf(name: string): (scope: Scope) => Json {
  const made: Readonly<Record<string, unknown>> = {
    s1: ({ s1first }: Readonly<Record<string, Json>>) => [s1first, s1first],
    s2: ({ s2first }: Readonly<Record<string, Json>>) => [s2first, s2first],
    s3: ({ s3first }: Readonly<Record<string, Json>>) => [s3first, s3first],
  };
  return made[name] as (scope: Scope) => Json;
}

function joinOf(name: string): Mapping {
  const made: Readonly<Record<string, unknown>> = {
    s1: ({ s1items }: Readonly<Record<string, Json>>) => ({ in: s1items }),
    s2: ({ s2items }: Readonly<Record<string, Json>>) => ({ in: s2items }),
    s3: ({ s3items }: Readonly<Record<string, Json>>) => ({ in: s3items }),
  };
  return made[name] as Mapping;
}
