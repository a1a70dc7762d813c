/**
 * @module Package entry `./testing`: what tests of a system need. No Dapr in its import graph.
 */
export {
  type FakeHandler,
  type LocalHistoryLine,
  type LocalOutcome,
  type LocalSystem,
  type LocalTask,
  runLocal,
  type RunLocalOptions,
  startLocal,
  type StartLocalOptions,
} from "./local.ts";
export {
  outside,
  type OutsideCall,
  simulate,
  type SimulatedRun,
  type SimulateOptions,
  type SimulateResult,
} from "../simulation/simulate.ts";
export type { FaultRates } from "../simulation/world/faults.ts";
