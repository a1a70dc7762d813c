/**
 * @module The simulated world as a rig: its own store, network, scheduler and broker, with the case's script in place
 * of the engine.
 *
 * The caller is not a host, so it survives when the app is killed. A part of the world that dies is cut off in both
 * directions.
 */
import { actorType, type Address, type Message, type TurnAnswer } from "../../runtime/protocol.ts";
import { agent, contract, route, system } from "../../agents/index.ts";
import type { System } from "../../agents/system.ts";
import type { ActorHost, Reminders, Heartbeat, Nudged, InsertResult, StateStore, Transport } from "../../actors/engine/ports.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { type FaultKind, Faults, NO_FAULTS } from "../../simulation/world/faults.ts";
import { Life } from "../../simulation/world/life.ts";
import { BROKER_INDEX, SCHEDULER_INDEX } from "../../simulation/world/network.ts";
import { drive } from "../../simulation/world/timeline.ts";
import { World } from "../../simulation/world/world.ts";
import { z } from "zod";
import type { Case } from "./world-case.ts";
import {
  type ArrivalKind,
  type Blank,
  type CallTrouble,
  comes,
  type Freezable,
  type Mortal,
  type Reaction,
  Script,
  type WorldRig,
  type WriteTrouble,
} from "./world-rig.ts";

const SYSTEM = "world";
/** Virtual time after which a waiting case has failed. */
const CASE_MS_MAX = 30 * 60_000;
const APP_INDEX = 0;
/** The caller is not a node of the world. */
const CALLER_INDEX = 7;
const FOREVER_MS = Number.MAX_SAFE_INTEGER;

/** Faults that happen exactly when they are ordered. */
class OrderedFaults extends Faults {
  readonly #orders = new Map<FaultKind, number>();

  constructor() {
    super(NO_FAULTS, undefined);
  }

  order(kind: FaultKind): void {
    this.#orders.set(kind, (this.#orders.get(kind) ?? 0) + 1);
  }

  override happens(kind: FaultKind): boolean {
    const left = this.#orders.get(kind) ?? 0;
    if (left > 0) this.#orders.set(kind, left - 1);
    return left > 0;
  }
}

/** The change that a faulty fake makes in the world before a case runs. */
export interface Lie {
  store?(honest: StateStore, world: World, life: Life): StateStore;
  reminders?(honest: Reminders, world: World): Reminders;
  transport?(honest: Transport): Transport;
}

/** The simulated world with a script for an app. One case has one world. */
export class SimulatedRig implements WorldRig {
  readonly world = "simulated";
  readonly system = SYSTEM;
  readonly script = new Script();
  readonly store: StateStore;
  readonly reminders: Reminders;
  readonly transport: Transport;
  readonly hasty: Transport;
  readonly hastyReminders: Reminders;
  readonly app: Freezable;
  readonly sidecar: Mortal;
  readonly scheduler: Mortal;
  readonly placement: Mortal;
  readonly backend: Mortal;
  readonly broker: Mortal;
  readonly #faults = new OrderedFaults();
  readonly #world: World;
  /** Messages that went through the broker: they arrive at the app as events first. */
  readonly #published = new Set<string>();

  constructor(lie: Lie = {}) {
    this.#world = new World({
      seed: 1,
      system: emptySystem(),
      faults: this.#faults,
      nodes: 1,
      atCalls: new Map(),
      copies: true,
      shortWay: false,
      face: (life) => new ScriptedFace(this.script, this.#published, life, () => this.#world.timeline.nowMs),
    });
    const world = this.#world;
    const caller = new Life("caller", CALLER_INDEX, world.outside, () => world.timeline.nowMs);
    this.store = lie.store?.(world.store.of(caller), world, caller) ?? world.store.of(caller);
    this.reminders = lie.reminders?.(world.reminders.of(caller), world) ?? world.reminders.of(caller);
    const network = world.network.of(caller);
    const honest: Transport = {
      ...network,
      publish: (topic, message) => {
        this.#published.add(message.id);
        return network.publish(topic, message);
      },
      notification: async (topic, id, data) => {
        await network.notification(topic, id, data);
        for (const notification of world.network.notifications)
          if (notification.id === id)
            await this.script.arrived("notification", notification.data.processId, notification.id, world.timeline.nowMs);
      },
    };
    this.transport = lie.transport?.(honest) ?? honest;
    this.hasty = this.transport;
    this.hastyReminders = this.reminders;
    this.app = {
      kill: async () => world.crash(this.#life, undefined, "ordered by the case"),
      start: async () => world.restart(APP_INDEX),
      freeze: async () => world.freeze(this.#life, undefined, "ordered by the case"),
      wake: async () => world.wake(this.#life),
    };
    const ways = {
      call: [CALLER_INDEX, APP_INDEX],
      toBroker: [CALLER_INDEX, BROKER_INDEX],
      fromBroker: [BROKER_INDEX, APP_INDEX],
      toScheduler: [CALLER_INDEX, SCHEDULER_INDEX],
      fromScheduler: [SCHEDULER_INDEX, APP_INDEX],
    } as const;
    this.sidecar = this.#cutOff(Object.values(ways), true);
    this.scheduler = this.#cutOff([ways.toScheduler, ways.fromScheduler], false);
    this.placement = this.#cutOff([ways.call], false);
    this.broker = this.#cutOff([ways.toBroker, ways.fromBroker], false);
    this.backend = this.#cutOff([], true);
  }

  get #life(): Life {
    const life = this.#world.nodes[APP_INDEX]?.life;
    if (life === undefined) throw new Error("invariant: the world has a node");
    return life;
  }

  #cutOff(ways: readonly (readonly [number, number])[], store: boolean): Mortal {
    return {
      kill: async () => {
        for (const [from, to] of ways) this.#world.network.cut(from, to, FOREVER_MS);
        if (store) this.#world.store.goAway(FOREVER_MS);
      },
      start: async () => {
        this.#world.network.fix();
        this.#world.store.comeBack();
      },
    };
  }

