/**
 * @module The leases of the hosts in the state store, over connections of their own: not behind the reads of actors, as a host whose lease
 * waits for those is dead for the others.
 */
import { StoreLeases } from "../engine/store-leases.ts";
import { SidecarClient, type SidecarOptions } from "./client.ts";
import { LateStore } from "./late-store.ts";
import { DaprStore } from "./store.ts";

/** The leases of one system. Before `open` they are unavailable. */
export class DaprLeases extends StoreLeases {
  readonly #client: SidecarClient;
  readonly #late: LateStore;
  readonly #component: string;

  constructor(sidecar: SidecarOptions, component: string, system: string) {
    const late = new LateStore();
    super(late, system);
    this.#client = new SidecarClient(sidecar);
    this.#late = late;
    this.#component = component;
  }

  /** The sidecar can be used. */
  open(): void {
    this.#late.open(new DaprStore(this.#client, this.#component));
  }

  /** Closes the connections; calls in flight fail. */
  close(): Promise<void> {
    return this.#client.close();
  }
}
