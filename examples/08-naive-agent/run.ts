/** @module Simulates both shops: the naive one charges a card twice, and the trace shows why. */
import { simulate } from "troupe/testing";
import { careful, naive } from "./shop.ts";

const SEEDS = 300;
const tasks = [{ route: "sale", input: { order: "book", amount: 30 } }];
const seed = process.argv[2];
const seeds = seed === undefined ? SEEDS : [Number(seed)];

const first = await simulate(naive, { tasks, seeds, command: "node examples/08-naive-agent/run.ts {seed}" });
console.log(first.report ?? `the naive shop: ${first.runs} runs, nothing found`);
if (seed === undefined) {
  const second = await simulate(careful, { tasks, seeds });
  console.log(`\n${second.report ?? `the careful shop: ${second.runs} runs, nothing found`}`);
}
