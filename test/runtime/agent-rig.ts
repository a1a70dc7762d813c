/**
 * @module An agent actor alone: work, compensations and answers to give it, hosts to speak for.
 */
import type { AgentInput, FinishedResult, WaitContent } from "../../runtime/agent/inputs.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import type { AgentEvent } from "../../runtime/agent/events.ts";
import type { AgentState, AgentWork } from "../../runtime/agent/state.ts";
import type { Grant } from "../../runtime/budget.ts";
import type { Json, WireFault } from "../../runtime/faults.ts";
import type { Decision } from "../../runtime/machine.ts";
import type { Effect, Message } from "../../runtime/protocol.ts";
import type { Body, CompensationReport, Result } from "../../runtime/protocol/bodies.ts";
import { MachineRig, PRINCIPAL, TRACE } from "./machine-rig.ts";

export const HOUR_MS = 3_600_000;

const NO_ROOM: WireFault = { code: "agent.failed", message: "no room" };

/** A report of a compensation that found nothing. */
export const REPORT: CompensationReport = { undone: 0, left: [], stands: [], stateStands: false };

interface CallParts {
  readonly stands?: true;
  readonly token?: string;
  readonly count?: number;
}

export interface WorkParts {
  readonly attempt?: number;
  readonly input?: Json;
  readonly fault?: WireFault;
  readonly expiresAtMs?: number;
  readonly retainUntilMs?: number;
  readonly grant?: Grant;
}

export class AgentRig extends MachineRig<AgentState, AgentInput, AgentEvent> {
  /** A repeated message was made when it was made first. */
  readonly #createdAtMs = new Map<string, number>();

  constructor() {
    super(agentMachine, "key");
  }

  message(id: string, body: Body, expiresAtMs = this.nowMs + HOUR_MS): Message {
    const createdAtMs = this.#createdAtMs.get(id) ?? this.nowMs;
    this.#createdAtMs.set(id, createdAtMs);
    return {
      v: 1,
      id,
      to: { type: "sys.A", id: this.actorId },
      from: "sys.ProcessManager/p",
      processId: "p",
      createdAtMs,
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
    const { attempt = 1, input = "in", fault, expiresAtMs = this.nowMs + HOUR_MS, retainUntilMs = this.nowMs + HOUR_MS, grant } = parts;
    const about = { workId, attempt, agent: "A", version: 1, input: { json: input }, retainUntilMs, ancestors: [] };
    const body: Body = { kind: "work", ...about, ...(grant === undefined ? {} : { grant }) };
    return this.give({
      kind: "message",
      message: this.message(`${workId}:${attempt}`, body, expiresAtMs),
      ...(fault === undefined ? {} : { fault }),
    });
  }

  /** The process was terminated. */
  drops(workId: string): Decision<AgentEvent> {
    const body = { kind: "drop", workId, agent: "A", retainUntilMs: this.nowMs + HOUR_MS } as const;
    return this.give({ kind: "message", message: this.message(`${workId}:drop`, body) });
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

  /** A step of that name is done. */
  records(workId: string, name: string, more: { readonly token?: string; readonly output?: Json } = {}): Decision<AgentEvent> {
    const { token = this.token(workId), output = "recorded" } = more;
    return this.give({ kind: "step-done", workId, token, name, output });
  }

  /** A call of a tool is about to be made. */
  begins(workId: string, tool: string, more: CallParts & { readonly undo?: boolean; readonly input?: Json } = {}): Decision<AgentEvent> {
    const { token = this.token(workId), count = 0, undo = true, input = "input", ...rest } = more;
    const call = { key: `${tool}/hash/${count}`, tool, undo, ...rest, ...(undo ? { input } : {}) };
    return this.give({ kind: "call-begun", workId, token, call });
  }

  /** A call of a tool has ended. */
  ends(
    workId: string,
    tool: string,
    end: { readonly output: Json } | { readonly fault: WireFault; readonly open?: boolean } = { output: "made" },
    more: CallParts = {},
  ): Decision<AgentEvent> {
    const { token = this.token(workId), count = 0, ...rest } = more;
    return this.give({ kind: "call-ended", workId, token, call: { key: `${tool}/hash/${count}`, tool, end, ...rest } });
  }

  /** A call of a tool failed and is to be made again. */
  tries(workId: string, tool: string, tries: number, more: CallParts = {}): Decision<AgentEvent> {
    const { token = this.token(workId), count = 0 } = more;
    return this.give({ kind: "call-tried", workId, token, call: { key: `${tool}/hash/${count}`, tool }, tries, end: { fault: NO_ROOM } });
  }

  /** The undo of a call has run. */
  undid(workId: string, tool: string, more: CallParts = {}): Decision<AgentEvent> {
    const { token = this.token(workId), count = 0 } = more;
    return this.give({ kind: "call-undone", workId, token, key: `${tool}/hash/${count}` });
  }

  failsAt(workId: string, name: string, more: { readonly token?: string; readonly kind?: "step" | "wait" } = {}): Decision<AgentEvent> {
    const { token = this.token(workId), kind = "step" } = more;
    return this.give({ kind: "failed", workId, token, failure: { kind, key: name, fault: NO_ROOM } });
  }

  askedBy(
    workId: string,
    agent: string,
    more: { readonly token?: string; readonly occurrence?: number; readonly input?: Json } = {},
  ): Decision<AgentEvent> {
    const { token = this.token(workId), occurrence = 0, input = "question" } = more;
    return this.waits(workId, `ask ${agent}/hash/${occurrence}`, { kind: "agent", agent, input }, token);
  }

  /** A handler waits for something. */
  waits(workId: string, key: string, content: WaitContent, token = this.token(workId)): Decision<AgentEvent> {
    return this.give({ kind: "waits", workId, token, key, for: content, answers: this.#received(workId) });
  }

  /** The handler does nothing but wait, again. */
  rests(workId: string, answers = this.#received(workId)): Decision<AgentEvent> {
    return this.give({ kind: "rests", workId, token: this.token(workId), answers });
  }

  #received(workId: string): number {
    return (this.state.works[workId]?.waits ?? []).filter(({ order }) => order !== undefined).length;
  }

  finishes(
    workId: string,
    result: FinishedResult = { output: "out" },
    more: {
      readonly token?: string;
      readonly state?: { readonly content: Json; readonly base: number };
      readonly undoes?: boolean;
    } = {},
  ): Decision<AgentEvent> {
    const { token = this.token(workId), state, undoes = false } = more;
    return this.give({ kind: "finished", workId, token, result, undoes, ...(state === undefined ? {} : { state }) });
  }

  /** A compensation has ended. */
  compensates(
    workId: string,
    end: { readonly report: CompensationReport } | { readonly fault: WireFault } = { report: REPORT },
    more: {
      readonly token?: string;
      readonly state?: { readonly content: Json; readonly base: number };
      readonly agentUndid?: boolean;
    } = {},
  ): Decision<AgentEvent> {
    const { token = this.token(workId), ...rest } = more;
    return this.give({ kind: "compensated", workId, token, end, ...rest });
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
