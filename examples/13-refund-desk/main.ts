/** @module Three claims: one is small, one is escalated and edited, one is denied. `npm run node examples/13-refund-desk/main.ts` */
import { startLocal } from "troupe/testing";
import { scriptWithoutKey } from "../scripted.ts";
import { people } from "./people.ts";
import system from "./system.ts";

const CLAIMS = [
  { order: "4711", mail: "The kettle leaks. I want my money back." },
  { order: "4712", mail: "One of the two sofas came torn. I want 2,400." },
  { order: "4713", mail: "I have come to dislike the colour of the piano. Pay it back." },
];

/** People take their time: a task lives an hour unless its submission says otherwise. */
const TASK_MS = 48 * 3_600_000;

const stop = await scriptWithoutKey("13-refund-desk");
const desk = startLocal(system, { people });
for (const claim of CLAIMS) {
  console.log(`\norder ${claim.order}: ${claim.mail}`);
  const { status, output, fault, history } = await desk.run("refund", claim, { id: `refund-${claim.order}`, timeoutMs: TASK_MS });
  for (const { what, stop: at } of history) if (/request|accepted|sent back/.test(what)) console.log(`  ${at}: ${what}`);
  console.log(fault === undefined ? `${status}: ${JSON.stringify(output)}` : `${status}, ${fault.code}: ${fault.message}`);
}
await desk.stop();
await stop();
