/**
 * @module The system of the telemetry test: four stops. The second fails once, the third is slow once, and the last refuses until it is
 * fixed.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { agent, contract, Fault, route, system } from "../../agents/index.ts";

const SLOW_MS = 60_000;
const Errand = z.strictObject({ dir: z.string() });
const contractOf = (name: string) => contract(name, 1, { input: Errand, output: Errand });

const First = contractOf("First");
const Flaky = contractOf("Flaky");
const Slow = contractOf("Slow");
const Last = contractOf("Last");

/** True only the first time, over all lives of the app. */
function once(dir: string, name: string): boolean {
  const file = join(dir, name);
  if (existsSync(file)) return false;
  writeFileSync(file, "");
  return true;
}

const agents = [
  agent(First, { handle: (errand) => errand }),
  agent(Flaky, {
    handle: (errand) => {
      if (once(errand.dir, "failed")) throw new Error("not now");
      return errand;
    },
  }),
  agent(Slow, {
    handle: async (errand, ctx) => {
      if (once(errand.dir, "slow")) await sleep(SLOW_MS, undefined, { signal: ctx.signal });
      return errand;
    },
  }),
  agent(Last, {
    handle: (errand) => {
      if (!existsSync(join(errand.dir, "fixed"))) throw new Fault("agent.refused", "not before it is fixed");
      return errand;
    },
  }),
];

const errand = route("errand", 1, Errand)
  .to("first", First, ({ task }) => task)
  .to("flaky", Flaky, ({ first }) => first)
  .to("slow", Slow, ({ flaky }) => flaky)
  .to("last", Last, ({ slow }) => slow)
  .output(({ last }) => last);

export default system("errands", { agents, routes: [errand] });
