/**
 * @module `node bench/profile.ts`: our side alone, and where its time goes: HTTP calls by kind, the timeline of one process, CPU of every
 * program, and the functions of the app.
 */
import { readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ensureDapr } from "../cli/dapr/index.ts";
import { Bed } from "./bed.ts";
import { type CpuProfile, readCpuProfile, type Share } from "./cpu-profile.ts";
import { Load } from "./load.ts";
import { describeMachine } from "./machine.ts";
import { list, oneOf, whole } from "./options.ts";
import { cpuBetween, cpuSeconds, residentMib, settle } from "./proc.ts";
import { machineText } from "./report.ts";
import { summarise } from "./stats.ts";
import { WORKS } from "./system.ts";
import { startModel } from "./targets/model.ts";
import { IDS } from "./targets/target.ts";
import { OUR_PROFILES, startTroupe, type TroupeTarget } from "./targets/troupe.ts";
import { type Call, Watched } from "./watch.ts";

const LIMIT_MS = 600_000;
const SETTLE_MS = 3_000;
const FILE_WAIT_MS = 10_000;
const FILE_POLL_MS = 20;
const SECONDS_MAX = 300;
const CALLERS_MAX = 1_024;
const LINES_SHOWN = 45;
const MS_PER_SECOND = 1_000;
const PERCENT = 100;

const { values } = parseArgs({
  options: {
    profile: { type: "string", default: "redis-everysec" },
    seconds: { type: "string", default: "8" },
    "warm-up": { type: "string", default: "10" },
    callers: { type: "string", default: "1,32" },
    ids: { type: "string", default: "made" },
    work: { type: "string", default: "step" },
    cpu: { type: "boolean", default: false },
    top: { type: "string", default: String(LINES_SHOWN) },
    keep: { type: "string" },
    /** Whose timelines are shown: of this share of the processes, all took less. */
    quantiles: { type: "string", default: "50" },
  },
});
const profile = oneOf(OUR_PROFILES, values.profile, "--profile");
const seconds = whole(values.seconds, "--seconds", SECONDS_MAX);
const warmUpSeconds = whole(values["warm-up"], "--warm-up", SECONDS_MAX);
const ids = oneOf(IDS, values.ids, "--ids");
const work = oneOf(WORKS, values.work, "--work");
const callers = list(values.callers).map((text) => whole(text, "--callers", CALLERS_MAX));
const quantiles = list(values.quantiles).map((text) => whole(text, "--quantiles", PERCENT));
const top = whole(values.top, "--top", SECONDS_MAX);

let lastProcesses = 0;
const binaries = await ensureDapr((line) => console.log(line));
const bed = await Bed.make();
await bed.run(LIMIT_MS, async () => {
  console.log(machineText(await describeMachine(bed.dir, undefined)));
  const place = await bed.place();
  const watchFile = join(place.dir, "watch.json");
  const cpuDir = values.keep === undefined ? join(place.dir, "cpu") : resolve(values.keep);
  const nodeArgs = values.cpu ? ["--cpu-prof", "--cpu-prof-dir", cpuDir] : [];
  const model = work === "model" ? await bed.hold(startModel(await bed.place())) : undefined;
  const env = {
    BENCH_WORK: work,
    ...(values.cpu ? {} : { BENCH_WATCH: watchFile }),
    ...(model === undefined ? {} : { OPENAI_BASE_URL: model.url }),
  };
  const route = work === "model" ? "thinking" : "three";
  const target = await bed.hold(startTroupe({ ...place, binaries, profile, ids, nodeArgs, env, route }));
  const load = new Load(target.scenario, Math.max(...callers));
  const begunMs = performance.now();
  await load.run(Math.max(...callers), warmUpSeconds);
  for (const count of callers) await show(target, load, count, watchFile);
  // The CPU profile is shown from the last round on; everything before is start and warm-up.
  const lastShare = seconds / ((performance.now() - begunMs) / MS_PER_SECOND + 3);
  await load.close();
  await bed.stopTargets();
  if (values.cpu)
    showCpu(await readCpuProfile(await onlyFile(cpuDir), resolve(import.meta.dirname, ".."), 1 - lastShare), Math.max(...callers));
});

