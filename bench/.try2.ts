import { appendFileSync, readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { findDapr } from "../cli/dapr/index.ts";
import { startTroupe } from "./targets/troupe.ts";
import { Load } from "./load.ts";
import { summarise } from "./stats.ts";
import { Watched } from "./watch.ts";
import { cpuSeconds, cpuBetween, settle } from "./proc.ts";
const binaries = await findDapr(); if (!binaries) throw new Error("none");
for (const profile of (process.argv[2] ?? "redis-everysec").split(",") as any[]) {
  let got: Watched | undefined;
  const t = await startTroupe({ dir: await mkdtemp("/tmp/bt-"), log: (s,l)=>appendFileSync("/tmp/bt.log",s+" "+l+"\n"), binaries, profile, env: { BENCH_WATCH: "/tmp/bw.json" }, onAppLine: (l) => console.log(l.slice(0,500)) });
  try {
  const load = new Load(t.scenario, 32);
  console.log((await load.run(8, 3)).errors.slice(0,2));
  for (const c of [1,32]) { process.kill(t.app.pid, "SIGUSR2"); await sleep(200); const b=cpuSeconds(t.processes()); const r=await load.run(c,4); await settle(t.processes(),3000); const cpu=cpuBetween(b,cpuSeconds(t.processes())); console.log(c, summarise([r]), r.errors[0], cpu);
   process.kill(t.app.pid, "SIGUSR2"); await sleep(500); got = Watched.parse(JSON.parse(readFileSync("/tmp/bw.json","utf8"))); const n=r.latenciesMs.length;
   if (got) { const g=got as Watched; console.log("busy",g.loopBusy,"delay",g.loopDelayP99Ms); for (const k of g.kinds.sort((a,b)=>b.count-a.count)) console.log(k.way.padEnd(4), k.kind.padEnd(50), (k.count/n).toFixed(2).padStart(7), (k.sumMs/k.count).toFixed(2).padStart(8)+" ms", (k.bytes/k.count).toFixed(0).padStart(8)+" B");
     if (c===1) { const tl=g.timelines.filter(x=>x.length>5).sort((a,b)=>a.find(x=>x.kind==="task")!.endMs-b.find(x=>x.kind==="task")!.endMs); const m=tl[Math.floor(tl.length/2)]!; for (const x of m) console.log(x.startMs.toFixed(2).padStart(8), x.endMs.toFixed(2).padStart(8), (x.endMs-x.startMs).toFixed(2).padStart(7), x.way.padEnd(4), x.kind); } }
  }
  await load.close(); } finally { await t.stop(); }
}
