/** @module How long a command runs: until it is done, is told to end, loses its terminal, or one of its parts dies. */
import { LIMITS } from "../../runtime/limits.ts";
import { complain } from "../text/output.ts";
import { CliError, EXIT, Interrupted } from "../text/problem.ts";

const SECOND_MS = 1_000;

/** A second signal within this time is the same Ctrl-C, passed on by npm or the shell; a later one means "at once". */
const SAME_SIGNAL_MS = 1_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The end of a command, told once, with its reason. */
export class Lifetime {
  readonly #controller = new AbortController();
  #endedAtMs = 0;

  /** Aborted with the reason: `Interrupted`, or the error of a part that died. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Listens to signals and to the terminal. */
  watch(): void {
    for (const name of SIGNALS) process.on(name, () => this.#onSignal(name));
    // A terminal or pipe that is gone cannot be told anything, and nobody waits for the result any more.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => this.end(new Interrupted("the output is closed")));
  }

  /** A part died although nobody asked for it. */
  partEnded(name: string, detail: string): void {
    this.end(
      new CliError(
        "PART_ENDED",
        `${name} ${detail}; everything else was stopped.`,
        "Read its last lines in the log; start again, and open work goes on.",
      ),
    );
  }

  end(reason: Error): void {
    if (this.signal.aborted) return;
    this.#endedAtMs = performance.now();
    this.#controller.abort(reason);
  }

  /** Rejects with the reason when the end comes before the promise is settled. */
  async orEnd<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    signal.throwIfAborted();
    let onAbort = (): void => undefined;
    const ended = new Promise<never>((_resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([promise, ended]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #onSignal(name: NodeJS.Signals): void {
    if (!this.signal.aborted) {
      complain(
        `${name}: stopping. Work in flight gets up to ${LIMITS.drainMs / SECOND_MS} s, then the sidecar a few more; once more ends everything at once.`,
      );
      this.end(new Interrupted(name));
      return;
    }
    // The children are killed by what is hooked to the exit of this process.
    if (performance.now() - this.#endedAtMs > SAME_SIGNAL_MS) process.exit(EXIT.failed);
  }
}
