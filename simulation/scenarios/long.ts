/**
 * @module Long-lived actors with state over many tasks, and snapshots that are taken often.
 */
import { z } from "zod";
import { agent } from "../../agents/agent.ts";
import { contract } from "../../agents/contract.ts";
import { route } from "../../agents/route.ts";
import { type System, system } from "../../agents/system.ts";
import type { SimTask } from "../people/client.ts";
import { Random, STREAM } from "../world/random.ts";
import type { Scenario } from "../run.ts";
import { COUNT, countOn } from "./counting.ts";
import { effectTool } from "./party.ts";

const ITEMS_MAX = 12;
const TASKS_MAX = 4;

const Entry = z.object({ customer: z.string(), what: z.string() });
const Ledger = contract("Ledger", 1, { input: Entry, output: z.object({ counted: z.int() }), key: ({ customer }) => customer });
const Book = z.object({ ...COUNT, lines: z.array(z.string()) });
const LINES_MAX = 5;

const enter = effectTool("enter");
const ledger = agent(Ledger, {
  tools: [enter],
  state: { schema: Book, initial: { count: 0, lines: [] } },
  handle: async ({ what }, ctx) => {
    await ctx.call(enter, { about: `${ctx.processId}/${what}` });
    const counted = countOn(ctx);
    ctx.setState({ ...ctx.state, lines: [...ctx.state.lines, what].slice(-LINES_MAX) });
    return { counted };
  },
});

const Task = z.object({ customer: z.string(), items: z.array(z.string()) });
const entries = route("entries", 1, Task)
  .forEach(
    "lines",
    ({ task }) => task.items,
    (stop) => stop(Ledger, ({ task, item }) => ({ customer: task.customer, what: item }), { timeoutMs: 15_000 }),
    { concurrency: 3 },
  )
  .output(({ lines }) => lines);
const made: System = system("long", { agents: [ledger], routes: [entries] });

function tasksOf(seed: number): readonly SimTask[] {
  const random = new Random(seed, STREAM.system + 1);
  return Array.from({ length: random.int(1, TASKS_MAX) }, (_, index): SimTask => ({
    id: `t${index + 1}`,
    route: "entries",
    input: { customer: `c${random.int(1, 2)}`, items: Array.from({ length: random.int(1, ITEMS_MAX) }, (_item, item) => `line${item}`) },
    timeoutMs: 120_000,
    atMs: random.int(0, 2_000),
  }));
}

const SNAPSHOT_BYTES = 2_048;
const BATCH_RECORDS = 4;

/** Many records, small snapshots, few settled work items in the state. */
export const long: Scenario = {
  name: "long",
  system: () => made,
  tasks: tasksOf,
  strict: true,
  limits: {
    snapshotBytesMin: SNAPSHOT_BYTES,
    snapshotRecordsToStateRatio: 1,
    loadFirstRecords: BATCH_RECORDS - 1,
    loadBatchRecords: BATCH_RECORDS,
    agentSettledMax: 2 * BATCH_RECORDS,
    agentLeavingMax: BATCH_RECORDS,
  },
};
