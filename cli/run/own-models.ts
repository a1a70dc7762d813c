/** @module The models of a system in this process: for a fork or an evaluation without a running host. */
import type { System } from "../../agents/index.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { systemClock } from "../../actors/engine/system-clock.ts";
import { Gateway } from "../../actors/gateway/gateway.ts";
import { Fault } from "../../runtime/faults.ts";
import { complain } from "../text/output.ts";
import { startRunModel } from "./model-script.ts";

/** Models that are asked from this process. */
export interface OwnModels {
  /** Absent: the system has none. */
  readonly models: Gateway | undefined;
  stop(): Promise<void>;
}

/** Starts the models of a system: of the providers that the environment names, or of the scripted model beside the system. */
export async function ownModels(system: System, file: string, script: string | undefined): Promise<OwnModels> {
  if (system.models.size === 0) return { models: undefined, stop: () => Promise.resolve() };
  const scripted = await startRunModel({ beside: file, file: script, env: process.env, tell: complain });
  const environment = {
    env: { ...process.env, ...scripted.env },
    secret: (store: string, name: string) =>
      Promise.reject(new Fault("model.unknown", `secret ${name} of store ${store} needs a running host`, { sent: false })),
  };
  const models = new Gateway({ system: system.name, models: system.models, environment, clock: systemClock, log: SILENT });
  return { models, stop: () => scripted.stop() };
}
