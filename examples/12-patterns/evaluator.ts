/** @module Evaluator and optimiser: one agent writes, another judges; the route calls itself until the text is good, at most four times. */
import { agent, contract, model, openai, route, routeContract, system } from "troupe";
import { z } from "zod";

const ROUNDS_MAX = 4;

const Brief = z.object({ about: z.string(), draft: z.string(), criticism: z.string() });
const Text = z.object({ text: z.string() });
const Judged = z.object({ text: z.string(), good: z.boolean() });

const Writer = contract("Writer", 1, { input: Brief, output: Text });
const Critic = contract("Critic", 1, {
  input: z.object({ about: z.string(), text: z.string() }),
  output: z.object({ good: z.boolean(), criticism: z.string() }),
});
const Latest = contract("Latest", 1, { input: Judged.extend({ later: Judged.nullable() }), output: Judged });

const writer = agent(Writer, model({ model: "writer", instructions: "Write the text, or correct the draft as the criticism says." }));
const critic = agent(
  Critic,
  model({ model: "critic", instructions: "Is the text true, short and about its subject? If not, say what to correct." }),
);
const latest = agent(Latest, { handle: ({ text, good, later }) => later ?? { text, good } });

const Again = routeContract("write", { input: Brief, output: Judged });
const write = route("write", 1, Brief, { visitsMax: ROUNDS_MAX })
  .to("made", Writer, ({ task }) => task)
  .to("judged", Critic, ({ task, made }) => ({ about: task.about, text: made.text }))
  .to("again", Again, ({ task, made, judged }) => ({ about: task.about, draft: made.text, criticism: judged.criticism }), {
    when: "!judged.good",
    optional: true,
  })
  .to("latest", Latest, ({ made, judged, again }) => ({ text: made.text, good: judged.good, later: again }))
  .output(({ latest }) => latest);

export default system("evaluator", {
  agents: [writer, critic, latest],
  routes: [write],
  models: { writer: openai({ model: "gpt-5-mini" }), critic: openai({ model: "gpt-5" }) },
});
