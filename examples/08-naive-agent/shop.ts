/** @module A shop that charges cards: once naively, and once correctly. */
import { agent, contract, route, system } from "troupe";
import { outside } from "troupe/testing";
import { z } from "zod";

const Order = z.object({ order: z.string(), amount: z.int() });

/** The payment service without idempotency keys: each call takes money. */
const charge = outside("charge", (order: string, amount: number) => `receipt for ${amount} of ${order}`);
/** The same service with an idempotency key: it takes money once per key. */
const chargeOnce = outside("charge", (order: string, amount: number, key: string) => `receipt for ${amount} of ${order} (${key})`, {
  key: (_order, _amount, key) => key,
});

const Till = contract("Till", 1, { input: Order, output: z.object({ receipt: z.string() }) });
const Mail = contract("Mail", 1, { input: z.object({ receipt: z.string() }), output: z.object({ sent: z.boolean() }) });

/** Naive: the handler makes the call directly, like any function call. */
const naiveTill = agent(Till, { handle: async ({ order, amount }) => ({ receipt: await charge(order, amount) }) });
/** Correct: a step is recorded once, and its key makes a retry harmless. */
const carefulTill = agent(Till, {
  handle: async ({ order, amount }, ctx) => ({
    receipt: await ctx.step("charge", (step) => chargeOnce(order, amount, step.idempotencyKey)),
  }),
});
const mail = agent(Mail, { handle: () => ({ sent: true }) });

const sale = route("sale", 1, Order)
  .to("till", Till, ({ task }) => task, { timeoutMs: 5_000 })
  .to("mail", Mail, ({ till }) => till)
  .output(({ till }) => till.receipt);

export const naive = system("shop", { agents: [naiveTill, mail], routes: [sale] });
export const careful = system("shop", { agents: [carefulTill, mail], routes: [sale] });
