/** @module Rig of redrive tests: a process that failed, and what a decision refuses and writes to indexes. */
import { expect } from "vitest";
import type { Decision } from "../../runtime/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { Effect } from "../../runtime/protocol.ts";
import type { Stop } from "../../runtime/slip.ts";
import { one, ProcessRig, slipOf } from "./process-rig.ts";

export const STOPS = [one("a"), one("b"), one("c")];
export const TIMEOUT_MS = 3_600_000;

/** A process of stops a, b and c that failed at b; `hadEffect` tells which undos had something to undo. */
export function failed(hadEffect: (workId: string) => boolean = () => false, stops: readonly Stop[] = STOPS): ProcessRig {
  const rig = new ProcessRig(slipOf(stops, { output: { from: ["c"] } }));
  rig.accept();
  rig.output(rig.id("a"), "first");
  rig.undoAll(rig.fault(rig.id("b")), hadEffect);
  expect(rig.state.outcome?.status).toBe("failed");
  return rig;
}

export function refusal(decision: Decision<ProcessEvent>): string | undefined {
  return decision.verdict.kind === "refused" ? decision.verdict.fault.code : undefined;
}

export function lines(effects: readonly Effect[]): unknown[] {
  return effects.flatMap((effect) =>
    effect.kind === "index"
      ? [[effect.index, effect.entry.id, effect.entry.open, effect.entry.facts["decision"] ?? effect.entry.facts["what"]]]
      : [],
  );
}
