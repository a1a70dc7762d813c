/** @module `npm run bench`: three stops on Troupe and on Restate, side by side in one run. docs/bench.md explains the method. */
import { type DaprBinaries, ensureDapr } from "../cli/dapr/index.ts";
import { Bed } from "./bed.ts";
import { describeMachine } from "./machine.ts";
import { type BenchOptions, benchOptions, USAGE } from "./options.ts";
import { ensurePeer, type Peer } from "./peer.ts";
import { type Comparison, machineText, ratioRow, ratiosOf, tableHead, tableRow, writeResults } from "./report.ts";
import { measure, type Measured, warmUp } from "./rounds.ts";
import { ensureDaprAgents, startDaprAgents } from "./targets/dapr-agents.ts";
import { startModel } from "./targets/model.ts";
import { startRestate } from "./targets/restate.ts";
import type { Target } from "./targets/target.ts";
import { type OurProfile, startTroupe } from "./targets/troupe.ts";

const STARTS_MS = 60_000;
const SETTLES_FACTOR = 2;

async function main(options: BenchOptions): Promise<void> {
  const binaries = await ensureDapr((line) => console.log(line));
  const peer = options.peers.some((name) => name !== "dapr-agents") ? await ensurePeer((line) => console.log(line)) : undefined;
  if (options.peers.includes("dapr-agents")) await ensureDaprAgents((line) => console.log(line));
  const bed = await Bed.make();
  await bed.run(limitMs(options), async () => {
    const machine = await describeMachine(bed.dir, peer);
    console.log(
      `${machineText(machine)}\nabout ${Math.ceil(expectedMs(options) / 60_000)} minutes; "others" are cores ` +
        "kept busy by programs outside the benchmark; then CPU ms for each process\n",
    );
    console.log(tableHead());
    const comparisons: Comparison[] = [];
    for (const profile of options.profiles) {
      const place = await bed.place();
      const model = options.work === "model" ? await bed.hold(startModel(await bed.place())) : undefined;
      const env = { BENCH_WORK: options.work, ...(model === undefined ? {} : { OPENAI_BASE_URL: model.url }) };
      const route = options.work === "model" ? "thinking" : "three";
      const ours = await bed.hold(startTroupe({ ...place, binaries, profile, ids: options.ids, env, route }));
      const peers = await startPeers({ bed, peer, binaries, profile, modelUrl: model?.url ?? "" }, options);
      comparisons.push(await compare(profile, ours, peers, options));
      await bed.stopTargets();
    }
    console.log(`\nfigures: ${await writeResults({ machine, options: { ...options, out: undefined }, comparisons }, options.out)}`);
    if (comparisons.some(({ measured }) => measured.some(({ errors }) => errors > 0)))
      throw new Error("there were errors: the figures are meaningless");
  });
}

interface PeersParts {
  readonly bed: Bed;
  readonly peer: Peer | undefined;
  readonly binaries: DaprBinaries;
  readonly profile: OurProfile;
  readonly modelUrl: string;
}

async function startPeers(
  { bed, peer, binaries, profile, modelUrl }: PeersParts,
  { peers, ids, work }: BenchOptions,
): Promise<readonly Target[]> {
  const targets: Target[] = [];
  for (const name of peers) {
    const place = await bed.place();
    if (name === "dapr-agents") {
      const appendfsync = profile === "redis-everysec" ? "everysec" : "always";
      targets.push(await bed.hold(startDaprAgents({ ...place, binaries, appendfsync, modelUrl })));
      continue;
    }
    if (peer === undefined) throw new Error("Restate is not installed");
    targets.push(
      await bed.hold(
        startRestate({
          ...place,
          peer,
          fsync: name === "restate-nofsync" ? "never" : "always",
          work: work === "tool" ? "step" : work,
          ids,
          modelUrl,
        }),
      ),
    );
  }
  return targets;
}

async function compare(profile: OurProfile, ours: Target, peers: readonly Target[], options: BenchOptions): Promise<Comparison> {
  const targets = [ours, ...peers];
  await warmUp(targets, Math.max(...options.callers), options.warmUp);
  const all: Measured[] = [];
  const ratios: Comparison["ratios"][number][] = [];
  for (const callers of options.callers) {
    const measured = await measure(targets, { callers, rounds: options.rounds, seconds: options.seconds / options.rounds });
    for (const one of measured) console.log(tableRow(one));
    for (const one of measured) for (const error of one.firstErrors) console.log(`  error of ${one.side}: ${error}`);
    const [mine, ...others] = measured;
    const found = mine === undefined ? [] : ratiosOf(mine, others);
    for (const ratio of found) console.log(ratioRow(ratio));
    all.push(...measured);
    ratios.push(...found);
  }
  return { profile, durability: Object.fromEntries(targets.map((target) => [target.name, target.durability])), measured: all, ratios };
}

function expectedMs({ profiles, peers, callers, seconds, rounds, warmUp: warm }: BenchOptions): number {
  const sides = 1 + peers.length;
  return profiles.length * (15_000 + sides * 1_000 * (warm + callers.length * (seconds + rounds)));
}

function limitMs(options: BenchOptions): number {
  return SETTLES_FACTOR * expectedMs(options) + options.profiles.length * STARTS_MS;
}

function optionsOrUsage(): BenchOptions | undefined {
  try {
    return benchOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return undefined;
  }
}

const options = optionsOrUsage();
try {
  if (options === undefined) process.exitCode = 2;
  else await main(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
