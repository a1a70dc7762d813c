/**
 * @module The long run: `node simulation/nightly.ts --seeds 20000`. Prints speed and medians, and shrinks what fails.
 */
import { parseArgs } from "node:util";
import { BulkThreads } from "./bulk.ts";
import { ALL_FAULTS } from "./world/faults.ts";
import { median } from "./checks/hunt.ts";
import { reportText, shrink } from "./report.ts";
import { runSeed } from "./run.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { entryOf } from "../runtime/entries.ts";

/** Shares of the seeds. The speed of the party is the one in docs/simulation.md. */
const SHARES: Readonly<Record<string, number>> = {
  party: 0.2,
  wild: 0.16,
  catches: 0.04,
  chains: 0.06,
  waits: 0.04,
  fans: 0.02,
  long: 0.07,
  ring: 0.07,
  hot: 0.02,
  purge: 0.02,
  redrive: 0.02,
  wildRedrive: 0.02,
  trims: 0.04,
  minds: 0.06,
  trust: 0.1,
  knowledge: 0.05,
  operated: 0.02,
  operatedWaits: 0.02,
};
const REPORTS_MAX = 3;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20000" },
    from: { type: "string", default: "1" },
    scenario: { type: "string" },
    seed: { type: "string" },
  },
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Repeats a seed, shrinks it when it fails, and prints the report. */
async function tell(name: string, seed: number): Promise<void> {
  const scenario = entryOf(SCENARIOS, name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}; there are ${Object.keys(SCENARIOS).join(", ")}`);
  const run = { scenario, seed, most: ALL_FAULTS };
  const result = await runSeed(run);
  if (result.findings.length === 0) say(`${name} ${seed}: nothing found`);
  else say(reportText(await shrink(run, result), `node simulation/nightly.ts --scenario ${name} --seed ${seed}`, undefined));
}

async function bulk(threads: BulkThreads, name: string, count: number): Promise<number> {
  const from = Number(values.from);
  const startedMs = performance.now();
  const done = await threads.run({ scenario: name, from, to: from + count - 1 });
  const ms = performance.now() - startedMs;
  say(
    `${name}: ${count} seeds, ${done.failing.length} failing; ` +
      `${Math.round((1_000 * count) / ms)} seeds/s, ${(done.cpuMs / count).toFixed(2)} ms CPU a seed; ` +
      `median ${median(done.messages)} messages and ${median(done.faults)} faults a seed`,
  );
  for (const one of done.failing) say(`  seed ${one.seed}: ${one.law}: ${one.text}`);
  for (const one of done.failing.slice(0, REPORTS_MAX)) await tell(name, one.seed);
  return done.failing.length;
}

if (values.seed !== undefined) await tell(values.scenario ?? "party", Number(values.seed));
else {
  let failing = 0;
  const threads = new BulkThreads();
  for (const [name, share] of Object.entries(SHARES))
    if (values.scenario === undefined || values.scenario === name)
      failing += await bulk(threads, name, Math.ceil(Number(values.seeds) * (values.scenario === undefined ? share : 1)));
  await threads.close();
  process.exitCode = failing === 0 ? 0 : 1;
}
