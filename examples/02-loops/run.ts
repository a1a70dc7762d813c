/** @module Runs the three systems with a cycle and prints how each ends. `npm run node examples/02-loops/run.ts` */
import { isFault } from "troupe";
import { type LocalOutcome, runLocal } from "troupe/testing";
import { askRing, handOffRing, unbounded } from "./systems.ts";

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function sayHistory({ history }: LocalOutcome): void {
  for (const line of history) say(`   ${line.agent.padEnd(8)} ${line.what}${line.code === undefined ? "" : ` (${line.code})`}`);
}

say("1. A cycle of hand-offs without a bound does not start:");
try {
  unbounded();
} catch (error) {
  if (!isFault(error)) throw error;
  say(`   ${error.code}: ${error.message}`);
}

say("2. The same cycle with a bound starts. A task that makes no progress in it becomes a dead letter:");
const call = await runLocal(handOffRing(), "call", { text: "my order is late" });
sayHistory(call);
say(`   ${call.status}, ${call.fault?.code}: ${call.fault?.message}`);
say(`   dead letter: ${call.deadLetter === undefined ? "none" : "yes, with the message, the history and the path"}`);

say("3. A cycle of asks is rejected before it waits, and the handler that asked receives the fault:");
const riddle = await runLocal(askRing(), "riddle", { text: "who was first?" });
sayHistory(riddle);
say(`   ${riddle.status}: ${JSON.stringify(riddle.output)}`);
