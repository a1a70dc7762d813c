/** @module A support desk: triage, a refund that is undone if the task fails, a hand-off to advice, and an answer. */
import { agent, contract, model, openai, route, system, tool } from "troupe";
import { z } from "zod";
import { payBack, takeBack } from "./bank.ts";

const Claim = z.object({ orderId: z.string(), cents: z.int(), complaint: z.string() });
const Triage = contract("Triage", 1, { input: z.string(), output: Claim });
const Refunds = contract("Refunds", 1, { input: Claim, output: z.string() });
const Advice = contract("Advice", 1, { input: Claim, output: z.string() });
const Writer = contract("Writer", 1, { input: z.object({ mail: z.string(), done: z.string() }), output: z.string() });

const refund = tool("refund", { about: "Pays back", input: Claim, output: z.string(), effect: "write", run: payBack, undo: takeBack });
const triage = agent(Triage, model({ instructions: "Read the mail: order, cents claimed (0 if none), complaint." }));
const refunds = agent(Refunds, model({ instructions: "Refund it; without cents: to Advice.", tools: [refund], handsOffTo: [Advice] }));
const advice = agent(Advice, model({ instructions: "Say what the customer can do about the complaint." }));
const writer = agent(Writer, model({ instructions: "Answer the mail in a friendly letter that says what was done." }));

const mail = route("mail", 1, z.string(), { timeoutMs: 300_000 })
  .to("claim", Triage, ({ task }) => task)
  .to("done", Refunds, ({ claim }) => claim)
  .to("letter", Writer, ({ task, done }) => ({ mail: task, done }))
  .output(({ letter }) => letter);
export default system("desk", { agents: [triage, refunds, advice, writer], routes: [mail], models: { desk: openai({ model: "gpt-5" }) } });
