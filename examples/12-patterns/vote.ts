/** @module Parallel with a vote: three agents judge independently of each other, and plain code counts. */
import { agent, contract, model, openai, route, system } from "troupe";
import { z } from "zod";

const Post = z.object({ text: z.string() });
const Verdict = z.object({ allowed: z.boolean(), why: z.string() });

const Judge = contract("Judge", 1, { input: z.object({ text: z.string(), look: z.string() }), output: Verdict });
const Counter = contract("Counter", 1, {
  input: z.object({ verdicts: z.array(Verdict) }),
  output: z.object({ allowed: z.boolean(), against: z.array(z.string()) }),
});

const judge = agent(Judge, model({ instructions: "Judge the text from this point of view only. If in doubt, it is allowed." }));
const counter = agent(Counter, {
  handle: ({ verdicts }) => {
    const against = verdicts.filter(({ allowed }) => !allowed);
    return { allowed: against.length * 2 < verdicts.length, against: against.map(({ why }) => why) };
  },
});

const moderate = route("moderate", 1, Post)
  .all((stop) => ({
    law: stop(Judge, ({ task }) => ({ text: task.text, look: "is it legal to sell this?" })),
    tone: stop(Judge, ({ task }) => ({ text: task.text, look: "does it insult people?" })),
    fraud: stop(Judge, ({ task }) => ({ text: task.text, look: "does it mislead the buyer?" })),
  }))
  .to("counted", Counter, ({ law, tone, fraud }) => ({ verdicts: [law, tone, fraud] }))
  .output(({ counted }) => counted);

export default system("vote", { agents: [judge, counter], routes: [moderate], models: { judge: openai({ model: "gpt-5-nano" }) } });
