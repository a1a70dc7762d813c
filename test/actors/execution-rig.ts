/** @module One execution over an actor whose records a test makes, with a clock that the test drives. */
import { MemoryStore } from "../../actors/memory/store.ts";
import { Values } from "../../actors/engine/values.ts";
import { HandlerExecution } from "../../actors/host/handler-execution.ts";
import type { HeldInput, RunLink } from "../../actors/host/run-link.ts";
import type { AgentInput } from "../../runtime/agent/inputs.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import type { AgentState, AgentWork } from "../../runtime/agent/state.ts";
import type { DecisionContext } from "../../runtime/machine.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import type { Value } from "../../runtime/value.ts";
import { HandClock } from "./engine-rig.ts";
import { telemetry } from "./handler-rig.ts";

const ID = "p:1:doer:0:1";
/** More than what the engine needs to hand over two results. */
const MICROTASKS = 200;
export const FIRST_MS = 1_000;
const SETTLE_MS = 5;

export const WORK: AgentWork = {
  ...{ id: ID, processId: "p", agent: "Doer", version: 1, attempt: 1, status: "running", mode: "do", begun: true, begunAtMs: 0 },
  ...{ token: "one-1", holder: "one", takeovers: 0, results: 0, input: { json: null }, retainUntilMs: 0, askedAtMs: 0 },
  principal: { ...ANONYMOUS, permissions: [] },
  trace: { traceparent: `00-${"1".repeat(32)}-${"1".repeat(16)}-01` },
  ...{ hop: 1, ancestors: [], calls: [], steps: [], waits: [] },
};

const context: DecisionContext = {
  ...{ system: "sys", actorId: "p", nowMs: 1_000, incarnation: "one", sequence: 2, jitter01: 0, token: "one-2" },
  values: new Map(),
};

/** An actor whose records a test makes, and whose answers to reports it delays. */
export class Actor {
  state: AgentState;
  /** Resolves when a report that is recorded is answered. */
  answered: (input: HeldInput) => Promise<void> = async () => {};
  readonly link: RunLink = {
    tell: async (input) => {
      this.#take({ ...input, workId: ID, token: WORK.token });
      await this.answered(input);
      return this.state;
    },
    state: () => this.state,
  };

  constructor(work: AgentWork = WORK) {
    this.state = { ...agentMachine.initial("p"), works: { [ID]: work }, running: ID };
  }

  get work(): AgentWork {
    return this.state.works[ID] ?? WORK;
  }

  /** The answer to a wait is recorded. */
  answers(index: number, output: Value = { json: null }): void {
    this.state = agentMachine.evolve(this.state, { e: "wait-answered", workId: ID, index, result: { output } });
  }

  #take(input: AgentInput): void {
    const { events } = agentMachine.decide(this.state, input, context);
    this.state = events.reduce((state, event) => agentMachine.evolve(state, event), this.state);
  }
}

/** One execution, and what its handler has received, in order. */
export class Run {
  readonly received: string[] = [];
  readonly execution: HandlerExecution;
  readonly #clock = new HandClock();

  constructor(actor: Actor, read: (value: Value) => Promise<void> = async () => {}) {
    const values = new Values(new MemoryStore(), this.#clock, "sys");
    const load = values.read.bind(values);
    values.read = async (value) => {
      await read(value);
      return "json" in value ? load(value) : "large";
    };
    const parts = {
      agent: { name: "Doer", tools: new Map(), permissions: undefined },
      ...{ rules: { letting: async () => undefined, make: async () => {} }, checks: { call: async () => {} } },
      ...{ clock: this.#clock, random: { token: () => "t", jitter01: () => 0 }, telemetry },
      log: { info: () => {}, warn: () => {}, error: () => {} },
      ...{ waiting: () => {}, resting: () => undefined, contentOf: () => null },
    };
    this.execution = new HandlerExecution({ ...parts, values, work: actor.work, link: actor.link }, 0, null);
  }

  sleeps(ms: number): void {
    this.#notes(this.execution.sleep(ms), `${ms}`, MICROTASKS);
  }

  steps(name: string, act: () => unknown = () => null): void {
    this.#notes(this.execution.step(name, act), name);
  }

  /** Time for all that may happen now. */
  settle(): Promise<void> {
    return this.passes(SETTLE_MS);
  }

  passes(ms: number): Promise<void> {
    return this.#clock.advance(ms);
  }

  /** `microtasks`: what follows the result takes the handler so long, without waiting for anything. */
  #notes(result: Promise<unknown>, name: string, microtasks = 0): void {
    void (async () => {
      await result;
      for (let count = 0; count < microtasks; count += 1) await undefined;
      this.received.push(name);
    })();
  }
}
