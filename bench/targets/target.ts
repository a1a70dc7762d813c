/** @module One side of the comparison: something that runs the scenario and can be stopped. */
import type { Scenario } from "../load.ts";
import type { NamedPid } from "../proc.ts";

export interface Target {
  /** Short, as it stands in the table. */
  readonly name: string;
  /** What an outcome that was told has survived when the machine loses its power. */
  readonly durability: string;
  readonly scenario: Scenario;
  readonly processes: () => readonly NamedPid[];
  stop(): Promise<void>;
}

/**
 * `made`: a call is a new process, whatever was called before. `given`: the caller's id makes a repeated call the same
 * process; on our side the task's id, on Restate's an idempotency key.
 */
export const IDS = ["made", "given"] as const;
export type Ids = (typeof IDS)[number];

/** Where a target keeps its data and tells what its programs print. */
export interface TargetPlace {
  /** A temporary folder of its own. */
  readonly dir: string;
  readonly log: (source: string, line: string) => void;
}
