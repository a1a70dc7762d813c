/**
 * @module The simulated world: hosts with the real turn engine over a simulated store, network, scheduler, clock and
 * outside. Everything that is not certain comes from the seed, so a seed is a run.
 *
 * A host acts on the world only through its ports, so a host that is killed at a port call is killed between two of its
 * actions, whichever they are. A dead life's calls never return, so nothing of it goes on.
 */
import { Host } from "../../actors/host/host.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { PlacedHost, Placement, ShortTransport } from "../../actors/host/local-first-transport.ts";
import type { ActorHost, RandomSource, Clock, Ports } from "../../actors/engine/ports.ts";
import { SystemOperations } from "../../actors/operations/system-operations.ts";
import type { System } from "../../agents/system.ts";
import type { Address, Message } from "../../runtime/protocol.ts";
import { aheadMs, rateAfter } from "./clocks.ts";
import type { CallFault, Faults, Sleep } from "./faults.ts";
import { Life, reach } from "./life.ts";
import { SimModels } from "./models.ts";
import { Outside } from "./outside.ts";
import { placedSystem } from "./placed-system.ts";
import { Random, STREAM } from "./random.ts";
import { SimLeases } from "./leases.ts";
import { SimReminders } from "./reminders.ts";
import { BROKER_INDEX, SimNetwork } from "./network.ts";
import { SimStore } from "./store.ts";
import { type Happening, NOTHING, Timeline } from "./timeline.ts";

/** Tuesday, 2027-01-05. Each seed adds a random part, so some runs cross from one bucket of the index into the next. */
const EPOCH_MS = 1_799_107_200_000;
const BUCKET_MS = 600_000;
const LATENCY_MS_MAX = 4;
const NODE_NAMES = "ABCDEFGH";

export interface WorldOptions {
  readonly seed: number;
  readonly system: System;
  readonly faults: Faults;
  readonly nodes: number;
  /** Kills and stops by number of the call. */
  readonly atCalls: ReadonlyMap<number, CallFault>;
  readonly sleeps?: readonly Sleep[] | undefined;
  /** Receives a line of plain words for each event. */
  readonly trace?: ((line: string) => void) | undefined;
  /** Messages are copied as JSON on their way; without it they are shared, which is faster. */
  readonly copies: boolean;
  /** Hosts take the short way to their own actors, as beside a real sidecar. */
  readonly shortWay: boolean;
  readonly observe?: ((world: World, life: Life, key: string, text: string) => void) | undefined;
  readonly observeRemoved?: ((world: World, key: string) => void) | undefined;
  /** Wraps a host's ports; for planted bugs. */
  readonly wrapPorts?: ((ports: Ports, life: Life, world: World) => Ports) | undefined;
  /** Stands in the engine's place on each host; for the conformance suite, which plays with the world itself. */
  readonly face?: ((life: Life) => ActorHost) | undefined;
}

interface Node {
  readonly index: number;
  life: Life;
  lives: number;
  readonly offsetMs: number;
  readonly rate: number;
}

const never = (): Promise<never> => new Promise<never>(() => {});

export class World {
  readonly timeline = new Timeline();
  readonly options: WorldOptions;
  readonly faults: Faults;
  readonly store: SimStore;
  readonly reminders: SimReminders;
  readonly leases: SimLeases;
  readonly network: SimNetwork;
  readonly outside: Outside;
  readonly models: SimModels;
  readonly nodes: Node[] = [];
  readonly random: {
    readonly latency: Random;
    readonly network: Random;
    readonly store: Random;
    readonly reminders: Random;
    readonly outside: Random;
    readonly engine: Random;
    readonly placement: Random;
    readonly system: Random;
    readonly leases: Random;
  };
  /** Calls of hosts to the world, and which of them were writes or effects. */
  calls = 0;
  readonly durableCalls: number[] = [];
  readonly #matched = new Map<Sleep, number>();
  crashes = 0;
  /** Actors whose chain a forgetful store broke. */
  quarantined = 0;
  #placed: number[] = [];
  #doubleUntilMs = -1;
  #watching = true;
  #epochMs = EPOCH_MS;

  constructor(options: WorldOptions) {
    this.options = options;
    this.faults = options.faults;
    this.faults.told = options.trace;
    const stream = (number: number): Random => new Random(options.seed, number);
    this.random = {
      latency: stream(STREAM.latency),
      network: stream(STREAM.network),
      store: stream(STREAM.store),
      reminders: stream(STREAM.reminders),
      outside: stream(STREAM.outside),
      engine: stream(STREAM.engine),
      placement: stream(STREAM.placement),
      system: stream(STREAM.system),
      leases: stream(STREAM.leases),
    };
    this.#epochMs += this.random.system.int(0, BUCKET_MS - 1);
    this.store = new SimStore(this);
    this.reminders = new SimReminders(this);
    this.leases = new SimLeases(this);
    this.network = new SimNetwork(this);
    this.outside = new Outside(this);
    this.models = new SimModels(this);
    const { clockOffsetMs, clockRate } = options.faults.rates;
    for (let index = 0; index < options.nodes; index += 1) {
      const offsetMs = Math.round((this.random.system.next() * 2 - 1) * clockOffsetMs);
      const rate = 1 + (this.random.system.next() * 2 - 1) * clockRate;
      const node: Node = { index, life: new Life("", index, this.outside, () => this.timeline.nowMs), lives: 0, offsetMs, rate };
      this.nodes.push(node);
      this.#boot(node, false);
    }
    this.#placed = this.nodes.map((node) => node.index);
  }

