/**
 * @module Routes and handlers that wait: pauses, timers and signals from outside. Clients signal early, late, twice, or never.
 */
import { z } from "zod";
import { agent } from "../../agents/agent.ts";
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
const DOES = ["sleep", "signal", "both", "optional"] as const;
const NAMES = ["go", "approved"] as const;

/** What a signal carries: its own id, so that a wait can be held against the signal that ended it. */
const Payload = z.object({ signalId: z.string() });
const Job = z.object({ customer: z.string(), tag: z.string(), do: z.enum(DOES), ms: z.int() });
const Approver = contract("Approver", 1, {
  input: Job,
  output: z.object({ tag: z.string(), counted: z.int() }),
  key: ({ customer }) => customer,
});

const request = effectTool("request");
const carryOut = effectTool("carryOut");

const approver = agent(Approver, {
  tools: [request, carryOut],
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
    await ctx.call(carryOut, { about: `${about}/carryOut` });
    return { tag: job.tag, counted };
  },
  undo: (_input, output, ctx) => {
    if (output !== undefined) uncountOn(ctx);
  },
});

const Task = z.object({ customer: z.string(), do: z.enum(DOES), ms: z.int() });
const approval = route("approval", 1, Task)
  .to("first", Approver, ({ task }) => ({ customer: task.customer, tag: "first", do: task.do, ms: task.ms }), { timeoutMs: 4_000 })
  .sleep("pause", ({ task }) => task.ms)
  .waitFor("go", Payload, { timeoutMs: 2 * WAIT_MS_MAX })
  .to("last", Approver, ({ task }) => ({ customer: task.customer, tag: "last", do: task.do, ms: task.ms }), { timeoutMs: 4_000 })
  .output(({ go }) => go);
const made: System = system("waits", { agents: [approver], routes: [approval] });

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
