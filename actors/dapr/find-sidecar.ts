/** @module Waits, when a host starts, for a sidecar that can be used: of an accepted version, with the components, with a fit store. */
import type { DaprVersionCheck } from "../../runtime/dapr-version.ts";
import { Fault, faultFrom, type WireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Logger } from "../engine/log.ts";
import { pause } from "../engine/pause.ts";
import type { Clock, StateStore } from "../engine/ports.ts";
import type { SidecarClient, SidecarOptions } from "./client.ts";
import { requireFirstWrite } from "./fitness.ts";
import { openStore } from "./group-commit.ts";
import { type SidecarFacts, sidecarFacts } from "./sidecar.ts";

/** What a host wants of its sidecar. */
export interface SidecarWish {
  readonly sidecar: SidecarOptions;
  readonly client: SidecarClient;
  readonly stateStore: string;
  readonly pubsub: string;
  readonly check: DaprVersionCheck;
  /** A new key of this system, for the trial of the store. */
  readonly trialKey: () => string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stopped: () => boolean;
  /** Called with the reason each time the sidecar cannot be used. */
  readonly unready: (fault: WireFault) => void;
}

/** A sidecar that can be used, and its state store. */
export interface FoundSidecar {
  readonly facts: SidecarFacts;
  readonly store: StateStore;
}

/**
 * Asks until the sidecar can be used; undefined if the host stops before. Each reason is logged once: the sidecar may be starting, or be
 * replaced by another one.
 */
export async function findSidecar(wish: SidecarWish): Promise<FoundSidecar | undefined> {
  let said = "";
  while (!wish.stopped()) {
    try {
      return await lookAt(wish);
    } catch (error) {
      const fault = faultFrom(error, "sidecar.unavailable");
      wish.unready(fault);
      if (said !== fault.code) wish.log.warn({ fault }, "waiting for the sidecar");
      said = fault.code;
    }
    await pause(wish.clock, LIMITS.recoveryRetryMs);
  }
  return undefined;
}

async function lookAt(wish: SidecarWish): Promise<FoundSidecar> {
  const { stateStore, pubsub, client, log } = wish;
  const facts = await sidecarFacts(wish.sidecar, LIMITS.sidecarCallMs, wish.check);
  requireComponents(facts, [stateStore, pubsub]);
  const store = openStore(client, stateStore, facts.components.get(stateStore));
  await requireFirstWrite(store, stateStore, wish.trialKey());
  if (facts.untested !== undefined) log.warn({ dapr: facts.version }, `the sidecar is Dapr ${facts.version}: ${facts.untested}`);
  return { facts, store };
}

function requireComponents({ components }: SidecarFacts, names: readonly string[]): void {
  for (const name of names) {
    if (components.has(name)) continue;
    const known = [...components.keys()].join(", ");
    throw new Fault("dapr.unfit", `the sidecar has no component ${JSON.stringify(name)}; it has ${known === "" ? "none" : known}`);
  }
}
