/** @module A question for the research team, and what it cost. `npm run node examples/09-research/main.ts` */
import { startLocal } from "troupe/testing";
import { scriptWithoutKey } from "../scripted.ts";
import system from "./system.ts";

const question = "Should the town bring its ferry back?";

const stop = await scriptWithoutKey("09-research");
const team = startLocal(system);
const { status, output, fault } = await team.run("research", { question });
console.log(status, fault === undefined ? output : fault.message);
await team.stop();
await stop();
