/**
 * @module The system under test: four stops with an ask, a keyed agent with state, and compensation.
 *
 * plan -> seat and shelf at once -> quote (asks the planner) -> pay. A task with `refuse` fails for good at `pay`,
 * after `pay` has taken a deposit, so that everything must be compensated.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { agent, contract, Fault, model, openai, route, system, type System, tool, type ToolCall } from "../../agents/index.ts";
import { requestAgents, requestRoutes } from "./requests.ts";

/** Shelves: long-lived actors that all processes share. */
export const SHELVES = 4;

const Task = z.strictObject({ n: z.int(), shelf: z.string(), refuse: z.boolean() });
const Plan = z.strictObject({ process: z.string(), parts: z.int() });
const Booking = z.strictObject({ process: z.string(), what: z.string() });
const Booked = z.strictObject({ what: z.string() });
const Shelving = z.strictObject({ process: z.string(), shelf: z.string() });
const Shelved = z.strictObject({ count: z.int() });
const Price = z.strictObject({ price: z.int(), process: z.string() });
const Payment = z.strictObject({ process: z.string(), price: z.int(), refuse: z.boolean() });
const Paid = z.strictObject({ price: z.int() });
const Nap = z.strictObject({ attempts: z.int(), ms: z.int() });

/** The calls of a handler of the route `basket`, before it refuses. */
export const BASKET_CALLS = 20;

/** What the handlers need of the outside world. */
export interface Outside {
  /** Does or undoes an effect at the ledger, or tells it that a handler executes; throws when the result is unknown. */
  call(
    what: "apply" | "undo" | "execute",
    effect: string,
    process: string,
    step: Pick<ToolCall, "idempotencyKey" | "signal">,
  ): Promise<void>;
}

const Planner = contract("Planner", 1, { input: z.strictObject({ n: z.int() }), output: Plan });
const Seat = contract("Seat", 1, { input: Booking, output: Booked });
const Shelf = contract("Shelf", 1, { input: Shelving, output: Shelved, key: ({ shelf }) => shelf });
const Quote = contract("Quote", 1, { input: Booking, output: Price });
const Pay = contract("Pay", 1, { input: Payment, output: Paid });
const Catcher = contract("Catcher", 1, { input: z.strictObject({ refuse: z.boolean() }), output: Paid });
const Basket = contract("Basket", 1, { input: z.strictObject({}), output: Paid });
const Thinker = contract("Thinker", 1, { input: z.strictObject({ process: z.string() }), output: Paid });
const Sleeper = contract("Sleeper", 1, { input: Nap, output: Paid });

/** An effect at the ledger, and one that is done and then seems to have failed. */
function toolsOf(outside: Outside) {
  const effect = tool("effect", {
    effect: "write",
    input: z.strictObject({ name: z.string(), process: z.string() }),
    output: z.null(),
    run: async ({ name, process }, call) => {
      await outside.call("apply", name, process, call);
      return null;
    },
    undo: ({ name, process }, _done, call) => outside.call("undo", name, process, call),
  });
  const unheard = tool("unheard", {
    effect: "write",
    input: z.strictObject({ process: z.string() }),
    output: z.null(),
    run: async ({ process }, call) => {
      await outside.call("apply", "try", process, call);
      throw new Fault("agent.failed", "it was done, but the answer was lost");
    },
    undo: ({ process }, _done, call) => outside.call("undo", "try", process, call),
  });
  return { effect, unheard };
}

function agents(outside: Outside) {
  const { effect, unheard } = toolsOf(outside);
  return [
    agent(Planner, { handle: ({ n }, ctx) => ({ process: ctx.processId, parts: n % 3 }) }),
    agent(Seat, {
      tools: [effect],
      handle: async ({ process, what }, ctx) => {
        await ctx.call(effect, { name: what, process });
        return { what };
      },
    }),
    agent(Shelf, {
      tools: [effect],
      state: { schema: z.strictObject({ count: z.int() }), initial: { count: 0 } },
      handle: async ({ process }, ctx) => {
        await ctx.call(effect, { name: "shelf", process });
        ctx.setState({ count: ctx.state.count + 1 });
        return { count: ctx.state.count };
      },
    }),
    agent(Quote, {
      tools: [effect],
      asks: [Planner],
      handle: async ({ process, what }, ctx) => {
        await ctx.call(effect, { name: "quote", process });
        const plan = await ctx.ask(Planner, { n: what.length });
        return { price: plan.parts, process };
      },
    }),
    agent(Pay, {
      tools: [effect],
      handle: async ({ process, price, refuse }, ctx) => {
        await ctx.call(effect, { name: "deposit", process });
        if (refuse) throw new Fault("agent.refused", "the card was refused");
        await ctx.call(effect, { name: "pay", process });
        return { price };
      },
    }),
    agent(Catcher, {
      tools: [effect, unheard],
      handle: async ({ refuse }, ctx) => {
        await ctx.call(unheard, { process: ctx.processId }).catch(() => {});
        await ctx.call(effect, { name: "instead", process: ctx.processId });
        if (refuse) throw new Fault("agent.refused", "neither works");
        return { price: 0 };
      },
    }),
    agent(Basket, {
      tools: [effect],
      handle: async (_input, ctx) => {
        const process = ctx.processId;
        await outside.call("execute", "basket", process, { idempotencyKey: `${process}/basket`, signal: ctx.signal });
        for (let n = 1; n <= BASKET_CALLS; n += 1) await ctx.call(effect, { name: `item ${n}`, process });
        throw new Fault("agent.refused", "the basket is too heavy");
      },
    }),
    agent(Sleeper, {
      tools: [effect],
      handle: async ({ attempts, ms }, ctx) => {
        await sleep(ms, undefined, { signal: ctx.signal });
        await ctx.call(effect, { name: "nap", process: ctx.processId });
        if (ctx.attempt < attempts) throw new Fault("agent.failed", `attempt ${ctx.attempt} of ${attempts}`);
        return { price: 0 };
      },
    }),
  ];
}

