/** @module A shop of two agents: the till charges a card, and what the van cannot carry is refunded. */
import { agent, contract, Fault, route, system, tool } from "troupe";
import { z } from "zod";
import { chargeCard, refundCard } from "./bank.ts";

const Order = z.strictObject({ item: z.string(), cents: z.int() });
const Till = contract("Till", 1, { input: Order, output: z.string() });
const Van = contract("Van", 1, { input: Order, output: z.string() });

const charge = tool("charge", { input: Order, output: z.string(), effect: "write", run: chargeCard, undo: refundCard });
const till = agent(Till, { tools: [charge], handle: (order, ctx) => ctx.call(charge, order) });
const van = agent(Van, {
  handle: ({ item }) => {
    if (item === "piano") throw new Fault("agent.refused", "a piano is too heavy for the van");
    return "Monday";
  },
});

const sale = route("sale", 1, Order)
  .to("receipt", Till, ({ task }) => task)
  .to("day", Van, ({ task }) => task)
  .output(({ receipt, day }) => ({ receipt, day }));

export default system("shop", { agents: [till, van], routes: [sale] });
