/** @module Runs the five patterns, one after another. `npm run node examples/12-patterns/main.ts` */
import { runLocal } from "troupe/testing";
import { scriptWithoutKey } from "../scripted.ts";
import chaining from "./chaining.ts";
import evaluator from "./evaluator.ts";
import routing from "./routing.ts";
import vote from "./vote.ts";
import workers from "./workers.ts";

const stop = await scriptWithoutKey("12-patterns");
const RUNS = [
  [chaining, "article", { topic: "journals" }],
  [routing, "question", { text: "Why was I billed 20 euro twice?" }],
  [routing, "question", { text: "The lamp does not go on." }],
  [vote, "moderate", { text: "Bicycle for sale, 4,000 km, never used." }],
  [workers, "review", { change: "rename price to cost", files: ["shop.ts", "README.md"] }],
  [evaluator, "write", { about: "our kettle", draft: "", criticism: "" }],
] as const;
for (const [system, route, input] of RUNS) {
  const { status, output, fault, history } = await runLocal(system, route, input);
  const agents = history.filter(({ what }) => what === "asked").map(({ agent }) => agent);
  console.log(`\n${system.name}: ${JSON.stringify(input)}`);
  console.log(`  ${agents.join(" -> ")}`);
  console.log(`  ${status}: ${fault === undefined ? JSON.stringify(output) : fault.message}`);
}
await stop();
