/** @module The apps of a run: child processes beside their sidecars, which a later run ends if this one is killed. */
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
  /** Where it will listen. */
  readonly port: number;
  /** What answers 200 as soon as the app listens. */
  readonly healthPath: string;
}

/** Who hears of the apps. */
export interface AppWatch {
  readonly log: (source: string, line: string) => void;
  readonly onExit: (name: string, detail: string) => void;
}

const READY_MS = 30_000;
const PROBE_TIMEOUT_MS = 500;
/** An app drains for up to LIMITS.drainMs; after that and a little more it is killed. */
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

  /** Takes the folder; apps that a killed run left behind are ended. Throws FOLDER_LOCKED when another run has it. */
  static async open(dir: string, watch: AppWatch): Promise<Apps> {
    return new Apps(await FolderLock.take(join(dir, "apps"), (line) => watch.log("troupe", line)), watch);
  }

  /** Starts an app and resolves when it listens. Throws what the app said when it ended instead. */
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

  /** Ends all apps: asked politely first, so that they drain. */
  async stop(): Promise<void> {
    const results = await Promise.allSettled(this.#parts.map((part) => part.stop()));
    await this.#lock.release();
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
}

/** An app: a start that fails throws what the app itself said. */
class AppPart extends Part {
  override async start(): Promise<void> {
    try {
      await super.start();
    } catch (error) {
      throw said(error) ?? error;
    }
  }
}

/** An app of ours that cannot start says why in plain lines; its log is JSON. */
function said(error: unknown): AppSaid | undefined {
  if (!(error instanceof LaunchError) || error.code !== "START_FAILED") return undefined;
  const lines = error.lines.filter((line) => !line.startsWith("{"));
  return lines.some((line) => line.startsWith("What to do: ")) ? new AppSaid(lines.join("\n")) : undefined;
}
