/**
 * @module Package entry `./testing`: what tests of a system need. No Dapr in its import graph.
 */
export { type FakeHandler, type LocalHistoryLine, type LocalOutcome, runLocal, type RunLocalOptions } from "./local.ts";
export { outside, type OutsideCall, simulate, type SimulatedRun, type SimulateOptions, type SimulateResult } from "../simulation/simulate.ts";
export type { FaultRates } from "../simulation/faults.ts";
