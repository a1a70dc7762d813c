/** @module How the outcomes of processes and the states of work look. */
import type { ReactNode } from "react";
import type { ProcessEntry } from "../../../runtime/answers.ts";
import { Mark, type Tone } from "./blocks.tsx";

const TONES: Readonly<Record<string, Tone>> = {
  completed: "good",
  ended: "good",
  answered: "good",
  partial: "warn",
  expired: "bad",
  failed: "bad",
  "undo failed": "bad",
  cancelled: "plain",
  dropped: "plain",
  undone: "plain",
};

/** The colour of an outcome or state. Open work is blue. */
export function toneOf(state: string): Tone {
  return TONES[state] ?? "info";
}

/** The state of a listed process: its outcome, or what it waits for. */
export function StatusMark({ of }: { readonly of: Pick<ProcessEntry, "open" | "status" | "request"> }): ReactNode {
  if (of.open) return of.request === undefined ? <Mark tone="info">open</Mark> : <Mark tone="warn">waits for a person</Mark>;
  return <Mark tone={toneOf(of.status ?? "")}>{of.status ?? "ended"}</Mark>;
}
