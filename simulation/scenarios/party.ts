/**
 * @module The travel party: four agents, an ask, a parallel stop, and a compensation when the price is too high.
 */
import { z } from "zod";
import { agent } from "../../agents/agent.ts";
import type { StepTools } from "../../agents/context.ts";
import { contract } from "../../agents/contract.ts";
import { route } from "../../agents/route.ts";
import { type System, system } from "../../agents/system.ts";
import { tool, type ToolOptions } from "../../agents/tool.ts";
import { Fault } from "../../runtime/faults.ts";
import type { SimTask } from "../people/client.ts";
import { outsideNow } from "../world/outside.ts";
import { Random, STREAM } from "../world/random.ts";
import type { Scenario } from "../run.ts";
import type { World } from "../world/world.ts";
import { COUNT, countOn } from "./counting.ts";

const Trip = z.object({ wish: z.string(), budget: z.int() });
const Query = z.object({ to: z.string() });
const Booking = z.object({ what: z.string(), price: z.int() });
const PRICE_EUROS = 100;
const STOP_MS = 5_000;
const ASK_SHARE = 0.3;
const CHEAP_SHARE = 0.4;
const TASKS_MAX = 1;
/** Of so many seeds one has a task like those of the party. */
const DEAR_PER = 5;

const Planner = contract("Planner", 1, { input: z.object({ wish: z.string() }), output: z.object({ city: z.string() }) });
const Flight = contract("Flight", 1, { input: Query, output: Booking });
const Hotel = contract("Hotel", 1, { input: Query, output: Booking });
const Snark = contract("Snark", 1, {
  input: z.object({ total: z.array(z.int()), trip: Trip }),
  output: z.object({ remark: z.string(), counted: z.int() }),
  key: () => "one",
});

/** Does something outside, once for each key. */
export async function book(name: string, about: string, step: StepTools): Promise<string> {
  return String(await outsideNow().perform({ name, about, key: step.idempotencyKey, signal: step.signal }));
}

/** Takes it back. */
export async function unbook(name: string, about: string, step: StepTools): Promise<void> {
  await outsideNow().undo({ name, about, key: step.idempotencyKey });
}

const About = z.object({ about: z.string() });
type More = Partial<Pick<ToolOptions<typeof About, z.ZodString>, "unknown" | "lookup" | "retry" | "timeoutMs">>;

/** A tool that does something outside and can take it back. */
export function effectTool<const Name extends string>(name: Name, more: More = {}) {
  return tool(name, {
    ...more,
    effect: "write",
    input: About,
    output: z.string(),
    run: ({ about }, call) => book(name, about, call),
    undo: ({ about }, _done, call) => unbook(name, about, call),
  });
}

const plan = effectTool("plan");
const planner = agent(Planner, {
  tools: [plan],
  handle: async ({ wish }, ctx) => ({ city: await ctx.call(plan, { about: `${ctx.processId}/plan/${wish}` }) }),
});

function booker(target: typeof Flight | typeof Hotel, name: string): ReturnType<typeof agent> {
  const reserve = effectTool(name);
  return agent(target, {
    tools: [reserve],
    handle: async ({ to }, ctx) => {
      const what = await ctx.call(reserve, { about: `${ctx.processId}/${name}` });
      return { what: `${what} to ${to}`, price: PRICE_EUROS };
    },
  });
}

const Remarks = z.object(COUNT);
const snark = agent(Snark, {
  state: { schema: Remarks, initial: { count: 0 } },
  asks: [Planner],
  handle: async ({ total, trip }, ctx) => {
    const { city } = await ctx.ask(Planner, { wish: `not ${trip.wish}` });
    if (total.reduce((sum, price) => sum + price, 0) > trip.budget) throw new Fault("agent.refused", "too dear");
    return { remark: `${city} would have been better`, counted: countOn(ctx) };
  },
});

const trip = route("trip", 1, Trip)
  .to("plan", Planner, ({ task }) => ({ wish: task.wish }), { timeoutMs: STOP_MS })
  .all((stop) => ({
    flight: stop(Flight, ({ plan }) => ({ to: plan.city }), { timeoutMs: STOP_MS }),
    hotel: stop(Hotel, ({ plan }) => ({ to: plan.city }), { timeoutMs: STOP_MS }),
  }))
  .to("snark", Snark, ({ flight, hotel, task }) => ({ total: [flight.price, hotel.price], trip: task }), { timeoutMs: STOP_MS })
  .output(({ snark }) => snark);

/** The party as a system. */
const partySystem: System = system("party", { agents: [planner, booker(Flight, "flight"), booker(Hotel, "hotel"), snark], routes: [trip] });

function partyTasks(seed: number): readonly SimTask[] {
  const random = new Random(seed, STREAM.system + 1);
  return Array.from({ length: random.int(1, TASKS_MAX) }, (_, index): SimTask => ({
    id: `t${index + 1}`,
    route: "trip",
    input: { wish: `sun ${index}`, budget: random.chance(CHEAP_SHARE) ? PRICE_EUROS : 10 * PRICE_EUROS },
    timeoutMs: random.int(10, 90) * 1_000,
    atMs: random.int(0, 300),
    cancelAtMs: random.chance(ASK_SHARE / 3) ? random.int(0, 4_000) : undefined,
    againAtMs: random.chance(ASK_SHARE) ? random.int(0, 3_000) : undefined,
  }));
}

export const party: Scenario = { name: "party", system: () => partySystem, tasks: partyTasks, strict: true };

/**
 * A trip that a later run completed has all of its effects: the effects that stood were pinned, and those that were undone were performed
 * again.
 */
function whole(world: World): string | undefined {
  const { ledger } = world.outside;
  const completed = new Set(
    world.network.notifications
      .filter(({ topic, data }) => topic.endsWith(".results") && data.status === "completed")
      .map(({ data }) => data.processId),
  );
  const lost = ledger.find(
    (line) =>
      line.what === "applied" &&
      completed.has(line.processId) &&
      !ledger.some(({ about, key }) => about === line.about && key !== undefined && world.outside.stands(key)),
  );
  return lost === undefined ? undefined : `${lost.about} was done and undone and not done again, and ${lost.processId} is completed`;
}

/** Most trips are too expensive, and people decide on the dead letters. */
export const redrive: Scenario = {
  ...party,
  name: "redrive",
  decides: true,
  invariant: whole,
  tasks: (seed) =>
    partyTasks(seed).map((task) =>
      seed % DEAR_PER === 0 ? task : { ...task, input: { wish: "sun", budget: PRICE_EUROS }, cancelAtMs: undefined },
    ),
};

/** The same as the party, and when it is over it is purged. */
export const purge: Scenario = { ...party, name: "purge", purges: true };
