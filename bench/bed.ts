/** @module The folder, the log and the cleanup of a run: nothing of it is left behind. */
import { createWriteStream } from "node:fs";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TargetPlace } from "./targets/target.ts";

/** PostgreSQL runs as another user and must be able to enter the folder. */
const OPEN_MODE = 0o755;

export class Bed {
  readonly dir: string;
  readonly logFile: string;
  readonly #log: NodeJS.WritableStream;
  readonly #starting = new Set<Promise<{ stop(): Promise<void> }>>();
  #folders = 0;

  private constructor(dir: string) {
    this.dir = dir;
    this.logFile = join(dir, "programs.log");
    this.#log = createWriteStream(this.logFile);
  }

  static async make(): Promise<Bed> {
    const dir = await mkdtemp(join(tmpdir(), "troupe-bench-"));
    await chmod(dir, OPEN_MODE);
    return new Bed(dir);
  }

  /** Creates a folder for one target; the output of its programs goes to the log file. */
  async place(): Promise<TargetPlace> {
    this.#folders += 1;
    const dir = join(this.dir, String(this.#folders));
    await mkdir(dir);
    return { dir, log: (source, line) => void this.#log.write(`${source} | ${line}\n`) };
  }

  /** Makes sure that a target is stopped, even if it is still starting at the end. */
  hold<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    this.#starting.add(starting);
    return starting;
  }

  async stopTargets(): Promise<void> {
    const started = await Promise.allSettled(this.#starting);
    this.#starting.clear();
    await Promise.all(started.map((result) => (result.status === "fulfilled" ? result.value.stop() : undefined)));
  }

  /** Runs the work. An interrupt, a failure and the time limit all stop what it started. The folder is kept after a failure. */
  async run(limitMs: number, work: () => Promise<void>): Promise<void> {
    const interrupted = Promise.withResolvers<never>();
    let isWanted = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      isWanted = true;
      interrupted.reject(new Error(`ended by ${signal}`));
    };
    const timer = setTimeout(() => interrupted.reject(new Error(`not finished after ${Math.round(limitMs / 1_000)} s`)), limitMs);
    process.once("SIGINT", onSignal);
    process.once("SIGTERM", onSignal);
    try {
      await Promise.race([work(), interrupted.promise]);
      await this.stopTargets();
      await rm(this.dir, { recursive: true, force: true });
    } catch (error) {
      await this.stopTargets();
      if (isWanted) await rm(this.dir, { recursive: true, force: true });
      else console.error(`output of the programs: ${this.logFile}`);
      throw error;
    } finally {
      clearTimeout(timer);
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
      this.#log.end();
    }
  }
}
