/**
 * @module What a handler receives, as it sees it: the results of its calls, steps, waits and model calls, until it ends or is stopped.
 */

/** One execution of a handler. */
export class Handling {
  readonly workId: string;
  readonly attempt: number;
  readonly #hear: (handling: Handling, result: string) => void;
  readonly #made = new Map<string, number>();
  #hasEnded = false;

  constructor(workId: string, attempt: number, hear: (handling: Handling, result: string) => void) {
    this.workId = workId;
    this.attempt = attempt;
    this.#hear = hear;
  }

  /** Notes a result when the handler receives it. `what` is the same for the same request in each execution. */
  receives<T>(what: string, signal: AbortSignal, result: Promise<T>): Promise<T> {
    const count = this.#made.get(what) ?? 0;
    this.#made.set(what, count + 1);
    const note = (how: string) => (): void => {
      if (!this.#hasEnded && !signal.aborted) this.#hear(this, `${what} ${count} ${how}`);
    };
    result.then(note("succeeded"), note("failed"));
    return result;
  }

  /** What comes after its end is received by no one. */
  end(): void {
    this.#hasEnded = true;
  }
}
