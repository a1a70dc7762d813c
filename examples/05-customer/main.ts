/**
 * @module Runs tasks for the same customers, in sequence and at once; prints what agents remember.
 * `npm run node examples/05-customer/main.ts`
 */
import { type LocalOutcome, startLocal } from "troupe/testing";
import { z } from "zod";
import customers from "./system.ts";

const CENTS = 4_000;
const AT_ONCE_COUNT = 50;
const Receipt = z.object({ purchase: z.int(), pays: z.int(), spentSoFar: z.int() });

const shop = startLocal(customers);

function say(name: string, { output }: LocalOutcome): void {
  const { purchase, pays, spentSoFar } = Receipt.parse(output);
  console.log(`  ${name} buys for ${CENTS}: purchase ${purchase}, pays ${pays}, ${spentSoFar} so far`);
}

console.log("1. In sequence: the agent of each customer remembers earlier purchases");
for (const name of ["ann", "ann", "bob", "ann", "ann"]) say(name, await shop.run("purchase", { customer: name, cents: CENTS }));

console.log(`2. ${AT_ONCE_COUNT} tasks at once for one customer: each sees the state of the previous one`);
const outcomes = await Promise.all(Array.from({ length: AT_ONCE_COUNT }, () => shop.run("purchase", { customer: "cyd", cents: CENTS })));
const receipts = outcomes.map(({ output }) => Receipt.parse(output)).toSorted((a, b) => a.purchase - b.purchase);
const numbers = new Set(receipts.map(({ purchase }) => purchase));
console.log(
  `  purchase numbers: ${receipts.at(0)?.purchase} to ${receipts.at(-1)?.purchase}, each once: ${numbers.size === AT_ONCE_COUNT}`,
);
console.log(
  `  full price: ${receipts.filter(({ pays }) => pays === CENTS).length}, 10 % off: ${receipts.filter(({ pays }) => pays < CENTS).length}`,
);
console.log(`  total paid: ${receipts.reduce((sum, { pays }) => sum + pays, 0)}, and the agent's total: ${receipts.at(-1)?.spentSoFar}`);

await shop.stop();
