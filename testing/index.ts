/**
 * @module Package entry `./testing`: tools to test a system. Does not import Dapr.
 */
import "../runtime/zod-version.ts";
export { consoleLogger, type Logger } from "../actors/engine/log.ts";
export type { HistoryLine, ProcessView, StopsView } from "../runtime/process-view.ts";
export { type ScriptedModel, scriptedModel, type ScriptedModelOptions, type ScriptedRequest } from "./scripted/model.ts";
export { type FakeCall, fakeModel, type FakeModel, type FakeReply } from "./fake-models.ts";
export { fake, type Fake, type FakeHandler, type Fakes } from "./fakes.ts";
export {
  type LocalOutcome,
  type LocalSystem,
  type LocalTask,
  runLocal,
  type RunLocalOptions,
  startLocal,
  type StartLocalOptions,
} from "./local.ts";
export { replayFrom } from "./replay.ts";
export type { Cassette } from "../runtime/cassette/cassette.ts";
export type { Divergence, ReplayReport } from "../runtime/cassette/replay-report.ts";
export type { LocalMemory } from "./local-memory.ts";
export type { LocalDecision, People } from "./people.ts";
export {
  type BoughtCall,
  outside,
  type OutsideCall,
  simulate,
  type SimulatedRun,
  type SimulatedTask,
  type SimulateOptions,
  type SimulateResult,
} from "../simulation/simulate.ts";
export type { FaultRates } from "../simulation/world/faults.ts";
export type { ModelRates } from "../simulation/world/model-faults.ts";
