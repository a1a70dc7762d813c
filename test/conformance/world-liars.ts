/** @module Faulty fakes, at least one for each room: at least one case of the room must detect each of them. */
import type { Reminders } from "../../actors/engine/ports.ts";
import type { Room } from "./world-case.ts";
import type { Lie } from "./world-simulated.ts";

/** A world that does not behave as daprd does. */
export interface Liar {
  readonly room: Room;
  readonly what: string;
  readonly lie: Lie;
}

/** Sets a reminder that cannot fire a second time: its period is longer than any case. */
const NEVER_MS = 24 * 3_600_000;

const removed = async (): Promise<void> => {};

/** Remembers the reminders that are set, so that setting one again can leave the old one. */
function twoReminders(honest: Reminders): Reminders {
  let count = 0;
  return {
    ...honest,
    set: (actor, name, dueMs, periodMs) => {
      count += 1;
      return honest.set(actor, count === 1 ? name : `${name}-${count}`, dueMs, periodMs);
    },
  };
}

export const LIARS: readonly Liar[] = [
  {
    room: "store",
    what: "a store that overwrites",
    lie: {
      store: (honest, world, life) => ({
        ...honest,
        insert: async (key, text) => {
          world.store.overwrite(life, key, text);
          return "inserted";
        },
      }),
    },
  },
  {
    room: "store",
    what: "a store that is empty while it is unavailable",
    lie: { store: (honest) => ({ ...honest, read: (keys) => honest.read(keys).catch(() => new Map()) }) },
  },
  {
    room: "store",
    what: "a store that reports success for a write that it did not answer",
    lie: {
      store: (honest) => ({
        ...honest,
        insert: async (key, text) => {
          const result = await honest.insert(key, text);
          return result === "unknown" ? "inserted" : result;
        },
      }),
    },
  },
  {
    room: "store",
    what: "a store that performs lost writes",
    lie: {
      store: (honest) => ({
        ...honest,
        insert: async (key, text) => {
          const result = await honest.insert(key, text);
          if (result === "unknown") await honest.insert(key, text);
          return result;
        },
      }),
    },
  },
  {
    room: "actors",
    what: "a sidecar that returns its own receipt",
    lie: {
      transport: (honest) => ({
        ...honest,
        deliver: (message) => honest.deliver(message).catch(() => ({ receipt: { messageId: message.id, sequence: 1 } })),
      }),
    },
  },
  {
    room: "actors",
    what: "a sidecar that runs a turn once for each message",
    lie: {
      transport: (honest) => {
        const known = new Set<string>();
        return {
          ...honest,
          deliver: async (message) => {
            const key = `${message.to.id} ${message.id}`;
            if (known.has(key)) return { receipt: { messageId: message.id, sequence: 1 } };
            known.add(key);
            return honest.deliver(message);
          },
        };
      },
    },
  },
  {
    room: "calls",
    what: "a sidecar that reports a nudge without proof",
    lie: { transport: (honest) => ({ ...honest, nudge: (actor, run) => honest.nudge(actor, run).catch(() => ({ phase: "open" })) }) },
  },
  { room: "calls", what: "a sidecar that loses heartbeats", lie: { transport: (honest) => ({ ...honest, heartbeat: async () => {} }) } },
  {
    room: "reminders",
    what: "a reminder that fires once",
    lie: { reminders: (honest) => ({ ...honest, set: (actor, name, dueMs) => honest.set(actor, name, dueMs, NEVER_MS) }) },
  },
  { room: "reminders", what: "a reminder that is not replaced", lie: { reminders: twoReminders } },
  { room: "reminders", what: "a reminder that is not removed", lie: { reminders: (honest) => ({ ...honest, remove: removed }) } },
  {
    room: "reminders",
    what: "a scheduler that accepts everything",
    lie: {
      reminders: (honest) => ({
        set: (actor, name, dueMs, periodMs) => honest.set(actor, name, dueMs, periodMs).catch(() => {}),
        remove: (actor, name) => honest.remove(actor, name).catch(() => {}),
      }),
    },
  },
  { room: "topics", what: "a topic that loses", lie: { transport: (honest) => ({ ...honest, publish: async () => {} }) } },
  {
    room: "topics",
    what: "a topic that delivers once for each id",
    lie: {
      transport: (honest) => {
        const known = new Set<string>();
        return {
          ...honest,
          publish: async (topic, message) => {
            if (known.has(message.id)) return;
            known.add(message.id);
            await honest.publish(topic, message);
          },
        };
      },
    },
  },
  {
    room: "topics",
    what: "a broker that needs no topic",
    lie: { transport: (honest) => ({ ...honest, publish: async (_topic, message) => void honest.deliver(message).catch(() => {}) }) },
  },
];
