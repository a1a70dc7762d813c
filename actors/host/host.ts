/**
 * @module One host: the actors of a system over one set of ports. Independent of Dapr and HTTP.
 *
 * Owns: the incarnation, the dispatch of messages by actor type, the shutdown. The same host runs on Dapr, in
 * `runLocal` and in a simulation.
 */
import type { System } from "../../agents/system.ts";
import type { AgentState } from "../../runtime/agent/state.ts";
import { plainJson } from "../../runtime/canonical.ts";
import { Fault, invariant, type Json } from "../../runtime/faults.ts";
import { INDEX_ROOT, indexMachine, type IndexEvent, type IndexInput, type IndexState } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { DeltaAnswer, DeltaRequest } from "../../runtime/model/deltas.ts";
import { type Address, actorType, type IndexName, INDEXES, type Message, traceId, type TurnAnswer } from "../../runtime/protocol.ts";
import { rulesMachine, type RulesEvent, type RulesInput, type RulesState } from "../../runtime/people/rules-actor.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { Checks } from "./checks.ts";
import { AgentActors } from "./agent-actor.ts";
import { Deltas } from "./deltas.ts";
import { IndexClient } from "./index-client.ts";
import { IndexedSearch } from "./indexed-search.ts";
import { HostWatch } from "./host-watch.ts";
import type { Logger } from "../engine/log.ts";
import { HostMetrics } from "../telemetry/metrics.ts";
import { Memories } from "./memories.ts";
import { MemoryActors } from "./memory-actors.ts";
import { Performer } from "./performer.ts";
import { Recovery } from "./recovery.ts";
import type { BeginningHost } from "./local-first-transport.ts";
import type { Heartbeat, Nudged, Ports, ReleaseSource } from "../engine/ports.ts";
import { HostReleases } from "./releases.ts";
import { ProcessActors } from "./process-actor.ts";
import { processView } from "./process-view.ts";
import { incarnationAt } from "./listener-identity.ts";
import { ATTRIBUTE, SPAN } from "../telemetry/names.ts";
import { inSpan } from "../telemetry/spans.ts";
import { StandingRules } from "./standing-rules.ts";
import { holdSources } from "./tool-sources.ts";
import { Sources } from "./sources.ts";
import { Quarantine } from "../engine/quarantine.ts";
import { StoreLeases } from "../engine/store-leases.ts";
import { TurnEngine } from "../engine/turn.ts";
import type { WriterIdentity } from "../engine/turn-parts.ts";
import { Values } from "../engine/values.ts";

/** The parts of a host: a system and its ports to the outside. */
export interface HostParts {
  readonly system: System;
  readonly ports: Ports;
  readonly log: Logger;
  /** Maximum open processes; above it tasks are refused. */
  readonly openMax?: number;
  /** The listener identity: a port that only this host can hold while it lives, see listener-identity.ts. */
  readonly listener?: string | undefined;
  /** How late the event loop is; above LIMITS.admissionLagMsMax tasks are refused. */
  readonly lagMs?: (() => number) | undefined;
  /** Where the releases of prompts and models stand. Absent: agents use what their code says. */
  readonly releases?: ReleaseSource | undefined;
  /** Whether metrics and traces know of the host. @default true */
  readonly isObserved?: boolean | undefined;
}

/** Called with each record of a process manager of this host, after it was written. */
export type ProcessListener = (before: ProcessState, after: ProcessState) => void;

