/**
 * @module `node bench/fuzz.ts`: fuzzed requests against a running app. Start one with `npx troupe up bench/fuzz/system.ts`, then
 * `node bench/fuzz.ts --url http://127.0.0.1:3100 --token <token> --pid <pid of the app>`. Prints the seed; ends with 1 after a problem.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { play } from "./fuzz/play.ts";

const KIB_BYTES = 1_024;
const MIB_BYTES = KIB_BYTES * KIB_BYTES;
const PROBLEMS_SHOWN = 20;

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:3100" },
    token: { type: "string" },
    pid: { type: "string" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    requests: { type: "string", default: "20000" },
    "at-once": { type: "string", default: "8" },
  },
});

/** Resident memory of the app, in MiB. */
async function memoryMib(): Promise<number> {
  if (values.pid === undefined) return Number.NaN;
  const status = await readFile(`/proc/${values.pid}/status`, "utf8");
  return Math.round((Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * KIB_BYTES) / MIB_BYTES);
}

const requests = Number(values.requests);
const memory: Promise<number>[] = [memoryMib()];
console.log(`seed ${values.seed}`);
const { statuses, problems } = await play({
  origin: values.url,
  token: values.token,
  seed: Number(values.seed),
  requests,
  atOnce: Number(values["at-once"]),
  every: { requests: Math.ceil(requests / 10), call: () => void memory.push(memoryMib()) },
});
console.log(`answers by status: ${JSON.stringify(statuses)}`);
console.log(`memory of the app in MiB, each tenth: ${(await Promise.all(memory)).join(", ")}`);
for (const problem of problems.slice(0, PROBLEMS_SHOWN)) console.log(problem);
console.log(`${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
