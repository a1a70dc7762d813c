/**
 * @module The recorded values of a work item, as what runs for it reads them.
 *
 * A store that does not answer is asked again: a handler that received that fault in the place of a recorded result would take another
 * path than its other executions, and no record would say why.
 */
import type { AgentLog } from "../../agents/context.ts";
import { type FaultCode, faultFrom, type Json } from "../../runtime/faults.ts";
import type { Value } from "../../runtime/value.ts";
import { insist } from "../engine/insist.ts";
import type { Clock } from "../engine/ports.ts";
import type { Values } from "../engine/values.ts";

/** The store has answered: what was removed from it does not come back. */
const FINAL: ReadonlySet<string> = new Set<FaultCode>(["value.missing"]);

/** Reads recorded values. @throws `value.missing` */
export type ReadValues = Pick<Values, "read">;

/** The parts of the values of one run. */
export interface OwnValuesParts {
  readonly values: ReadValues;
  readonly clock: Clock;
  readonly log: AgentLog;
}

/** The values that one execution or compensation reads. */
export class OwnValues implements ReadValues {
  readonly #parts: OwnValuesParts;
  readonly #signal: AbortSignal;

  /** `signal`: aborted when nothing is read any longer. */
  constructor(parts: OwnValuesParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  /** Reads a value. Throws why the run was ended, if it is ended before the store has answered. */
  read(value: Value): Promise<Json> {
    return this.insist(() => this.#parts.values.read(value));
  }

  /** Repeats another read of the store. */
  insist<T>(read: () => Promise<T>): Promise<T> {
    const { clock, log } = this.#parts;
    if (this.#signal.aborted) return read();
    const failed = (error: unknown): void => {
      const { code, message } = faultFrom(error, "turn.failed");
      log.warn("a recorded value could not be read yet; reading it again", { code, message });
    };
    return insist({ clock, signal: this.#signal, failed, final: FINAL }, read);
  }
}
