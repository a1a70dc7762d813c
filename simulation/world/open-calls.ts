/**
 * @module The calls of tools that are under way in one life of a host, and what must not begin beside them.
 *
 * An execution ends when its calls have settled, or were aborted and given up after their grace. So no handler and no undo of
 * a work item begins in a host while a call of an earlier execution of it runs there.
 */
import { LIMITS } from "../../runtime/limits.ts";

/** A clock of a host may be slower than the world's. */
const GRACE_MS = 0.9 * LIMITS.stopGraceMs;

interface OpenCall {
  readonly what: string;
  /** When its signal was aborted. */
  abortedAtMs: number | undefined;
}

/** Calls under way, by work item. */
export class OpenCalls {
  readonly #open = new Map<string, Set<OpenCall>>();
  readonly #nowMs: () => number;
  readonly #complain: (text: string) => void;

  constructor(nowMs: () => number, complain: (text: string) => void) {
    this.#nowMs = nowMs;
    this.#complain = complain;
  }

  /** A handler or an undo of a work item begins. No call of an earlier execution may run beside it. */
  begins(workId: string, what: string): void {
    for (const call of this.#open.get(workId) ?? []) {
      if (call.abortedAtMs !== undefined && this.#nowMs() - call.abortedAtMs >= GRACE_MS) continue;
      this.#complain(`${what} of ${workId} began while ${call.what} ran`);
    }
  }

  /** Runs a call, and counts it as open until it has settled. */
  async during<T>(workId: string, what: string, signal: AbortSignal, run: () => T | Promise<T>): Promise<T> {
    const call: OpenCall = { what, abortedAtMs: undefined };
    const abort = (): void => {
      call.abortedAtMs = this.#nowMs();
    };
    signal.addEventListener("abort", abort, { once: true });
    const calls = this.#open.get(workId) ?? new Set();
    this.#open.set(workId, calls.add(call));
    try {
      return await run();
    } finally {
      calls.delete(call);
      signal.removeEventListener("abort", abort);
    }
  }
}
