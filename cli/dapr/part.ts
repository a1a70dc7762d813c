/** @module One restartable process of a run. It keeps its ports over a restart, and its errors include its last log lines. */
import { setTimeout as sleep } from "node:timers/promises";
import type { FolderLock } from "./lock.ts";
import { LOOPBACK, portFree } from "./ports.ts";
import { LaunchError } from "./problem.ts";
import { Child, groupGone } from "./process.ts";

/** A part that can be killed and started again at the same address with the same data. */
export interface Restartable {
  /** The process id of the part, also after it has ended. */
  readonly pid: number;
  readonly running: boolean;
  /** Sends a signal to the part's process group; for a deadly signal it resolves when the part is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts the part again and resolves when it is ready; does nothing while it runs. */
  start(): Promise<void>;
}

/** How to run a part. */
export interface PartPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly umask?: number;
  /** Ports it will listen on; a start waits up to 5 s until they are free. */
  readonly ports: readonly number[];
  /** Whether it is ready. Called until it returns true or `readyMs` is over. */
  readonly ready: (launchedAtMs: number) => Promise<boolean>;
  readonly readyMs: number;
  /** How long it may take to end after `stopSignal`; then SIGKILL. */
  readonly graceMs: number;
  /** @default SIGTERM */
  readonly stopSignal?: NodeJS.Signals;
}

/** Receives what a part prints, and is told when it ends. */
export interface PartWatch {
  readonly log: (source: string, line: string) => void;
  /** Called when the part ends unexpectedly. */
  readonly onExit?: (name: string, detail: string) => void;
  readonly lock?: FolderLock;
}

const READY_POLL_MS = 25;
/** A socket of a killed part may hold its port for a moment. */
const PORT_WAIT_MS = 5_000;
const PORT_POLL_MS = 50;
/** How long a signal such as SIGKILL may take. */
const KILL_WAIT_MS = 10_000;
const DEADLY: ReadonlySet<NodeJS.Signals> = new Set(["SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGABRT"]);
/** What programs print when another program has their port. */
const PORT_MESSAGE = /address already in use|EADDRINUSE|could not bind/i;

/** The implementation of `Restartable`. */
export class Part implements Restartable {
  readonly plan: PartPlan;
  readonly #watch: PartWatch;
  #child: Child | undefined;
  #expected = false;
  #launchedAtMs = 0;

  constructor(plan: PartPlan, watch: PartWatch) {
    this.plan = plan;
    this.#watch = watch;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get running(): boolean {
    return this.#child?.running ?? false;
  }

  /** The last lines the part printed. */
  get tail(): readonly string[] {
    return this.#child?.tail ?? [];
  }

  async start(): Promise<void> {
    if (this.running) return;
    await this.launch();
    try {
      await this.waitReady(this.plan.readyMs, () => this.plan.ready(this.#launchedAtMs));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Starts the program without waiting until it is ready. */
  async launch(): Promise<void> {
    const { plan } = this;
    await this.#portsFree();
    this.#expected = false;
    this.#launchedAtMs = Date.now();
    const child = await Child.spawn({
      ...plan,
      onLine: (line) => this.#watch.log(plan.name, line),
    });
    this.#child = child;
    void child.exited.then((exit) => {
      void this.#watch.lock?.remove(child.pid).catch(() => undefined);
      if (!this.#expected) this.#watch.onExit?.(plan.name, `ended with ${exit.signal ?? `exit code ${exit.code}`}`);
    });
    await this.#watch.lock?.add(plan.name, child.pid);
  }

  /** Waits until `ready` returns true; throws when the part ends first. */
  async waitReady(timeoutMs: number, ready: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      if (!this.running) throw await this.#failed();
      if (await ready()) return;
      if (performance.now() >= end) throw this.#late(timeoutMs);
      await sleep(READY_POLL_MS);
    }
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !child.running) return;
    if (!DEADLY.has(signal)) {
      child.kill(signal);
      return;
    }
    this.#expected = true;
    child.kill(signal);
    if (!(await groupGone(child.pid, KILL_WAIT_MS))) await child.stop(0);
    await child.exited;
  }

  /** Stops the part: `stopSignal`, a bounded wait, SIGKILL. */
  async stop(): Promise<void> {
    this.#expected = true;
    await this.#child?.stop(this.plan.graceMs, this.plan.stopSignal);
  }

  async #portsFree(): Promise<void> {
    const end = performance.now() + PORT_WAIT_MS;
    for (const port of this.plan.ports) {
      while (!(await portFree(port))) {
        if (performance.now() >= end) throw portTaken(this.plan.name, port, []);
        await sleep(PORT_POLL_MS);
      }
    }
  }

  async #failed(): Promise<LaunchError> {
    const exit = await this.#child?.exited;
    const lines = this.tail;
    if (lines.some((line) => PORT_MESSAGE.test(line))) return portTaken(this.plan.name, undefined, lines);
    return new LaunchError({
      code: "START_FAILED",
      what: `${this.plan.name} ended before it was ready (${exit?.signal ?? `exit code ${exit?.code}`}).`,
      lines,
      fix: "Read its last lines above. If they name a component, check the resources folder; if a file, its owner and the disk space.",
    });
  }

  #late(timeoutMs: number): LaunchError {
    return new LaunchError({
      code: "START_TIMEOUT",
      what: `${this.plan.name} was not ready within ${timeoutMs} ms.`,
      lines: this.tail,
      fix: "Check that the machine is not overloaded, and that what its last lines wait for is running (app, state store, placement).",
    });
  }
}

/** @throws PORT_TAKEN when another program listens on the port: found before anything else is started */
export async function requireFreePort(name: string, port: number): Promise<void> {
  if (!(await portFree(port))) throw portTaken(name, port, []);
}

function portTaken(name: string, port: number | undefined, lines: readonly string[]): LaunchError {
  const which = port === undefined ? "a port it needs" : `port ${port}`;
  return new LaunchError({
    code: "PORT_TAKEN",
    what: `${name} cannot listen: ${which} is taken by another program.`,
    lines,
    fix: "End the other program (ss -ltnp shows it), or choose another port (--port of `up`, the ports of a dapr.yaml).",
  });
}

/** Whether a loopback HTTP endpoint answers with a 2xx status in time. */
export async function answers(
  port: number,
  path: string,
  timeoutMs: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  try {
    const response = await fetch(`http://${LOOPBACK}:${port}${path}`, { headers, signal: AbortSignal.timeout(timeoutMs) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // Not listening, or too slow: not ready.
    return false;
  }
}
