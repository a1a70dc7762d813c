/** @module When a command ends early: it is interrupted, its output is closed, or one of its parts ends. */
import { constants } from "node:os";
import { LIMITS } from "../../runtime/limits.ts";
import { complain } from "../text/output.ts";
import { CliError, EXIT, Interrupted } from "../text/problem.ts";

const SECOND_MS = 1_000;

/** npm and the shell pass one Ctrl-C on as several signals. A signal later than this is a second Ctrl-C: end at once. */
const SAME_SIGNAL_MS = 1_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A shell's exit code for a program that a signal ended: 130 for SIGINT. */
const SIGNAL_EXIT = 128;

/** What an interruption means for the command that runs. */
export interface Interruption {
  /** One line for stderr. */
  readonly text: (signal: string) => string;
  /** @default 128 and the signal's number, 130 for Ctrl-C */
  readonly exitCode?: number;
}

/** For a command whose process runs the system: the signal stops it. */
export const STOPS_SYSTEM: Interruption = {
  text: (signal) =>
    `${signal}: stopping. Work in flight has up to ${LIMITS.drainMs / SECOND_MS} s to end, then the sidecar stops; ` +
    "a second signal ends everything at once.",
  exitCode: EXIT.failed,
};

/** The early end of a command. It happens once and has a reason. */
export class Lifetime {
  readonly #controller = new AbortController();
  #endedAtMs = 0;
  #interruption: Interruption = { text: (signal) => `${signal}: interrupted.` };

  /** Aborted with the reason: `Interrupted`, or the error of a part that ended. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Listens to signals and to the terminal. */
  watch(): void {
    for (const name of SIGNALS) process.on(name, () => this.interrupt(name));
    // A closed terminal or pipe has no reader, so the result is no longer needed.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => this.end(new Interrupted("the output is closed")));
  }

  /** Sets what an interruption means from now on. @default the command ends and nothing else does */
  whenInterrupted(interruption: Interruption): void {
    this.#interruption = interruption;
  }

  /** A part ended unexpectedly. */
  partEnded(name: string, detail: string): void {
    this.end(
      new CliError(
        "PART_ENDED",
        `${name} ${detail}; everything else was stopped.`,
        "Read its last lines in the log and start again: open work continues.",
      ),
    );
  }

  end(reason: Error): void {
    if (this.signal.aborted) return;
    this.#endedAtMs = performance.now();
    this.#controller.abort(reason);
  }

  /** Resolves as the promise does, or rejects with the reason when the end comes first. */
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

  /** Handles a signal: the first one ends the command in order, a later one ends its process at once. */
  interrupt(name: NodeJS.Signals): void {
    const { text, exitCode = SIGNAL_EXIT + constants.signals[name] } = this.#interruption;
    if (!this.signal.aborted) {
      complain(text(name));
      this.end(new Interrupted(name, exitCode));
      return;
    }
    // An exit hook of this process kills its children.
    if (performance.now() - this.#endedAtMs > SAME_SIGNAL_MS) process.exit(exitCode);
  }
}
