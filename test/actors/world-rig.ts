/**
 * @module Several hosts of one system over one store, with a clock that the test drives; hosts can die and freeze.
 */
import type { System } from "../../agents/system.ts";
import { Host } from "../../actors/host/host.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import type { Reminders, Clock, Heartbeat, Models, Ports, ReleaseSource, StateStore, Transport } from "../../actors/engine/ports.ts";
import { SystemOperations } from "../../actors/operations/system-operations.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import type { Address, Message, TurnAnswer } from "../../runtime/protocol.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import type { OutcomeView } from "../../actors/operations/operations.ts";
import { countedRandom, flush, HandClock } from "./engine-rig.ts";

const LONG_MS = 600_000;

export const CALLER = { principal: ANONYMOUS };

/** One host and its ports. While frozen, nothing leaves or reaches it; a dead one never acts again. */
class Member {
  readonly host: Host;
  readonly operations: SystemOperations;
  #dead = false;
  #frozen: Promise<void> | undefined;
  #thaw: () => void = () => {};

  constructor(world: World, system: System, name: string, openMax?: number) {
    const ports = world.portsOf(this, name);
    this.host = new Host({ system, ports, log: SILENT, releases: world.releases, ...(openMax === undefined ? {} : { openMax }) });
    this.operations = new SystemOperations({ system, ports, host: this.host, newId: () => "made" });
    void this.host.watch.start();
  }

  kill(): void {
    this.#dead = true;
  }

  freeze(): void {
    this.#frozen = new Promise((resolve) => (this.#thaw = resolve));
  }

  thaw(): void {
    this.#frozen = undefined;
    this.#thaw();
  }

  get reachable(): boolean {
    return !this.#dead && this.#frozen === undefined;
  }

  /** Passes when this host may act; a dead one waits forever. */
  async act(): Promise<void> {
    while (this.#dead || this.#frozen !== undefined) await (this.#dead ? new Promise<never>(() => {}) : this.#frozen);
  }
}

/** A clock that skips the looks at leases in a long time. */
class WorldClock extends HandClock {
  readonly #world: World;

  constructor(world: World) {
    super();
    this.#world = world;
  }

