/** @module `up`: a system in the foreground, embedded, until Ctrl-C. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDapr } from "./dapr/index.ts";
import { startEmbedded } from "./embedded.ts";
import type { Lifetime } from "./lifetime.ts";
import { say, shown } from "./output.ts";
import { EXIT, Interrupted } from "./problem.ts";
import { RunLog } from "./run-log.ts";

export interface UpOptions {
  /** The travel example when left out. */
  readonly systemFile: string | undefined;
  readonly port: number;
  readonly dir: string;
  /** Show what Dapr's programs print too. */
  readonly verbose: boolean;
}

const EXAMPLE = fileURLToPath(new URL("../examples/01-travel/system.ts", import.meta.url));

/** Runs the command. Resolves with the exit code when it is interrupted; throws when a part died. */
export async function upEmbedded(options: UpOptions, lifetime: Lifetime): Promise<number> {
  const dir = resolve(options.dir);
  const binaries = await lifetime.orEnd(ensureDapr(say));
  const runLog = new RunLog(dir);
  const log = consoleLog(runLog, options.verbose, (source) => source === "app");
  try {
    const run = await startEmbedded({ binaries, systemFile: options.systemFile ?? EXAMPLE, dir, appPort: options.port, log, lifetime });
    try {
      say(`The system takes tasks at ${run.url} (POST /tasks). The log of all parts is ${shown(runLog.path)}. Ctrl-C ends it.`);
      return await untilInterrupted(lifetime);
    } finally {
      await run.stop();
      say("Everything is stopped.");
    }
  } finally {
    await runLog.close();
  }
}

/** Writes every line to the log of the run, and to the terminal what is said by apps and by the launcher; or all of it. */
export function consoleLog(runLog: RunLog, verbose: boolean, isApp: (source: string) => boolean): (source: string, line: string) => void {
  return (source, line) => {
    runLog.write(source, line);
    if (verbose || source === "troupe" || isApp(source)) say(`[${source}] ${line}`);
  };
}

/** Waits for Ctrl-C or a signal, which end a foreground run as they should; throws anything else that ends it. */
export async function untilInterrupted(lifetime: Lifetime): Promise<number> {
  try {
    return await lifetime.orEnd(new Promise<never>(() => undefined));
  } catch (error) {
    if (error instanceof Interrupted) return EXIT.ok;
    throw error;
  }
}
