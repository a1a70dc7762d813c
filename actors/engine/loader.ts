/** @module Loads the actors of one type: notes the broken ones, and lets one begin anew. */
import { Fault } from "../../runtime/faults.ts";
import type { Writer } from "../../runtime/record.ts";
import type { Journal, Loaded } from "./journal.ts";
import { isBroken, type Quarantine } from "./quarantine.ts";
import { type Salvage, SetAside, type SetAsideParts } from "./set-aside.ts";

/** What a loader works on. */
export interface LoaderParts<S, I, E> extends SetAsideParts<S, I, E> {
  readonly journal: Journal<S, I, E>;
  readonly writer: () => Writer;
  readonly quarantine: Quarantine | undefined;
  /** Whether a broken actor begins anew by itself, with everything of it that can be read. */
  readonly rebuilds: ((actorId: string) => boolean) | undefined;
}

/** The loader of one engine. It is called under the actor's mutex. */
export class Loader<S, I, E> {
  readonly #parts: LoaderParts<S, I, E>;

  constructor(parts: LoaderParts<S, I, E>) {
    this.#parts = parts;
  }

  /** Loads an actor. A broken one is noted. Throws as {@link Journal.load} does. */
  async load(actorId: string): Promise<Loaded<S>> {
    const { journal, quarantine, rebuilds, type } = this.#parts;
    const actor = { type, id: actorId };
    try {
      const loaded = await journal.load(actorId);
      quarantine?.clear(actor);
      return loaded;
    } catch (error) {
      quarantine?.note(actor, error);
      if (!isBroken(error) || rebuilds?.(actorId) !== true) throw error;
      return this.#begin(actorId, "all");
    }
  }

  /**
   * Sets the broken journal of an actor aside; it goes on with what is salvaged.
   * @throws `journal.intact`, `journal.contended`, `store.unavailable`
   */
  async setAside(actorId: string, salvage: Salvage): Promise<Loaded<S>> {
    const { journal, type } = this.#parts;
    try {
      await journal.load(actorId);
    } catch (error) {
      if (!isBroken(error)) throw error;
      return this.#begin(actorId, salvage);
    }
    throw new Fault("journal.intact", `the journal of ${type}/${actorId} is not broken`);
  }

  async #begin(actorId: string, salvage: Salvage): Promise<Loaded<S>> {
    const { journal, quarantine, type, writer } = this.#parts;
    await new SetAside(this.#parts, actorId).run(writer(), salvage);
    const loaded = await journal.load(actorId);
    quarantine?.clear({ type, id: actorId });
    return loaded;
  }
}
