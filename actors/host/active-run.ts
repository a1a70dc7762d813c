/** @module A run in the table of its host: a handler or a compensation under one token. */
import type { WireFault } from "../../runtime/faults.ts";
import type { WorkStatus } from "../../runtime/protocol.ts";
import type { Compensation } from "./compensation.ts";
import type { HandlerExecution } from "./handler-execution.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** A handler, or the compensation of a work item. */
export type Run =
  { readonly mode: "do"; readonly execution: HandlerExecution } | { readonly mode: "undo"; readonly compensation: Compensation };

/** A run of this host. */
export interface Active {
  readonly actorId: string;
  readonly workId: string;
  readonly token: string;
  readonly run: Run;
  readonly settled: Promise<void>;
  readonly watch: Stopwatch;
  /** Whether the handler only waits. */
  resting: boolean;
  /** Whether this run holds one of the agent's slots. */
  slot: boolean;
}

/** Whether its handler does nothing but wait, so that its actor is free. */
export function isParked({ run }: Active): boolean {
  return run.mode === "do" && run.execution.parked;
}

/** What a receipt says about a run. */
export function statusOf(active: Active): WorkStatus {
  const { ranMs } = active.watch;
  if (ranMs === undefined) return { state: "queued" };
  return { state: isParked(active) ? "waiting" : "running", runningMs: ranMs };
}

/** The time of an attempt stands still while its handler waits for answers. */
export function noteWaiting(watch: Stopwatch, waiting: boolean): void {
  if (waiting) watch.stop();
  else watch.start();
}

/** Fires the signal of a run. */
export function stopRun(run: Run, fault: WireFault): void {
  if (run.mode === "do") run.execution.stop(fault);
  else run.compensation.stop(fault);
}

/** The code of a fault that ended something; undefined if it succeeded. */
export function codeOf(end: { readonly fault: WireFault } | object): string | undefined {
  return "fault" in end ? end.fault.code : undefined;
}
