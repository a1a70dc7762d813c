/**
 * @module Runs handlers and compensations outside turns, one run per work item and token, and reports their ends to their actors.
 *
 * Owns: the table of runs of this incarnation, slots per agent, heartbeats, the stop of a run.
 * Does not own: which run counts (the actor's journal decides; it rejects a stale token).
 * Invariants: R1 at most one run of a work item in this host; a new token waits until the old run has settled or its grace
 * has passed. R2 a result is sent until the actor accepts or refuses it, because its effects cannot be repeated.
 */
import { entryOf } from "../../runtime/entries.ts";
import type { AgentDefinition } from "../../agents/agent.ts";
import type { AgentState, AgentWork } from "../../runtime/agent/state.ts";
import { type Json, type WireFault, wireFault } from "../../runtime/faults.ts";
import { labelField } from "../../runtime/label.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { memoryIdOf } from "../../runtime/memory/scope.ts";
import { type WorkStatus, traceId } from "../../runtime/protocol.ts";
import type { Logger } from "../engine/log.ts";
import { pause } from "../engine/pause.ts";
import type { Clock, Models, RandomSource, Transport } from "../engine/ports.ts";
import type { Values } from "../engine/values.ts";
import { CallTelemetry } from "../telemetry/calls.ts";
import type { HostMetrics } from "../telemetry/metrics.ts";
import type { Checks } from "./checks.ts";
import { type Active, codeOf, isParked, noteWaiting, type Run, statusOf, stopRun } from "./active-run.ts";
import { Compensation, type CompensationEnd } from "./compensation.ts";
import type { HandlerExecutionParts } from "./execution-parts.ts";
import { handleWork } from "./handle-work.ts";
import { HandlerExecution } from "./handler-execution.ts";
import type { Memories } from "./memories.ts";
import { Heartbeats } from "./heartbeats.ts";
import type { RunLink } from "./run-link.ts";
import { inRunSpan } from "./run-span.ts";
import { type EndInput, type Feed, Recorder } from "./recorder.ts";
import { Slots } from "./slots.ts";
import type { StandingRules } from "./standing-rules.ts";
import { Stopwatch } from "./stopwatch.ts";

/** The parts of a runner. `peek` returns an actor's state as last known to this host. */
export interface RunnerParts {
  readonly definition: AgentDefinition;
  readonly type: string;
  readonly feed: Feed;
  readonly peek: (actorId: string) => AgentState | undefined;
  readonly rules: StandingRules;
  readonly checks: Checks;
  readonly values: Values;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly models: Models | undefined;
  readonly memories: Memories;
  readonly transport: Transport;
  readonly log: Logger;
  readonly metrics: HostMetrics;
}

/** The reason that the signals of handlers give when their host shuts down. */
const STOPPING = wireFault("system.stopping", "the host shuts down; another one, or the next start, continues this work item");

