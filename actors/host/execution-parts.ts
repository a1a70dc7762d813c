/** @module What one execution of a handler is made of, and what ends it. */
import type { AgentLog } from "../../agents/context.ts";
import type { AgentState, AgentWork } from "../../runtime/agent/state.ts";
import { Fault, type FaultCode, type Json } from "../../runtime/faults.ts";
import type { Clock, Models, RandomSource } from "../engine/ports.ts";
import type { Values } from "../engine/values.ts";
import type { CallTelemetry } from "../telemetry/calls.ts";
import type { CallingAgent, CallPolicyParts } from "./call-policy.ts";
import type { ExecutionMemoryParts } from "./execution-memory.ts";
import type { RunLink } from "./run-link.ts";

/**
 * Refusals that end this execution: another one has the work item, it is being compensated, or its process was purged.
 * A handler that caught such a fault and continued would act without records.
 */
export const RUN_ENDED: ReadonlySet<string> = new Set<FaultCode>(["work.superseded", "work.cancelled", "process.purged"]);

/** Rejects what a handler starts after its end. */
export const OVER = new Fault("work.cancelled", "the handler has already ended; await each call before it returns");

/** The parts of one execution. `work` is the work item as it was at the start; later answers are read through the link. */
export interface HandlerExecutionParts {
  readonly work: AgentWork;
  readonly agent: CallingAgent;
  readonly rules: CallPolicyParts["rules"];
  readonly checks: CallPolicyParts["checks"];
  readonly values: Values;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Absent: the host has no models. */
  readonly models?: Models | undefined;
  readonly telemetry: CallTelemetry;
  /** Absent: the agent remembers nothing. */
  readonly memory?: Pick<ExecutionMemoryParts, "memories" | "rules" | "memory" | "isModel" | "withheld"> | undefined;
  readonly link: RunLink;
  readonly log: AgentLog;
  /** Returns the state of the agent in a state of its actor. */
  readonly contentOf: (state: AgentState) => Json | Promise<Json>;
  /** With `true`: the handler is parked. With `false`: it continues. */
  readonly waiting: (waiting: boolean) => void;
  /** With `true`: the handler only waits and needs no slot. With `false`: it is about to continue; resolves with a slot. */
  readonly resting: (resting: boolean) => Promise<void> | undefined;
}
