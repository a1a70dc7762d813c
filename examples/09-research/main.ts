/** @module Two questions for the research team; the second one ends at the budget. `npm run node examples/09-research/main.ts` */
import { startLocal } from "troupe/testing";
import { scriptWithoutKey } from "../scripted.ts";
import system from "./system.ts";

const QUESTIONS = ["Should the town bring its ferry back?", "What is everything that the archive says?"];

const stop = await scriptWithoutKey("09-research");
const team = startLocal(system);
for (const [index, question] of QUESTIONS.entries()) {
  const id = `question-${index + 1}`;
  const { status, output, fault } = await team.run("research", { question }, { id });
  console.log(`\n${question}\n  ${status}: ${fault === undefined ? JSON.stringify(output, undefined, 2) : fault.message}`);
  const { budget } = await team.show(id);
  for (const { agent, toolCalls, models } of budget?.spent.by ?? [])
    for (const { model, modelCalls, inputTokens, outputTokens } of models)
      console.log(`  ${agent} on ${model}: model calls ${modelCalls}, tokens ${inputTokens + outputTokens}, tool calls ${toolCalls}`);
  console.log(`  left: ${JSON.stringify(budget?.left)}`);
}
await team.stop();
await stop();
