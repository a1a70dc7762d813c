/**
 * @module Runs handlers outside turns, one run per piece of work and token, and brings their results to their actors.
 *
 * Owns: the table of what runs in this incarnation, slots per agent, heartbeats, the stop of a run.
 * Does not own: what counts (the actor's journal does: a stale token is refused there).
 * Invariants: R1 at most one run of a work in this host; a new token waits until the old run has settled, or its grace
 * is over. R2 a result is offered until the actor took it or refused it: what was bought is not thrown away.
 */
import type { AgentDefinition } from "../../agents/agent.ts";
import { isHandOff } from "../../agents/context.ts";
import { entryOf } from "../../runtime/entries.ts";
import { Fault, faultFrom, isRetryable, type Json, wireFault } from "../../runtime/faults.ts";
import type { AgentInput, FinishedResult } from "../../runtime/agent/machine.ts";
import type { AgentState, AgentWork } from "../../runtime/agent/state.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ATTRIBUTE, INVOKE_AGENT, SPAN } from "../telemetry/names.ts";
import { inSpan } from "../telemetry/spans.ts";
import { type Address, traceId } from "../../runtime/protocol.ts";
import { HandlerExecution } from "./handler-execution.ts";
import type { Logger } from "../engine/log.ts";
import type { HostMetrics } from "../telemetry/metrics.ts";
import { pause } from "../engine/pause.ts";
import type { Clock, Transport } from "../engine/ports.ts";
import { Slots } from "./slots.ts";
import { faultCode, thrownFault } from "./thrown.ts";
import { UndoRun } from "./undo-run.ts";
import type { Values } from "../engine/values.ts";

/** One turn of the actor with an input of its own host; gives the state after it. Throws refusals as faults. */
export type Feed = (actorId: string, input: AgentInput) => Promise<AgentState>;

/** What a runner is made of. `peek` gives an actor's state as this host last knew it. */
export interface RunnerParts {
  readonly definition: AgentDefinition;
  readonly type: string;
  readonly feed: Feed;
  readonly peek: (actorId: string) => AgentState | undefined;
  readonly values: Values;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly log: Logger;
  readonly metrics: HostMetrics;
}

interface Active {
  readonly token: string;
  readonly mode: AgentWork["mode"];
  readonly run: HandlerExecution;
  readonly settled: Promise<void>;
  parked: boolean;
  /** Whether this run holds one of the agent's slots. */
  slot: boolean;
}

