/** @module Orchestrator and workers: an agent divides the work, others do the parts in parallel, and a last one joins them. */
import { agent, contract, model, openai, route, system } from "troupe";
import { z } from "zod";

const Change = z.object({ change: z.string(), files: z.array(z.string()) });
const Part = z.object({ file: z.string(), todo: z.string() });
const Note = z.object({ file: z.string(), note: z.string() });

const Lead = contract("Lead", 1, { input: Change, output: z.object({ parts: z.array(Part) }) });
const Worker = contract("Worker", 1, { input: Part, output: Note });
const Joiner = contract("Joiner", 1, {
  input: z.object({ change: z.string(), notes: z.array(Note) }),
  output: z.object({ review: z.string() }),
});

const lead = agent(Lead, model({ instructions: "Name the files that the change concerns, and what to look at in each." }));
const worker = agent(Worker, model({ instructions: "Look at this one file, and note what must change." }));
const joiner = agent(Joiner, model({ instructions: "Join the notes to one review; name contradictions between them." }));

const review = route("review", 1, Change, { budget: { modelCalls: 20 } })
  .to("plan", Lead, ({ task }) => task)
  .forEach(
    "notes",
    ({ plan }) => plan.parts,
    (stop) => stop(Worker, ({ item }) => item),
    { concurrency: 4 },
  )
  .to("joined", Joiner, ({ task, notes }) => ({ change: task.change, notes }))
  .output(({ joined }) => joined);

export default system("workers", {
  agents: [lead, worker, joiner],
  routes: [review],
  models: { reviewer: openai({ model: "gpt-5-mini" }) },
});
