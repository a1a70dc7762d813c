/** @module Routing: one agent sorts, and only the agent for that kind works. */
import { agent, contract, model, openai, route, system } from "troupe";
import { z } from "zod";

const Question = z.object({ text: z.string() });
const Kind = z.object({ kind: z.enum(["bill", "fault"]) });
const Advice = z.object({ text: z.string() });

const Sorter = contract("Sorter", 1, { input: Question, output: Kind });
const Bills = contract("Bills", 1, { input: Question, output: Advice });
const Faults = contract("Faults", 1, { input: Question, output: Advice });

const sorter = agent(Sorter, model({ model: "small", instructions: "Say whether the question is about a bill or about a fault." }));
const bills = agent(Bills, model({ model: "small", instructions: "Explain the bill in two sentences." }));
const faults = agent(
  Faults,
  model({ model: "large", instructions: "Find the likely cause of the fault, and name the first thing to try." }),
);

const question = route("question", 1, Question)
  .to("sorted", Sorter, ({ task }) => task)
  .to("bill", Bills, ({ task }) => task, { when: 'sorted.kind == "bill"' })
  .to("fault", Faults, ({ task }) => task, { when: 'sorted.kind == "fault"' })
  .output(({ sorted, bill, fault }) => ({ kind: sorted.kind, bill, fault }));

export default system("routing", {
  agents: [sorter, bills, faults],
  routes: [question],
  models: { small: openai({ model: "gpt-5-nano" }), large: openai({ model: "gpt-5" }) },
});
