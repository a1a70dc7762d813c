/**
 * @module The waits of a process, followed from its events alone: a signal ends at most one wait, a wait ends once and with its
 * own signal, and no timer ends early.
 */
import { entryOf } from "../../runtime/entries.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { Wait } from "../../runtime/process/wait.ts";
import type { Value } from "../../runtime/value.ts";
import type { Find } from "./shadow.ts";

type EventOf<E extends ProcessEvent["e"]> = Extract<ProcessEvent, { readonly e: E }>;

const ONCE = "a signal is consumed at most once";

/** Holds the laws of waits of one process. */
export class WaitsLaw {
  readonly #open = new Map<string, Wait>();
  /** Signals that were kept for a later wait, and those that ended one or were dropped, by id. */
  readonly #kept = new Set<string>();
  readonly #consumed = new Map<string, string>();

  /** Whether a record has this signal. */
  knows(signalId: string): boolean {
    return this.#kept.has(signalId) || this.#consumed.has(signalId);
  }

  /** The next event of the process. */
  follow(event: ProcessEvent, find: Find): void {
    switch (event.e) {
      case "wait-begun":
        this.#open.set(event.wait.id, event.wait);
        return;
      case "wait-ended":
        return this.#ended(event, find);
      case "signal-kept":
        if (this.knows(event.signal.signalId)) find(ONCE, `signal ${event.signal.signalId} was kept, and is known already`);
        this.#kept.add(event.signal.signalId);
        return;
      case "signal-dropped":
        return this.#consume(event.signalId, "nothing: it was dropped", find);
      case "reopened":
        this.#open.clear();
        return;
      default:
    }
  }

  #ended({ waitId, result, signalId, atMs }: EventOf<"wait-ended">, find: Find): void {
    const wait = this.#open.get(waitId);
    this.#open.delete(waitId);
    if (wait === undefined) return find("a wait ends once", `${waitId} ended, and was not open`);
    if (signalId !== undefined) {
      this.#consume(signalId, waitId, find);
      if (wait.for.kind !== "signal")
        find("a wait ends with its own signal", `${waitId} is no wait for a signal, and ${signalId} ended it`);
      const given = "output" in result ? textOf(result.output, "signalId") : undefined;
      if (given !== undefined && given !== signalId)
        find("a wait ends with its own signal", `${waitId} ended with ${signalId} and was given ${given}`);
      return;
    }
    // The parent of a nested route answers it.
    if (wait.for.kind === "budget" || wait.for.kind === "person") return;
    if (wait.for.kind === "signal" && "output" in result) find("a wait ends with its own signal", `${waitId} ended without a signal`);
    if (wait.dueAtMs === undefined || atMs < wait.dueAtMs)
      find("no timer ends early", `${waitId} was due at ${wait.dueAtMs ?? "no time"} and ended at ${atMs}`);
  }

  #consume(signalId: string, by: string, find: Find): void {
    const before = this.#consumed.get(signalId);
    if (before !== undefined) find(ONCE, `signal ${signalId} ended ${before}, and then ${by}`);
    this.#consumed.set(signalId, by);
  }
}

/** A text of an inline payload. */
function textOf(value: Value, name: string): string | undefined {
  if (!("json" in value) || typeof value.json !== "object" || value.json === null || Array.isArray(value.json)) return undefined;
  const found = entryOf(value.json as Readonly<Record<string, unknown>>, name);
  return typeof found === "string" ? found : undefined;
}
