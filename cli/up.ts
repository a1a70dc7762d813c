/** @module `up`: a system in the foreground, embedded, until Ctrl-C. */
import { fileURLToPath } from "node:url";
import { ensureDapr } from "./dapr/index.ts";
import { startEmbedded } from "./embedded.ts";
import type { Lifetime } from "./lifetime.ts";
import { say } from "./output.ts";
import { EXIT, Interrupted } from "./problem.ts";

export interface UpOptions {
  /** The travel example when left out. */
  readonly systemFile: string | undefined;
  readonly port: number;
  readonly dir: string;
}

const EXAMPLE = fileURLToPath(new URL("../examples/01-travel/system.ts", import.meta.url));

/** Runs the command. Resolves with the exit code when it is interrupted; throws when a part died. */
export async function upEmbedded(options: UpOptions, lifetime: Lifetime): Promise<number> {
  const binaries = await lifetime.orEnd(ensureDapr(say));
  const log = (source: string, line: string): void => say(`[${source}] ${line}`);
  const run = await startEmbedded({ binaries, systemFile: options.systemFile ?? EXAMPLE, dir: options.dir, appPort: options.port, log, lifetime });
  try {
    say(`The system takes tasks at ${run.url} (POST /tasks); Ctrl-C ends it.`);
    return await untilInterrupted(lifetime);
  } finally {
    await run.stop();
    say("Everything is stopped.");
  }
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
