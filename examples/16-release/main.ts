/** @module Forty questions while a canary has a share of 30 %, and what stops it. `npm run node examples/16-release/main.ts` */
import { readFileSync } from "node:fs";
import { startLocal, type StartLocalOptions } from "troupe/testing";
import { scriptWithoutKey } from "../scripted.ts";
import system from "./system.ts";

const TASKS = 40;

const releases = JSON.parse(readFileSync(new URL("releases.json", import.meta.url), "utf8")) as StartLocalOptions["releases"];
const stop = await scriptWithoutKey("16-release");
const desk = startLocal(system, releases === undefined ? {} : { releases });

for (let number = 1; number <= TASKS; number += 1) {
  const orderId = `KT-${1_000 + number}`;
  const { output } = await desk.run("ask", { orderId, text: "When does it arrive?" }, { id: `question-${number}` });
  const { versions, ungrounded } = (await desk.list()).find(({ id }) => id === `question-${number}`) ?? {};
  if (ungrounded !== undefined)
    console.log(`question-${number}, ${versions}: ${JSON.stringify(output)}\n  claims without evidence: ${ungrounded}`);
}

const [release] = (await desk.releases()).releases;
console.log(`canary: ${release?.canary}${release?.stopped === undefined ? "" : `, ${release.stopped.why}`}`);
for (const { part, version, processes } of release?.counts ?? []) console.log(`${part} ${version}: ${processes} processes`);
await desk.stop();
await stop();