/** The actors of one system in one process. Each start makes a new incarnation; `stop` ends it. */
export class Host implements BeginningHost {
  readonly types: readonly string[];
  readonly incarnation: string;
  /** Which hosts live. The program that serves the host starts it. */
  readonly watch: HostWatch;
  readonly values: Values;
  readonly directory: IndexClient;
  readonly desk: IndexClient;
  readonly audit: IndexClient;
  /** The memories of the system, on any host. */
  readonly memories: Memories;
  /** The sources of the system, as this host compares them. The program that serves the host starts their schedules. */
  readonly sources: Sources;
  readonly inbox: IndexClient;
  /** The releases of prompts and models. The program that serves the host looks at them. */
  readonly releases: HostReleases;
  readonly processes: ProcessActors;
  readonly metrics: HostMetrics;
  readonly quarantine: Quarantine;
  /** Pieces of replies for followers. */
  readonly pieces: Deltas;
  readonly #agents = new Map<string, AgentActors>();
  readonly #indexes = new Map<string, TurnEngine<IndexState, IndexInput, IndexEvent>>();
  readonly #rules: TurnEngine<RulesState, RulesInput, RulesEvent>;
  readonly #memories: MemoryActors;
  readonly #processType: string;
  readonly #system: string;
  readonly #log: Logger;
  readonly #releaseSources: () => Promise<void>;
  readonly #isObserved: boolean;
  readonly #recovery: Recovery;
  #isStopped = false;
  readonly #listeners = new Set<ProcessListener>();

