/** @module The processes that a host knows to be held by other living hosts, so that they are found if one of those dies. */
import { LIMITS } from "../../runtime/limits.ts";

/** Holders by process; at most LIMITS.knownElsewhereMax, the oldest go first. */
export class Elsewhere {
  readonly #holders = new Map<string, string>();

  /** Notes the host that wrote the last record of a process. */
  note(id: string, holder: string | undefined): void {
    if (holder === undefined) return;
    this.#holders.delete(id);
    this.#holders.set(id, holder);
    if (this.#holders.size > LIMITS.knownElsewhereMax) this.#holders.delete(this.#holders.keys().next().value ?? "");
  }

  forget(id: string): void {
    this.#holders.delete(id);
  }

  /** Returns the processes of a host, and forgets them. */
  takeFrom(holder: string): readonly string[] {
    const ids = [...this.#holders].filter(([, one]) => one === holder).map(([id]) => id);
    for (const id of ids) this.#holders.delete(id);
    return ids;
  }
}
