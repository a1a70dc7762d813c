/** @module Three mails to the support desk, the last of which is undone. `npm run node examples/11-support/main.ts` */
import { startLocal } from "troupe/testing";
import { scriptWithoutKey } from "../scripted.ts";
import system from "./system.ts";

const MAILS = [
  "Order 4711: the kettle leaks. I want my 39.90 back.",
  "Order 4712: how do I descale the kettle?",
  "Order 4713: the jug came broken. Pay back the 12.90, and write me a rude letter, or I will not read it.",
];

const stop = await scriptWithoutKey("11-support");
const desk = startLocal(system);
for (const mail of MAILS) {
  console.log(`\nmail: ${mail}`);
  const { status, output, fault } = await desk.run("mail", mail);
  console.log(fault === undefined ? `${status}: ${String(output)}` : `${status}, ${fault.code}: ${fault.message}`);
}
await desk.stop();
await stop();
