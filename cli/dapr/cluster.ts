/** @module The Dapr processes of one state folder: placement, scheduler and any number of sidecars, each restartable alone. */
import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { DaprBinaries } from "./binaries.ts";
import { FolderLock } from "./lock.ts";
import { Part, type PartWatch, type Restartable } from "./part.ts";
import {
  CONTROL_PORT_NAMES,
  placementPlan,
  schedulerData,
  schedulerPlan,
  sidecarPlan,
  type ControlPorts,
  type LogLevel,
  type SidecarOptions,
  type SidecarPorts,
} from "./plans.ts";
import { makeFolder, writePrivate } from "./private-files.ts";
import { claimPorts, freePort, freePorts, LOOPBACK, portFree, releasePorts } from "./ports.ts";
import { LaunchError } from "./problem.ts";
import { signalGroup } from "./process.ts";
import { writeConfiguration } from "./resources.ts";
import { SidecarPart, type Sidecar } from "./sidecar.ts";

export type { Restartable } from "./part.ts";
export type { Sidecar } from "./sidecar.ts";

/** Options of a cluster. */
export interface ClusterOptions {
  readonly binaries: DaprBinaries;
  /** The state folder, for example `.troupe`: lock, ports, the scheduler's data, the configuration. */
  readonly dir: string;
  /** Gets every line that the programs print, and the launcher's own lines (source `troupe`). */
  readonly log: (source: string, line: string) => void;
  /** Fixed ports. The others are free ones, and stay the same in later runs of the folder. */
  readonly pinnedPorts?: Partial<ControlPorts>;
  readonly logLevel?: LogLevel;
  /** Called when a part ends unexpectedly. */
  readonly onExit?: (name: string, detail: string) => void;
}

/** Retries with other ports when another program takes one before the part listens. */
const START_TRIES = 3;
const portsSchema = z.record(z.enum(CONTROL_PORT_NAMES), z.int().min(1).max(65_535));

/** Running Dapr processes. They listen on 127.0.0.1 only (one exception: see `plans.ts`). */
export class Cluster {
  readonly dir: string;
  readonly ports: ControlPorts;
  readonly placement: Restartable;
  readonly scheduler: Restartable;
  readonly #options: ClusterOptions;
  readonly #lock: FolderLock;
  readonly #parts: Controls;
  readonly #sidecars = new Set<SidecarPart>();
  readonly #configFile: string;
  readonly #onProcessExit: () => void;
  #stopping: Promise<void> | undefined;

