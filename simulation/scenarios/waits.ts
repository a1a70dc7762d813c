/**
 * @module Routes and handlers that wait: pauses, timers and signals from outside. Clients signal early, late, twice, or never.
 */
import { z } from "zod";
import { agent } from "../../agents/agent.ts";
import type { BaseContext } from "../../agents/context.ts";
import { contract } from "../../agents/contract.ts";
import { route } from "../../agents/route.ts";
import { type System, system } from "../../agents/system.ts";
import { isFault } from "../../runtime/faults.ts";
import type { SimSignal, SimTask } from "../people/client.ts";
import type { Scenario } from "../run.ts";
import { Random, STREAM } from "../world/random.ts";
import { COUNT, countOn, uncountOn } from "./counting.ts";
import { effectTool } from "./party.ts";

const TASKS_MAX = 2;
const WAIT_MS_MAX = 6_000;
const SIGNALS_MAX = 3;
const CHAIN_LINKS = 2;
/** Long enough for a handler that does not come to its records again to be found. */
const STOP_MS = 15_000;
const DOES = ["sleep", "signal", "both", "optional", "race", "race", "chains"] as const;
const NAMES = ["go", "approved"] as const;

/** What a signal carries: its own id, so that a wait can be held against the signal that ended it. */
const Payload = z.object({ signalId: z.string() });
const Job = z.object({ customer: z.string(), tag: z.string(), do: z.enum(DOES), ms: z.int() });
const Approver = contract("Approver", 1, {
  input: Job,
  output: z.object({ tag: z.string(), counted: z.int() }),
  key: ({ customer }) => customer,
});

const Clerk = contract("Clerk", 1, { input: z.object({ about: z.string(), ms: z.int() }), output: z.string() });

const request = effectTool("request");
const look = effectTool("look");
const check = effectTool("check");
const carryOut = effectTool("carryOut");

/** Answers after a time, and does something before and after it. */
const clerk = agent(Clerk, {
  tools: [look],
  handle: async ({ about, ms }, ctx) => {
    await ctx.call(look, { about: `${about}/look` });
    await ctx.sleep(ms);
    await ctx.call(look, { about: `${about}/look again` });
    return "clerk";
  },
});

type Approving = BaseContext<typeof Clerk, never, typeof check>;

/** Each winner leads to another call, so an execution with another winner than the first is found. */
async function race(about: string, ms: number, ctx: Approving): Promise<void> {
  const half = Math.ceil(ms / 2);
  const asked = ctx.ask(Clerk, { about, ms: half });
  const later = async (name: string): Promise<string> => Promise.resolve(name);
  const first = await Promise.race([
    asked,
    ctx.call(check, { about: `${about}/check` }).then(() => ctx.sleep(half).then(() => "check")),
    ctx.sleep(Math.ceil(half / 2)).then(() => later("pause")),
    ctx.sleep(half).then(() => "long pause"),
  ]);
  await ctx.call(check, { about: `${about}/${first} came first` });
  const second = await Promise.race([asked, ctx.sleep(half).then(() => "pause")]);
  await ctx.call(check, { about: `${about}/${second} came second` });
  for (let n = 0; n < CHAIN_LINKS; n += 1) {
    await ctx.sleep(half);
    await ctx.call(check, { about: `${about}/later${n}` });
  }
}

/** Chains of waits and calls beside each other, all of which are waited for. */
async function chains(about: string, ms: number, ctx: Approving): Promise<void> {
  const order: string[] = [];
  const chain = async (name: string, pause: number): Promise<void> => {
    for (let n = 0; n < CHAIN_LINKS; n += 1) {
      await ctx.sleep(pause);
      order.push(name);
      await ctx.call(check, { about: `${about}/${name}${n}` });
    }
  };
  await Promise.all([chain("a", Math.ceil(ms / 8)), chain("b", Math.ceil(ms / 6)), ctx.ask(Clerk, { about, ms: Math.ceil(ms / 4) })]);
  await ctx.call(check, { about: `${about}/${order.join("")}` });
}

const approver = agent(Approver, {
  tools: [request, carryOut, check],
  asks: [Clerk],
  state: { schema: z.object(COUNT), initial: { count: 0 } },
  handle: async (job, ctx) => {
    const about = `${ctx.processId}/${job.tag}`;
    const counted = countOn(ctx);
    await ctx.call(request, { about: `${about}/request` });
    const pause = (): Promise<void> => ctx.sleep(job.ms);
    const approval = (): Promise<unknown> => ctx.waitFor("approved", Payload, { timeoutMs: job.ms });
    if (job.do === "sleep") await pause();
    if (job.do === "signal") await approval();
    if (job.do === "both") await Promise.all([pause(), approval()]);
    if (job.do === "optional")
      await approval().catch((error: unknown) => {
        if (!isFault(error) || error.code !== "wait.timeout") throw error;
      });
    if (job.do === "race") await race(about, job.ms, ctx);
    if (job.do === "chains") await chains(about, job.ms, ctx);
    await ctx.call(carryOut, { about: `${about}/carryOut` });
    return { tag: job.tag, counted };
  },
  undo: (_input, output, ctx) => {
    if (output !== undefined) uncountOn(ctx);
  },
});

const Task = z.object({ customer: z.string(), do: z.enum(DOES), ms: z.int() });
const approval = route("approval", 1, Task)
  .to("first", Approver, ({ task }) => ({ customer: task.customer, tag: "first", do: task.do, ms: task.ms }), { timeoutMs: STOP_MS })
  .sleep("pause", ({ task }) => task.ms)
  .waitFor("go", Payload, { timeoutMs: 2 * WAIT_MS_MAX })
  .to("last", Approver, ({ task }) => ({ customer: task.customer, tag: "last", do: task.do, ms: task.ms }), { timeoutMs: STOP_MS })
  .output(({ go }) => go);
const made: System = system("waits", { agents: [approver, clerk], routes: [approval] });

function signalsOf(random: Random): readonly SimSignal[] {
  return NAMES.flatMap((name) =>
    Array.from({ length: random.int(0, SIGNALS_MAX) }, (_, index): SimSignal => ({
      name,
      signalId: `${name}-${index}`,
      atMs: random.int(0, 3 * WAIT_MS_MAX),
      againAtMs: random.chance(0.4) ? random.int(0, 4 * WAIT_MS_MAX) : undefined,
    })),
  );
}

function tasksOf(seed: number): readonly SimTask[] {
  const random = new Random(seed, STREAM.system + 1);
  return Array.from({ length: random.int(1, TASKS_MAX) }, (_, index): SimTask => ({
    id: `t${index + 1}`,
    route: "approval",
    input: { customer: `c${random.int(0, 1)}`, do: random.pick(DOES), ms: random.int(100, WAIT_MS_MAX) },
    timeoutMs: random.int(20, 90) * 1_000,
    atMs: random.int(0, 600),
    cancelAtMs: random.chance(0.1) ? random.int(0, 10_000) : undefined,
    signals: signalsOf(random),
  }));
}

/** Waits of routes and of handlers. */
export const waits: Scenario = { name: "waits", system: () => made, tasks: tasksOf, strict: true };
