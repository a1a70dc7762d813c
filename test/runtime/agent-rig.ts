/**
 * @module An agent actor alone: work, compensations and answers to give it, hosts to speak for.
 */
import { type AgentInput, agentMachine, type FinishedResult } from "../../runtime/agent/machine.ts";
import type { AgentEvent, AgentState, AgentWork } from "../../runtime/agent/state.ts";
import type { Json, WireFault } from "../../runtime/faults.ts";
import type { Decision } from "../../runtime/machine.ts";
import type { Body, Effect, Message, Result } from "../../runtime/protocol.ts";
import { MachineRig, PRINCIPAL, TRACE } from "./machine-rig.ts";

export const HOUR_MS = 3_600_000;

export interface WorkParts {
  readonly attempt?: number;
  readonly input?: Json;
  readonly fault?: WireFault;
  readonly expiresAtMs?: number;
  readonly retainUntilMs?: number;
}

export class AgentRig extends MachineRig<AgentState, AgentInput, AgentEvent> {
  constructor() {
    super(agentMachine, "key");
  }

  message(id: string, body: Body, expiresAtMs = this.nowMs + HOUR_MS): Message {
    return {
      v: 1,
      id,
      to: { type: "sys.A", id: this.actorId },
      from: "sys.ProcessManager/p",
      processId: "p",
      createdAtMs: this.nowMs,
      expiresAtMs,
      hop: 3,
      principal: { ...PRINCIPAL, permissions: [...PRINCIPAL.permissions] },
      trace: TRACE,
      body,
    };
  }

  /** Gives as another host, and comes back. */
  as<T>(incarnation: string, give: () => T): T {
    const before = this.incarnation;
    this.incarnation = incarnation;
    try {
      return give();
    } finally {
      this.incarnation = before;
    }
  }

  asks(workId: string, parts: WorkParts = {}): Decision<AgentEvent> {
    const { attempt = 1, input = "in", fault, expiresAtMs = this.nowMs + HOUR_MS, retainUntilMs = this.nowMs + HOUR_MS } = parts;
    const body: Body = { kind: "work", workId, attempt, agent: "A", version: 1, input: { json: input }, retainUntilMs, ancestors: [] };
    return this.give({
      kind: "message",
      message: this.message(`${workId}:${attempt}`, body, expiresAtMs),
      ...(fault === undefined ? {} : { fault }),
    });
  }

  undoes(workId: string, attempt = 1): Decision<AgentEvent> {
    return this.give({
      kind: "message",
      message: this.message(`${workId}/undo:${attempt}`, {
        kind: "undo",
        workId,
        undoId: `${workId}/undo`,
        attempt,
        agent: "A",
        retainUntilMs: this.nowMs + HOUR_MS,
      }),
    });
  }

  answers(workId: string, index: number, result: Result = { output: { json: `answer ${index}` } }): Decision<AgentEvent> {
    return this.give({ kind: "message", message: this.message(`${workId}/answer${index}`, { kind: "answer", workId, index, result }) });
  }

  records(
    workId: string,
    name: string,
    more: {
      readonly token?: string;
      readonly undoable?: boolean;
      readonly occurrence?: number;
      readonly kind?: "step" | "undo";
      readonly output?: Json;
    } = {},
  ): Decision<AgentEvent> {
    const { token = this.token(workId), undoable = false, occurrence = 0, kind = "step", output = "recorded" } = more;
    return this.give({ kind: "recorded", workId, token, entry: { kind, name, occurrence, input: "hash", output, undoable } });
  }

  failsAt(
    workId: string,
    name: string,
    more: { readonly token?: string; readonly undoable?: boolean; readonly occurrence?: number; readonly kind?: "step" | "ask" } = {},
  ): Decision<AgentEvent> {
    const { token = this.token(workId), undoable = false, occurrence = 0, kind = "step" } = more;
    return this.give({
      kind: "failed",
      workId,
      token,
      failure: { kind, name, occurrence, input: "hash", undoable, fault: { code: "agent.failed", message: "no room" } },
    });
  }

  askedBy(
    workId: string,
    agent: string,
    more: { readonly token?: string; readonly occurrence?: number; readonly input?: Json } = {},
  ): Decision<AgentEvent> {
    return this.give({
      kind: "asked",
      workId,
      token: more.token ?? this.token(workId),
      agent,
      occurrence: more.occurrence ?? 0,
      input: more.input ?? "question",
    });
  }

  finishes(
    workId: string,
    result: FinishedResult = { output: "out" },
    more: {
      readonly token?: string;
      readonly state?: { readonly content: Json; readonly base: number };
      readonly mode?: "do" | "undo";
      readonly untouched?: boolean;
    } = {},
  ): Decision<AgentEvent> {
    const { token = this.token(workId), state, mode = "do", untouched = false } = more;
    return this.give({ kind: "finished", mode, workId, token, result, untouched, ...(state === undefined ? {} : { state }) });
  }

  lost(workId: string, token = this.token(workId)): Decision<AgentEvent> {
    return this.give({ kind: "lost", workId, token });
  }

  work(id: string): AgentWork {
    const work = this.state.works[id];
    if (work === undefined) throw new Error(`there is no work ${id}`);
    return work;
  }

  token(workId: string): string {
    return this.state.works[workId]?.token ?? "";
  }
}

/** What a decision tells the process: results by work id. */
export function replies(decision: { readonly effects: readonly Effect[] }): [string, number, Result][] {
  return decision.effects.flatMap((effect) =>
    effect.kind === "send" && effect.message.body.kind === "result"
      ? [[effect.message.body.workId, effect.message.body.attempt, effect.message.body.result] as [string, number, Result]]
      : [],
  );
}

/** What a decision orders of its host, as `kind work`. */
export function orders(decision: { readonly effects: readonly Effect[] }): string[] {
  return decision.effects.flatMap((effect) =>
    effect.kind === "run" || effect.kind === "stop" || effect.kind === "watch" ? [`${effect.kind} ${effect.workId}`] : [],
  );
}
