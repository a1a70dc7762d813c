/** @module What ends a forked run before its outcome: the first thing that is not in the record, or that its own budget does not allow. */
import { Fault, type Json } from "../../runtime/faults.ts";

/** Something that is not in the record. */
export interface Unrecorded {
  readonly agent: string;
  /** `tool`, `undo`, `step`, `memory`, `signal`, `person` or `agent`. */
  readonly what: string;
  readonly name: string;
  readonly input?: Json | undefined;
}

/** The end of one forked run, if it is not its outcome. The first counts. */
export class ForkEnd {
  readonly #controller = new AbortController();
  #unrecorded: Unrecorded | undefined;
  #fault: Fault | undefined;

  get unrecorded(): Unrecorded | undefined {
    return this.#unrecorded;
  }

  /** Absent: it goes on. */
  get fault(): Fault | undefined {
    return this.#fault;
  }

  /** Whether nothing may be done now: it has ended, or is over. */
  get isOver(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Aborted at the end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the run at something that is not in the record. It never answers, so nothing follows it. */
  unknown(found: Unrecorded): Promise<never> {
    if (!this.isOver) this.#unrecorded = found;
    return this.with(new Fault("fork.unrecorded", `${found.what} ${found.name} of ${found.agent || "the route"} is not in the record`));
  }

  /** Ends the run. It never answers, so nothing follows it. */
  with(fault: Fault): Promise<never> {
    if (!this.isOver) this.#fault = fault;
    this.#controller.abort(fault);
    return this.never();
  }

  /** The run has come to its outcome. */
  close(): void {
    this.#controller.abort();
  }

  /** Never answers: what waits here has lost a race, or the run has ended. */
  never(): Promise<never> {
    return new Promise<never>(() => {});
  }
}
