/**
 * @module Laws of decisions, checked while they are made: no stale token is believed, a fault decides the attempt that it is
 * of and no other, and a decision that writes nothing is made on the newest state.
 */
import { entryOf } from "../../runtime/entries.ts";
import { TurnEngine } from "../../actors/engine/turn.ts";
import type { AgentInput } from "../../runtime/agent/inputs.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import type { AgentEvent } from "../../runtime/agent/events.ts";
import type { AgentState, AgentWork } from "../../runtime/agent/state.ts";
import type { Decision } from "../../runtime/machine.ts";
import { type ProcessInput, processMachine } from "../../runtime/process/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { AgentLaws } from "./agent-laws.ts";
import type { Effect } from "../../runtime/protocol.ts";
import type { Find } from "./shadow.ts";

const STALE_FAULT = "a fault decides only its own attempt";

/** What the laws of decisions read. */
export interface DecisionLawsParts {
  readonly find: Find;
  readonly agents: AgentLaws;
  /** Sequence of the last record of an actor, 0 for none. */
  readonly sequence: (type: string, id: string) => number;
  readonly isPurged: (type: string, id: string) => boolean;
}

/** Watches decisions between `begin` and `end`. */
export class DecisionLaws {
  readonly #parts: DecisionLawsParts;
  #end = (): void => {};

  constructor(parts: DecisionLawsParts) {
    this.#parts = parts;
  }

  /** From here on every decision is watched. */
  begin(): void {
    const { turn } = TurnEngine.prototype;
    const decideAgent = agentMachine.decide;
    const decideProcess = processMachine.decide;
    TurnEngine.prototype.turn = this.#watchTurns(turn);
    agentMachine.decide = (state, input, context) => {
      const decision = decideAgent(state, input, context);
      if (decision.events.length > 0 && "token" in input) this.#token(state, input);
      this.#reply(state, decision);
      return decision;
    };
    processMachine.decide = (state, input, context) => {
      const decision = decideProcess(state, input, context);
      this.#fault(state, input, decision);
      return decision;
    };
    this.#end = () => {
      TurnEngine.prototype.turn = turn;
      agentMachine.decide = decideAgent;
      processMachine.decide = decideProcess;
    };
  }

  /** Decisions are no longer watched. */
  end(): void {
    this.#end();
  }

  #watchTurns(turn: TurnEngine<unknown, unknown, unknown>["turn"]): TurnEngine<unknown, unknown, unknown>["turn"] {
    const { find, sequence: sequenceOf, isPurged, agents } = this.#parts;
    return function (this: TurnEngine<unknown, unknown, unknown>, actorId, input, options) {
      const before = sequenceOf(this.type, actorId);
      const asked = askedOf(input);
      const settled = agents.settled.get(asked);
      const turned = turn.call(this, actorId, input, options);
      if (before === 0) return turned;
      turned.then(
        ({ wrote, sequence, verdict, effects }) => {
          if (
            settled !== undefined &&
            !wrote &&
            verdict.kind === "received" &&
            agents.settled.get(asked) === settled &&
            !isReplied(effects, settled)
          )
            find("a repeated request gets the recorded reply", `${asked} has settled, and its request got ${JSON.stringify(effects)}`);
          if (!wrote && sequence < before && !isPurged(this.type, actorId))
            find(
              "a decision that writes nothing is made on the newest state",
              `${this.type}/${actorId} answered from record ${sequence} when record ${before} was there`,
            );
        },
        () => {},
      );
      return turned;
    };
  }

  #token(state: AgentState, input: Exclude<AgentInput, { kind: "message" }>): void {
    const work = entryOf(state.works, input.workId);
    if (work?.token === input.token && (input.kind === "lost" || ["running", "parked", "ready"].includes(work.status))) return;
    this.#parts.find(
      "stale tokens are never believed",
      `${input.kind} of ${input.workId} came under token ${input.token}, ` +
        `but the work item is ${work?.status ?? "unknown"} under ${work?.token ?? "none"}`,
    );
  }

  /** An agent answers with a fault: that attempt ended with it, in an earlier record or in this one. */
  #reply(state: AgentState, decision: Decision<AgentEvent>): void {
    for (const effect of decision.effects) {
      if (effect.kind !== "send" || effect.message.body.kind !== "result" || !("fault" in effect.message.body.result)) continue;
      const { workId, attempt } = effect.message.body;
      const work = entryOf(state.works, workId);
      // The fault of an undo has the attempt of the undo.
      const ended = decision.events.some((event) => event.e === "work-done" && event.workId === workId);
      if (ended || work === undefined || work.mode === "undo" || this.#parts.agents.hasFaulted(workId, attempt)) continue;
      this.#parts.find(STALE_FAULT, `${workId} answered with a fault for attempt ${attempt}, which ended with none`);
    }
  }

  /** A process hears a fault: it decides an attempt only if it is of that attempt. */
  #fault(state: ProcessState, input: ProcessInput, { events }: Decision<ProcessEvent>): void {
    if (input.kind !== "message" || input.message.body.kind !== "result" || !("fault" in input.message.body.result)) return;
    const { workId, attempt } = input.message.body;
    const decided = events.some(
      (event) => (event.e === "attempt-failed" || event.e === "failed" || event.e === "undo-failed") && event.workId === workId,
    );
    const work = entryOf(state.works, workId);
    if (!decided || (work?.attempt === attempt && work.status === "asked")) return;
    this.#parts.find(
      STALE_FAULT,
      `the fault of attempt ${attempt} of ${workId} decided attempt ${work?.attempt ?? 0}, which is ${work?.status ?? "unknown"}`,
    );
  }
}

/** The work item that a request is for; empty for any other input. */
function askedOf(input: unknown): string {
  const { kind, message } = input as Partial<Extract<AgentInput, { kind: "message" }>>;
  return kind === "message" && message?.body.kind === "work" ? message.body.workId : "";
}

function isReplied(effects: readonly Effect[], { id, mode, undo, result }: AgentWork): boolean {
  if (mode === "undo" && (undo?.result === undefined || "fault" in undo.result)) return true;
  return effects.some((effect) => {
    if (effect.kind !== "send" || effect.message.body.kind !== "result" || effect.message.body.workId !== id) return false;
    const told = effect.message.body.result;
    return mode === "undo" ? "fault" in told && told.fault.code === "work.undone" : JSON.stringify(told) === JSON.stringify(result);
  });
}
