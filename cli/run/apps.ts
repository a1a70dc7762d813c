/** @module The apps of a run, as child processes. If this run is killed, the next one in the same folder ends them. */
import { join } from "node:path";
import { LIMITS } from "../../runtime/limits.ts";
import { FolderLock } from "../dapr/lock.ts";
import { answers, Part, type Restartable } from "../dapr/part.ts";
import { LaunchError } from "../dapr/problem.ts";
import { AppSaid } from "../text/problem.ts";

/** What to run as an app. */
export interface AppPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The port it will listen on. */
  readonly port: number;
  /** The path that answers 200 as soon as the app listens. */
  readonly healthPath: string;
}

/** Receives what the apps print, and is told when one ends. */
export interface AppWatch {
  readonly log: (source: string, line: string) => void;
  readonly onExit: (name: string, detail: string) => void;
}

const READY_MS = 30_000;
const PROBE_TIMEOUT_MS = 500;
/** An app drains for up to LIMITS.drainMs; 2 s later it is killed. */
const GRACE_MS = LIMITS.drainMs + 2_000;

/** The running apps of one state folder. */
export class Apps {
  readonly #lock: FolderLock;
  readonly #watch: AppWatch;
  readonly #parts: Part[] = [];

  private constructor(lock: FolderLock, watch: AppWatch) {
    this.#lock = lock;
    this.#watch = watch;
  }

  /**
   * Locks the folder and ends apps that a killed run left behind.
   * @throws FOLDER_LOCKED when another run holds the folder
   */
  static async open(dir: string, watch: AppWatch): Promise<Apps> {
    return new Apps(await FolderLock.take(join(dir, "apps"), (line) => watch.log("troupe", line)), watch);
  }

  /** Starts an app and resolves when it listens. When the app ends instead, throws what it printed. */
  async start(plan: AppPlan): Promise<Restartable> {
    const part = new AppPart(
      {
        ...plan,
        ports: [plan.port],
        ready: () => answers(plan.port, plan.healthPath, PROBE_TIMEOUT_MS),
        readyMs: READY_MS,
        graceMs: GRACE_MS,
      },
      { log: this.#watch.log, onExit: this.#watch.onExit, lock: this.#lock },
    );
    this.#parts.push(part);
    await part.start();
    return part;
  }

  /** Stops all apps with SIGTERM, so that they drain first. */
  async stop(): Promise<void> {
    const results = await Promise.allSettled(this.#parts.map((part) => part.stop()));
    await this.#lock.release();
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
}

/** An app. A failed start throws what the app itself printed. */
class AppPart extends Part {
  override async start(): Promise<void> {
    try {
      await super.start();
    } catch (error) {
      throw said(error) ?? error;
    }
  }
}

/** The error that our own app printed: plain lines between JSON log lines. `undefined` for other programs. */
function said(error: unknown): AppSaid | undefined {
  if (!(error instanceof LaunchError) || error.code !== "START_FAILED") return undefined;
  const lines = error.lines.filter((line) => !line.startsWith("{"));
  return lines.some((line) => line.startsWith("What to do: ")) ? new AppSaid(lines.join("\n")) : undefined;
}
