/**
 * @module The full figures of a storm: `node test/live/long.ts --kills 120 --processes 400 --profile redis [--hosts 3] [--freezes 0.4]`.
 */
import { parseArgs } from "node:util";
import type { Profile } from "../../cli/dapr/index.ts";
import { makeRandom, print, seedOfRun } from "./random.ts";
import { storm } from "./storm.ts";
import { judge, report } from "./verdict.ts";
import { World } from "./world.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "120" },
    processes: { type: "string", default: "400" },
    profile: { type: "string", default: "redis" },
    hosts: { type: "string", default: "1" },
    /** Share of the blows that freeze a part instead of killing it. */
    freezes: { type: "string", default: "0" },
    verbose: { type: "boolean", default: false },
  },
});
const seed = seedOfRun();
const profile = values.profile as Profile;
print(`storm on ${profile}: seed ${seed} (LIVE_SEED), ${values.kills} kills, ${values.processes} processes`);
const world = await World.start({ profile, seed, hosts: Number(values.hosts) });
try {
  const { orders, notAccepted, kills } = await storm(world, {
    kills: Number(values.kills),
    processes: Number(values.processes),
    random: makeRandom(seed),
    freezes: Number(values.freezes),
    ...(values.verbose ? { progress: (kill, count) => print(`${count} ${JSON.stringify(kill)}`) } : {}),
  });
  const verdict = await judge(world, orders);
  report(profile, kills, verdict);
  print(`of the blows ${kills.filter(({ frozen }) => frozen).length} froze their part`);
  print(`client tries without a receipt: ${world.client.retries}`);
  for (const line of notAccepted) print(`never accepted: ${line}`);
  process.exitCode = notAccepted.length + verdict.lost.length + verdict.doubled.length + verdict.wrong.length === 0 ? 0 : 1;
} finally {
  await world.stop();
}
