/** @module The inbox as the page lists it, and the decision that it makes. Pure. */
import type { InboxEntry, RequestView } from "../../../runtime/people/view.ts";
import type { DecisionContent } from "../../../runtime/people/answers.ts";
import type { Decided } from "./commands.ts";

/** Requests as they wait: escalated ones first, then the oldest, so that the one at the top is the one to decide. */
export function waitingOrder(entries: readonly InboxEntry[]): readonly InboxEntry[] {
  return entries.toSorted((a, b) => b.escalated - a.escalated || a.askedAtMs - b.askedAtMs || a.id.localeCompare(b.id));
}

/** A deadline nearer than this is pressing. */
const PRESSING_MS = 3_600_000;

/** How a deadline stands. */
export function urgencyOf({ dueAtMs }: Pick<InboxEntry, "dueAtMs">, nowMs: number): "none" | "calm" | "pressing" | "past" {
  if (dueAtMs === undefined) return "none";
  if (dueAtMs <= nowMs) return "past";
  return dueAtMs - nowMs < PRESSING_MS ? "pressing" : "calm";
}

/** What the system gets for a decision of the page. */
export function decisionBody(decided: Decided): DecisionContent {
  const reason = decided.reason === "" ? {} : { reason: decided.reason };
  switch (decided.do) {
    case "approve":
      return { do: "approve", ...reason, ...(decided.always === undefined ? {} : { always: { rule: decided.always } }) };
    case "edit":
      return { do: "edit", input: decided.input, ...reason };
    case "deny":
      return { do: "deny", reason: decided.reason };
    case "answer":
      return { do: "answer", output: decided.output, ...reason };
  }
}

/** What silence means, in words. */
export function silenceText(silence: RequestView["silence"]): string {
  if (silence === undefined) return "";
  if (silence === "deny") return "it is denied";
  return silence === "fail" ? "it fails with person.expired" : `the answer is ${JSON.stringify(silence.answer)}`;
}

/** Faults after which the page must show the request anew: it was decided meanwhile, or is another one than was shown. */
const CONFLICTS = new Set(["person.decided", "person.changed", "process.ended", "process.purged"]);

/** Whether a fault says that the request is no longer what the page shows. */
export function isConflict(code: string): boolean {
  return CONFLICTS.has(code);
}