/** The handlers of one agent in this host. At most as many run at once as the agent allows; parked ones do not count. */
export class Runner {
  readonly #parts: RunnerParts;
  readonly #slots: Slots;
  readonly #active = new Map<string, Active>();
  readonly #starting = new Map<string, string>();

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#slots = new Slots(parts.definition.concurrency);
  }

  /** Handlers that wait for a slot. */
  get waiting(): number {
    return this.#slots.waiting;
  }

  /** Handlers in work or being begun, parked ones left out. */
  get running(): number {
    return this.#starting.size + [...this.#active.values()].filter(({ parked }) => !parked).length;
  }

  /** Begins a run, or lets a parked one go on. Idempotent: a token that runs already is left alone. Never throws. */
  async run(actorId: string, state: AgentState, workId: string, token: string): Promise<void> {
    const work = entryOf(state.works, workId);
    if (work === undefined || work.token !== token || work.status !== "running") return;
    const key = `${actorId}/${workId}`;
    const active = this.#active.get(key);
    if (active?.token === token && work.mode === "do") {
      if (active.parked) await active.run.goOn(work, state.stateVersion, await this.#stateOf(state));
      return;
    }
    // Another host was told to stop this handler, and the actor came back here: the work is to be undone, and it still runs.
    if (active?.token === token && active.mode === "do") return this.stop(actorId, workId, token);
    if (active?.token === token || this.#starting.get(key) === token) return;
    this.#starting.set(key, token);
    try {
      if (active !== undefined) await this.#settle(key, active);
      if (this.#starting.get(key) === token) await this.#begin(key, actorId, state, work);
    } catch (error) {
      this.#parts.log.error({ err: error, workId }, "a run could not be begun; it will be asked again");
    } finally {
      if (this.#starting.get(key) === token) this.#starting.delete(key);
    }
  }

  /** Tells a run to stop. Its work hears of the end when the handler has settled, or its grace is over. */
  stop(actorId: string, workId: string, token: string): void {
    const key = `${actorId}/${workId}`;
    const active = this.#active.get(key);
    if (active?.token !== token) return;
    const fault = wireFault("work.cancelled", "the work is no longer needed");
    active.run.stop(fault);
    void Promise.race([active.settled, this.#pause(LIMITS.stopGraceMs)]).then(() => {
      if (this.#abandon(key, active))
        return this.#offer(actorId, {
          kind: "finished",
          mode: active.mode,
          workId,
          token,
          result: { fault },
          untouched: active.run.untouched,
        });
      return undefined;
    });
  }

  async #settle(key: string, active: Active): Promise<void> {
    active.run.stop(wireFault("work.superseded", "a later attempt took the work over"));
    await Promise.race([active.settled, this.#pause(LIMITS.stopGraceMs)]);
    this.#abandon(key, active);
  }

  /** Goes on without a handler that ignores its signal; whatever it still says is stale. False when it has settled. */
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
    const run = this.#makeRun(key, actorId, work, state.stateVersion, content);
    let settled = (): void => {};
    const active: Active = {
      token: work.token,
      mode: work.mode,
      run,
      parked: false,
      slot: false,
      settled: new Promise((resolve) => {
        settled = resolve;
      }),
    };
    this.#active.set(key, active);
    void this.#heartbeats(key, actorId, active, work.id);
    void this.#execute(actorId, work, active).finally(() => {
      if (this.#active.get(key) === active) this.#active.delete(key);
      settled();
    });
  }

  #makeRun(key: string, actorId: string, work: AgentWork, stateVersion: number, content: Json): HandlerExecution {
    const { definition, values, clock, peek, log } = this.#parts;
    const facts = { processId: work.processId, workId: work.id, agent: definition.name, traceId: traceId(work.trace) };
    return new HandlerExecution(
      {
        work,
        values,
        clock,
        log: {
          info: (message, more) => log.info({ ...facts, ...more }, message),
          warn: (message, more) => log.warn({ ...facts, ...more }, message),
          error: (message, more) => log.error({ ...facts, ...more }, message),
        },
        link: {
          record: async (entry) => void (await this.#insist(actorId, { kind: "recorded", workId: work.id, token: work.token, entry })),
          fail: async (failure) => void (await this.#insist(actorId, { kind: "failed", workId: work.id, token: work.token, failure })),
          ask: (agent, occurrence, input) =>
            this.#insist(actorId, { kind: "asked", workId: work.id, token: work.token, agent, occurrence, input }),
          state: () => peek(actorId),
        },
        parked: (parked) => this.#park(key, parked),
      },
      stateVersion,
      content,
    );
  }

  /** A parked handler holds no slot. */
  async #park(key: string, parked: boolean): Promise<void> {
    const active = this.#active.get(key);
    if (active === undefined || active.parked === parked) return;
    active.parked = parked;
    if (!parked) return this.#takeSlot(active);
    this.#giveSlot(active);
    this.#dropOldestParked();
  }

  /** A parked handler is only a short cut: everything it needs to go on is in the journal. */
  #dropOldestParked(): void {
    if (this.#active.size <= LIMITS.parkedHandlersMax) return;
    const parked = [...this.#active].filter(([, active]) => active.parked);
    const oldest = parked.length > LIMITS.parkedHandlersMax ? parked[0] : undefined;
    if (oldest !== undefined) this.#active.delete(oldest[0]);
  }

  async #execute(actorId: string, work: AgentWork, active: Active): Promise<void> {
    // Also where a slot is free: a handler begins after the turn that began it, never within it.
    await this.#takeSlot(active);
    const { run } = active;
    try {
      const { name } = this.#parts.definition;
      const attributes = {
        [ATTRIBUTE.process]: work.processId,
        [ATTRIBUTE.work]: work.id,
        [ATTRIBUTE.effect]: "run",
        [ATTRIBUTE.mode]: work.mode,
        [ATTRIBUTE.attempt]: work.attempt,
        [ATTRIBUTE.operation]: INVOKE_AGENT,
        [ATTRIBUTE.agent]: name,
        [ATTRIBUTE.conversation]: work.processId,
      };
      const result = await inSpan(
        SPAN.effect,
        work.trace,
        attributes,
        () => (work.mode === "do" ? this.#do(work, run) : this.#undo(work, run)),
        faultCode,
      );
      this.#parts.metrics.attempted(name, work.mode, faultCode(result));
      const state = work.mode === "do" && !("fault" in result) ? run.pendingState : undefined;
      await this.#offer(actorId, {
        kind: "finished",
        mode: work.mode,
        workId: work.id,
        token: work.token,
        result,
        untouched: run.untouched,
        ...(state === undefined ? {} : { state }),
      });
    } finally {
      this.#giveSlot(active);
    }
  }

  async #do(work: AgentWork, run: HandlerExecution): Promise<FinishedResult> {
    const { definition, values, log } = this.#parts;
    try {
      this.#requireVersion(work);
      run.signal.throwIfAborted();
      const { input } = work;
      const answer = await definition.handle("json" in input ? input.json : await values.read(input), run);
      if (run.signal.aborted) return { fault: faultFrom(run.signal.reason, "work.cancelled") };
      if (isHandOff(answer)) return { handOff: { agent: answer.target, input: answer.input } };
      return { output: definition.checkOutput(answer) };
    } catch (error) {
      const { aborted, reason } = run.signal;
      return { fault: aborted ? faultFrom(reason, "work.cancelled") : thrownFault(log, definition.name, work, error) };
    }
  }

  #requireVersion(work: AgentWork): void {
    const { name, version, compatibleWith } = this.#parts.definition;
    if (work.version === version || compatibleWith.includes(work.version)) return;
    throw new Fault(
      "agent.version",
      `${name} is version ${version} and not declared compatible with ${work.version}, which this work was begun with`,
    );
  }

  async #undo(work: AgentWork, run: HandlerExecution): Promise<FinishedResult> {
    const { definition, values, clock, log } = this.#parts;
    try {
      this.#requireVersion(work);
      const input = await values.read(work.input);
      await new UndoRun({ work, run, clock, handle: (shown) => definition.handle(input, shown) }).perform();
      return { output: null };
    } catch (error) {
      return { fault: thrownFault(log, definition.name, work, error) };
    } finally {
      run.stop(wireFault("work.cancelled", "the undo has what it needs of this handler"));
    }
  }

  /** Brings the end of a run to its actor. What cannot be recorded as it is ends the work with the reason. */
  async #offer(actorId: string, input: Extract<AgentInput, { kind: "finished" }>): Promise<void> {
    try {
      await this.#insist(actorId, input);
    } catch (error) {
      const fault = faultFrom(error, "turn.failed");
      if (fault.code === "work.superseded") return;
      this.#parts.log.error({ fault, workId: input.workId }, "a result could not be recorded");
      if (!("fault" in input.result))
        await this.#offer(actorId, { kind: "finished", mode: input.mode, workId: input.workId, token: input.token, result: { fault } });
    }
  }

  /** R2. Tries again while the store or the sidecar is silent; throws only what trying again cannot change. */
  async #insist(actorId: string, input: AgentInput): Promise<AgentState> {
    let pauseMs: number = LIMITS.recordRetryMsMin;
    for (;;) {
      try {
        return await this.#parts.feed(actorId, input);
      } catch (error) {
        const fault = faultFrom(error, "turn.failed");
        if (!isRetryable(fault) || fault.code === "work.superseded") throw error;
        this.#parts.log.warn({ fault }, "a result waits for the store");
        await this.#pause(pauseMs);
        pauseMs = Math.min(2 * pauseMs, LIMITS.recordRetryMsMax);
      }
    }
  }

  /** Signs of life for as long as the run lasts, but none while it is parked: whoever holds the actor may be another host. */
  async #heartbeats(key: string, actorId: string, active: Active, workId: string): Promise<void> {
    const actor: Address = { type: this.#parts.type, id: actorId };
    for (;;) {
      await this.#pause(LIMITS.heartbeatMs);
      if (this.#active.get(key) !== active) return;
      if (!active.parked) await this.#parts.transport.heartbeat(actor, { workId, token: active.token }).catch(() => {});
    }
  }

  /** Waits until no handler runs, at most `ms`. Parked handlers are safe in the journal. */
  async drain(ms: number): Promise<void> {
    const end = this.#parts.clock.nowMs() + ms;
    while (this.running > 0 && this.#parts.clock.nowMs() < end) await this.#pause(LIMITS.commitRetryMs);
  }
}
