/**
 * @module Accepted findings with a reason, by check and file. The list may only get shorter: if there are fewer findings than listed, the
 * test fails until the number is lowered.
 */
import type { CheckName } from "./checks.ts";

/** Findings of one check in one file that are accepted. */
export interface Exception {
  readonly check: CheckName;
  readonly path: string;
  readonly findings: number;
  readonly reason: string;
}

/** The accepted findings. */
export const EXCEPTIONS: readonly Exception[] = [
  { check: "plainEnglish", path: "cli/dapr/stores.ts", findings: 1, reason: "the name of a user of Unix systems" },
  { check: "unitsInNames", path: "test/runtime/machine-rig.ts", findings: 1, reason: "the moment at which every test of the rig begins" },
];