  override async advance(ms: number): Promise<void> {
    const isLong = ms >= LONG_MS;
    if (isLong) for (const { host } of this.#world.members) host.watch.stop();
    await super.advance(ms);
    if (isLong) for (const { host } of this.#world.members) void host.watch.start();
  }
}

export class World {
  readonly clock: HandClock = new WorldClock(this);
  readonly store: MemoryStore;
  readonly members: Member[] = [];
  readonly notifications: string[] = [];
  /** Every delivery and publication, as `kind id`. */
  readonly sent: string[] = [];
  readonly reminders = new Map<string, () => void>();
  /** Throws where the sidecar must fail: `reminder`, `remove`, `notification`. */
  guard: (what: string) => void = () => {};
  /** Where actors are; the first reachable member otherwise. */
  place: (actor: Address) => number | undefined = () => undefined;
  /** What the broker does with a message: how often it arrives. */
  broker: (message: Message) => number = () => 1;
  /** Is told each message that reaches a host. */
  heard: (message: Message) => void = () => {};
  /** The releases of all hosts that join from now on. */
  releases: ReleaseSource | undefined;
  /** The models of all hosts that join from now on. */
  models: Models | undefined;

  constructor(store = new MemoryStore()) {
    this.store = store;
  }

  join(system: System, name: string, openMax?: number): Member {
    const member = new Member(this, system, name, openMax);
    this.members.push(member);
    return member;
  }

  holder(actor: Address): Member {
    const at = this.place(actor);
    const member = at === undefined ? this.members.find((one) => one.reachable) : this.members[at];
    if (member === undefined || !member.reachable) throw new Fault("sidecar.unavailable", "no host holds the actor");
    return member;
  }

  portsOf(member: Member, name: string): Ports {
    const acting = async <T>(action: () => Promise<T>): Promise<T> => {
      await member.act();
      const result = await action();
      await member.act();
      return result;
    };
    const store: StateStore = {
      read: (keys) => acting(() => this.store.read(keys)),
      insert: (key, text) => acting(() => this.store.insert(key, text)),
      tagged: (key) => acting(() => this.store.tagged(key)),
      replace: (key, text, tag) => acting(() => this.store.replace(key, text, tag)),
      remove: (keys) => acting(() => this.store.remove(keys)),
    };
    const clock: Clock = {
      nowMs: () => this.clock.nowMs(),
      after: (ms, callback) => this.clock.after(ms, () => void member.act().then(callback)),
    };
    const reminders: Reminders = {
      set: (actor, reminder, due, period, carried) =>
        acting(async () => {
          this.guard("reminder");
          this.setReminder(actor, reminder, due, period, carried);
        }),
      remove: (actor, reminder) =>
        acting(async () => {
          this.guard("remove");
          this.#endReminder(actor, reminder);
        }),
    };
    const transport: Transport = {
      publish: (_topic, message) =>
        acting(async () => {
          this.sent.push(`publish ${message.id}`);
          for (let copy = 0; copy < this.broker(message); copy += 1) void this.#deliver(message).catch(() => {});
        }),
      deliver: (message) =>
        acting(() => {
          this.sent.push(`deliver ${message.id}`);
          return this.#deliver(message);
        }),
      heartbeat: (actor, beat: Heartbeat) => acting(async () => this.holder(actor).host.heartbeat(actor, beat)),
      inspect: (actor) => acting(() => this.holder(actor).host.inspect(actor)),
      nudge: (actor, run) => acting(() => this.holder(actor).host.nudge(actor, run)),
      notification: (topic, id) =>
        acting(async () => {
          this.guard("notification");
          this.notifications.push(`${topic} ${id}`);
        }),
    };
    const { models } = this;
    const reached: Models | undefined = models && {
      costMicrosMax: (...call) => models.costMicrosMax(...call),
      costMicros: (...call) => models.costMicros(...call),
      providerOf: (endpoint) => models.providerOf?.(endpoint),
      attempt: (attempt) => acting(() => models.attempt(attempt)),
    };
    return { store, reminders, transport, clock, random: countedRandom(name), models: reached };
  }

  async #deliver(message: Message): Promise<TurnAnswer> {
    const copy = structuredClone(message);
    this.heard(copy);
    return this.holder(copy.to).host.receive(copy);
  }

  setReminder(actor: Address, name: string, dueMs: number, periodMs: number, carried?: Json): void {
    this.#endReminder(actor, name);
    const key = `${actor.id}/${name}`;
    const arm = (ms: number): void => {
      this.reminders.set(
        key,
        this.clock.after(ms, () => {
          arm(periodMs);
          try {
            this.holder(actor)
              .host.tick(actor, name, carried)
              .catch(() => {});
          } catch {
            // No host holds the actor now; the reminder fires again.
          }
        }),
      );
    };
    arm(dueMs);
  }

  #endReminder(actor: Address, name: string): void {
    this.reminders.get(`${actor.id}/${name}`)?.();
    this.reminders.delete(`${actor.id}/${name}`);
  }

  /** Runs the clock until the process ended, at most `ms`. */
  async until(member: Member, id: string, ms = 120_000): Promise<OutcomeView> {
    for (let passed = 0; passed <= ms; passed += 250) {
      await flush(20);
      const outcome = await ended(member, id);
      if (outcome !== undefined) return outcome;
      await this.clock.advance(250);
    }
    throw new Error(`${id} did not end within ${ms} ms: ${JSON.stringify(await member.operations.process(id))}`);
  }
}

async function ended(member: Member, id: string): Promise<OutcomeView | undefined> {
  const shown = (await member.operations.process(id).catch(() => ({}))) as { readonly outcome?: Json };
  return shown.outcome as unknown as OutcomeView | undefined;
}

/** A promise and what settles it. */
export function gate<T = void>(): { readonly promise: Promise<T>; open(value: T): void } {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => (open = resolve));
  return { promise, open: (value) => open(value) };
}
