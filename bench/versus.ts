/**
 * @module `node bench/versus.ts --with <other checkout>`: our side against our side, to measure the effect of a change. Both run in turn
 * in one run, as with Restate. On a shared machine, CPU per process is more reliable than time.
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ensureDapr } from "../cli/dapr/index.ts";
import { Bed } from "./bed.ts";
import { describeMachine } from "./machine.ts";
import { list, oneOf, whole } from "./options.ts";
import { totalCpu } from "./proc.ts";
import { machineText, ratioRow, ratiosOf, tableHead, tableRow } from "./report.ts";
import { measure, warmUp } from "./rounds.ts";
import { WORKS } from "./system.ts";
import { IDS, type Target } from "./targets/target.ts";
import { OUR_PROFILES, startTroupe } from "./targets/troupe.ts";

const LIMIT_MS = 900_000;
const SECONDS_MAX = 600;
const CALLERS_MAX = 1_024;

const { values } = parseArgs({
  options: {
    with: { type: "string", multiple: true, default: [] },
    "node-args": { type: "string", multiple: true, default: [] },
    "sidecar-env": { type: "string", multiple: true, default: [] },
    profile: { type: "string", default: "redis-everysec" },
    seconds: { type: "string", default: "12" },
    rounds: { type: "string", default: "6" },
    "warm-up": { type: "string", default: "10" },
    callers: { type: "string", default: "1,32" },
    ids: { type: "string", default: "made" },
    work: { type: "string", default: "step" },
  },
});
const profile = oneOf(OUR_PROFILES, values.profile, "--profile");
const rounds = whole(values.rounds, "--rounds", SECONDS_MAX);
const seconds = whole(values.seconds, "--seconds", SECONDS_MAX) / rounds;
const warmUpSeconds = whole(values["warm-up"], "--warm-up", SECONDS_MAX);
const work = oneOf(WORKS, values.work, "--work");
const ids = oneOf(IDS, values.ids, "--ids");
const callers = list(values.callers).map((text) => whole(text, "--callers", CALLERS_MAX));

/** One change: another checkout, arguments for Node or environment for daprd. The first variant has none. */
interface Variant {
  readonly name: string;
  readonly appFile?: string;
  readonly nodeArgs?: readonly string[];
  readonly sidecarEnv?: Readonly<Record<string, string>>;
}

const variants: readonly Variant[] = [
  { name: "unchanged" },
  ...values.with.map((dir) => ({ name: dir, appFile: join(resolve(dir), "bench", "app.ts") })),
  ...values["node-args"].map((args) => ({ name: args, nodeArgs: list(args.replaceAll(" ", ",")) })),
  ...values["sidecar-env"].map((env) => ({
    name: env,
    sidecarEnv: Object.fromEntries(list(env).map((pair) => [pair.split("=")[0] ?? "", pair.split("=")[1] ?? ""])),
  })),
];

const binaries = await ensureDapr((line) => console.log(line));
const bed = await Bed.make();
await bed.run(LIMIT_MS, async () => {
  console.log(machineText(await describeMachine(bed.dir, undefined)));
  const targets: Target[] = [];
  for (const { name, ...more } of variants)
    targets.push({
      ...(await bed.hold(startTroupe({ ...(await bed.place()), binaries, profile, ids, env: { BENCH_WORK: work }, ...more }))),
      name,
    });
  await warmUp(targets, Math.max(...callers), warmUpSeconds);
  console.log(tableHead());
  for (const count of callers) {
    const [base, ...others] = await measure(targets, { callers: count, rounds, seconds });
    if (base === undefined) return;
    console.log(tableRow(base));
    for (const other of others) {
      console.log(tableRow(other));
      for (const ratio of ratiosOf(other, [base]))
        console.log(
          `${ratioRow(ratio)}, CPU ` +
            `${(totalCpu(other.cpuMsPerProcess) / totalCpu(base.cpuMsPerProcess)).toFixed(3)}, app ` +
            `${other.residentMib["app"] ?? 0} MiB after ${base.residentMib["app"] ?? 0}`,
        );
    }
  }
});
