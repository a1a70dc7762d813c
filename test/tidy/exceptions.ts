/** @module Findings that stay for a reason, by check and file. A list that may only get shorter: when fewer are found than it says, the test fails until it is lowered. */
import type { CheckName } from "./checks.ts";

/** Findings of one check in one file that are let pass. */
export interface Exception {
  readonly check: CheckName;
  readonly path: string;
  readonly findings: number;
  readonly reason: string;
}

/** What is let pass today. */
export const EXCEPTIONS: readonly Exception[] = [
  { check: "unitsInNames", path: "test/runtime/machine-rig.ts", findings: 1, reason: "the moment at which every test of the rig begins" },
  {
    check: "fileSizes",
    path: "actors/host/process-actor.ts",
    findings: 1,
    reason: "longer since its lines are at most 140 columns; to be split",
  },
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
