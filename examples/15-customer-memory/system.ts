/** @module A café that knows its guests: an agent for each guest, which remembers what it is told and forgets on request. */
import { agent, contract, model, openai, route, system } from "troupe";
import { z } from "zod";

const Visit = z.object({ guest: z.string(), text: z.string() });
const Waiter = contract("Waiter", 1, { input: Visit, output: z.string(), key: ({ guest }) => guest });

const waiter = agent(
  Waiter,
  model({
    instructions: "You serve one guest of a café. Remember what matters for later visits, and recall it before you advise.",
    memory: { conversation: { tokensMax: 2_000 }, facts: { scope: "key" } },
  }),
);

const visit = route("visit", 1, Visit, { timeoutMs: 300_000 })
  .to("said", Waiter, ({ task }) => task)
  .output(({ said }) => said);

export default system("cafe", { agents: [waiter], routes: [visit], models: { waiter: openai({ model: "gpt-5-mini" }) } });
