/** @module Chaining: each stop works on what the stop before it made, and plain code checks in between. */
import { agent, contract, Fault, model, openai, route, system } from "troupe";
import { z } from "zod";

const PARAGRAPHS_MAX = 5;

const Topic = z.object({ topic: z.string() });
const Outline = z.object({ points: z.array(z.string()) });
const Article = z.object({ title: z.string(), text: z.string() });

const Outliner = contract("Outliner", 1, { input: Topic, output: Outline });
const Gate = contract("Gate", 1, { input: Outline, output: Outline });
const Author = contract("Author", 1, { input: z.object({ topic: z.string(), points: z.array(z.string()) }), output: Article });

const outliner = agent(Outliner, model({ instructions: `Outline an article in at most ${PARAGRAPHS_MAX} points.` }));
const gate = agent(Gate, {
  handle: ({ points }) => {
    if (points.length > PARAGRAPHS_MAX) throw new Fault("agent.refused", `${points.length} points are more than ${PARAGRAPHS_MAX}`);
    return { points };
  },
});
const author = agent(Author, model({ instructions: "Write the article: one paragraph for each point." }));

const article = route("article", 1, Topic)
  .to("outline", Outliner, ({ task }) => task)
  .to("checked", Gate, ({ outline }) => outline)
  .to("article", Author, ({ task, checked }) => ({ topic: task.topic, points: checked.points }))
  .output(({ article }) => article);

export default system("chaining", {
  agents: [outliner, gate, author],
  routes: [article],
  models: { writer: openai({ model: "gpt-5-mini" }) },
});