  get trace(): ((line: string) => void) | undefined {
    return this.options.trace;
  }

  /** How long a short way takes now, in milliseconds. */
  latency(): number {
    return 1 + this.random.latency.next() * LATENCY_MS_MAX;
  }

  copy(message: Message): Message {
    return this.options.copies ? (JSON.parse(JSON.stringify(message)) as Message) : message;
  }

  // ---- calls between hosts and the world -----------------------------------------------------------------------------------

  /** A host acts on the world. `durable` marks writes and outside effects. */
  port<T>(
    life: Life,
    what: string,
    durable: boolean,
    act: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  ): Promise<T> {
    if (life.state === "dead") return never();
    if (life.state === "frozen")
      return new Promise((resolve, reject) => void life.backlog.push(() => void this.port(life, what, durable, act).then(resolve, reject)));
    this.calls += 1;
    if (durable) this.durableCalls.push(this.calls);
    const fault = this.options.atCalls.get(this.calls) ?? this.#sleepAt(what);
    if (fault === undefined || !this.faults.on || !this.faults.allow(fault.kind === "freeze" ? "freezes" : "crashes")) {
      this.trace?.(`${life.name}: ${what}`);
      return new Promise(act);
    }
    if (fault.kind === "freeze") {
      this.freeze(life, fault.forMs, `before: ${what}`);
      return new Promise((resolve, reject) => void life.backlog.push(() => void this.port(life, what, durable, act).then(resolve, reject)));
    }
    if (fault.kind === "crash-after") void new Promise(act);
    this.crash(life, fault.forMs, `${fault.kind === "crash-after" ? "after" : "before"}: ${what}`);
    return never();
  }

  #sleepAt(what: string): Sleep | undefined {
    return this.options.sleeps?.find((sleep) => {
      if (!sleep.at.test(what)) return false;
      const count = (this.#matched.get(sleep) ?? 0) + 1;
      this.#matched.set(sleep, count);
      return count === sleep.call;
    });
  }

  /** Something reaches a host after a while: later when it is frozen, never when it is dead. */
  toLife(life: Life, delayMs: number, run: Happening): void {
    this.timeline.after(delayMs, () => reach(life, run));
  }

