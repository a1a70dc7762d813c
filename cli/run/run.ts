/** @module The parts of a run: apps with their sidecars, placement and scheduler. */
import type { Restartable, Sidecar } from "../dapr/index.ts";
import type { RunSecrets } from "./secrets.ts";

/** One app and the daprd beside it. */
export interface RunUnit {
  readonly appId: string;
  /** The URL of its HTTP API. */
  readonly url: string;
  readonly app: Restartable;
  /** The app's name in the log and in messages. */
  readonly appName: string;
  readonly sidecar: Sidecar;
  readonly secrets: RunSecrets;
  /** The folder of its source files. */
  readonly folder: string;
}

/** A running system. */
export interface Run {
  readonly units: readonly RunUnit[];
  readonly placement: Restartable;
  readonly scheduler: Restartable;
  /** Stops everything; no process is left when it resolves. */
  stop(): Promise<void>;
}

/** Maximum time for a restarted daprd until its actors are placed. */
const READY_MS = 60_000;

/** The name of a unit's daprd in the log and in messages. */
export function sidecarName(unit: RunUnit): string {
  return `daprd ${unit.appId}`;
}

/** Restarts a unit's daprd and waits until the app's actors are placed. */
export async function restartSidecar(unit: RunUnit): Promise<void> {
  await unit.sidecar.start();
  await unit.sidecar.waitReady(READY_MS);
}

/** Stops an app and then its daprd, and starts both again. When the app does not start, throws what it printed. */
export async function restartUnit(unit: RunUnit): Promise<void> {
  await unit.app.kill("SIGTERM");
  await unit.sidecar.kill("SIGTERM");
  await unit.sidecar.start();
  await unit.app.start();
  await unit.sidecar.waitReady(READY_MS);
}
