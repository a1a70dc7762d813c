/**
 * @module A process manager alone: slips in data, requests to look at, answers to give.
 */
import type { Grant, Spent } from "../../runtime/budget.ts";
import type { Expression } from "../../runtime/expression.ts";
import type { Json, WireFault } from "../../runtime/faults.ts";
import type { Decision } from "../../runtime/machine.ts";
import { nextRun } from "../../runtime/process/runs.ts";
import { type ProcessInput, processMachine } from "../../runtime/process/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Work } from "../../runtime/process/work.ts";
import type { Message } from "../../runtime/protocol.ts";
import type { Body, Result } from "../../runtime/protocol/bodies.ts";
import { type AgentData, type Call, RETRY_DEFAULT, type RouteData, type Slip, type Stop } from "../../runtime/slip.ts";
import { packValue } from "../../runtime/value.ts";
import { MachineRig, PRINCIPAL, sends, TRACE } from "./machine-rig.ts";

const FLAT = { ...RETRY_DEFAULT, jitter: 0 };

export function call(agent: string, more: Partial<Call> = {}): Call {
  return {
    target: { kind: "agent", agent },
    input: { from: ["task"] },
    timeoutMs: 60_000,
    retry: { ...FLAT, attemptsMax: 1 },
    optional: false,
    ...more,
  };
}

export function one(name: string, more: Partial<Call> = {}, agent = name.toUpperCase()): Stop {
  return { kind: "one", name, call: call(agent, more) };
}

function agentData(more: Partial<AgentData> = {}): AgentData {
  return { version: 1, stateful: true, asks: [], handsOffTo: [], ...more };
}

export interface SlipParts {
  readonly agents?: Readonly<Record<string, Partial<AgentData>>>;
  readonly routes?: Readonly<Record<string, RouteData>>;
  readonly output?: Expression;
  /** The budget of the main route. */
  readonly budget?: Grant;
  /** The person who may raise it. */
  readonly budgetAsks?: string;
}

const AGENTS = ["A", "B", "C", "D", "E"];

export function slipOf(stops: readonly Stop[], parts: SlipParts = {}): Slip {
  const agents = Object.fromEntries([...AGENTS, ...Object.keys(parts.agents ?? {})].map((name) => [name, agentData(parts.agents?.[name])]));
  return {
    v: 1,
    system: "sys",
    routes: {
      main: {
        version: 1,
        stops,
        output: parts.output ?? { literal: "done" },
        ...(parts.budget === undefined ? {} : { budget: parts.budget }),
        ...(parts.budgetAsks === undefined ? {} : { budgetAsks: parts.budgetAsks }),
      },
      ...parts.routes,
    },
    agents,
  };
}

export interface TaskParts {
  readonly input?: Json;
  readonly timeoutMs?: number;
  readonly parent?: { readonly processId: string; readonly workId: string };
  readonly nesting?: string[];
  readonly route?: string;
  readonly grant?: Grant;
}

/** A process and what answers it. */
export class ProcessRig extends MachineRig<ProcessState, ProcessInput, ProcessEvent> {
  readonly slip: Slip;

  constructor(slip: Slip, id = "p") {
    super(processMachine, id);
    this.slip = slip;
  }

  message(id: string, body: Body, expiresAtMs = this.nowMs + 3_600_000): Message {
    return {
      v: 1,
      id,
      to: { type: "sys.ProcessManager", id: this.actorId },
      from: "test",
      processId: this.actorId,
      createdAtMs: this.nowMs,
      expiresAtMs,
      hop: 0,
      principal: { ...PRINCIPAL, permissions: [...PRINCIPAL.permissions] },
      trace: TRACE,
      body,
    };
  }

  taskMessage(parts: TaskParts = {}): Message {
    const packed = packValue(this.slip as unknown as Json, undefined, 0);
    const input = packValue(parts.input ?? { n: 1 });
    for (const one of [packed, input]) if (one.stored !== undefined) this.values.set(one.stored.ref, JSON.parse(one.stored.text) as Json);
    const { parent, nesting = [], route = "main", timeoutMs = 3_600_000, grant } = parts;
    return this.message(this.actorId, {
      kind: "task",
      route,
      slip: packed.value,
      input: input.value,
      timeoutMs,
      nesting,
      ...(parent === undefined ? {} : { parent }),
      ...(grant === undefined ? {} : { grant }),
    });
  }

  accept(parts: TaskParts = {}): Decision<ProcessEvent> {
    return this.give({ kind: "message", message: this.taskMessage(parts), bucket: "b" });
  }

