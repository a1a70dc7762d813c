/**
 * @module Handlers with two parallel chains, over actors that several tasks share. Each chain must get its own results. A
 * handler counts before it asks, so that other work items change the state while it waits.
 */
import { z } from "zod";
import { agent } from "../../agents/agent.ts";
import { contract } from "../../agents/contract.ts";
import { route } from "../../agents/route.ts";
import { type System, system } from "../../agents/system.ts";
import { Fault } from "../../runtime/faults.ts";
import type { SimTask } from "../people/client.ts";
import type { Scenario } from "../run.ts";
import { outsideNow } from "../world/outside.ts";
import { Random, STREAM } from "../world/random.ts";
import { COUNT, countOn, uncountOn } from "./counting.ts";
import { effectTool } from "./party.ts";

const TASKS_MAX = 3;
const ITEMS_MAX = 3;
const TIMEOUT_MS_MIN = 2_000;
const TIMEOUT_MS_MAX = 9_000;
const DOES = ["plain", "ask", "ask", "lookup", "stop", "retry", "flaky", "refuse"] as const;
const CALL_MS = 1_500;
const LEGS = ["flight", "hotel"] as const;

const Item = z.object({ name: z.string(), do: z.enum(DOES) });
const Job = z.object({ customer: z.string(), item: Item });
const Quote = contract("Quote", 1, { input: z.object({ about: z.string() }), output: z.object({ about: z.string() }) });
const Booker = contract("Booker", 1, {
  input: Job,
  output: z.object({ name: z.string(), counted: z.int() }),
  key: ({ customer }) => customer,
});

const quote = agent(Quote, { handle: ({ about }) => ({ about }) });

/** A result that a chain got, and the one that it must get. */
function expectOwn(result: string, own: string): void {
  if (result !== own) outsideNow().complain("each handler gets its own results", `a chain got "${result}" in the place of "${own}"`);
}

const reserve = effectTool("reserve");
const confirm = effectTool("confirm");

/** Calls whose end may be unknown, and calls that are tried again before their handler hears of a failure. */
const more = {
  lookup: effectTool("lookup", {
    unknown: "lookup",
    timeoutMs: CALL_MS,
    lookup: async ({ about }, call) => {
      const found = await outsideNow().lookUp({ name: "lookup", about, key: call.idempotencyKey });
      return typeof found === "string" ? found : undefined;
    },
  }),
  stop: effectTool("stop", { unknown: "stop", timeoutMs: CALL_MS }),
  retry: effectTool("retry", { retry: { attemptsMax: 3, backoffMs: 100 } }),
} as const;

function isMore(job: string): job is keyof typeof more {
  return job in more;
}

const booker = agent(Booker, {
  tools: [reserve, confirm, more.lookup, more.stop, more.retry],
  state: { schema: z.object(COUNT), initial: { count: 0 } },
  asks: [Quote],
  handle: async ({ item }, ctx) => {
    const counted = countOn(ctx);
    const chain = async (leg: (typeof LEGS)[number]): Promise<void> => {
      const about = `${ctx.processId}/${item.name}/${leg}`;
      expectOwn(await ctx.call(reserve, { about: `${about}/reserve` }), `reserve of ${about}/reserve`);
      if (item.do === "ask") expectOwn((await ctx.ask(Quote, { about: leg })).about, leg);
      if (isMore(item.do)) expectOwn(await ctx.call(more[item.do], { about: `${about}/more` }), `${item.do} of ${about}/more`);
      expectOwn(await ctx.call(confirm, { about: `${about}/confirm` }), `confirm of ${about}/confirm`);
    };
    await Promise.all(LEGS.map(chain));
    if (item.do === "flaky" && ctx.attempt === 1) throw new Error("told to fail at first");
    if (item.do === "refuse") throw new Fault("agent.refused", "told to refuse");
    return { name: item.name, counted };
  },
  undo: (_input, output, ctx) => {
    if (output !== undefined) uncountOn(ctx);
  },
});

const Task = z.object({ customer: z.string(), items: z.array(Item) });

function bookings(timeoutMs: number, concurrency: number) {
  return route("bookings", 1, Task)
    .forEach(
      "booked",
      ({ task }) => task.items,
      (stop) =>
        stop(Booker, ({ task, item }) => ({ customer: task.customer, item }), { timeoutMs, retry: { attemptsMax: 3, backoffMs: 200 } }),
      { concurrency },
    )
    .output(({ booked }) => booked);
}

const SYSTEMS = 8;
const systems: readonly System[] = Array.from({ length: SYSTEMS }, (_, number) => {
  const random = new Random(number, STREAM.system + 9);
  return system("chains", {
    agents: [quote, booker],
    routes: [bookings(random.int(TIMEOUT_MS_MIN, TIMEOUT_MS_MAX), random.int(1, ITEMS_MAX))],
  });
});

function systemOf(seed: number): System {
  const found = systems[seed % SYSTEMS];
  if (found === undefined) throw new Error("invariant: a system of the list");
  return found;
}

function tasksOf(seed: number): readonly SimTask[] {
  const random = new Random(seed, STREAM.system + 1);
  return Array.from({ length: random.int(1, TASKS_MAX) }, (_, index): SimTask => ({
    id: `t${index + 1}`,
    route: "bookings",
    input: {
      customer: `c${random.int(0, 1)}`,
      items: Array.from({ length: random.int(1, ITEMS_MAX) }, (_item, item) => ({ name: `i${item}`, do: random.pick(DOES) })),
    },
    timeoutMs: random.int(10, 90) * 1_000,
    atMs: random.int(0, 600),
    cancelAtMs: random.chance(0.1) ? random.int(0, 4_000) : undefined,
  }));
}

/** Parallel chains over shared actors with state. */
export const chains: Scenario = { name: "chains", system: systemOf, tasks: tasksOf, strict: true };
