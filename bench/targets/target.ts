/** @module One side of the comparison: it runs the scenario and can be stopped. */
import type { Scenario } from "../load.ts";
import type { NamedPid } from "../proc.ts";

export interface Target {
  /** Short name for the table. */
  readonly name: string;
  /** What a reported outcome survives when the machine loses power. */
  readonly durability: string;
  readonly scenario: Scenario;
  readonly processes: () => readonly NamedPid[];
  stop(): Promise<void>;
}

/**
 * `made`: a call is always a new process. `given`: the caller's id makes a repeated call the same process; on our side it is the task's
 * id, on Restate's an idempotency key.
 */
export const IDS = ["made", "given"] as const;
export type Ids = (typeof IDS)[number];

/** Where a target keeps its data and writes the output of its programs. */
export interface TargetPlace {
  /** A temporary folder of its own. */
  readonly dir: string;
  readonly log: (source: string, line: string) => void;
}
