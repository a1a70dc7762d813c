/**
 * @module A failing run made small and told in plain words: fewer faults, fewer tasks, and what happened in order.
 */
import type { Finding } from "./checks/check.ts";
import { type RunOptions, type RunResult, runSeed } from "./run.ts";

/** The smallest run that was found to fail in the same way. */
export interface Shrunk {
  readonly finding: Finding;
  readonly options: RunOptions;
  readonly faults: readonly string[];
  readonly faultsBefore: number;
  readonly tasks: readonly string[];
  readonly trace: readonly string[];
  readonly runs: number;
}

const RUNS_MAX = 600;
const TRACE_LINES_MAX = 120;
/** Lines that the report leaves out. */
const NOISE = new RegExp(
  ": read$|heartbeat of|write \\S+/value/|: write |call: look at|" +
    "^ {3}stored: (Directory|DeadLetterQueue|Audit)|for (Directory|DeadLetterQueue|Audit)/",
);

/** Shrinks a failing run: takes away tasks and faults as long as the same law is broken. */
export async function shrink(failed: RunOptions, result: RunResult): Promise<Shrunk> {
  const finding = result.findings[0];
  if (finding === undefined) throw new Error("invariant: only a failing run is shrunk");
  let runs = 0;
  const attempt = async (faults: readonly string[], tasks: readonly string[]): Promise<RunResult | undefined> => {
    if (runs >= RUNS_MAX) return undefined;
    runs += 1;
    const again = await runSeed({ ...failed, only: new Set(faults), onlyTasks: new Set(tasks) });
    return again.findings[0]?.law === finding.law ? again : undefined;
  };
  let faults = result.fired.map((fired) => fired.name);
  let tasks = result.tasks.map((task) => task.id);
  for (const task of [...tasks]) {
    const fewer = tasks.filter((one) => one !== task);
    if (fewer.length > 0 && (await attempt(faults, fewer)) !== undefined) tasks = fewer;
  }
  for (let size = Math.ceil(faults.length / 2); size >= 1 && faults.length > 0;) {
    let less = false;
    for (let start = 0; start < faults.length;) {
      const fewer = [...faults.slice(0, start), ...faults.slice(start + size)];
      const again = await attempt(fewer, tasks);
      if (again === undefined) start += size;
      else {
        // Faults that did not happen in the smaller run are not kept.
        faults = again.fired.map((fired) => fired.name);
        less = true;
      }
    }
    if (size === 1 && !less) break;
    size = less && size === 1 ? 1 : Math.max(1, Math.floor(size / 2));
    if (runs >= RUNS_MAX) break;
  }
  const trace: string[] = [];
  const options = { ...failed, only: new Set(faults), onlyTasks: new Set(tasks) };
  const last = await runSeed({ ...options, trace: (atMs, line) => void trace.push(`${(atMs / 1_000).toFixed(3).padStart(9)} s  ${line}`) });
  return { finding: last.findings[0] ?? finding, options, faults, faultsBefore: result.fired.length, tasks, trace: readable(trace), runs };
}

/** Leaves out lines that say little, and shortens what is still too long. */
function readable(lines: readonly string[]): string[] {
  const told = lines.filter((line) => !NOISE.test(line.slice(13)));
  if (told.length <= TRACE_LINES_MAX) return told;
  const head = Math.floor(TRACE_LINES_MAX / 2);
  return [...told.slice(0, head), `          … ${told.length - 2 * head} lines left out …`, ...told.slice(-head)];
}

/** The report of a failing run. `command` repeats it. */
export function reportText(shrunk: Shrunk, command: string, why: string | undefined): string {
  const faults = shrunk.faults.length === 0 ? "no fault at all" : shrunk.faults.join(", ");
  return [
    `BROKEN: ${shrunk.finding.law}`,
    `        ${shrunk.finding.text}`,
    ...(why === undefined ? [] : ["", ...why.split("\n")]),
    "",
    `seed ${shrunk.options.seed}; run it again with: ${command}`,
    `shrunk in ${shrunk.runs} runs from ${shrunk.faultsBefore} faults to ${shrunk.faults.length}: ${faults}`,
    "",
    "what happened, in virtual time:",
    ...shrunk.trace,
  ].join("\n");
}
