/** @module The system that the fuzz asks: one agent that answers or fails, a nested route, a wait, and a list. */
import { z } from "zod";
import { agent, contract, Fault, route, system } from "../../agents/index.ts";

const Order = z.object({ item: z.string().min(1), count: z.int().optional(), more: z.unknown().optional() });
const Till = contract("Till", 1, { input: Order, output: z.object({ paid: z.string() }) });
const till = agent(Till, {
  handle: async ({ item }) => {
    if (item === "none") throw new Fault("agent.refused", `nothing is sold as ${item}`);
    return { paid: item };
  },
});

const order = route("order", 1, Order)
  .to("pay", Till, ({ task }) => task)
  .output(({ pay }) => pay);
const nested = route("nested", 1, Order)
  .to("order", order, ({ task }) => task)
  .output(({ order: paid }) => paid);
const patient = route("patient", 1, Order)
  .waitFor("go", z.object({ ok: z.boolean() }))
  .output(({ go }) => go);
const many = route("many", 1, z.array(Order))
  .forEach(
    "each",
    ({ task }) => task,
    (stop) => stop(Till, ({ item }) => item),
  )
  .output(({ each }) => each);

export default system("fuzzed", { agents: [till], routes: [order, nested, patient, many] });
