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

/** The state of a listed process: its outcome, or that it is paused, and what it waits for. */
export function StatusMark({ of }: { readonly of: Pick<ProcessEntry, "open" | "status" | "request" | "paused"> }): ReactNode {
  const { open, status, request, paused } = of;
  if (!open) return <Mark tone={toneOf(status ?? "")}>{status ?? "ended"}</Mark>;
  if (paused !== true && request === undefined) return <Mark tone="info">open</Mark>;
  return (
    <>
      {paused === true ? <Mark tone="warn">paused</Mark> : null}
      {request === undefined ? null : <Mark tone="warn">waits for a person</Mark>}
    </>
  );
}
