/**
 * @module The simulated leases of hosts. A read may answer with what it answered before, so that a living host looks dead to another one.
 *
 * They are not calls of a host to the world as others are: no host is killed at one, because there is one each second.
 */
import type { Leases } from "../../actors/engine/ports.ts";
import { Fault } from "../../runtime/faults.ts";
import type { Life } from "./life.ts";
import type { World } from "./world.ts";

const FAILS_MS = 20;

export class SimLeases {
  readonly #world: World;
  readonly #counts = new Map<string, number>();
  #members: readonly string[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  of(life: Life): Leases {
    let read: ReadonlyMap<string, number> | undefined;
    const call = <T>(act: () => T): Promise<T> => this.#call(life, act);
    return {
      renew: (incarnation, count) => call(() => void this.#counts.set(incarnation, count)),
      read: () =>
        call(() => {
          const { faults, random } = this.#world;
          const isStale = read !== undefined && faults.happens("leaseStale", random.leases);
          read = isStale ? read : new Map(this.#counts);
          return read ?? new Map();
        }),
      members: () => call(() => this.#members),
      change: (added, removed) =>
        call(() => {
          for (const one of removed) this.#counts.delete(one);
          this.#members = [...new Set([...this.#members, ...added])].filter((one) => !removed.includes(one));
        }),
    };
  }

  #call<T>(life: Life, act: () => T): Promise<T> {
    const { faults, random, store } = this.#world;
    return new Promise((resolve, reject) => {
      this.#world.toLife(life, this.#world.latency(), () => {
        const fails = store.isAway || faults.happens("leaseFails", random.leases);
        if (!fails) return resolve(act());
        return this.#world.toLife(life, FAILS_MS, () => reject(new Fault("store.unavailable", "the simulated leases do not answer")));
      });
    });
  }
}
