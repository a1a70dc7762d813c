/**
 * @module Runs one seed of a scenario with its trace, or many quickly: `node simulation/one.ts party 17`.
 */
import { ALL_FAULTS, NO_FAULTS } from "./faults.ts";
import { runSeed } from "./run.ts";
import { party } from "./scenarios/party.ts";

Error.stackTraceLimit = mode0();
function mode0(): number { return process.argv[3] === "-" ? 10 : 0; }
const [, , from = "1", to, mode = "all"] = process.argv;
const most = mode === "none" ? NO_FAULTS : ALL_FAULTS;
if (to === undefined || to === "-") {
  const result = await runSeed({ scenario: party, seed: Number(from), most, trace: (atMs, line) => console.log(`${(atMs / 1_000).toFixed(3).padStart(9)} ${line}`) });
  console.log(result.findings, result.messages, result.events, result.virtualMs, result.fired.length);
} else {
  const start = process.cpuUsage();
  const laws = new Map<string, number[]>();
  let events = 0;
  let messages = 0;
  let count = 0;
  for (let seed = Number(from); seed <= Number(to); seed += 1) {
    const result = await runSeed({ scenario: party, seed, most });
    events += result.events;
    messages += result.messages;
    count += 1;
    const law = result.findings[0]?.law;
    if (law !== undefined) laws.set(law, [...(laws.get(law) ?? []), seed]);
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  const used = process.cpuUsage(start);
  console.log(`${count} seeds, ${((used.user + used.system) / 1_000 / count).toFixed(2)} ms CPU a seed, ${(events / count).toFixed(0)} events, ${(messages / count).toFixed(0)} messages`);
  for (const [law, seeds] of laws) console.log(`${seeds.length} x ${law}: ${seeds.slice(0, 12).join(" ")}`);
}
