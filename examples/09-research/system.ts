/** @module A research team: a lead divides a question, researchers work in parallel, an editor joins; all spend from one budget. */
import { agent, contract, model, openai, route, system, tool } from "troupe";
import { z } from "zod";
import { find, Note } from "./library.ts";

const PARTS_MAX = 6;
const AT_ONCE_MAX = 3;
/** A model may take its time, and may have to be asked again. */
const MODEL_MS = 600_000;

const Question = z.object({ question: z.string() });
const Part = z.object({ question: z.string() });
const Finding = z.object({ answer: z.string(), sources: z.array(z.string()) });

const Lead = contract("Lead", 1, { input: Question, output: z.object({ parts: z.array(Part).max(PARTS_MAX) }) });
const Researcher = contract("Researcher", 1, { input: Part, output: Finding });
const Editor = contract("Editor", 1, { input: z.object({ question: z.string(), findings: z.array(Finding) }), output: Finding });

const archive = tool("archive", {
  about: "Finds notes in the town archive by words.",
  input: z.object({ query: z.string() }),
  output: z.array(Note),
  effect: "read",
  // The notes are the town's own.
  untrusted: false,
  run: find,
});

const lead = agent(
  Lead,
  model({ model: "large", instructions: `Divide the question into 2 to ${PARTS_MAX} parts that can be answered apart from each other.` }),
);
const researcher = agent(
  Researcher,
  model({
    model: "small",
    instructions: "Answer from the archive only, and name the titles of the notes that you used.",
    tools: [archive],
    // A number that stands in no note goes back to the model.
    grounding: "refuse",
  }),
);
const editor = agent(
  Editor,
  model({
    model: "large",
    instructions: "Answer the question from the findings. Name the sources. Say what is not known.",
    grounding: "count",
  }),
);

const research = route("research", 1, Question, { budget: { tokens: 60_000, modelCalls: 16 }, timeoutMs: MODEL_MS })
  .to("plan", Lead, ({ task }) => task)
  .forEach(
    "findings",
    ({ plan }) => plan.parts,
    (stop) => stop(Researcher, ({ item }) => item),
    { concurrency: AT_ONCE_MAX },
  )
  .to("report", Editor, ({ task, findings }) => ({ question: task.question, findings }))
  .output(({ report }) => report);

export default system("research", {
  agents: [lead, researcher, editor],
  routes: [research],
  models: { large: openai({ model: "gpt-5" }), small: openai({ model: "gpt-5-mini" }) },
});