  private constructor(options: ClusterOptions, dir: string, lock: FolderLock, started: Started, configFile: string) {
    this.#options = options;
    this.dir = dir;
    this.#lock = lock;
    this.ports = started.ports;
    this.#parts = started.parts;
    this.placement = started.parts.placement;
    this.scheduler = started.parts.scheduler;
    this.#configFile = configFile;
    // Leaves no child behind when this process ends by an uncaught error.
    this.#onProcessExit = () => {
      for (const part of this.#all()) if (part.running) signalGroup(part.pid, "SIGKILL");
    };
    process.once("exit", this.#onProcessExit);
  }

  /** Locks the folder and starts placement and scheduler; resolves when both are ready. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const dir = resolve(options.dir);
    makeFolder(dir);
    const lock = await FolderLock.take(dir, (line) => options.log("troupe", line));
    try {
      const configFile = await writeConfiguration(dir);
      const started = await startControls(options, dir, watchOf(options, lock));
      return new Cluster(options, dir, lock, started, configFile);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** `host:port` of placement. */
  get placementAddress(): string {
    return `${LOOPBACK}:${this.ports.placement}`;
  }

  /** `host:port` of the scheduler. */
  get schedulerAddress(): string {
    return `${LOOPBACK}:${this.ports.scheduler}`;
  }

  /** Starts a daprd. Does not wait until it is ready, because that needs the app: see `Sidecar.waitReady`. */
  async startSidecar(options: SidecarOptions): Promise<Sidecar> {
    for (let attempt = 1; ; attempt++) {
      if (this.#stopping !== undefined)
        throw new LaunchError({ code: "START_FAILED", what: "the cluster is being stopped.", fix: "Start a new one." });
      const ports = await sidecarPorts(options);
      const plan = sidecarPlan(
        this.#options.binaries,
        this.ports,
        ports,
        { logLevel: this.#options.logLevel ?? "info", configFile: this.#configFile, ...options },
        this.dir,
      );
      const sidecar = new SidecarPart(new Part(plan, watchOf(this.#options, this.#lock)), ports, options, () => {
        releasePorts(plan.ports);
        this.#sidecars.delete(sidecar);
      });
      this.#sidecars.add(sidecar);
      try {
        await sidecar.start();
        return sidecar;
      } catch (error) {
        await sidecar.stop();
        if (!retryPorts(error, attempt) || options.httpPort !== undefined || options.grpcPort !== undefined) throw error;
      }
    }
  }

  /** Kills the scheduler, deletes its data and starts it again: all reminders are lost. */
  async dropSchedulerData(): Promise<void> {
    await this.scheduler.kill("SIGKILL");
    await rm(schedulerData(this.dir), { recursive: true, force: true });
    await this.scheduler.start();
  }

  /** Stops the sidecars, then scheduler and placement. No process is left when it resolves. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const sidecars = await Promise.allSettled([...this.#sidecars].map((sidecar) => sidecar.stop()));
    const controls = await Promise.allSettled([this.#parts.scheduler.stop(), this.#parts.placement.stop()]);
    process.off("exit", this.#onProcessExit);
    releasePorts(Object.values(this.ports));
    await this.#lock.release();
    const failed = [...sidecars, ...controls].filter((result) => result.status === "rejected");
    if (failed[0] !== undefined) throw failed[0].reason;
  }

  #all(): readonly Restartable[] {
    return [...this.#sidecars, this.placement, this.scheduler];
  }
}

interface Controls {
  readonly placement: Part;
  readonly scheduler: Part;
}

interface Started {
  readonly ports: ControlPorts;
  readonly parts: Controls;
}

async function startControls(options: ClusterOptions, dir: string, watch: PartWatch): Promise<Started> {
  for (let attempt = 1; ; attempt++) {
    const ports = await controlPorts(dir, options.pinnedPorts ?? {});
    const level = options.logLevel ?? "info";
    const parts: Controls = {
      placement: new Part(placementPlan(options.binaries, ports, dir, level), watch),
      scheduler: new Part(schedulerPlan(options.binaries, ports, dir, level), watch),
    };
    const results = await Promise.allSettled([parts.placement.start(), parts.scheduler.start()]);
    const failed = results.find((result) => result.status === "rejected");
    if (failed === undefined) {
      await writePrivate(portsFile(dir), JSON.stringify(ports));
      return { ports, parts };
    }
    await Promise.allSettled([parts.placement.stop(), parts.scheduler.stop()]);
    releasePorts(Object.values(ports));
    if (!retryPorts(failed.reason, attempt) || options.pinnedPorts !== undefined) throw failed.reason;
    options.log("troupe", "a port was taken in the meantime; trying others");
  }
}

function watchOf(options: ClusterOptions, lock: FolderLock): PartWatch {
  return { log: options.log, lock, ...(options.onExit === undefined ? {} : { onExit: options.onExit }) };
}

function retryPorts(error: unknown, attempt: number): boolean {
  return error instanceof LaunchError && error.code === "PORT_TAKEN" && attempt < START_TRIES;
}

function portsFile(dir: string): string {
  return join(dir, "ports.json");
}

/** The ports of the folder's last run where they are free (etcd stores its own in its data), else new ones. */
async function controlPorts(dir: string, pinned: Partial<ControlPorts>): Promise<ControlPorts> {
  const remembered = await rememberedPorts(dir);
  const one = async (name: keyof ControlPorts): Promise<number> => {
    const wanted = pinned[name];
    if (wanted !== undefined) return wanted;
    const last = remembered?.[name];
    return last !== undefined && (await portFree(last)) ? last : freePort();
  };
  claimPorts(Object.values(pinned));
  const ports: ControlPorts = {
    placement: await one("placement"),
    placementRaft: await one("placementRaft"),
    placementHealth: await one("placementHealth"),
    scheduler: await one("scheduler"),
    schedulerHealth: await one("schedulerHealth"),
    etcdClient: await one("etcdClient"),
    etcdPeer: await one("etcdPeer"),
  };
  claimPorts(Object.values(ports));
  return ports;
}

async function rememberedPorts(dir: string): Promise<ControlPorts | undefined> {
  try {
    const parsed = portsSchema.safeParse(JSON.parse(await readFile(portsFile(dir), "utf8")));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // No earlier run, or a truncated file: choose new ports.
    return undefined;
  }
}

async function sidecarPorts(options: SidecarOptions): Promise<SidecarPorts> {
  const [http = 0, grpc = 0, internal = 0] = await freePorts(3);
  return { http: options.httpPort ?? http, grpc: options.grpcPort ?? grpc, internal };
}