  tick(): Decision<ProcessEvent> {
    return this.give({ kind: "tick" });
  }

  body(body: Body): Decision<ProcessEvent> {
    return this.give({ kind: "message", message: this.message(`m-${body.kind}`, body) });
  }

  result(workId: string, result: Result, attempt = 1, spent?: Spent): Decision<ProcessEvent> {
    return this.body({ kind: "result", workId, attempt, result, ...(spent === undefined ? {} : { spent }) });
  }

  output(workId: string, content: Json = `${workId}!`, attempt = 1): Decision<ProcessEvent> {
    return this.result(workId, { output: { json: content } }, attempt);
  }

  /** By default a fault that ends a work item, and one after which a compensation is tried again. */
  fault(
    workId: string,
    code: WireFault["code"] = workId.endsWith("/undo") ? "agent.failed" : "agent.refused",
    attempt = 1,
  ): Decision<ProcessEvent> {
    return this.result(workId, { fault: { code, message: `${code}!` } }, attempt);
  }

  question(workId: string, index: number, agent: string, input: Json = "q"): Decision<ProcessEvent> {
    return this.body({ kind: "wait", workId, index, for: { kind: "agent", agent, input: { json: input } } });
  }

  cancel(reason = "enough"): Decision<ProcessEvent> {
    return this.body({ kind: "cancel", reason });
  }

  /** A decision on the dead letter of a run; by default that of the last one, for which the line of the next run stands. */
  decision(
    what: "redrive" | "discard",
    more: {
      readonly run?: number;
      readonly decisionId?: string;
      readonly input?: Json;
      readonly prepared?: number;
      readonly reason?: string;
      readonly undoneByHand?: boolean;
    } = {},
  ): Decision<ProcessEvent> {
    const {
      run = Math.max(1, this.state.run),
      decisionId = "d1",
      input,
      prepared = nextRun(this.state),
      reason = "fixed",
      undoneByHand,
    } = more;
    const body: Body = {
      kind: "decision",
      what,
      run,
      decisionId,
      reason,
      ...(input === undefined ? {} : { input: { json: input } }),
      ...(undoneByHand === undefined ? {} : { undoneByHand }),
    };
    return this.give({ kind: "message", message: this.message(`decision-${decisionId}`, body), prepared });
  }

  redrive(more: Parameters<ProcessRig["decision"]>[1] = {}): Decision<ProcessEvent> {
    return this.decision("redrive", more);
  }

  discard(more: Parameters<ProcessRig["decision"]>[1] = {}): Decision<ProcessEvent> {
    return this.decision("discard", more);
  }

  work(id: string): Work | undefined {
    return this.state.works[id];
  }

  get open(): string[] {
    return Object.keys(this.state.works);
  }

  /** Ids of works named by their stop: `p:1:<path>:<item>:<visit>`. */
  id(path: string, item = 0, visit = 1): string {
    return `${this.actorId}:${this.state.run}:${path}:${item}:${visit}`;
  }

  /** Answers every compensation until none is asked; gives the order in which they were asked. */
  undoAll(
    from: Decision<ProcessEvent>,
    hadEffect: (workId: string) => boolean = () => false,
  ): { readonly order: string[]; readonly last: Decision<ProcessEvent> } {
    const order: string[] = [];
    let last = from;
    for (;;) {
      const asked = asksUndo(last);
      if (asked.length === 0) return { order, last };
      order.push(...asked);
      for (const workId of asked)
        last = this.output(`${workId}/undo`, { undone: hadEffect(workId) ? 1 : 0, left: [], stands: [], stateStands: false });
    }
  }

  get ends(): ProcessEvent[] {
    return this.log.filter((event) => event.e === "ended");
  }

  get letter(): Readonly<Record<string, Json>> {
    const value = this.state.outcome?.deadLetter;
    if (value === undefined) throw new Error("there is no dead letter");
    return ("json" in value ? value.json : this.values.get(value.ref)) as Readonly<Record<string, Json>>;
  }
}

/** Works that a decision asks to be undone, in order. */
export function asksUndo(decision: Decision<ProcessEvent>): string[] {
  return sends(decision.effects).flatMap(({ body }) => (body.kind === "undo" ? [body.workId] : []));
}

/** Works that a decision asks to be done, in order. */
export function asksWork(decision: Decision<ProcessEvent>): string[] {
  return sends(decision.effects).flatMap(({ body }) => (body.kind === "work" ? [body.workId] : []));
}
