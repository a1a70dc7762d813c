/** @module A refund desk: a model proposes, another checks, plain code pays, and above 1,000 a person decides on the very arguments. */
import { agent, contract, isFault, model, openai, person, route, system, tool } from "troupe";
import { z } from "zod";
import { find, Order, payBack, takeBack } from "./shop.ts";

const HOUR_MS = 3_600_000;

const Claim = z.object({ order: z.string(), mail: z.string() });
const Refund = z.object({ order: z.string(), amount: z.int().positive() });
const Paid = z.object({ amount: z.int(), note: z.string() });

const approver = person("Approver", {
  about: "Approves refunds above 1,000",
  roles: ["clerk"],
  deadlineMs: 24 * HOUR_MS,
  remindMs: 4 * HOUR_MS,
  escalate: [{ afterMs: 8 * HOUR_MS, roles: ["manager"] }],
  onExpiry: "deny",
});

const order = tool("order", {
  about: "What was paid for an order",
  input: z.object({ order: z.string() }),
  output: Order,
  effect: "read",
  run: find,
});
const pay = tool("pay", {
  about: "Pays money back",
  input: Refund,
  output: z.object({ amount: z.int() }),
  effect: "write",
  approve: "input.amount > 1000",
  approver,
  run: payBack,
  undo: takeBack,
});

const Assessor = contract("Assessor", 1, { input: Claim, output: Refund });
const Auditor = contract("Auditor", 1, {
  input: z.object({ input: Claim, output: Refund }),
  output: z.object({ accepted: z.boolean(), reasons: z.array(z.string()) }),
});
const Cashier = contract("Cashier", 1, { input: Refund, output: Paid });

const assessor = agent(Assessor, model({ instructions: "Say how much of the order's price to pay back.", tools: [order] }));
const auditor = agent(Auditor, model({ instructions: "Does the refund fit the mail and what was paid? If not, say why.", tools: [order] }));
const cashier = agent(Cashier, {
  tools: [pay],
  handle: async (refund, ctx) => {
    try {
      const { amount } = await ctx.call(pay, refund);
      return { amount, note: "paid" };
    } catch (error) {
      if (isFault(error) && error.code === "person.denied") return { amount: 0, note: error.message };
      throw error;
    }
  },
});

const refund = route("refund", 1, Claim)
  .to("proposed", Assessor, ({ task }) => task, {
    validate: { rule: "output.order == input.order", by: Auditor, roundsMax: 2, onRefusal: "fail" },
  })
  .to("paid", Cashier, ({ proposed }) => proposed)
  .output(({ paid }) => paid);

export default system("refunds", {
  agents: [assessor, auditor, cashier, approver],
  routes: [refund],
  models: { desk: openai({ model: "gpt-5" }) },
});