async function show(target: TroupeTarget, load: Load, count: number, watchFile: string): Promise<void> {
  await settle(target.processes(), SETTLE_MS);
  // Watching itself costs CPU, so a CPU profile is made without it.
  if (!values.cpu) await takeWatch(target, watchFile);
  const before = cpuSeconds(target.processes());
  const round = await load.run(count, seconds);
  await settle(target.processes(), SETTLE_MS);
  const cpu = cpuBetween(before, cpuSeconds(target.processes()));
  const { processes, p50Ms, p99Ms, perSecond, errors } = summarise([round]);
  lastProcesses = processes;
  console.log(
    `\n== ${profile}, ${count} callers: ${processes} processes, ${errors} errors, p50 ${p50Ms} ms, p99 ` +
      `${p99Ms} ms, ${perSecond} per second`,
  );
  console.log(
    `CPU ms per process: ${Object.entries(cpu)
      .map(([name, used]) => `${name} ${((used * MS_PER_SECOND) / processes).toFixed(2)}`)
      .join(", ")}`,
  );
  console.log(
    `MiB resident: ${target
      .processes()
      .map(({ name, pid }) => `${name} ${residentMib(pid).toFixed(0)}`)
      .join(", ")}`,
  );
  if (!values.cpu) showWatched(await takeWatch(target, watchFile), processes);
  for (const error of round.errors.slice(0, 3)) console.log(`error: ${error}`);
}

function showWatched(watched: Watched, processes: number): void {
  console.log(
    `event loop busy ${(100 * watched.loopBusy).toFixed(0)} % (settling included), delay p99 ${watched.loopDelayP99Ms.toFixed(1)} ms`,
  );
  showKinds(watched, processes);
  if (watched.timelines.length > 0) showTimelines(watched);
}

function showKinds({ kinds }: Watched, processes: number): void {
  for (const way of ["out", "in"] as const) {
    const some = kinds.filter((kind) => kind.way === way).sort((a, b) => b.count - a.count);
    console.log(
      `${way === "out" ? "to daprd" : "into the app"}: ` +
        `${(some.reduce((sum, kind) => sum + kind.count, 0) / processes).toFixed(1)} calls per process`,
    );
    for (const { kind, count, sumMs, bytes } of some)
      console.log(
        `  ${kind.padEnd(44)} ${(count / processes).toFixed(2).padStart(6)} ` +
          `${(sumMs / count).toFixed(2).padStart(8)} ms ${(bytes / count).toFixed(0).padStart(7)} B`,
      );
  }
}

/** Prints the timelines of some processes by the order of their times: the median one, slow ones. */
function showTimelines({ timelines }: Watched): void {
  const took = (calls: readonly Call[]): number => calls.find(({ kind }) => kind === "task")?.endMs ?? 0;
  const sorted = timelines.toSorted((a, b) => took(a) - took(b));
  for (const percent of quantiles) showTimeline(sorted[Math.floor((sorted.length - 1) * (percent / PERCENT))] ?? [], percent);
}

function showTimeline(calls: readonly Call[], percent: number): void {
  console.log(`the process that takes longer than ${percent} % of them: from, to, ms`);
  for (const { startMs, endMs, way, kind } of calls)
    console.log(
      `  ${startMs.toFixed(2).padStart(7)} ${endMs.toFixed(2).padStart(7)} ` +
        `${(endMs - startMs).toFixed(2).padStart(6)}  ${way.padEnd(4)}${kind}`,
    );
}

function showCpu(cpu: CpuProfile, count: number): void {
  console.log(`\n== main thread of the app, ${count} callers: busy ${(cpu.busyMs / lastProcesses).toFixed(2)} ms per process`);
  const print = (title: string, shares: readonly Share[], max: number): void => {
    console.log(`${title}: ms per process, share`);
    for (const { name, ms } of shares.slice(0, max))
      console.log(`  ${(ms / lastProcesses).toFixed(3).padStart(7)} ${((100 * ms) / cpu.busyMs).toFixed(1).padStart(5)} %  ${name}`);
  };
  print("own time by package or folder", cpu.byPackage, top);
  print("own time by function", cpu.self, top);
  print("our functions with everything they call", cpu.inclusive, top);
}

async function takeWatch(target: TroupeTarget, file: string): Promise<Watched> {
  await rm(file, { force: true });
  process.kill(target.app.pid, "SIGUSR2");
  const end = performance.now() + FILE_WAIT_MS;
  while (performance.now() < end) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text !== undefined) return Watched.parse(JSON.parse(text));
    await sleep(FILE_POLL_MS);
  }
  throw new Error("the app wrote no counts");
}

async function onlyFile(dir: string): Promise<string> {
  const names = (await readdir(dir)).filter((name) => name.endsWith(".cpuprofile")).toSorted();
  const last = names.at(-1);
  if (last === undefined) throw new Error(`there is no CPU profile in ${dir}: did the app end by itself?`);
  return join(dir, last);
}