  constructor({ system, ports, log, openMax = LIMITS.openProcessesMax, listener, lagMs, releases, isObserved = true }: HostParts) {
    this.#log = log;
    for (const warning of system.warnings) log.warn({ system: system.name }, warning);
    this.metrics = isObserved ? new HostMetrics(system.name) : HostMetrics.unobserved(system.name);
    this.#isObserved = isObserved;
    this.#system = system.name;
    this.incarnation = incarnationAt(listener, ports.random.token());
    const leases = ports.leases ?? new StoreLeases(ports.store, system.name);
    this.watch = new HostWatch({ incarnation: this.incarnation, leases, clock: ports.clock, log });
    this.values = new Values(ports.store, ports.clock, system.name);
    this.directory = new IndexClient(ports, system.name, "Directory");
    this.desk = new IndexClient(ports, system.name, "DeadLetterQueue");
    this.audit = new IndexClient(ports, system.name, "Audit");
    this.inbox = new IndexClient(ports, system.name, "Inbox");
    const writer = writerOf(this.incarnation);
    this.quarantine = new Quarantine(ports.clock, log);
    const { quarantine } = this;
    const { directory, desk, audit, inbox } = this;
    const performer = new Performer({ system: system.name, ports, directory, desk, audit, inbox, log });
    const shared = { ports, values: this.values, writer, performer, log, metrics: this.metrics, quarantine };
    this.#processType = actorType(system.name, "ProcessManager");
    this.processes = new ProcessActors({
      ...shared,
      system,
      type: this.#processType,
      watch: this.watch,
      lagMs,
      directory: this.directory,
      openMax,
      observe: (before, after) => {
        for (const listener of this.#listeners) listener(before, after);
      },
    });
    const catalog = new IndexClient(ports, system.name, "Memories");
    const remembering = { system: system.name, ports, values: this.values, catalog };
    this.memories = new Memories(remembering);
    const { memories } = this;
    const memoryType = actorType(system.name, "Memory");
    const search = new IndexedSearch();
    this.#memories = new MemoryActors({ ...remembering, type: memoryType, memories, writer, quarantine, search, log });
    this.sources = new Sources({ system, ports, memories: this.memories, metrics: this.metrics, log });
    const { clock, random, transport } = ports;
    this.pieces = new Deltas({ clock, random, transport, processType: this.#processType, incarnation: this.incarnation });
    const rules = new StandingRules({ system: system.name, ports, audit, log });
    const checks = new Checks({ audit, clock, metrics: this.metrics });
    this.releases = new HostReleases({
      ...{ system, incarnation: this.incarnation, source: releases, ports, log, metrics: this.metrics },
      index: new IndexClient(ports, system.name, "Releases"),
      bucket: async (name) => (await this.indexEngine("Releases").fresh(name)).state,
    });
    for (const definition of system.agents.values()) {
      const type = actorType(system.name, definition.name);
      const own = { system: system.name, watch: this.watch, deltas: this.pieces, releases: this.releases };
      const parts = { ...shared, ...own, rules, checks, memories };
      this.#agents.set(type, new AgentActors({ ...parts, type, definition }));
    }
    for (const index of INDEXES) {
      const type = actorType(system.name, index);
      // Nothing of an index is found without its root, so the root begins anew by itself.
      const rebuilds = (id: string): boolean => id === INDEX_ROOT;
      const parts = { type, machine: indexMachine, system: system.name, ports, values: this.values, writer, quarantine };
      this.#indexes.set(type, new TurnEngine({ ...parts, trims: true, rebuilds }));
    }
    const rulesType = actorType(system.name, "Rules");
    const keeping = { system: system.name, ports, values: this.values, writer, quarantine };
    this.#rules = new TurnEngine({ ...keeping, type: rulesType, machine: rulesMachine, trims: true });
    this.#recovery = new Recovery({
      ...{ system: system.name, ports, directory, log, watch: this.watch },
      stopped: () => this.#isStopped,
      takeFrom: (host) => this.processes.takeFrom(host),
    });
    this.#releaseSources = holdSources(system, log);
    this.#connect();
    this.types = [this.#processType, memoryType, ...this.#indexes.keys(), rulesType, ...this.#agents.keys()];
  }

  /** Connects the parts with the watch over hosts, and with the gauges. */
  #connect(): void {
    this.watch.onDeath((incarnation) => {
      this.processes.askAll(false);
      void this.#recovery.takeOver(incarnation);
    });
    this.watch.onReturn(() => this.processes.askAll(true));
    this.metrics.watch({
      open: () => this.processes.openCount,
      queues: () => [...this.#agents.values()].map((agent) => [agent.name, agent.waiting] as const),
      canaries: () => this.releases.canaries(),
    });
  }

  /** Looks at the other hosts, and then nudges the open processes of the index. Resolves with their number. */
  start(): Promise<number> {
    return this.#recovery.start();
  }

  /** Nudges the open processes of the index. Resolves with their number. */
  recover(): Promise<number> {
    return this.#recovery.recover();
  }

  /** Calls the listener after each record of a process in this host. The returned function removes it. */
  listen(listener: ProcessListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs turns of an index in this host. The purge uses it; it needs no placement, because the journal is the fence. */
  indexEngine(index: IndexName): TurnEngine<IndexState, IndexInput, IndexEvent> {
    const engine = this.#indexes.get(actorType(this.#system, index));
    invariant(engine !== undefined, "a host has all indexes");
    return engine;
  }

  /** The engine of one actor type, for what concerns the journal of any actor; it needs no placement. */
  engineOf(type: string): Pick<TurnEngine<unknown, never, unknown>, "type" | "fresh" | "setAside"> | undefined {
    if (type === this.#memories.type) return this.#memories.engine;
    return type === this.#processType ? this.processes.engine : (this.#keeperOf(type) ?? this.#agents.get(type)?.engine);
  }

  /** The engine of an index, or of the standing rules. */
  #keeperOf(type: string): TurnEngine<IndexState, IndexInput, IndexEvent> | TurnEngine<RulesState, RulesInput, RulesEvent> | undefined {
    return type === this.#rules.type ? this.#rules : this.#indexes.get(type);
  }

  /** The state of an actor whose agent has a memory; undefined for one of another agent, or one that this app does not have. */
  async agentState(agent: string, id: string): Promise<AgentState | undefined> {
    const actors = this.#agents.get(actorType(this.#system, agent));
    return actors?.hasMemory === true ? (await actors.engine.fresh(id)).state : undefined;
  }

  begin(message: Message): Promise<TurnAnswer> {
    return this.receive(message, true);
  }

  receive(message: Message, begins = false): Promise<TurnAnswer> {
    this.#log.debug(
      { messageId: message.id, kind: message.body.kind, to: message.to, processId: message.processId, traceId: traceId(message.trace) },
      "message received",
    );
    if (!this.#isObserved) return this.#receive(message, begins);
    const attributes = {
      [ATTRIBUTE.actor]: message.to.type,
      [ATTRIBUTE.message]: message.id,
      [ATTRIBUTE.kind]: message.body.kind,
      [ATTRIBUTE.process]: message.processId,
    };
    return inSpan(SPAN.turn, message.trace, attributes, () =>
      this.metrics.turn(message.to.type, message.body.kind, () => this.#receive(message, begins)),
    );
  }

  #receive(message: Message, begins: boolean): Promise<TurnAnswer> {
    const { type } = message.to;
    if (type === this.#processType) return this.processes.receive(message);
    if (type === this.#memories.type) return this.#memories.receive(message);
    return this.#agents.get(type)?.receive(message, begins) ?? this.#receiveKept(message);
  }

  async #receiveKept(message: Message): Promise<TurnAnswer> {
    const { type, id } = message.to;
    const engine = this.#keeperOf(type);
    if (engine === undefined) throw new Fault("agent.unknown", `this host has no actors of type ${type}`);
    const result = await engine.turn(id, { kind: "message", message }, { inputId: message.id });
    if (result.verdict.kind === "refused") return { refused: result.verdict.fault };
    return { receipt: { messageId: message.id, sequence: result.sequence } };
  }

  async tick(actor: Address, name: string, carried?: Json): Promise<void> {
    if (actor.type === this.#processType) await this.processes.rings.ring(actor, name, carried);
    if (actor.type === this.#memories.type) await this.#memories.tick(actor.id, name);
  }

  async nudge(actor: Address, run: number | undefined): Promise<Nudged> {
    if (actor.type === this.#memories.type && this.sources.nudge(actor.id)) return { phase: "open" };
    if (actor.type !== this.#processType) return { phase: "none" };
    return run === undefined ? this.processes.nudge(actor.id) : this.processes.rings.remind({ id: actor.id, run });
  }

  heartbeat(actor: Address, beat: Heartbeat): void {
    this.#agents.get(actor.type)?.heartbeat(actor.id, beat);
  }

  deltas(process: Address, request: DeltaRequest): DeltaAnswer {
    return this.pieces.receive(process, request);
  }

  async inspect(actor: Address): Promise<Json> {
    if (actor.type === this.#processType) {
      const { state, sequence } = await this.processes.engine.fresh(actor.id);
      return plainJson(await processView(state, sequence, this.values));
    }
    const engine = this.engineOf(actor.type);
    if (engine === undefined) throw new Fault("agent.unknown", `this host has no actors of type ${actor.type}`);
    return plainJson((await engine.fresh(actor.id)).state);
  }

  /** Drops the cache of an actor that moves to another host; it would be stale. */
  deactivate(actor: Address): void {
    if (actor.type === this.#processType) this.processes.deactivate(actor.id);
    this.#agents.get(actor.type)?.deactivate(actor.id);
    this.#keeperOf(actor.type)?.forget(actor.id);
    if (actor.type === this.#memories.type) this.#memories.deactivate(actor.id);
  }

  get isAlone(): boolean {
    return this.watch.isAlone;
  }

  isNew(actor: Address): boolean {
    return actor.type === this.#processType && this.processes.isNew(actor.id);
  }

  /** What the agents of this host do now. */
  get use(): ReadonlyMap<string, { readonly running: number; readonly waiting: number }> {
    return new Map([...this.#agents.values()].map(({ name, runner, waiting }) => [name, { running: runner.running, waiting }] as const));
  }

  /** The number of running handlers. */
  get running(): number {
    let count = 0;
    for (const agent of this.#agents.values()) count += agent.runner.running;
    return count;
  }

  /** Stops timers and watches, tells running handlers to stop, and releases those that still run after `graceMs`. */
  async stop(graceMs: number = LIMITS.stopGraceMs): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop(graceMs)));
    this.#isStopped = true;
    this.sources.stop();
    this.pieces.stop();
    await this.processes.stop(graceMs);
    await this.#releaseSources();
    await this.watch.leave();
    this.metrics.end();
  }
}

function writerOf(incarnation: string): WriterIdentity {
  let count = 0;
  return {
    incarnation,
    nextCount: () => {
      count += 1;
      return count;
    },
  };
}
