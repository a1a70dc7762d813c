/** @module A clerk with two versions of its prompt: a canary gets a part of the tasks, and is stopped when its answers have no evidence. */
import { agent, contract, model, openai, route, system, tool } from "troupe";
import { z } from "zod";

const Question = z.object({ orderId: z.string(), text: z.string() });
const Order = z.object({ orderId: z.string(), item: z.string(), cents: z.int(), arrives: z.string() });
const Clerk = contract("Clerk", 1, { input: Question, output: z.string() });

const order = tool("order", {
  about: "Reads an order",
  input: z.object({ orderId: z.string() }),
  output: Order,
  effect: "read",
  // The shop's own records.
  untrusted: false,
  run: ({ orderId }) => ({ orderId, item: "kettle", cents: 3_990, arrives: "2026-12-04" }),
});

const clerk = agent(
  Clerk,
  model({
    instructions: {
      v1: "Answer the question from the order, in one sentence.",
      v2: "Answer the question from the order, warmly and at length.",
    },
    prompt: "v1",
    tools: [order],
    // What stands neither in the question nor in the order is counted, see releases.json.
    grounding: "count",
  }),
);

const ask = route("ask", 1, Question)
  .to("answer", Clerk, ({ task }) => task)
  .output(({ answer }) => answer);

export default system("clerks", { agents: [clerk], routes: [ask], models: { desk: openai({ model: "gpt-5-mini" }) } });
