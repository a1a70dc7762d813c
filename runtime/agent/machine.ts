/**
 * @module The agent actor: accepts a work item once, lets one host at a time run it, and remembers the result. Pure.
 *
 * Owns: deduplication by work id, the holder of the running work item, what its handler recorded, the agent's state, the reply.
 * Does not own: sending requests again (the process manager), running handlers (the host). Talks to: process managers.
 * Invariants: A1 at most one work item runs. A2 a report with a stale token is refused. A3 the first success of a work
 * item counts; its record is the reply to each repeated request. A4 a purged or compensated work item never runs.
 * A5 a handler that waits for answers does not hold the actor, so waiting actors cannot block each other.
 */
import { entryOf } from "../entries.ts";
import { z } from "zod";
import { assertNever, wireFault } from "../faults.ts";
import { type Decision, type DecisionContext, DecisionBuilder, type Machine } from "../machine.ts";
import { eventSchemas } from "../record.ts";
import { takeCallBegun, takeCallEnded, takeCallTried, takeCallUndone, takeFailure, takeStep } from "./calls.ts";
import { evolveAgent } from "./evolve.ts";
import type { AgentBuilder, AgentInput, InputOf } from "./inputs.ts";
import { AgentEvent } from "./events.ts";
import { AgentState, type AgentWork, newAgent } from "./state.ts";
import { leaveSettled, settledWork } from "./settled.ts";
import { takeModelBegun, takeModelDropped, takeModelEnded, takeModelTried } from "./model-calls.ts";
import { takeDrop } from "./drop.ts";
import { settleDropped, takeCompensated, takeSettled, takeUndo } from "./undo.ts";
import { takeAnswer, takeRest, takeWait } from "./waits.ts";
import { takeFinish, takeLoss, takeWork } from "./work.ts";

/** The agent actor. Its outbox is empty and it needs no reminder, because the process manager sends its requests again. */
export const agentMachine: Machine<AgentState, AgentInput, AgentEvent> = {
  initial: newAgent,
  purged: (id) => ({ ...newAgent(id), purged: true }),
  decide: decideAgent,
  evolve: evolveAgent,
  outbox: () => [],
  nextDueMs: () => undefined,
  events: eventSchemas(AgentEvent),
  states: z.compile(AgentState),
};

function decideAgent(state: AgentState, input: AgentInput, context: DecisionContext): Decision<AgentEvent> {
  const builder: AgentBuilder = new DecisionBuilder(state, evolveAgent, context);
  const recalled = input.kind === "message" ? settledWork(state, input.message, context) : undefined;
  if (recalled !== undefined) builder.emit({ e: "recalled", work: recalled });
  if (state.purged === true) builder.refuse(wireFault("process.purged", `the process of ${state.id} was purged`));
  else if (input.kind === "message") decideMessage(builder, input);
  else if (input.kind === "lost") takeLoss(builder, input);
  else decideHeld(builder, input);
  const decision = builder.done();
  // A settled work item that does not change stays where it is.
  if (recalled !== undefined && decision.events.length === 1) return { ...decision, events: [] };
  if (decision.events.length > 0) leaveSettled(builder, state);
  return builder.done();
}

function decideMessage(builder: AgentBuilder, input: InputOf<"message">): void {
  const { message } = input;
  const { body } = message;
  switch (body.kind) {
    case "work":
      return takeWork(builder, input, body);
    case "undo":
      return takeUndo(builder, message, body);
    case "drop":
      return takeDrop(builder, message, body);
    case "answer":
      return takeAnswer(builder, body);
    case "task":
    case "result":
    case "wait":
    case "cancel":
    case "pause":
    case "resume":
    case "terminate":
    case "signal":
    case "decision":
    case "decide":
    case "rule":
    case "entries":
    case "memory":
      return builder.refuse(wireFault("message.invalid", `an agent actor does not accept a message of kind ${body.kind}`));
    default:
      return assertNever(body);
  }
}

/** A2: only the holder of the token may report about a running work item. */
function decideHeld(builder: AgentBuilder, input: Exclude<AgentInput, { kind: "message" | "lost" }>): void {
  const work = entryOf(builder.state.works, input.workId);
  const live =
    work !== undefined && (work.status === "running" || work.status === "parked" || work.status === "ready") && work.token === input.token;
  if (!live)
    return builder.refuse(
      wireFault("work.superseded", `${input.workId}: the token is stale; a later attempt or another host took the work item over`),
    );
  return take(builder, work, input);
}

function take(builder: AgentBuilder, work: AgentWork, input: Exclude<AgentInput, { kind: "message" | "lost" }>): void {
  switch (input.kind) {
    case "call-begun":
      return takeCallBegun(builder, work, input);
    case "call-tried":
      return takeCallTried(builder, work, input);
    case "call-ended":
      return takeCallEnded(builder, work, input);
    case "call-undone":
      return takeCallUndone(builder, work, input);
    case "model-begun":
      return takeModelBegun(builder, work, input);
    case "model-tried":
      return takeModelTried(builder, work, input);
    case "model-dropped":
      return takeModelDropped(builder, work, input);
    case "model-ended":
      return takeModelEnded(builder, work, input);
    case "step-done":
      return takeStep(builder, work, input);
    case "failed":
      return takeFailure(builder, work, input);
    case "waits":
      return takeWait(builder, work, input);
    case "rests":
      return takeRest(builder, work, input);
    case "released":
      if (work.status !== "running") return;
      builder.emit({ e: "released", workId: work.id });
      return work.undo?.dropped === true ? settleDropped(builder, work) : undefined;
    case "finished":
      return work.mode === "undo" ? takeSettled(builder, work, input) : takeFinish(builder, work, input);
    case "compensated":
      return takeCompensated(builder, work, input);
    default:
      return assertNever(input);
  }
}
