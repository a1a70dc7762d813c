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
import { answersAtOnce, type SidecarFacts, sidecarFacts } from "./sidecar.ts";

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
}

/** The search of one host for its sidecar. */
export class SidecarSearch {
  readonly #wish: SidecarWish;
  readonly #ended = Promise.withResolvers<void>();
  #facts: SidecarFacts | undefined;
  #unready: WireFault | undefined;

  constructor(wish: SidecarWish) {
    this.#wish = wish;
  }

  /** Why the sidecar cannot be used, as last known. */
  get unready(): WireFault | undefined {
    return this.#unready;
  }

  /** Whether the pubsub component delivers under a lock of the publisher; undefined while the sidecar is not found. */
  get answersAtOnce(): boolean | undefined {
    return this.#facts === undefined ? undefined : answersAtOnce(this.#facts.components.get(this.#wish.pubsub));
  }

  /** Resolves when the sidecar is found, or was waited for long enough. */
  async ready(): Promise<void> {
    if (this.#facts === undefined) await Promise.race([this.#ended.promise, pause(this.#wish.clock, LIMITS.sidecarCallMs)]);
  }

  /**
   * Asks until the sidecar can be used and returns its state store; undefined if the host stops before. Each reason is logged once: the
   * sidecar may be starting, or be replaced by another one.
   */
  async run(): Promise<StateStore | undefined> {
    const { clock, log, stopped } = this.#wish;
    let said = "";
    while (!stopped()) {
      try {
        return await this.#look();
      } catch (error) {
        const fault = faultFrom(error, "sidecar.unavailable");
        this.#unready = fault;
        if (said !== fault.code) log.warn({ fault }, "waiting for the sidecar");
        said = fault.code;
      }
      await pause(clock, LIMITS.recoveryRetryMs);
    }
    return undefined;
  }

  async #look(): Promise<StateStore> {
    const { log, stateStore, pubsub } = this.#wish;
    const { facts, store } = await lookAt(this.#wish);
    this.#facts = facts;
    this.#unready = undefined;
    this.#ended.resolve();
    const { version, untested, components } = facts;
    if (untested !== undefined) log.warn({ dapr: version }, `the sidecar is Dapr ${version}: ${untested}`);
    log.info({ dapr: version, store: components.get(stateStore), pubsub: components.get(pubsub) }, "the sidecar is ready");
    return store;
  }
}

async function lookAt(wish: SidecarWish): Promise<{ readonly facts: SidecarFacts; readonly store: StateStore }> {
  const { stateStore, pubsub, client } = wish;
  const facts = await sidecarFacts(wish.sidecar, LIMITS.sidecarCallMs, wish.check);
  requireComponents(facts, [stateStore, pubsub]);
  const store = openStore(client, stateStore, facts.components.get(stateStore));
  await requireFirstWrite(store, stateStore, wish.trialKey());
  return { facts, store };
}

function requireComponents({ components }: SidecarFacts, names: readonly string[]): void {
  for (const name of names) {
    if (components.has(name)) continue;
    const known = [...components.keys()].join(", ");
    throw new Fault("dapr.unfit", `the sidecar has no component ${JSON.stringify(name)}; it has ${known === "" ? "none" : known}`);
  }
}
