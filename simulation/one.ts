/**
 * @module Runs one seed with its trace, or many with a summary: `node simulation/one.ts party 17`, `… wild 1 2000`.
 *
 * Many seeds on all cores, shrunk when they fail: `node simulation/nightly.ts --seeds 20000`.
 */
import { ALL_FAULTS, NO_FAULTS } from "./world/faults.ts";
import { runSeed } from "./run.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { entryOf } from "../runtime/entries.ts";

const [, , name = "party", from = "1", to, mode = "all"] = process.argv;
const most = mode === "none" ? NO_FAULTS : ALL_FAULTS;
const scenario = entryOf(SCENARIOS, name);
if (scenario === undefined) throw new Error(`there is no scenario ${name}; there are ${Object.keys(SCENARIOS).join(", ")}`);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

if (to === undefined || to === "-") {
  const result = await runSeed({
    scenario,
    seed: Number(from),
    most,
    trace: (atMs, line) => say(`${(atMs / 1_000).toFixed(3).padStart(9)} ${line}`),
  });
  for (const finding of result.findings) say(`FOUND: ${finding.law}: ${finding.text}`);
  say(
    `${result.messages} messages, ${result.fired.length} faults, ${result.events} events, ` +
      `${Math.round(result.virtualMs)} ms of virtual time`,
  );
} else {
  Error.stackTraceLimit = 0;
  const start = process.cpuUsage();
  const laws = new Map<string, number[]>();
  let events = 0;
  let messages = 0;
  let count = 0;
  for (let seed = Number(from); seed <= Number(to); seed += 1) {
    const result = await runSeed({ scenario, seed, most });
    events += result.events;
    messages += result.messages;
    count += 1;
    const law = result.findings[0]?.law;
    if (law !== undefined) laws.set(law, [...(laws.get(law) ?? []), seed]);
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  const used = process.cpuUsage(start);
  say(
    `${count} seeds, ${((used.user + used.system) / 1_000 / count).toFixed(2)} ms CPU a seed, ` +
      `${(events / count).toFixed(0)} events, ${(messages / count).toFixed(0)} messages`,
  );
  for (const [law, seeds] of laws) say(`${seeds.length} x ${law}: ${seeds.slice(0, 12).join(" ")}`);
}
