/**
 * @module The system that the live test of the dashboard operates: a shop that sells, asks people for refunds and waits for signals. A sale
 * waits until a file of the run's folder says that the till is open, so that a test sees it run.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { agent, contract, Fault, person, route, system, tool } from "../../agents/index.ts";

const POLL_MS = 50;
const HOUR_MS = 3_600_000;

const Sale = z.object({ item: z.enum(["lamp", "piano"]), pieces: z.int().min(1).max(9) });
const Refund = z.object({ order: z.string(), amount: z.int().positive() });

const book = tool("book", {
  about: "Writes the sale into the books",
  input: Sale,
  output: z.object({ receipt: z.string() }),
  effect: "write",
  run: ({ item, pieces }) => ({ receipt: `${pieces} of ${item}` }),
  undo: () => {},
});

const Till = contract("Till", 1, { about: "Sells what is in the shop", input: Sale, output: z.object({ receipt: z.string() }) });
const Clerk = contract("Clerk", 1, { about: "Pays money back", input: Refund, output: z.object({ paid: z.int() }) });

const till = agent(Till, {
  tools: [book],
  handle: async (sale, ctx) => {
    if (sale.item === "piano") throw new Fault("agent.refused", "the shop has no piano");
    while (!existsSync(join(process.env["TROUPE_TEST_DIR"] ?? "", "till-is-open"))) await sleep(POLL_MS, undefined, { signal: ctx.signal });
    return ctx.call(book, sale);
  },
});
const clerk = agent(Clerk, { handle: ({ amount }) => ({ paid: amount }) });
const manager = person("Manager", {
  about: "Approves refunds",
  input: Refund,
  roles: ["manager"],
  deadlineMs: HOUR_MS,
  onExpiry: "deny",
});

const sell = route("sell", 1, Sale)
  .to("sold", Till, ({ task }) => task)
  .output(({ sold }) => sold);
const refund = route("refund", 1, Refund)
  .to("asked", manager, ({ task }) => task)
  .to("paid", Clerk, ({ task }) => task)
  .output(({ paid }) => paid);
const deliver = route("deliver", 1, z.object({ to: z.string() }))
  .waitFor("driver", z.object({ name: z.string() }))
  .output(({ driver }) => ({ by: driver.name }));

export default system("shop", { agents: [till, clerk, manager], routes: [sell, refund, deliver] });
