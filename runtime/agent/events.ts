/** @module Events of an agent actor. Pure. */
import { z } from "zod";
import { Grant, ModelSpent } from "../budget.ts";
import { WireFault } from "../faults.ts";
import { ClaimCounts } from "../model/claims.ts";
import { ModelFacts, ModelUsage } from "../model/conversation.ts";
import { Trace } from "../protocol.ts";
import { Result } from "../protocol/bodies.ts";
import { Principal } from "../protocol/principal.ts";
import { Value } from "../value.ts";
import { Reservation } from "./spending.ts";
import { AgentWork, Failure, Labelled, OnlyIn, Stands, Step, Wait } from "./state.ts";

/** Set if a call failed and its end is unknown, because it did not answer in time. */
const Open = z.literal(true).optional();

/** Set if a model call cost more than it had reserved. */
const Overrun = z.literal(true).optional();

/** Events of an agent actor. Persisted: changing this needs a version bump. */
export const AgentEvent = z.discriminatedUnion("e", [
  z.strictObject({ e: z.literal("work-accepted"), work: AgentWork }),
  z.strictObject({ e: z.literal("attempt-asked"), workId: z.string(), attempt: z.int(), grant: Grant.optional() }),
  z.strictObject({ e: z.literal("readied"), workId: z.string(), first: z.boolean() }),
  z.strictObject({ e: z.literal("begun"), workId: z.string(), token: z.string(), holder: z.string(), atMs: z.int() }),
  /** Its host shuts down: it is ready again, and no host has died. */
  z.strictObject({ e: z.literal("released"), workId: z.string() }),
  z.strictObject({ e: z.literal("taken-over"), workId: z.string(), token: z.string(), holder: z.string() }),
  z.strictObject({
    e: z.literal("call-begun"),
    workId: z.string(),
    key: z.string(),
    tool: z.string(),
    undo: z.boolean(),
    input: Value.optional(),
    stands: Stands,
    onlyIn: OnlyIn,
  }),
  /** A call failed and is made again after a pause, by the tool's own retry policy. */
  z.strictObject({
    e: z.literal("call-tried"),
    workId: z.string(),
    key: z.string(),
    tool: z.string(),
    attempt: z.int(),
    tries: z.int(),
    fault: WireFault,
    open: Open,
    stands: Stands,
    onlyIn: OnlyIn,
  }),
  /** A call ended: with an output, or with the fault of this attempt. */
  z.strictObject({
    e: z.literal("call-ended"),
    workId: z.string(),
    key: z.string(),
    tool: z.string(),
    attempt: z.int(),
    output: Value.optional(),
    fault: WireFault.optional(),
    label: Labelled,
    open: Open,
    stands: Stands,
    onlyIn: OnlyIn,
  }),
  z.strictObject({ e: z.literal("call-undone"), workId: z.string(), key: z.string() }),
  /** A try of a model call is about to be made, and reserves its upper bound. */
  z.strictObject({
    e: z.literal("model-begun"),
    workId: z.string(),
    key: z.string(),
    model: z.string(),
    /** SHA-256 of the request, which is not stored. */
    hash: z.string(),
    facts: ModelFacts,
    attempt: z.int().positive(),
    tries: z.int().positive(),
    reserved: Reservation,
    atMs: z.int(),
    onlyIn: OnlyIn,
  }),
  /** A try failed, and the same request is sent again after a pause. `spent` is absent if the try cost nothing. */
  z.strictObject({
    e: z.literal("model-tried"),
    workId: z.string(),
    key: z.string(),
    model: z.string(),
    attempt: z.int().positive(),
    tries: z.int().positive(),
    fault: WireFault,
    endpoint: z.string().optional(),
    spent: ModelSpent.optional(),
    overrun: Overrun,
    againAtMs: z.int(),
    onlyIn: OnlyIn,
  }),
  /** A try ended without a cost, and its execution was stopped, so that nothing follows it. */
  z.strictObject({ e: z.literal("model-dropped"), workId: z.string(), key: z.string() }),
  /** A model call ended: with the reply as it came, or with the fault of this attempt of the work item. */
  z.strictObject({
    e: z.literal("model-ended"),
    workId: z.string(),
    key: z.string(),
    model: z.string(),
    attempt: z.int().positive(),
    reply: Value.optional(),
    fault: WireFault.optional(),
    endpoint: z.string().optional(),
    /** The model that answered, as the provider names it. */
    answered: z.string().optional(),
    /** Tokens as the provider reported them. */
    usage: ModelUsage.optional(),
    spent: ModelSpent.optional(),
    overrun: Overrun,
    onlyIn: OnlyIn,
  }),
  z.strictObject({ e: z.literal("step-done"), workId: z.string(), step: Step }),
  z.strictObject({ e: z.literal("failed"), workId: z.string(), failure: Failure }),
  z.strictObject({ e: z.literal("wait-made"), workId: z.string(), wait: Wait }),
  /** Its handler does nothing but wait. */
  z.strictObject({ e: z.literal("parked"), workId: z.string() }),
  z.strictObject({ e: z.literal("wait-answered"), workId: z.string(), index: z.int(), result: Result, label: Labelled }),
  z.strictObject({
    e: z.literal("work-done"),
    workId: z.string(),
    result: Result,
    label: Labelled,
    state: Value.optional(),
    undoes: z.literal(true).optional(),
    claims: ClaimCounts.optional(),
  }),
  /** Its process was terminated. */
  z.strictObject({ e: z.literal("dropped"), workId: z.string(), undoId: z.string() }),
  z.strictObject({ e: z.literal("undo-asked"), workId: z.string(), undoId: z.string(), attempt: z.int() }),
  z.strictObject({
    e: z.literal("undo-done"),
    workId: z.string(),
    result: Result,
    state: Value.optional(),
    agentUndid: z.literal(true).optional(),
  }),
  z.strictObject({
    e: z.literal("tombstoned"),
    workId: z.string(),
    undoId: z.string(),
    attempt: z.int(),
    processId: z.string(),
    agent: z.string(),
    retainUntilMs: z.int(),
    askedAtMs: z.int(),
    principal: Principal,
    trace: Trace,
    hop: z.int(),
  }),
  /** Settled work items left the state. Each is an entry of its own. */
  z.strictObject({ e: z.literal("settled"), workIds: z.array(z.string()) }),
  /** A settled work item came back into the state, because it changes. */
  z.strictObject({ e: z.literal("recalled"), work: AgentWork }),
  /** No valid message can be about these work items now. */
  z.strictObject({ e: z.literal("forgotten"), workIds: z.array(z.string()) }),
]);
export type AgentEvent = z.infer<typeof AgentEvent>;