  async setOnce(actor: Address, name: string, dueMs: number): Promise<void> {
    this.#world.reminders.setOnce(actor, name, dueMs);
  }

  async loseReminders(): Promise<void> {
    this.#world.reminders.loseAll();
  }

  insert(trouble: WriteTrouble, key: string, text: string): Promise<InsertResult> {
    this.#faults.order(({ lost: "writeLost", unanswered: "writeUnanswered", late: "writeLate" } as const)[trouble]);
    return this.store.insert(key, text);
  }

  deliver(trouble: CallTrouble, message: Message): Promise<TurnAnswer> {
    this.#faults.order(({ lost: "dropRequest", unanswered: "loseAnswer" } as const)[trouble]);
    return this.transport.deliver(message);
  }

  /** The simulated network has one fault for all of them: an inconclusive answer, and nothing ran. */
  blank(_actor: Address, _how: Blank): void {
    this.#faults.order("emptyAnswer");
  }

  elapse(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.timeline.after(ms, resolve));
  }

  comes(condition: () => boolean, withinMs: number): Promise<boolean> {
    return comes(this.script, (ms, run) => this.#world.timeline.after(ms, run), condition, withinMs);
  }

  /** Runs a case while virtual time passes. */
  async run(one: Case): Promise<Json> {
    let ended = false;
    const running = one.run(this).finally(() => {
      ended = true;
    });
    running.catch(() => {});
    await drive(this.#world.timeline, CASE_MS_MAX, () => ended);
    if (!ended) throw new Error(`${one.name}: it waits for something that never happens`);
    return running;
  }
}

/** The case's script as the host of all actors. */
class ScriptedFace implements ActorHost {
  readonly types = ["Doer", "Other", "ProcessManager"].map((name) => actorType(SYSTEM, name));
  readonly #script: Script;
  readonly #published: ReadonlySet<string>;
  readonly #life: Life;
  readonly #nowMs: () => number;

  constructor(script: Script, published: ReadonlySet<string>, life: Life, nowMs: () => number) {
    this.#script = script;
    this.#published = published;
    this.#life = life;
    this.#nowMs = nowMs;
  }

  /** The reaction of the script. A dead app never gets that far. */
  async #reaction(kind: ArrivalKind, id: string, name: string): Promise<Reaction> {
    const { reaction, done } = await this.#script.arrived(kind, id, name, this.#nowMs());
    if (this.#life.state === "dead") return new Promise<never>(() => {});
    done();
    return reaction;
  }

  async #play<T>(kind: ArrivalKind, id: string, name: string, answer: () => T): Promise<T> {
    const reaction = await this.#reaction(kind, id, name);
    if (reaction.kind === "answer") return answer();
    if (reaction.kind === "fault") throw new Fault(reaction.code, "ordered by the case", reaction.details);
    throw new Error(`ordered by the case: ${reaction.kind}`);
  }

  async receive(message: Message): Promise<TurnAnswer> {
    const { to, id } = message;
    if (this.#published.has(id)) await this.#play("event", to.id, id, () => undefined);
    const reaction = await this.#reaction("turn", to.id, id);
    switch (reaction.kind) {
      case "answer":
        return { receipt: { messageId: id, sequence: 1 } };
      case "wrong-receipt":
        return { receipt: { messageId: `not ${id}`, sequence: 1 } };
      case "refuse":
        return { refused: { code: reaction.code, message: "ordered by the case" } };
      case "fault":
        throw new Fault(reaction.code, "ordered by the case", reaction.details);
      default:
        throw new Error(`ordered by the case: ${reaction.kind}`);
    }
  }

  tick(actor: Address, name: string, carried?: Json): Promise<void> {
    return this.#play("tick", actor.id, carried === undefined ? name : `${name} ${JSON.stringify(carried)}`, () => undefined);
  }

  nudge(actor: Address): Promise<Nudged> {
    return this.#play("nudge", actor.id, "", () => ({ phase: "open", bucket: "b" }));
  }

  heartbeat(actor: Address, beat: Heartbeat): void {
    this.#play("beat", actor.id, `${beat.workId} ${beat.token}`, () => undefined).catch(() => {});
  }

  inspect(actor: Address): Promise<Json> {
    return this.#play("inspect", actor.id, "", () => ({ id: actor.id, number: 0.123456789, text: "é😀<&>" }));
  }

  deactivate(actor: Address): void {
    void this.#script.arrived("deactivate", actor.id, "", this.#nowMs());
  }
}

/** A host always belongs to a system, even when a script takes its place. */
function emptySystem(): System {
  const Doer = contract("Doer", 1, { input: z.string(), output: z.string() });
  const through = route("through", 1, z.string())
    .to("doer", Doer, ({ task }) => task)
    .output(({ doer }) => doer);
  return system(SYSTEM, { agents: [agent(Doer, { handle: (text) => text })], routes: [through] });
}
