/**
 * @module A tree of processes under one budget, with agents that spend up to the largest grant that they were ever given.
 *
 * Every message ever sent can be delivered at any time, again and in any order; one that is never picked is lost.
 */
import {
  addSpent,
  addUsed,
  type Amounts,
  type Grant,
  isWithin,
  maxGrant,
  NOTHING_SPENT,
  NOTHING_USED,
  restOf,
  type Spent,
  usedOf,
} from "../../runtime/budget.ts";
import type { Json } from "../../runtime/faults.ts";
import type { Decision } from "../../runtime/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { Message } from "../../runtime/protocol.ts";
import type { Body, BodyOf, Result } from "../../runtime/protocol/bodies.ts";
import type { Slip } from "../../runtime/slip.ts";
import { sends } from "./machine-rig.ts";
import { ProcessRig } from "./process-rig.ts";

/** A work item at its agent. */
export interface Doing {
  readonly id: string;
  readonly agent: string;
  readonly processId: string;
  attempt: number;
  /** The largest of all grants that it was given. */
  grant: Grant | undefined;
  spent: Spent;
  state: "running" | "done" | "undone";
  result: Result | undefined;
  waits: number;
}

const REPORT: Json = { undone: 1, left: [], stands: [], stateStands: false };

/** The tree and its messages. */
export class BudgetTree {
  readonly root: ProcessRig;
  readonly processes = new Map<string, ProcessRig>();
  readonly works = new Map<string, Doing>();
  readonly messages: Message[] = [];

  constructor(slip: Slip, input: Json) {
    this.root = new ProcessRig(slip);
    this.processes.set("p", this.root);
    this.#took(this.root.accept({ input }));
  }

  /** All that agents have spent in this tree. */
  get used(): Amounts {
    return [...this.works.values()].reduce((sum, { spent }) => addUsed(sum, usedOf(spent)), NOTHING_USED);
  }

  /** Work items whose handlers run. */
  get running(): readonly Doing[] {
    return [...this.works.values()].filter(({ state }) => state === "running");
  }

  deliver(message: Message): void {
    if (!message.to.type.endsWith(".ProcessManager")) return this.#toAgent(message);
    const { id } = message.to;
    const isTask = message.body.kind === "task" || message.body.kind === "undo";
    if (!this.processes.has(id) && isTask) this.processes.set(id, new ProcessRig(this.root.slip, id));
    const rig = this.processes.get(id);
    if (rig === undefined) return;
    rig.nowMs = this.root.nowMs;
    for (const [ref, content] of this.root.values) rig.values.set(ref, content);
    this.#took(rig.give({ kind: "message", message, bucket: "b" }));
  }

  pass(ms: number): void {
    this.root.nowMs += ms;
    for (const rig of this.processes.values()) {
      rig.nowMs = this.root.nowMs;
      if (rig.state.phase === "open") this.#took(rig.tick());
    }
  }

  /** Spends on a model, as far as the grant allows. */
  spend(work: Doing, tokens: number): void {
    const rest = work.grant === undefined ? {} : restOf(work.grant, usedOf(work.spent));
    if (rest.modelCalls === 0) return;
    const inputTokens = Math.min(tokens, rest.tokens ?? tokens);
    work.spent = addSpent(work.spent, {
      toolCalls: 0,
      models: { [work.agent]: { modelCalls: 1, inputTokens, outputTokens: 0, costMicros: 0 } },
    });
  }

  end(work: Doing, result: Result): void {
    Object.assign(work, { state: "done", result });
    this.#reply(work);
  }

  wait(work: Doing, wanted: BodyOf<"wait">["for"]): void {
    this.#send(work, `wait${work.waits}`, { kind: "wait", workId: work.id, index: work.waits, for: wanted });
    work.waits += 1;
  }

