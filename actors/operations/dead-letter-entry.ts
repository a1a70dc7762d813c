/** @module What dead letters of processes and of invalid messages share: decision ids, decided facts, and entries as they are shown. */
import { hashJson } from "../../runtime/canonical.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { DECIDED } from "../../runtime/index-actor.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { invalidSlice } from "./invalid-bytes.ts";
import type { Caller } from "./operations.ts";

const DECISION_ID_CHARS = 40;

/** Facts that only identify an entry, or that are only for decisions or for recovery. */
const HIDDEN = ["voided", "host", "at", "dueAtMs"];
const HIDDEN_OF_INVALID = ["run", "sequence", "taskRoute", "taskTraceId"];

/** The id of a decision that the caller gave none for: the same decision has the same id. */
export function decisionOf(parts: readonly Json[]): string {
  return hashJson(parts).slice(0, DECISION_ID_CHARS);
}

/** Facts of an entry that is decided. */
export function decidedFacts(what: keyof typeof DECIDED, caller: Caller, reason: string, atMs: number): IndexEntry["facts"] {
  return { decision: DECIDED[what], by: caller.principal.subject, reason, decidedAtMs: atMs };
}

/** The fault of an id that names no dead letter. */
export function unknownLetter(id: string): Fault {
  return new Fault("deadletter.unknown", `there is no dead letter ${JSON.stringify(id)}`);
}

/** An entry as it is shown, without the facts that only identify it. */
export function shownEntry({ id, open, atMs, facts }: IndexEntry): { readonly [key: string]: Json } {
  const hidden = invalidSlice(id) === undefined ? HIDDEN : HIDDEN_OF_INVALID;
  return { id, open, atMs, ...Object.fromEntries(Object.entries(facts).filter(([name]) => !hidden.includes(name))) };
}
