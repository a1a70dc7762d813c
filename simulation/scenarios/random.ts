/**
 * @module Systems and routes made at random: sequence, all, any, forEach, when, nested, hand-offs, asks, optional stops,
 * timeouts, retries. The input says what an agent does, so a few agents serve every route.
 *
 * A system is expensive to define and cheap to run, so a bounded number is made and kept.
 */
import { z } from "zod";
import { type AgentDefinition, agent } from "../../agents/agent.ts";
import type { StopOptions } from "../../agents/stop-options.ts";
import { contract } from "../../agents/contract.ts";
import { type RouteBuilder, route, type RouteDefinition } from "../../agents/route.ts";
import { type System, system } from "../../agents/system.ts";
import { Fault } from "../../runtime/faults.ts";
import type { SimTask } from "../people/client.ts";
import { Random, STREAM } from "../world/random.ts";
import type { Scenario } from "../run.ts";
import { CATCH_TOOLS, CATCHES, isCatch, tryAndCatch } from "./catches.ts";
import { COUNT, countOn } from "./counting.ts";
import { effectTool } from "./party.ts";

/** Tells an agent what to do. `tag` names the work item within its process. */
const Job = z.object({
  tag: z.string(),
  key: z.string(),
  do: z.enum(["work", "refuse", "flaky", "ask", "ask-two", "hand-off", "catch", "state", "state-ask", ...CATCHES]),
  items: z.array(z.string()),
});
type Job = z.infer<typeof Job>;
const Done = z.object({ tag: z.string(), counted: z.int().optional() });

const AGENTS = 5;
const SYSTEMS = 96;
const STOPS_MAX = 5;
const BRANCHES_MAX = 3;
const ITEMS_MAX = 4;
const TASKS_MAX = 3;
const TIMEOUT_MS_MIN = 2_000;
const TIMEOUT_MS_MAX = 9_000;

const own = (index: number) => contract(`Own${index}`, 1, { input: Job, output: Done });
const shared = (index: number) => contract(`Shared${index}`, 1, { input: Job, output: Done, key: (job) => job.key });
/** Agents ask and hand off only to those after them, so no ring can be. */
const CONTRACTS = [own(0), shared(1), own(2), shared(3), own(4)] as const;
type AnyContract = (typeof CONTRACTS)[number];

function contractAt(index: number): AnyContract {
  const found = CONTRACTS[index % AGENTS];
  if (found === undefined) throw new Error("invariant: an agent of the list");
  return found;
}

const Counted = z.object(COUNT);

const before = effectTool("before");
const act = effectTool("act");

function makeAgent(index: number): AgentDefinition {
  const later = CONTRACTS.slice(index + 1);
  return agent(contractAt(index), {
    state: { schema: Counted, initial: { count: 0 } },
    tools: [before, act, ...CATCH_TOOLS],
    asks: later,
    handsOffTo: later,
    handle: async (job, ctx) => {
      const tag = `${job.items.join("")}${job.tag}`;
      const about = `${ctx.processId}/${tag}`;
      const next = later[0];
      const sub = (name: string): Job => ({ tag: `${tag}.${name}`, key: job.key, do: "work", items: [] });
      if (job.do === "hand-off" && next !== undefined) {
        await ctx.call(before, { about: `${about}/before` });
        return ctx.handOff(next, sub("handed"));
      }
      // It counts before it waits: other work items may count meanwhile.
      const early = job.do === "state-ask" ? countOn(ctx) : undefined;
      if ((job.do === "ask" || job.do === "state-ask" || job.do === "ask-two") && next !== undefined) await ctx.ask(next, sub("asked"));
      if (job.do === "ask-two" && next !== undefined) await Promise.all([ctx.ask(next, sub("second")), ctx.ask(next, sub("third"))]);
      if (job.do === "catch" && next !== undefined) await ctx.ask(next, { ...sub("caught"), do: "refuse" }).catch(() => undefined);
      if (isCatch(job.do)) await tryAndCatch(job.do, about, ctx);
      if (job.do !== "shrug") await ctx.call(act, { about });
      if (job.do === "refuse") throw new Fault("agent.refused", "told to refuse");
      if (job.do === "flaky" && ctx.attempt === 1) throw new Error("told to fail at first");
      const counted = job.do === "state" ? countOn(ctx) : early;
      return { tag: job.tag, ...(counted === undefined ? {} : { counted }) };
    },
  });
}

const agents = CONTRACTS.map((_contract, index) => makeAgent(index));
const Task = z.object({ tag: z.string(), key: z.string(), on: z.boolean(), items: z.array(z.string()) });
type Scope = { readonly task: z.infer<typeof Task> };
type Builder = RouteBuilder<string, z.infer<typeof Task>, Scope>;

function optionsOf(random: Random): StopOptions {
  return {
    timeoutMs: random.int(TIMEOUT_MS_MIN, TIMEOUT_MS_MAX),
    optional: random.chance(0.2),
    retry: { attemptsMax: random.int(1, 3), backoffMs: random.int(10, 400) },
    ...(random.chance(0.15) ? { when: "task.on" } : {}),
  };
}

