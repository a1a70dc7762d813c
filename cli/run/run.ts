/** @module What a run is made of, whoever started it: apps with their sidecars, placement and scheduler. */
import type { Restartable, Sidecar } from "../dapr/index.ts";

/** One app and the daprd beside it. */
export interface RunUnit {
  readonly appId: string;
  /** Where its HTTP API answers. */
  readonly url: string;
  readonly app: Restartable;
  /** The app's name in the log and in what ends. */
  readonly appName: string;
  readonly sidecar: Sidecar;
  /** The folder of its sources. */
  readonly folder: string;
}

/** A system that runs. */
export interface Run {
  readonly units: readonly RunUnit[];
  readonly placement: Restartable;
  readonly scheduler: Restartable;
  /** Ends everything; nothing is left when it resolves. */
  stop(): Promise<void>;
}

/** How long a daprd that was started again may take until its actors are placed. */
const READY_MS = 60_000;

/** The name of a unit's daprd in the log and in what ends. */
export function sidecarName(unit: RunUnit): string {
  return `daprd ${unit.appId}`;
}

/** Starts a unit's daprd again and waits until the app's actors are placed. */
export async function restartSidecar(unit: RunUnit): Promise<void> {
  await unit.sidecar.start();
  await unit.sidecar.waitReady(READY_MS);
}

/** Ends an app and its daprd in order, and starts both again. Throws what the app says when it does not start. */
export async function restartUnit(unit: RunUnit): Promise<void> {
  await unit.app.kill("SIGTERM");
  await unit.sidecar.kill("SIGTERM");
  await unit.sidecar.start();
  await unit.app.start();
  await unit.sidecar.waitReady(READY_MS);
}