  /** Where placement has an actor now. */
  owner(actor: Address): Life | undefined {
    if (this.#placed.length === 0) return undefined;
    const shift = this.timeline.nowMs < this.#doubleUntilMs ? this.random.placement.int(0, 1) : 0;
    return this.nodes[this.#placed[(hashOf(actor) + shift) % this.#placed.length] ?? 0]?.life;
  }

  /** Whether any host serves the actors of a type. */
  serves(type: string): boolean {
    return this.nodes.some((node) => node.life.face?.types.includes(type) === true);
  }

  /** From now on placement may say either of two hosts. */
  doubleOwners(forMs: number): void {
    this.#doubleUntilMs = this.timeline.nowMs + forMs;
  }

  /** Tells the observer of a write, at the moment of writing. */
  wrote(life: Life, key: string, text: string): void {
    this.options.observe?.(this, life, key, text);
  }

  // ---- life and death --------------------------------------------------------------------------------------------------

  /** `recovers`: it looks for open work, as a host does when it starts again. */
  #boot(node: Node, recovers: boolean): void {
    node.lives += 1;
    const life = new Life(`${NODE_NAMES[node.index] ?? "X"}${node.lives}`, node.index, this.outside, () => this.timeline.nowMs);
    node.life = life;
    const clock: Clock = {
      nowMs: () => Math.floor(this.#epochMs + node.offsetMs + this.timeline.nowMs + aheadMs(node.rate, this.timeline.nowMs)),
      after: (delayMs, callback) => this.#timer(life, delayMs / rateAfter(node.rate, this.timeline.nowMs), callback),
    };
    let tokens = 0;
    const random: RandomSource = {
      token: () => `${life.name}-${++tokens}`,
      jitter01: () => this.random.engine.next(),
    };
    const far = this.network.of(life);
    const placement = new Placement(clock);
    const transport = this.options.shortWay ? new ShortTransport(far, placement, () => host) : far;
    const [reminders, leases, models] = [this.reminders.of(life), this.leases.of(life), this.models.of(life)];
    const made: Ports = { store: this.store.of(life), reminders, transport, clock, random, leases, models };
    const ports = this.options.wrapPorts?.(made, life, this) ?? made;
    const system = placedSystem(this.options.system, life, this);
    const host: Host = new Host({ system, ports, log: SILENT });
    life.host = host;
    host.watch.onReturn(() => placement.forget());
    const watches = this.options.face === undefined && this.#watching;
    if (watches) void (recovers ? host.start() : host.watch.start()).then(() => host.sources.start());
    else if (recovers && this.options.face === undefined) void host.recover();
    life.ports = ports;
    life.face = this.options.face?.(life) ?? new PlacedHost(host, placement);
    life.operations = new SystemOperations({ system, ports, host, newId: () => random.token() });
  }

  #timer(life: Life, delayMs: number, callback: () => void): () => void {
    let cancelled = false;
    this.toLife(life, delayMs, () => (cancelled ? NOTHING : callback()));
    return () => {
      cancelled = true;
    };
  }

  /** Kills a host. It starts again after `forMs`; placement finds out sooner or later. */
  crash(life: Life, forMs: number | undefined, where: string): void {
    if (life.state === "dead") return;
    life.state = "dead";
    life.backlog.length = 0;
    this.crashes += 1;
    this.trace?.(`${life.name}: KILLED ${where}`);
    this.timeline.after(this.random.placement.int(0, 2_000), () => {
      if (this.nodes[life.node]?.life === life) this.#placed = this.#placed.filter((index) => index !== life.node);
    });
    if (forMs !== undefined) this.timeline.after(forMs, () => this.restart(life.node));
  }

  /** Starts a dead host again: a new life, which looks for open work. */
  restart(index: number): void {
    const node = this.nodes[index];
    if (node === undefined || node.life.state !== "dead") return;
    this.#boot(node, true);
    if (!this.#placed.includes(index)) this.#placed = [...this.#placed, index].sort((a, b) => a - b);
    this.trace?.(`${node.life.name}: starts`);
  }

  /** Hosts renew and read no leases from now on: all work has ended, and the time to come is long. */
  endWatches(): void {
    this.#watching = false;
    for (const { life } of this.nodes) life.host?.watch.stop();
  }

  /** Stops a host as SIGSTOP does. */
  freeze(life: Life, forMs: number | undefined, where: string): void {
    if (life.state !== "up") return;
    life.state = "frozen";
    this.trace?.(`${life.name}: FROZEN ${where}`);
    // Placement gives up on a host that does not answer, or not in time.
    this.timeline.after(this.random.placement.int(500, 6_000), () => {
      if (life.state === "frozen") this.#placed = this.#placed.filter((index) => index !== life.node);
    });
    if (forMs !== undefined) this.timeline.after(forMs, () => this.wake(life));
  }

  wake(life: Life): void {
    if (life.state !== "frozen") return;
    life.state = "up";
    this.trace?.(`${life.name}: wakes`);
    if (!this.#placed.includes(life.node)) this.#placed = [...this.#placed, life.node].sort((a, b) => a - b);
    for (const run of life.backlog.splice(0)) this.toLife(life, 0, run);
  }

  /** Faults end here: everything comes back and works. `keepDead` leaves killed hosts where they are. */
  heal(keepDead: boolean): void {
    this.trace?.("---- no more faults ----");
    this.faults.end();
    this.store.comeBack();
    this.network.fix();
    this.#doubleUntilMs = -1;
    const remindersLost = this.faults.fired.some((fired) => fired.kind === "remindersLost");
    // When all reminders are lost only the index lists the open processes, and a host reads it when it starts.
    const first = this.nodes[0];
    if (remindersLost && first !== undefined) this.crash(first.life, undefined, "to start it again, because all reminders were lost");
    for (const node of this.nodes) {
      this.wake(node.life);
      if (node.life.state === "dead" && !(keepDead && !remindersLost && this.nodes.some((other) => other.life.state === "up")))
        this.restart(node.index);
    }
  }

  /** A host that is up, or undefined. */
  anyUp(random: Random): Life | undefined {
    const up = this.nodes.filter((node) => node.life.state === "up");
    return up.length === 0 ? undefined : random.pick(up).life;
  }

  /** Cuts one way between two ends, of which one may be the broker. */
  cut(random: Random, forMs: number): void {
    const ends = [...this.nodes.map((node) => node.index), BROKER_INDEX];
    const from = random.pick(ends);
    const to = random.pick(ends.filter((end) => end !== from));
    this.trace?.(`CUT: nothing gets from ${endName(from)} to ${endName(to)} for ${Math.round(forMs)} ms`);
    this.network.cut(from, to, forMs);
  }
}

function endName(end: number): string {
  return end === BROKER_INDEX ? "the broker" : (NODE_NAMES[end] ?? "?");
}

function hashOf(actor: Address): number {
  let hash = 7;
  for (let index = 0; index < actor.id.length; index += 1) hash = (hash * 31 + actor.id.charCodeAt(index)) | 0;
  return Math.abs(hash + actor.type.length * 17);
}
