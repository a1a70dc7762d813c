/** @module Tells at the start of an app that a model of its system can never be called, because no endpoint of it has a key. */
import type { Endpoint, System } from "../../agents/index.ts";
import { isFault } from "../../runtime/faults.ts";
import { CliError } from "../text/problem.ts";

/** Secrets are read when the sidecar is there. */
const LATER = new Error("a secret is read later");

/**
 * Checks that each model has an endpoint with a key or an address.
 * @throws MODEL_KEY that says what to set
 */
export async function requireModelKeys(system: System, env: NodeJS.ProcessEnv): Promise<void> {
  for (const [model, endpoints] of system.models) {
    const reasons = await Promise.all(endpoints.map((endpoint) => lackOf(endpoint, env)));
    const [reason] = reasons;
    if (reason === undefined || reasons.includes(undefined)) continue;
    throw new CliError(
      "MODEL_KEY",
      `model ${JSON.stringify(model)} cannot be called: ${reason}.`,
      "Set it. To run without a key, give `troupe up` a script: model.script.yaml beside the system's file, or --model-script.",
    );
  }
}

/** What an endpoint lacks; undefined: nothing, or it is known only later. */
async function lackOf(endpoint: Endpoint, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    await endpoint.connect({ env, secret: () => Promise.reject(LATER) });
    return undefined;
  } catch (error) {
    return isFault(error) && error.code === "model.unknown" ? error.message : undefined;
  }
}