  /** Why the law does not hold for a process; undefined if it does. */
  brokenLaw(): string | undefined {
    for (const [id, { state }] of this.processes) {
      const limit = limitOf(this.processes, id);
      const within = [...this.works.values()].filter(({ processId }) => this.#isWithin(processId, id));
      const real = within.reduce((sum, { spent }) => addUsed(sum, usedOf(spent)), NOTHING_USED);
      if (limit !== undefined && !isWithin(real, limit)) return `${id} spent ${JSON.stringify(real)} of ${JSON.stringify(limit)}`;
      const told = Object.values(state.account?.spent ?? {}).reduce((sum, spent) => addUsed(sum, usedOf(spent)), NOTHING_USED);
      const isOpen = state.phase === "open" && state.outcome === undefined;
      if (isOpen && !isWithin(told, real)) return `${id} counts ${JSON.stringify(told)} of ${JSON.stringify(real)}`;
    }
    return undefined;
  }

  /** Delivers everything, and lets all agents answer, until the root has ended. */
  drain(): void {
    for (let round = 0; round < 300 && this.root.state.phase === "open"; round += 1) {
      for (const rig of [...this.processes.values()]) for (const message of sends(rig.outbox())) this.deliver(message);
      for (const work of this.running) this.end(work, { output: { json: 1 } });
      for (const message of this.messages.splice(0)) this.deliver(message);
      this.pass(1_000);
    }
  }

  #isWithin(process: string, above: string): boolean {
    if (process === above) return true;
    const parent = this.processes.get(process)?.state.task?.parent;
    return parent !== undefined && this.#isWithin(parent.processId, above);
  }

  #took(decision: Decision<ProcessEvent>): void {
    this.messages.push(...sends(decision.effects));
  }

  #toAgent(message: Message): void {
    const { body } = message;
    if (body.kind === "work") return this.#work(message, body);
    const known = this.works.get(body.kind === "answer" || body.kind === "undo" ? body.workId : "");
    if (body.kind === "answer" && known?.state === "running" && "output" in body.result && "json" in body.result.output) {
      const granted = body.result.output.json as Grant;
      if (known.grant !== undefined && typeof granted === "object") known.grant = maxGrant(known.grant, granted);
    }
    if (body.kind === "undo") this.#undo(message, body, known);
  }

  #work({ processId }: Message, body: BodyOf<"work">): void {
    const known = this.works.get(body.workId);
    if (known === undefined) {
      const { workId: id, agent, attempt, grant } = body;
      const work: Doing = { id, agent, processId, attempt, grant, spent: NOTHING_SPENT, state: "running", result: undefined, waits: 0 };
      this.works.set(id, work);
      return;
    }
    if (known.state === "undone") return;
    const isFurther = body.attempt > known.attempt;
    if (known.state === "done" && (!isFurther || (known.result !== undefined && !("fault" in known.result)))) return this.#reply(known);
    if (!isFurther) return;
    known.attempt = body.attempt;
    known.state = "running";
    if (known.grant !== undefined && body.grant !== undefined) known.grant = maxGrant(known.grant, body.grant);
  }

  #undo({ processId }: Message, body: BodyOf<"undo">, known: Doing | undefined): void {
    const work: Doing = known ?? {
      ...{ id: body.workId, agent: body.agent, processId, attempt: 1, grant: undefined },
      ...{ spent: NOTHING_SPENT, state: "undone", result: undefined, waits: 0 },
    };
    work.state = "undone";
    this.works.set(work.id, work);
    const told = known === undefined ? {} : { spent: work.spent };
    this.#send(work, "undone", {
      kind: "result",
      workId: body.undoId,
      attempt: body.attempt,
      result: { output: { json: REPORT } },
      ...told,
    });
  }

  #reply(work: Doing): void {
    const { id, attempt, result, spent } = work;
    if (result !== undefined) this.#send(work, `reply${attempt}`, { kind: "result", workId: id, attempt, result, spent });
  }

  #send(work: Doing, name: string, body: Body): void {
    const rig = this.processes.get(work.processId);
    if (rig !== undefined) this.messages.push({ ...rig.message(`${work.id}/${name}`, body), processId: work.processId });
  }
}

/** What a process may spend at most: its own budget, and what its parent holds for it. */
function limitOf(processes: BudgetTree["processes"], id: string): Grant | undefined {
  const state = processes.get(id)?.state;
  const budget = state?.task?.budget;
  const granted = state?.account?.raised ?? state?.task?.grant;
  if (budget === undefined || granted === undefined) return budget ?? granted;
  const tokens = Math.min(budget.tokens ?? Number.POSITIVE_INFINITY, granted.tokens ?? Number.POSITIVE_INFINITY);
  const modelCalls = Math.min(budget.modelCalls ?? Number.POSITIVE_INFINITY, granted.modelCalls ?? Number.POSITIVE_INFINITY);
  return { ...(Number.isFinite(tokens) ? { tokens } : {}), ...(Number.isFinite(modelCalls) ? { modelCalls } : {}) };
}