/** The handlers of one agent in this host. At most `concurrency` run at once; handlers that only wait do not count. */
export class Runner {
  readonly #parts: RunnerParts;
  readonly #slots: Slots;
  readonly #recorder: Recorder;
  readonly #active = new Map<string, Active>();
  readonly #starting = new Map<string, string>();
  readonly #heartbeats: Heartbeats;
  #isStopping = false;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#slots = new Slots(parts.definition.concurrency);
    this.#recorder = new Recorder(parts.feed, parts.clock, parts.log);
    this.#heartbeats = new Heartbeats(parts.type, parts.clock, parts.transport, () => this.#active.values());
  }

  /** Handlers that wait for a slot. */
  get waiting(): number {
    return this.#slots.waiting;
  }

  /** The number of handlers that run or are starting, without those that only wait. */
  get running(): number {
    let count = this.#starting.size;
    for (const active of this.#active.values()) if (!active.resting) count += 1;
    return count;
  }

  /** Whether a run is not at its end, also one that waits for a model. */
  get #isBusy(): boolean {
    return this.#starting.size > 0 || [...this.#active.values()].some((active) => !isParked(active));
  }

  /** What this host knows about a run under a token; undefined if it has none. */
  status(actorId: string, workId: string, token: string): WorkStatus | undefined {
    const key = `${actorId}/${workId}`;
    const active = this.#active.get(key);
    if (active?.token === token) return statusOf(active);
    return this.#starting.get(key) === token ? { state: "queued" } : undefined;
  }

  /** Starts a run, or continues a parked one. Idempotent: a token that already runs is left alone. Never throws. */
  async run(actorId: string, state: AgentState, workId: string, token: string): Promise<void> {
    const work = entryOf(state.works, workId);
    if (work === undefined || work.token !== token || work.status !== "running") return;
    if (this.#isStopping) return this.#recorder.release(actorId, workId, token);
    const key = `${actorId}/${workId}`;
    const active = this.#active.get(key);
    if (active?.token === token && active.run.mode === "do") {
      // Another host was told to stop this handler, and the actor came back here: the work item is to be compensated, but the handler runs.
      if (work.mode === "undo") return this.stop(actorId, workId, token);
      const goesOn = active.run.execution.goOn(state);
      if (goesOn === undefined) return;
      this.#heartbeats.start();
      return goesOn;
    }
    if (active?.token === token || this.#starting.get(key) === token) return;
    this.#starting.set(key, token);
    try {
      if (active !== undefined) await this.#settle(key, active);
      if (this.#starting.get(key) === token) await this.#begin(key, actorId, state, work);
    } catch (error) {
      this.#parts.log.error({ err: error, workId }, "a run could not be started; the request is sent again");
    } finally {
      if (this.#starting.get(key) === token) this.#starting.delete(key);
    }
  }

  /** Stops a run. Its work item ends when the run has settled, or its grace has passed. */
  stop(actorId: string, workId: string, token: string): void {
    const key = `${actorId}/${workId}`;
    const active = this.#active.get(key);
    if (active?.token !== token) return;
    const fault = wireFault("work.cancelled", "the process no longer needs this work item");
    stopRun(active.run, fault);
    void Promise.race([active.settled, this.#pause(LIMITS.stopGraceMs)]).then(() => {
      if (this.#abandon(key, active)) return this.#recorder.end(actorId, this.#endOf(active.run, workId, token, fault));
      return undefined;
    });
  }

  /** The end of a run that was stopped. */
  #endOf(run: Run, workId: string, token: string, fault: WireFault): EndInput {
    if (run.mode === "undo") return { kind: "compensated", workId, token, end: { fault } };
    return { kind: "finished", workId, token, result: { fault }, undoes: this.#undoes };
  }

  get #undoes(): boolean {
    return this.#parts.definition.undo !== undefined;
  }

  async #settle(key: string, active: Active): Promise<void> {
    stopRun(active.run, wireFault("work.superseded", "a later attempt took the work item over"));
    await Promise.race([active.settled, this.#pause(LIMITS.stopGraceMs)]);
    this.#abandon(key, active);
  }

  /** Continues without a run that ignores its signal; its later reports are stale. Returns false if it has settled. */
  #abandon(key: string, active: Active): boolean {
    if (this.#active.get(key) !== active) return false;
    this.#active.delete(key);
    this.#giveSlot(active);
    return true;
  }

  #giveSlot(active: Active): void {
    if (!active.slot) return;
    active.slot = false;
    this.#slots.give();
  }

  #takeSlot(active: Active): Promise<void> | undefined {
    const waits = this.#slots.take();
    if (waits !== undefined) return waits.then(() => void (active.slot = true));
    active.slot = true;
    return undefined;
  }

  #pause(ms: number): Promise<void> {
    return pause(this.#parts.clock, ms);
  }

  #stateOf({ state }: AgentState): Json | Promise<Json> {
    return state === undefined ? this.#parts.definition.initialState : "json" in state ? state.json : this.#parts.values.read(state);
  }

  async #begin(key: string, actorId: string, state: AgentState, work: AgentWork): Promise<void> {
    const found = this.#stateOf(state);
    const content = found instanceof Promise ? await found : found;
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    const active: Active = {
      actorId,
      workId: work.id,
      token: work.token,
      run: this.#makeRun(() => active, actorId, work, state.stateVersion, content),
      settled,
      watch: new Stopwatch(this.#parts.clock),
      resting: false,
      slot: false,
    };
    this.#active.set(key, active);
    this.#heartbeats.start();
    void this.#execute(actorId, work, active).finally(() => {
      if (this.#active.get(key) === active) this.#active.delete(key);
      resolve();
    });
  }

  #makeRun(own: () => Active, actorId: string, work: AgentWork, stateVersion: number, content: Json): Run {
    const { definition, rules, checks, values, clock, random, models, metrics, peek, log: logger } = this.#parts;
    const { id: workId, token } = work;
    const facts = { processId: work.processId, workId, agent: definition.name, traceId: traceId(work.trace) };
    const log: HandlerExecution["log"] = {
      info: (message, more) => logger.info({ ...facts, ...more }, message),
      warn: (message, more) => logger.warn({ ...facts, ...more }, message),
      error: (message, more) => logger.error({ ...facts, ...more }, message),
    };
    const link: RunLink = {
      tell: (input) => this.#recorder.insist(actorId, { ...input, workId, token }),
      state: () => peek(actorId),
    };
    if (work.mode === "undo") {
      const compensation = new Compensation({ work, definition, values, clock, link, log }, stateVersion, content);
      return { mode: "undo", compensation };
    }
    const parts = {
      ...{ work, agent: definition, rules, checks, values, clock, random, models, link, log },
      telemetry: new CallTelemetry({
        metrics,
        trace: work.trace,
        agent: definition.name,
        processId: work.processId,
        workId,
        release: work.release,
      }),
      memory: this.#memoryOf(actorId, work),
      contentOf: (seen: AgentState) => this.#stateOf(seen),
      waiting: (waiting: boolean) => this.#noteWaiting(own(), waiting),
      resting: (resting: boolean) => this.#noteResting(own(), resting),
    };
    return { mode: "do", execution: new HandlerExecution(parts, stateVersion, content) };
  }

  #memoryOf(actor: string, { principal, release }: AgentWork): HandlerExecutionParts["memory"] {
    const { definition, memories, metrics } = this.#parts;
    const { name: agent, memory: rules, models } = definition;
    if (rules === undefined) return undefined;
    const memory = memoryIdOf({ scope: rules.scope, agent, actor, principal });
    const withheld = (why: "untrusted" | "scope", count: number): void => metrics.withheld(agent, release, why, count);
    return { memories, rules, memory, isModel: models.length > 0, withheld };
  }

  /** A handler that only waits holds no slot. */
  #noteResting(active: Active, resting: boolean): Promise<void> | undefined {
    if (active.resting === resting) return undefined;
    active.resting = resting;
    if (!resting) return this.#takeSlot(active);
    this.#giveSlot(active);
    return undefined;
  }

  #noteWaiting(active: Active, waiting: boolean): void {
    noteWaiting(active.watch, waiting);
    if (waiting) this.#dropOldestParked();
  }

  /** A parked handler is only an optimization: everything that it needs to continue is in the journal. */
  #dropOldestParked(): void {
    if (this.#active.size <= LIMITS.parkedHandlersMax) return;
    const parked = [...this.#active].filter(([, active]) => active.resting && isParked(active));
    const oldest = parked.length > LIMITS.parkedHandlersMax ? parked[0] : undefined;
    if (oldest !== undefined) this.#active.delete(oldest[0]);
  }

  async #execute(actorId: string, work: AgentWork, active: Active): Promise<void> {
    // Also if a slot is free: a handler begins after the turn that started it, never inside it.
    await this.#takeSlot(active);
    active.watch.start();
    try {
      const { run } = active;
      const { id: workId, token } = work;
      const end: EndInput =
        run.mode === "do"
          ? { kind: "finished", workId, token, undoes: this.#undoes, ...(await this.#do(work, run.execution)) }
          : { kind: "compensated", workId, token, ...(await this.#undo(work, run.compensation)) };
      if (codeOf("result" in end ? end.result : end.end) === STOPPING.code) await this.#recorder.release(actorId, workId, token);
      else await this.#recorder.end(actorId, end);
    } finally {
      this.#giveSlot(active);
    }
  }

  async #do(
    work: AgentWork,
    execution: HandlerExecution,
  ): Promise<Pick<Extract<EndInput, { kind: "finished" }>, "result" | "state" | "label" | "claims">> {
    const { definition, checks, log } = this.#parts;
    const result = await inRunSpan(definition.contract, work, () => handleWork({ definition, checks, log }, work, execution), codeOf);
    this.#parts.metrics.attempted(definition.name, "do", work.release, codeOf(result));
    const state = "fault" in result ? undefined : execution.nextState;
    const { claims } = "output" in result ? execution : {};
    return { result, ...labelField(execution.label), ...(state === undefined ? {} : { state }), ...(claims && { claims }) };
  }

  async #undo(work: AgentWork, compensation: Compensation): Promise<CompensationEnd> {
    const { definition, metrics } = this.#parts;
    const ended = await inRunSpan(
      definition.contract,
      work,
      () => compensation.perform(),
      ({ end }) => codeOf(end),
    );
    metrics.attempted(definition.name, "undo", work.release, codeOf(ended.end));
    return ended;
  }

  /** The actor moves away. A handler that only waits is dropped: the host that gets the answer executes it again from its records. */
  moved(actorId: string, workIds: readonly string[]): void {
    for (const key of workIds.map((workId) => `${actorId}/${workId}`)) {
      const active = this.#active.get(key);
      if (active?.resting === true && isParked(active)) this.#active.delete(key);
    }
    this.#heartbeats.moved(actorId);
  }

  /**
   * Tells the runs that this host shuts down, and waits for them, at most `graceMs`. What is not at its end then is released: the next
   * host continues it. Handlers that only wait are safe in the journal.
   */
  async shutDown(graceMs: number): Promise<void> {
    this.#isStopping = true;
    for (const [key, active] of this.#active)
      if (isParked(active)) this.#active.delete(key);
      else stopRun(active.run, STOPPING);
    const end = this.#parts.clock.nowMs() + graceMs;
    while (this.#isBusy && this.#parts.clock.nowMs() < end) await this.#pause(LIMITS.commitRetryMs);
    await Promise.all([...this.#active.values()].map((one) => this.#recorder.release(one.actorId, one.workId, one.token)));
  }
}
