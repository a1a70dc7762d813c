/** @module The keys of what one execution makes: each is counted when the handler makes it, before any await. */
import { Fault } from "../../runtime/faults.ts";
import { callKey } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";

/** Counts calls, steps and waits of one execution. */
export class MadeKeys {
  readonly #counts = new Map<string, number>();
  readonly #steps = new Set<string>();
  #made = 0;

  /** The key of a call or a wait with this prefix. */
  keyOf(prefix: string): string {
    return callKey(prefix, this.countOf(prefix));
  }

  /** How often something with this prefix was made before. */
  countOf(prefix: string): number {
    const count = this.#counts.get(prefix) ?? 0;
    this.#counts.set(prefix, count + 1);
    return count;
  }

  /** Counts a call or a step. Throws `step.too-many`. */
  requireRoom(what: string): void {
    this.#made += 1;
    if (this.#made > LIMITS.stepsPerWorkMax)
      throw new Fault("step.too-many", `${what} exceeds the limit of ${LIMITS.stepsPerWorkMax} calls and steps in one work item`);
  }

  /** Notes the name of a step. Throws `step.duplicate`. */
  requireNew(step: string): void {
    if (this.#steps.has(step))
      throw new Fault("step.duplicate", `step ${JSON.stringify(step)} was used twice in one work item`, { name: step });
    this.#steps.add(step);
  }
}
