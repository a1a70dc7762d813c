/**
 * @module An agent's actors in one host: checks inputs, runs turns, and starts handlers outside turns.
 */
import type { AgentDefinition } from "../../agents/agent.ts";
import type { AgentInput } from "../../runtime/agent/inputs.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import type { AgentEvent } from "../../runtime/agent/events.ts";
import type { AgentState } from "../../runtime/agent/state.ts";
import { entryOf } from "../../runtime/entries.ts";
import { Fault, faultFrom, isRetryable, type Json, type WireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Message, TurnAnswer, WorkStatus } from "../../runtime/protocol.ts";
import type { Value } from "../../runtime/value.ts";
import { FailureDetector } from "./failure-detector.ts";
import type { Deltas } from "./deltas.ts";
import type { HostWatch } from "./host-watch.ts";
import type { Logger } from "../engine/log.ts";
import type { HostMetrics } from "../telemetry/metrics.ts";
import type { LocalEffect, Performer } from "./performer.ts";
import type { Heartbeat, Ports } from "../engine/ports.ts";
import type { Memories } from "./memories.ts";
import { Runner } from "./runner.ts";
import type { Checks } from "./checks.ts";
import type { StandingRules } from "./standing-rules.ts";
import type { HostReleases } from "./releases.ts";
import type { Quarantine } from "../engine/quarantine.ts";
import { TurnEngine } from "../engine/turn.ts";
import type { TurnResult, WriterIdentity } from "../engine/turn-parts.ts";
import type { Values } from "../engine/values.ts";

/** The parts of one agent's actors. `type` is their actor type, with the system's name. */
export interface AgentActorParts {
  readonly system: string;
  readonly type: string;
  readonly definition: AgentDefinition;
  readonly ports: Ports;
  readonly values: Values;
  readonly writer: WriterIdentity;
  readonly performer: Performer;
  readonly watch: HostWatch;
  readonly log: Logger;
  readonly metrics: HostMetrics;
  readonly quarantine: Quarantine;
  readonly deltas: Deltas;
  readonly rules: StandingRules;
  readonly checks: Checks;
  readonly memories: Memories;
  readonly releases: Pick<HostReleases, "choose">;
}

/** All actors of one agent in this host. */
export class AgentActors {
  readonly engine: TurnEngine<AgentState, AgentInput, AgentEvent>;
  readonly runner: Runner;
  readonly #parts: AgentActorParts;
  readonly #failures: FailureDetector;
  /** Work items that wait, by actor; kept only if metrics are read. */
  readonly #queues = new Map<string, number>();

  constructor(parts: AgentActorParts) {
    this.#parts = parts;
    this.engine = new TurnEngine({
      type: parts.type,
      machine: agentMachine,
      system: parts.system,
      ports: parts.ports,
      values: parts.values,
      writer: parts.writer,
      quarantine: parts.quarantine,
      // The actor of one process or work item is purged with the process.
      trims: this.#isKeyed,
    });
    this.#failures = new FailureDetector(parts.ports.clock, parts.watch);
    this.runner = new Runner({
      definition: parts.definition,
      type: parts.type,
      rules: parts.rules,
      checks: parts.checks,
      values: parts.values,
      clock: parts.ports.clock,
      random: parts.ports.random,
      models: parts.ports.models === undefined ? undefined : parts.deltas.watched(parts.ports.models, parts.definition.name),
      transport: parts.ports.transport,
      log: parts.log,
      metrics: parts.metrics,
      memories: parts.memories,
      feed: (actorId, input) => this.#feed(actorId, input),
      peek: (actorId) => this.engine.peek(actorId),
    });
  }

  /** `begins`: this host has just recorded the message, and sends it for the first time. */
  async receive(message: Message, begins: boolean): Promise<TurnAnswer> {
    const { body } = message;
    const checked = body.kind === "work" ? this.#checkInput(message, body.input) : undefined;
    const fault = checked instanceof Promise ? await checked : checked;
    const stored = this.#isKeyed && this.hasMemory;
    const release = body.kind === "work" ? this.#parts.releases.choose(this.#parts.definition, body.root ?? message.processId) : undefined;
    const input: AgentInput = {
      ...{ kind: "message", message },
      ...(fault === undefined ? {} : { fault }),
      ...(stored ? { stored } : {}),
      ...(release === undefined ? {} : { release }),
    };
    const expectNew = body.kind === "work" && body.first === true && this.#isRecent(message);
    // Only where each message to the actor comes to this host: another one would find nothing, and begin the work item or end its undo.
    const mayWait = expectNew && begins && this.#parts.watch.isAlone && this.#parts.definition.undo === undefined;
    const result = await this.engine.turn(message.to.id, input, { inputId: message.id, expectNew, mayWait });
    this.#after(message.to.id, result);
    if (result.verdict.kind === "refused") return { refused: result.verdict.fault };
    this.#parts.performer.noteReceipt(message.id);
    const receipt = { messageId: message.id, sequence: result.sequence };
    if (body.kind !== "work") return { receipt };
    const work = this.#statusOf(message.to.id, result.state, body.workId);
    return work === undefined ? { receipt } : { receipt, work };
  }

