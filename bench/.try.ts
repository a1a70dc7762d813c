import { appendFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { findDapr } from "../cli/dapr/index.ts";
import { startTroupe } from "./targets/troupe.ts";
import { Load } from "./load.ts";
import { summarise } from "./stats.ts";
import { cpuSeconds, cpuBetween, settle } from "./proc.ts";
const binaries = await findDapr(); if (!binaries) throw new Error("none");
for (const profile of ["redis-everysec","embedded"] as const) {
  const t0=performance.now();
  const t = await startTroupe({ dir: await mkdtemp("/tmp/bt-"), log: (s,l)=>appendFileSync("/tmp/bt.log",s+" "+l+"\n"), binaries, profile });
  try {
  console.log(t.name, "started", performance.now()-t0);
  const load = new Load(t.scenario, 32);
  console.log((await load.run(8, 3)).errors.slice(0,2));
  for (const c of [1,32]) { const b=cpuSeconds(t.processes()); const r=await load.run(c,4); await settle(t.processes(),3000); const cpu=cpuBetween(b,cpuSeconds(t.processes())); console.log(c, summarise([r]), r.errors[0], cpu); }
  await load.close(); } finally { await t.stop(); }
}
