/**
 * @module Keyed actors with more work items than their state holds: settled ones leave it and come back, because old requests are repeated
 * and because processes fail late and undo what they did long before.
 */
import { z } from "zod";
import { agent } from "../../agents/agent.ts";
import { contract } from "../../agents/contract.ts";
import { route } from "../../agents/route.ts";
import { type System, system } from "../../agents/system.ts";
import { Fault } from "../../runtime/faults.ts";
import type { SimTask } from "../people/client.ts";
import type { Scenario } from "../run.ts";
import { Random, STREAM } from "../world/random.ts";
import { COUNT, countOn, uncountOn } from "./counting.ts";
import { effectTool } from "./party.ts";

const TASKS_MAX = 5;
const ITEMS_MAX = 5;
const SLEEP_MS_MAX = 9_000;
const BEGIN_MS_MAX = 6_000;
const REFUSED_SHARE = 0.4;
const CANCELLED_SHARE = 0.15;
const DOES = ["plain", "plain", "plain", "flaky", "refuse"] as const;

const Item = z.object({ name: z.string(), do: z.enum(DOES) });
const Counted = z.object({ counted: z.int() });
const State = z.object(COUNT);
const key = ({ customer }: { readonly customer: string }): string => customer;
const Clerk = contract("Clerk", 1, { input: z.object({ customer: z.string(), item: Item }), output: Counted, key });
const tellerInput = { input: z.object({ customer: z.string(), item: Item }), output: Counted };
/** Without a key its actors live for one process. */
const TELLERS = [contract("Teller", 1, { ...tellerInput, key }), contract("Teller", 1, tellerInput)] as const;
type Teller = (typeof TELLERS)[number];
const Gate = contract("Gate", 1, { input: z.object({ refuses: z.boolean() }), output: z.object({}) });

const enter = effectTool("enter");
const book = effectTool("book");

/** Its calls are undone one by one, and its state stands. */
const clerk = agent(Clerk, {
  tools: [enter],
  state: { schema: State, initial: { count: 0 } },
  handle: async ({ item }, ctx) => {
    // An item that only counts has nothing to undo.
    if (item.do !== "plain" || item.name !== "i0") await ctx.call(enter, { about: `${ctx.processId}/enter/${item.name}` });
    if (item.do === "flaky" && ctx.attempt === 1) throw new Error("told to fail at first");
    if (item.do === "refuse") throw new Fault("agent.refused", "told to refuse");
    return { counted: countOn(ctx) };
  },
});

/** It has an undo of its own. */
function tellerOf(target: Teller) {
  return agent(target, {
    tools: [book],
    state: { schema: State, initial: { count: 0 } },
    handle: async ({ item }, ctx) => {
      await ctx.call(book, { about: `${ctx.processId}/book/${item.name}` });
      return { counted: countOn(ctx) };
    },
    undo: (_input, output, ctx) => {
      if (output !== undefined) uncountOn(ctx);
    },
  });
}

const gate = agent(Gate, {
  handle: ({ refuses }) => {
    if (refuses) throw new Fault("agent.refused", "told to refuse");
    return {};
  },
});

const Task = z.object({ customer: z.string(), items: z.array(Item), sleepMs: z.int(), refuses: z.boolean() });
function visitOf(target: Teller) {
  return route("visit", 1, Task)
    .forEach(
      "entered",
      ({ task }) => task.items,
      (stop) => stop(Clerk, ({ task, item }) => ({ customer: task.customer, item }), { timeoutMs: 6_000, retry: { backoffMs: 200 } }),
      { concurrency: 3 },
    )
    .forEach(
      "booked",
      ({ task }) => task.items,
      (stop) => stop(target, ({ task, item }) => ({ customer: task.customer, item }), { timeoutMs: 6_000 }),
      { concurrency: 2 },
    )
    .sleep("later", ({ task }) => task.sleepMs)
    .to("gate", Gate, ({ task }) => ({ refuses: task.refuses }))
    .output(({ gate: passed }) => passed);
}

const systems: readonly System[] = TELLERS.map((target) =>
  system("hot", { agents: [clerk, tellerOf(target), gate], routes: [visitOf(target)] }),
);

function systemOf(seed: number): System {
  const found = systems[seed % systems.length];
  if (found === undefined) throw new Error("invariant: a system of the list");
  return found;
}

function tasksOf(seed: number): readonly SimTask[] {
  const random = new Random(seed, STREAM.system + 1);
  return Array.from({ length: random.int(2, TASKS_MAX) }, (_, index): SimTask => ({
    id: `t${index + 1}`,
    route: "visit",
    input: {
      customer: `c${random.int(0, 3) === 0 ? 1 : 0}`,
      items: Array.from({ length: random.int(1, ITEMS_MAX) }, (_item, item) => ({ name: `i${item}`, do: random.pick(DOES) })),
      sleepMs: random.int(0, SLEEP_MS_MAX),
      refuses: random.chance(REFUSED_SHARE),
    },
    timeoutMs: 120_000,
    atMs: random.int(0, BEGIN_MS_MAX),
    cancelAtMs: random.chance(CANCELLED_SHARE) ? random.int(BEGIN_MS_MAX, 2 * BEGIN_MS_MAX) : undefined,
  }));
}

const SNAPSHOT_BYTES = 4_096;
const SETTLED_MAX = 3;
const LEAVING_MAX = 2;

/** Hot keys: little fits in the state, old messages come again, and what ended is purged. */
export const hot: Scenario = {
  name: "hot",
  system: systemOf,
  tasks: tasksOf,
  strict: true,
  repeats: true,
  purges: true,
  limits: {
    agentSettledMax: SETTLED_MAX,
    agentLeavingMax: LEAVING_MAX,
    snapshotBytesMin: SNAPSHOT_BYTES,
    snapshotRecordsToStateRatio: 1,
  },
};