  /**
   * An actor of one process is new when its first request comes; the insert fails if that is wrong. A request that is repeated is older:
   * after a crash there are thousands of them, and a refused insert costs more than a read, also those that are grouped with it.
   */
  #isRecent({ createdAtMs }: Message): boolean {
    return this.#parts.ports.clock.nowMs() - createdAtMs < LIMITS.resendMs;
  }

  /** What a receipt says about a work item; undefined if it has ended. */
  #statusOf(actorId: string, state: AgentState, workId: string): WorkStatus | undefined {
    const work = entryOf(state.works, workId);
    if (work?.status === "ready") return { state: "queued" };
    if (work?.status === "parked") return { state: "waiting" };
    if (work?.status !== "running") return undefined;
    const { token, holder } = work;
    if (holder === this.#parts.writer.incarnation) return this.runner.status(actorId, workId, token) ?? { state: "queued" };
    return this.#failures.status(`${actorId}/${workId}`, token) ?? { state: "running" };
  }

  /** Checks an input against the contract. An unreadable value is not the sender's fault: the request is sent again. */
  #checkInput(message: Message, input: Value): WireFault | undefined | Promise<WireFault | undefined> {
    // The turn rejects an expired message; its input may be purged.
    if (message.expiresAtMs <= this.#parts.ports.clock.nowMs()) return undefined;
    if ("json" in input) return this.#checkContent(input.json);
    return this.#parts.values.read(input).then((content) => this.#checkContent(content), faultOfInput);
  }

  #checkContent(content: Json): WireFault | undefined {
    try {
      this.#parts.definition.checkInput(content);
      return undefined;
    } catch (error) {
      return faultOfInput(error);
    }
  }

  /** Runs a turn with an input of this host's own runner. It needs no placement: the journal is the fence. */
  async #feed(actorId: string, input: AgentInput): Promise<AgentState> {
    const result = await this.engine.turn(actorId, input, {
      inputId: input.kind === "message" ? input.message.id : `${input.kind} ${input.workId}`,
    });
    this.#after(actorId, result);
    if (result.verdict.kind === "refused") throw Fault.fromWire(result.verdict.fault);
    return result.state;
  }

  /** What its work items hold may have to be forgotten. */
  get hasMemory(): boolean {
    return this.#parts.definition.memory !== undefined;
  }

  /** Its actors outlive processes. */
  get #isKeyed(): boolean {
    return this.#parts.definition.contract.key !== undefined;
  }

  /** The agent's name. */
  get name(): string {
    return this.#parts.definition.name;
  }

  /** Work items that wait for their actor or a slot, as last known to this host. Zero if no metrics are read. */
  get waiting(): number {
    let count = this.runner.waiting;
    for (const length of this.#queues.values()) count += length;
    return count;
  }

  /** The actor moves to another host, which counts its waiting work items. */
  deactivate(actorId: string): void {
    this.#queues.delete(actorId);
    this.runner.moved(actorId, Object.keys(this.engine.peek(actorId)?.works ?? {}));
    this.engine.forget(actorId);
  }

  #noteQueue(actorId: string, length: number): void {
    if (length > 0) this.#queues.set(actorId, length);
    else this.#queues.delete(actorId);
  }

  #after(actorId: string, result: TurnResult<AgentState>): void {
    if (this.#parts.metrics.on) this.#noteQueue(actorId, result.state.ready.length);
    if (result.effects.length === 0) return;
    const direct = !result.wrote;
    void this.#parts.performer.perform(result.effects, { direct, local: (effect) => this.#local(actorId, effect, result.state) });
  }

  #local(actorId: string, effect: LocalEffect, state: AgentState): void {
    switch (effect.kind) {
      case "run":
        void this.runner.run(actorId, state, effect.workId, effect.token);
        return;
      case "stop":
        this.runner.stop(actorId, effect.workId, effect.token);
        return;
      case "watch": {
        const { workId, token } = effect;
        const work = entryOf(state.works, workId);
        if (work?.token !== token) return;
        const run = { token, holder: work.holder, isCancelled: work.mode === "undo" };
        this.#failures.watch(`${actorId}/${workId}`, run, () => this.#lost(actorId, workId, token));
        return;
      }
      default:
        return effect satisfies never;
    }
  }

  #lost(actorId: string, workId: string, token: string): void {
    this.#feed(actorId, { kind: "lost", workId, token }).catch((error: unknown) => {
      this.#parts.log.debug({ err: error, workId }, "the loss of a work item was not recorded; the next request watches it again");
    });
  }

  heartbeat(actorId: string, beat: Heartbeat): void {
    this.#failures.heard(`${actorId}/${beat.workId}`, beat);
  }

  async stop(graceMs: number): Promise<void> {
    this.#failures.endAll();
    await this.runner.shutDown(graceMs);
  }
}

function faultOfInput(error: unknown): WireFault {
  const fault = faultFrom(error, "schema.input");
  if (isRetryable(fault)) throw error;
  return fault;
}
