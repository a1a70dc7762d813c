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
  { check: "unitsInNames", path: "test/runtime/machine-rig.ts", findings: 1, reason: "the moment at which every test of the rig begins" },
  {
    check: "fileSizes",
    path: "test/actors/dapr/adapters.test.ts",
    findings: 1,
    reason: "longer since its lines are at most 140 columns; to be split",
  },
  {
    check: "fileSizes",
    path: "test/actors/dead-letters.test.ts",
    findings: 1,
    reason: "longer since its lines are at most 140 columns; to be split",
  },
  {
    check: "fileSizes",
    path: "test/actors/hosts.test.ts",
    findings: 1,
    reason: "longer since its lines are at most 140 columns; to be split",
  },
  {
    check: "fileSizes",
    path: "test/actors/keepers.test.ts",
    findings: 1,
    reason: "longer since its lines are at most 140 columns; to be split",
  },
  {
    check: "fileSizes",
    path: "test/agents/system.test.ts",
    findings: 1,
    reason: "longer since its lines are at most 140 columns; to be split",
  },
  {
    check: "fileSizes",
    path: "test/conformance/world-actor-cases.ts",
    findings: 1,
    reason: "longer since its lines are at most 140 columns; to be split",
  },
  {
    check: "fileSizes",
    path: "test/conformance/world-reminder-cases.ts",
    findings: 1,
    reason: "longer since its lines are at most 140 columns; to be split",
  },
  {
    check: "fileSizes",
    path: "test/conformance/world-store-cases.ts",
    findings: 1,
    reason: "longer since its lines are at most 140 columns; to be split",
  },
  {
    check: "fileSizes",
    path: "test/runtime/redrive.test.ts",
    findings: 1,
    reason: "longer since its lines are at most 140 columns; to be split",
  },
];
