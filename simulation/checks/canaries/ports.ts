/**
 * @module Planted bugs of the journal, the ports of a host, its reminders and the purge.
 */
import { Journal } from "../../../actors/engine/journal.ts";
import { HostWatch } from "../../../actors/host/host-watch.ts";
import { SharedReminders } from "../../../actors/host/shared-reminders.ts";
import { JournalPurge } from "../../../actors/retention/journal-purge.ts";
import { processMachine } from "../../../runtime/process/machine.ts";
import { reminderContent } from "../../../runtime/process/reminder.ts";
import type { Json } from "../../../runtime/faults.ts";
import { type Canary, nothing, replace, withoutInsert } from "./canary.ts";

const effectsBeforeCommit: Canary = {
  name: "effects before commit",
  scenario: "party",
  plant: nothing,
  // The receipt of a record is given when the write was sent, not when it was made.
  wrapPorts: (ports) => ({
    ...ports,
    store: {
      ...withoutInsert(ports.store),
      insert: async (key, text) => {
        if (key.includes("/value/")) return ports.store.insert(key, text);
        void ports.store.insert(key, text);
        return "inserted";
      },
    },
  }),
};

const noFence: Canary = {
  name: "no fence: the store overwrites",
  scenario: "wild",
  plant: nothing,
  wrapPorts: (ports, life, world) => ({
    ...ports,
    store: {
      ...withoutInsert(ports.store),
      insert: (key, text) =>
        key.includes("/value/")
          ? ports.store.insert(key, text)
          : world.port(life, `write ${key}`, true, (resolve) => {
              world.store.overwrite(life, key, text);
              world.toLife(life, world.latency(), () => resolve("inserted"));
            }),
    },
  }),
};

const staleCache: Canary = {
  name: "stale cache on a turn that writes nothing",
  scenario: "wild",
  plant: () => replace(Journal.prototype, "isCurrent", () => async () => true),
};

const deathUnnoticed: Canary = {
  name: "host death that no host acts on",
  scenario: "wild",
  plant: () => replace(HostWatch.prototype, "onDeath", () => () => () => {}),
};

const neverAsksAgain: Canary = {
  name: "request that is never sent again",
  scenario: "wild",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      return decide(state, input.kind === "tick" && input.nudged !== true ? { ...input, asks: "none" } : input, context);
    }),
};

const reminderStays: Canary = {
  name: "reminder that is not removed",
  scenario: "wild",
  plant: nothing,
  wrapPorts: (ports) => ({ ...ports, reminders: { set: (...call) => ports.reminders.set(...call), remove: async () => {} } }),
};

const runNotCarried: Canary = {
  name: "reminder that does not carry all its runs",
  scenario: "long",
  plant: nothing,
  wrapPorts: ({ reminders, ...ports }) => ({
    ...ports,
    reminders: {
      set: (actor, name, dueMs, periodMs, carried) => {
        const { runs, ...content } = reminderContent(actor.id, name, carried);
        return reminders.set(actor, name, dueMs, periodMs, carried === undefined ? undefined : { ...content, runs: runs.slice(1) });
      },
      remove: (actor, name) => reminders.remove(actor, name),
    },
  }),
};

const coveredByNothing: Canary = {
  name: "run that leaves a reminder although no later one carries it",
  scenario: "trust",
  plant: () => replace(SharedReminders.prototype, "mayLeave", () => () => true),
};

const receiptUnchecked: Canary = {
  name: "receipt not checked",
  scenario: "party",
  plant: nothing,
  wrapPorts: (ports) => {
    const { transport } = ports;
    return {
      ...ports,
      transport: {
        publish: (topic, message) => transport.publish(topic, message),
        heartbeat: (actor, beat) => transport.heartbeat(actor, beat),
        inspect: (actor) => transport.inspect(actor),
        nudge: (actor, run) => transport.nudge(actor, run),
        notification: (topic, id, data) => transport.notification(topic, id, data),
        // An empty 200 is taken for a delivery.
        deliver: (message) =>
          transport.deliver(message).catch((error: unknown) => {
            if (error instanceof Error && error.message.startsWith("200")) return { receipt: { messageId: message.id, sequence: 1 } };
            throw error;
          }),
      },
    };
  },
};

const snapshotBack: Canary = {
  name: "snapshot pointer going back",
  scenario: "long",
  plant: () =>
    replace(
      Journal.prototype,
      "snapshotIfDue",
      (snapshotIfDue) =>
        async function (this: Journal<unknown, unknown, unknown>, id, loaded) {
          // The number of the last snapshot is known, and an older state is written under the next.
          const next = await snapshotIfDue.call(this, id, loaded);
          if (next.snapshotNumber > 0 && next.snapshotNumber === loaded.snapshotNumber)
            return snapshotIfDue
              .call(this, id, { ...next, bytesSince: Number.MAX_SAFE_INTEGER, sequence: Math.max(1, next.sequence - 8) })
              .then((taken) => ({ ...next, snapshotNumber: taken.snapshotNumber }));
          return next;
        },
    ),
};

const purgeUnmarked: Canary = {
  name: "purge without a tombstone",
  scenario: "purge",
  plant: nothing,
  wrapPorts: (ports) => {
    // The purge takes its tombstones for written, and record 1 stays as it was.
    const stones = new Map<string, Json>();
    return {
      ...ports,
      store: {
        ...withoutInsert(ports.store),
        insert: (key, text) => ports.store.insert(key, text),
        tagged: async (key) => {
          const content = stones.get(key);
          return content === undefined ? ports.store.tagged(key) : { content, tag: "2" };
        },
        replace: async (key, text) => {
          if (text === undefined) stones.delete(key);
          else stones.set(key, JSON.parse(text) as Json);
          return true;
        },
      },
    };
  },
};

const purgeForgetsAgents: Canary = {
  name: "purge that leaves the agents of a process",
  scenario: "purge",
  plant: () =>
    replace(
      JournalPurge.prototype,
      "writeTombstone",
      (writeTombstone) =>
        function (this: JournalPurge, actor, { outcome }, scope) {
          return writeTombstone.call(this, actor, { outcome, agents: [] }, scope);
        },
    ),
};

/** The planted bugs of this file. */
export const PORT_CANARIES: readonly Canary[] = [
  effectsBeforeCommit,
  noFence,
  staleCache,
  deathUnnoticed,
  neverAsksAgain,
  reminderStays,
  runNotCarried,
  coveredByNothing,
  receiptUnchecked,
  snapshotBack,
  purgeUnmarked,
  purgeForgetsAgents,
];