const WHAT: readonly Job["do"][] = ["work", "work", "work", "flaky", "ask", "ask-two", "hand-off", "catch", "state", "state-ask"];

/** The same, and as many jobs that catch what a call throws. */
const WHAT_CATCHES: readonly Job["do"][] = [...WHAT, ...CATCHES, ...CATCHES, ...CATCHES];

/** Chooses a job. */
type Choose = (random: Random) => Job["do"];

const chooseOf =
  (jobs: readonly Job["do"][]): Choose =>
  (random) =>
    random.chance(0.08) ? "refuse" : random.pick(jobs);

function addStop(
  builder: Builder,
  index: number,
  random: Random,
  choose: Choose,
  nested: RouteDefinition<string, z.infer<typeof Task>> | undefined,
  prefix: string,
): Builder {
  const name = `${prefix}${index}`;
  const kind = random.pick(["to", "to", "all", "any", "forEach", "nested"] as const);
  const what = choose(random);
  const target = contractAt(random.int(0, AGENTS - 1));
  if (kind === "nested" && nested !== undefined) {
    return builder.to(name, nested, ({ task }) => ({ tag: name, key: task.key, on: task.on, items: task.items }), {
      timeoutMs: 4 * TIMEOUT_MS_MAX,
      optional: random.chance(0.2),
    }) as unknown as Builder;
  }
  if (kind === "all" || kind === "any") {
    const branches = Array.from({ length: random.int(2, BRANCHES_MAX) }, (_, branch) => ({
      name: `${name}b${branch}`,
      target: contractAt(random.int(0, AGENTS - 1)),
      what: choose(random),
      options: optionsOf(random),
    }));
    type Make = Parameters<Parameters<Builder["all"]>[0]>[0];
    const make = (stop: Make) =>
      Object.fromEntries(
        branches.map((one) => [
          one.name,
          stop(one.target, ({ task }) => ({ tag: one.name, key: task.key, do: one.what, items: [] }), one.options),
        ]),
      );
    return (kind === "all" ? builder.all(make) : builder.any(name, make)) as unknown as Builder;
  }
  if (kind === "forEach") {
    return builder.forEach(
      name,
      ({ task }) => task.items,
      (stop) => stop(target, ({ task, item }) => ({ tag: item, key: task.key, do: what, items: [name] }), optionsOf(random)),
      { concurrency: random.int(1, 3) },
    ) as unknown as Builder;
  }
  return builder.to(
    name,
    target,
    ({ task }) => ({ tag: name, key: task.key, do: what, items: [] }),
    optionsOf(random),
  ) as unknown as Builder;
}

function makeRoute(
  name: string,
  prefix: string,
  random: Random,
  choose: Choose,
  nested?: RouteDefinition<string, z.infer<typeof Task>>,
): RouteDefinition<string, z.infer<typeof Task>> {
  let builder = route(name, 1, Task) as unknown as Builder;
  const count = random.int(1, STOPS_MAX);
  let loops = 0;
  for (let index = 0; index < count; index += 1) {
    const before = builder;
    builder = addStop(before, index, random, choose, nested, prefix);
    loops += 1;
  }
  if (loops === 0) throw new Error("invariant: a route has a stop");
  return builder.output(({ task }) => task.tag);
}

function randomSystem(random: Random, choose: Choose): System {
  const inner = makeRoute("inner", "n", random, choose);
  const outer = makeRoute("outer", "s", random, choose, inner);
  return system("wild", { agents, routes: [outer, inner] });
}

/** The random system of each seed. */
function randomSystems(choose: Choose): (seed: number) => System {
  const systems = new Map<number, System>();
  return (seed) => {
    const number = seed % SYSTEMS;
    const made = systems.get(number) ?? randomSystem(new Random(number, STREAM.system + 7), choose);
    systems.set(number, made);
    return made;
  };
}

function tasksOf(seed: number): readonly SimTask[] {
  const random = new Random(seed, STREAM.system + 1);
  return Array.from({ length: random.int(1, TASKS_MAX) }, (_, index): SimTask => ({
    id: `t${index + 1}`,
    route: "outer",
    input: {
      tag: `t${index}`,
      key: `k${random.int(0, 1)}`,
      on: random.chance(0.5),
      items: Array.from({ length: random.int(0, ITEMS_MAX) }, (_item, item) => `i${item}`),
    },
    timeoutMs: random.int(5, 120) * 1_000,
    atMs: random.int(0, 1_000),
    cancelAtMs: random.chance(0.15) ? random.int(0, 6_000) : undefined,
    againAtMs: random.chance(0.2) ? random.int(0, 4_000) : undefined,
  }));
}

/** Random systems under random faults. */
export const wild: Scenario = { name: "wild", system: randomSystems(chooseOf(WHAT)), tasks: tasksOf, strict: true };

/** The same as {@link wild}, with handlers that catch what a call throws. */
export const catches: Scenario = { ...wild, name: "catches", system: randomSystems(chooseOf(WHAT_CATCHES)) };

/** The same as {@link wild}, and people decide on the dead letters. */
export const wildRedrive: Scenario = { ...wild, name: "wildRedrive", decides: true };