const party = route("party", 1, Task)
  .to("plan", Planner, ({ task }) => ({ n: task.n }))
  .all((stop) => ({
    seat: stop(Seat, ({ plan }) => ({ process: plan.process, what: "seat" })),
    shelf: stop(Shelf, ({ plan, task }) => ({ process: plan.process, shelf: task.shelf })),
  }))
  .to("quote", Quote, ({ plan, seat }) => ({ process: plan.process, what: seat.what }))
  .to("pay", Pay, ({ quote, task }) => ({ process: quote.process, price: quote.price, refuse: task.refuse }))
  .output(({ pay }) => pay);

/** One stop that takes time and may fail a few times; its backoffs are those of the route. */
const nap = route("nap", 1, Nap)
  .to("nap", Sleeper, ({ task }) => task, { retry: { attemptsMax: 8, backoffMs: 2_000, backoffMsMax: 2_000, jitter: 0.1 } })
  .output(({ nap: done }) => done);

/** Like `nap`, with a backoff so long that the reminder moves away. */
const longNap = route("long-nap", 1, Nap)
  .to("nap", Sleeper, ({ task }) => task, { retry: { attemptsMax: 8, backoffMs: 60_000, backoffMsMax: 60_000, jitter: 0.1 } })
  .output(({ nap: done }) => done);

/** One stop whose handler catches the error of its first step and continues with another. */
const rescue = route("rescue", 1, z.strictObject({ refuse: z.boolean() }))
  .to("rescue", Catcher, ({ task }) => task)
  .output(({ rescue: done }) => done);

/** One stop that does many effects and is then refused, so that each of them must be undone. */
const basket = route("basket", 1, z.strictObject({}))
  .to("basket", Basket, () => ({}))
  .output(({ basket: done }) => done);

/** One effect for each item, then a payment that may be refused, so that each of them must be undone. */
const Fan = z.strictObject({ process: z.string(), items: z.array(z.string()), refuse: z.boolean() });
const fan = route("fan", 1, Fan)
  .forEach(
    "seats",
    ({ task }) => task.items,
    (stop) => stop(Seat, ({ task, item }) => ({ process: task.process, what: item })),
    { concurrency: 32 },
  )
  .to("pay", Pay, ({ task }) => ({ process: task.process, price: 1, refuse: task.refuse }))
  .output(({ seats }) => seats);

/** The effects of a completed `party`. */
export const EFFECTS = ["seat", "shelf", "quote", "deposit", "pay"] as const;

/** The most that a process of `think` may spend. */
export const THINK_CALLS_MAX = 100;

/** One stop that a model decides: it buys what the model asks for. */
const think = route("think", 1, z.strictObject({ process: z.string() }), { budget: { modelCalls: THINK_CALLS_MAX } })
  .to("think", Thinker, ({ task }) => task)
  .output(({ think: done }) => done);

/** The agent of `think`. The key of its tool calls is that of their effects. */
function thinker(outside: Outside) {
  const buy = tool("buy", {
    effect: "write",
    about: "Buys an item",
    input: z.strictObject({ item: z.string() }),
    output: z.string(),
    run: async ({ item }, call) => {
      await outside.call("apply", item, processIn(call), call);
      return `bought ${item}`;
    },
    undo: ({ item }, _done, call) => outside.call("undo", item, processIn(call), call),
  });
  return agent(
    Thinker,
    model({ instructions: { v1: "Buy what is needed.", v2: "Buy what is needed, in a hurry." }, prompt: "v1", tools: [buy] }),
  );
}

function processIn({ idempotencyKey }: Pick<ToolCall, "idempotencyKey">): string {
  return idempotencyKey.slice(0, idempotencyKey.indexOf(":"));
}

/** The system. `modelUrl`: where its model is; without it, it has none. */
export function bookingSystem(outside: Outside, modelUrl?: string): System {
  const plain = [...agents(outside), ...requestAgents(outside)];
  const routes = [party, nap, longNap, rescue, basket, fan, ...requestRoutes];
  if (modelUrl === undefined) return system("live", { agents: plain, routes });
  const models = { fast: openai({ model: "counting-1", baseUrl: modelUrl, stream: false }) };
  return system("live", { agents: [...plain, thinker(outside)], routes: [...routes, think], models });
}
