/**
 * @module The simulated scheduler: repeating reminders that ring late, twice or not at all, and that make up for what was
 * missed one by one, as Dapr's do.
 */
import type { Reminders } from "../../actors/engine/ports.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { reminderContent } from "../../runtime/process/reminder.ts";
import type { Address } from "../../runtime/protocol.ts";
import { type Life, reach } from "./life.ts";
import { SCHEDULER_INDEX } from "./network.ts";
import { NOTHING } from "./timeline.ts";
import type { World } from "./world.ts";

interface Reminder {
  readonly actor: Address;
  readonly name: string;
  readonly periodMs: number;
  readonly carried: Json | undefined;
  dueMs: number;
  missed: number;
}

const LATE_MS_MAX = 6_000;
/** Ticks that are made up for at most. */
const MISSED_MAX = 8;
const CALL_FAILS_MS = 50;
/** Further tries of a tick without a period, before the scheduler drops it (go-etcd-cron, internal/scheduler/builder.go). */
const ONCE_RETRIES_MAX = 3;
const ONCE_RETRY_MS = 1_000;

export class SimReminders {
  readonly #world: World;
  readonly #reminders = new Map<string, Reminder>();
  readonly #lost = new Map<string, Reminder>();

  constructor(world: World) {
    this.#world = world;
  }

  of(life: Life): Reminders {
    const { faults, random, network } = this.#world;
    const call = (actor: Address, what: string, act: () => void): Promise<void> =>
      this.#world.port(life, what, false, (resolve, reject) => {
        if (network.isCut(life.node, SCHEDULER_INDEX) || !this.#world.serves(actor.type)) {
          return this.#world.toLife(life, CALL_FAILS_MS, () =>
            reject(new Fault("sidecar.unavailable", `no sidecar hosts ${actor.type}, so its reminder cannot be set`)),
          );
        }
        const fails = faults.happens("reminderCallFails", random.reminders);
        // A call that fails may still have taken effect.
        const done = !fails || random.reminders.chance(0.5);
        const ms = this.#world.latency();
        if (fails) {
          if (done) this.#world.timeline.after(ms, act);
          return this.#world.toLife(life, CALL_FAILS_MS, () =>
            reject(new Fault("sidecar.unavailable", "the simulated scheduler does not answer")),
          );
        }
        this.#world.timeline.after(ms, () => {
          act();
          return reach(life, resolve);
        });
      });
    return {
      set: (actor, name, dueMs, periodMs, carried) =>
        call(actor, `reminder ${name} of ${actor.id} in ${dueMs} ms`, () => this.#set(actor, name, dueMs, periodMs, carried)),
      remove: (actor, name) => call(actor, `no reminder ${name} of ${actor.id}`, () => void this.#reminders.delete(keyOf(actor, name))),
    };
  }

  #set(actor: Address, name: string, dueMs: number, periodMs: number, carried: Json | undefined): void {
    const reminder = { actor, name, periodMs, carried, dueMs: this.#world.timeline.nowMs + dueMs, missed: 0 };
    this.#reminders.set(keyOf(actor, name), reminder);
    this.#arm(reminder);
  }

  #arm(reminder: Reminder): void {
    const { faults, random, timeline } = this.#world;
    const lateMs = faults.happens("reminderLate", random.reminders) ? random.reminders.int(1, LATE_MS_MAX) : 0;
    timeline.after(reminder.dueMs - timeline.nowMs + lateMs, () => {
      if (this.#reminders.get(keyOf(reminder.actor, reminder.name)) !== reminder) return NOTHING;
      reminder.dueMs += reminder.periodMs;
      this.#ring(reminder);
      return this.#arm(reminder);
    });
  }

  #ring(reminder: Reminder): void {
    const { faults, random, network } = this.#world;
    const life = this.#world.owner(reminder.actor);
    if (life === undefined || life.state !== "up" || network.isCut(SCHEDULER_INDEX, life.node)) {
      reminder.missed = Math.min(MISSED_MAX, reminder.missed + 1);
      return;
    }
    const ticks = 1 + reminder.missed + (faults.happens("reminderDoubled", random.reminders) ? 1 : 0);
    reminder.missed = 0;
    for (let tick = 0; tick < ticks; tick += 1) {
      this.#world.toLife(life, this.#world.latency() * (tick + 1), () => {
        this.#world.trace?.(`${life.name}: reminder ${reminder.name} of ${reminder.actor.id} rings`);
        life.face?.tick(reminder.actor, reminder.name, reminder.carried).catch(() => {});
      });
    }
  }

  /** A reminder without a period, as daprd has them and no port does: one that fails for three seconds is lost. */
  setOnce(actor: Address, name: string, dueMs: number): void {
    const { timeline } = this.#world;
    const ring = (left: number): void => {
      const failed = (): void => {
        if (left > 0) timeline.after(ONCE_RETRY_MS, () => ring(left - 1));
      };
      const life = this.#world.owner(actor);
      if (life === undefined || life.state === "dead") return failed();
      this.#world.toLife(life, this.#world.latency(), () => void life.face?.tick(actor, name).catch(failed));
    };
    timeline.after(dueMs, () => ring(ONCE_RETRIES_MAX));
  }

  /** Whether a run of a process has a reminder, or had one that was lost: no host knows that it was. */
  covers(type: string, id: string, run: number): boolean {
    const covers = ({ actor, name, carried }: Reminder): boolean =>
      actor.type === type && reminderContent(actor.id, name, carried).runs.some((one) => one.id === id && one.run === run);
    return [...this.#reminders.values(), ...this.#lost.values()].some(covers);
  }

  /** Whether a reminder was set and lost. No host knows that it was. */
  wasLost(actor: Address, name: string): boolean {
    return this.#lost.has(keyOf(actor, name));
  }

  /** The actors and names of all reminders that are set. */
  get all(): readonly { readonly actor: Address; readonly name: string }[] {
    return [...this.#reminders.values()];
  }

  /** Loses every reminder, as when the scheduler's folder is deleted. */
  loseAll(): void {
    for (const [key, reminder] of this.#reminders) this.#lost.set(key, reminder);
    this.#reminders.clear();
  }
}

function keyOf(actor: Address, name: string): string {
  return `${actor.type}/${actor.id}/${name}`;
}
