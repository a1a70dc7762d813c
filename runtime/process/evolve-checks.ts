/** @module How events change the outputs that a validator judges. Pure. */
import { entryOf, withEntry, withoutEntry } from "../entries.ts";
import { placeOf } from "../ids.ts";
import { joined, type Label, labelField } from "../label.ts";
import type { Value } from "../value.ts";
import type { ProcessEvent } from "./events.ts";
import { count, lacks } from "./evolve-waits.ts";
import { addLine } from "./history-lines.ts";
import type { ProcessState } from "./state.ts";
import type { Check, Work } from "./work.ts";

/** What is judged: an output at a place of the current stop. */
interface Judged {
  readonly place: Pick<Check, "stop" | "item" | "visit" | "optional">;
  readonly output: Value;
  readonly label: Label | undefined;
  /** Absent: a person answered. */
  readonly work?: Work | undefined;
}

/** The state with an output that is judged before it counts. */
export function judging(state: ProcessState, { place, output, label, work }: Judged): ProcessState {
  const { stop, item, visit, optional } = place;
  const key = placeOf(stop, item);
  const round = entryOf(state.checks ?? {}, key)?.round ?? 0;
  const made: Check = {
    stop,
    item,
    visit,
    round,
    state: "judging",
    output,
    ...labelField(label),
    reasons: [],
    optional,
    ...(work === undefined ? {} : { work }),
  };
  return { ...state, checks: withEntry(state.checks ?? {}, key, made) };
}

/** The state after an output was sent back. */
export function sentBack(state: ProcessState, event: Extract<ProcessEvent, { e: "sent-back" }>): ProcessState {
  const { stop, item, reasons, atMs } = event;
  const key = placeOf(stop, item);
  const check = entryOf(state.checks ?? {}, key);
  if (check === undefined) return state;
  const round = check.round + 1;
  const next: Check = { ...check, state: "undoing", round, reasons, ...labelField(joined(check.label, event.label)) };
  const noted = addLine(state, { atMs, what: `sent back (${round})`, stop, agent: "", attempt: check.visit });
  return { ...noted, checks: withEntry(state.checks ?? {}, key, next) };
}

/** The state after an output was judged. */
export function judged(state: ProcessState, event: Extract<ProcessEvent, { e: "judged" }>): ProcessState {
  const { stop, item, result, tolerated, atMs } = event;
  const key = placeOf(stop, item);
  const check = entryOf(state.checks ?? {}, key);
  if (check === undefined) return state;
  const code = "fault" in result ? { code: result.fault.code } : {};
  const what = "fault" in result ? "not accepted" : "accepted";
  const noted = addLine(withoutCheck(state, event), { atMs, what, stop, agent: "", attempt: check.visit, ...code });
  const next = count(noted, event, result, event);
  if (tolerated) return lacks(next, state.progress);
  return "fault" in result && check.work !== undefined ? { ...next, failedWork: check.work } : next;
}

/** The state after the call of an output that was sent back was made again. */
export function madeAgain(state: ProcessState, { stop, item }: Pick<Check, "stop" | "item">): ProcessState {
  const key = placeOf(stop, item);
  const check = state.checks === undefined ? undefined : entryOf(state.checks, key);
  if (check?.state !== "undoing") return state;
  const { work: _undone, ...rest } = check;
  return { ...state, checks: withEntry<Check>(state.checks ?? {}, key, { ...rest, state: "again" }) };
}

/** The state without what it knows of earlier outputs of a call that failed. */
export function withoutCheck(state: ProcessState, { stop, item }: Pick<Check, "stop" | "item">): ProcessState {
  const key = placeOf(stop, item);
  if (state.checks === undefined || entryOf(state.checks, key) === undefined) return state;
  const rest = withoutEntry(state.checks, key);
  return { ...state, checks: Object.keys(rest).length === 0 ? undefined : rest };
}
