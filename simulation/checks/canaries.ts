/**
 * @module Planted bugs: each breaks one law on purpose, from outside production code, and must be found.
 *
 * A simulator that finds nothing may be blind. Each canary wraps a machine, a class of the shell or the ports of hosts.
 */
import { ReminderKeeper } from "../../actors/host/reminder-keeper.ts";
import { JournalPurge } from "../../actors/retention/journal-purge.ts";
import { HandlerExecution } from "../../actors/host/handler-execution.ts";
import { Journal } from "../../actors/engine/journal.ts";
import type { Ports, StateStore } from "../../actors/engine/ports.ts";
import { ProcessActors } from "../../actors/host/process-actor.ts";
import type { ToolCall } from "../../agents/tool.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import type { AgentState } from "../../runtime/agent/state.ts";
import { entryOf } from "../../runtime/entries.ts";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { processMachine } from "../../runtime/process/machine.ts";
import type { Life } from "../world/life.ts";
import type { World } from "../world/world.ts";

/** A bug and how it is planted; `plant` gives what takes it out again. */
export interface Canary {
  readonly name: string;
  /** Scenario in which it is looked for. */
  readonly scenario: "party" | "wild" | "catches" | "long" | "ring" | "purge" | "redrive";
  readonly plant: () => () => void;
  readonly wrapPorts?: (ports: Ports, life: Life, world: World) => Ports;
}

const nothing = (): (() => void) => () => {};

/** Replaces a method for a while. */
function replace<T extends object, K extends keyof T>(target: T, key: K, make: (original: T[K]) => T[K]): () => void {
  const original = target[key];
  target[key] = make(original);
  return () => {
    target[key] = original;
  };
}

function withoutInsert(store: StateStore): Omit<StateStore, "insert"> {
  return {
    read: (keys) => store.read(keys),
    tagged: (key) => store.tagged(key),
    replace: (key, text, tag) => store.replace(key, text, tag),
    remove: (keys) => store.remove(keys),
  };
}

function forgetWorks(state: AgentState, keep: (id: string) => boolean): AgentState {
  return { ...state, works: Object.fromEntries(Object.entries(state.works).filter(([id]) => keep(id))) };
}

const noDeduplication: Canary = {
  name: "no deduplication",
  scenario: "party",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      // Work that is done is not known any more, so a repeated request begins it anew.
      const isRepeat = input.kind === "message" && input.message.body.kind === "work";
      return decide(isRepeat ? forgetWorks(state, (id) => entryOf(state.works, id)?.status !== "done") : state, input, context);
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

const staleCache: Canary = {
  name: "stale cache on a turn that writes nothing",
  scenario: "wild",
  plant: () => replace(Journal.prototype, "isCurrent", () => async () => true),
};

const reminderAfterCommit: Canary = {
  name: "reminder moved after commit",
  scenario: "party",
  plant: () =>
    replace(
      ReminderKeeper.prototype,
      "near",
      (near) =>
        async function (this: ReminderKeeper, actor, name) {
          // The call is made, and nobody waits until it was taken.
          void near.call(this, actor, name)?.catch(() => {});
        },
    ),
};

const reminderOfAccepted: Canary = {
  name: "reminder of a task being accepted deleted",
  scenario: "party",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      if (input.kind === "tick" && (state.phase === "new" || state.phase === "void"))
        return { events: [], effects: [], stored: [], verdict: { kind: "received" } };
      return decide(state, input, context);
    }),
  wrapPorts: (ports) => {
    const { reminders } = ports;
    return {
      ...ports,
      reminders: {
        remove: (actor, name) => reminders.remove(actor, name),
        set: async (actor, name, dueMs, periodMs) => {
          await reminders.set(actor, name, dueMs, periodMs);
          // What a tick on an empty journal would do without its void record.
          ports.clock.after(
            dueMs / 3,
            () =>
              void ports.store
                .read([`party/${actor.type}/${actor.id}/1`])
                .then((found) => (found.size === 0 ? reminders.remove(actor, name) : undefined))
                .catch(() => {}),
          );
        },
      },
    };
  },
};

const undoBeforeAction: Canary = {
  name: "compensation before its action is settled",
  scenario: "wild",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      if (input.kind !== "message" || input.message.body.kind !== "undo") return decide(state, input, context);
      const { workId } = input.message.body;
      const work = entryOf(state.works, workId);
      // Work that runs is purged as if it had never begun.
      if (work?.status !== "running" || work.mode !== "do") return decide(state, input, context);
      return decide({ ...state, works: { ...state.works, [workId]: { ...work, begun: false } } }, input, context);
    }),
};

const undoExpires: Canary = {
  name: "compensation that expires with its process",
  scenario: "party",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const late =
        state.phase === "open" && state.ending !== undefined && state.task !== undefined && context.nowMs >= state.task.deadlineAtMs;
      return decide(
        late && state.task !== undefined
          ? { ...state, task: { ...state.task, deadlineAtMs: context.nowMs - LIMITS.compensationMsMax } }
          : state,
        input,
        context,
      );
    }),
};

const guardOffByOne: Canary = {
  name: "cycle guard off by one",
  scenario: "ring",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const patch = (content: Json | undefined): Json | undefined => {
        const slip = content as { readonly agents?: Readonly<Record<string, { readonly visitsMax?: number }>> } | undefined;
        if (slip?.agents === undefined) return content;
        const agents = Object.fromEntries(
          Object.entries(slip.agents).map(([name, data]) => [
            name,
            data.visitsMax === undefined ? data : { ...data, visitsMax: data.visitsMax + 1 },
          ]),
        );
        return { ...slip, agents } as Json;
      };
      const { values } = context;
      return decide(state, input, { ...context, values: { has: (ref) => values.has(ref), get: (ref) => patch(values.get(ref)) } });
    }),
};

const staleToken: Canary = {
  name: "stale token accepted",
  scenario: "wild",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      if (!("token" in input)) return decide(state, input, context);
      return decide(state, { ...input, token: entryOf(state.works, input.workId)?.token ?? input.token }, context);
    }),
};

const evictedEarly: Canary = {
  name: "deduplication entry evicted early",
  scenario: "wild",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      if (input.kind !== "message" || input.message.body.kind !== "work" || entryOf(state.works, input.message.body.workId) !== undefined)
        return decide(state, input, context);
      const done = Object.values(state.works).find(
        (work) => work.status === "done" || work.status === "tombstone" || work.status === "undone",
      );
      if (done === undefined) return decide(state, input, context);
      const decision = decide(
        forgetWorks(state, (id) => id !== done.id),
        input,
        context,
      );
      return decision.events.length === 0
        ? decision
        : { ...decision, events: [{ e: "forgotten", workIds: [done.id] }, ...decision.events] };
    }),
};

const itemsShareIds: Canary = {
  name: "work id reused by forEach",
  scenario: "wild",
  plant: () =>
    replace(
      HandlerExecution.prototype,
      "call",
      (call) =>
        function (this: HandlerExecution, tool, input) {
          // Items are told apart by their index and their input; without them every item asks under the key of the first.
          const shared = (made: ToolCall): ToolCall => ({
            ...made,
            idempotencyKey: made.idempotencyKey.replace(/\[\]:\d+:/, "[]:0:").replace(/\/[0-9a-f]{16}\//, "/"),
          });
          return call.call(this, { ...tool, run: (given, made) => tool.run(given, shared(made)) }, input);
        },
    ),
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
        nudge: (actor) => transport.nudge(actor),
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

const undoForgetsLoser: Canary = {
  name: "loser of a join not compensated",
  scenario: "wild",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const decision = decide(state, input, context);
      const due = new Set(decision.events.flatMap((event) => (event.e === "undo-due" ? event.workIds : [])));
      if (due.size === 0) return decision;
      const events = decision.events.filter(
        (event) => event.e !== "undo-due" && !(event.e === "asked" && event.work.undoes !== undefined && due.has(event.work.undoes)),
      );
      const effects = decision.effects.filter((effect) => !(effect.kind === "send" && effect.message.body.kind === "undo"));
      return { ...decision, events, effects };
    }),
};

const outcomeUntold: Canary = {
  name: "reminder removed before the outcome is told",
  scenario: "party",
  plant: () =>
    replace(
      ProcessActors.prototype,
      "tick",
      (tick) =>
        async function (this: ProcessActors, id, name, nudged) {
          const phase = this.engine.peek(id)?.phase;
          if (phase === "ended") return;
          await tick.call(this, id, name, nudged);
        },
    ),
};

const purgeUnmarked: Canary = {
  name: "purge without a tombstone",
  scenario: "purge",
  plant: nothing,
  wrapPorts: (ports) => {
    // The purge believes that its tombstones stand, and record 1 stays what it was.
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

const decidesOnAnyRun: Canary = {
  name: "decision that does not look at its letter's run",
  scenario: "redrive",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      if (input.kind !== "message" || input.message.body.kind !== "decision") return decide(state, input, context);
      const { message } = input;
      const { acts: _decided, ...open } = state;
      return decide(open, { ...input, message: { ...message, body: { ...input.message.body, run: Math.max(1, state.run) } } }, context);
    }),
};

const pinsUndone: Canary = {
  name: "redrive that pins what was undone",
  scenario: "redrive",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const decision = decide(state, input, context);
      return {
        ...decision,
        events: decision.events.map((event) => (event.e === "undone" ? { ...event, report: { ...event.report, undone: 0 } } : event)),
      };
    }),
};

const failureUnrecorded: Canary = {
  name: "failure of a call not recorded",
  scenario: "catches",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      return input.kind === "call-ended" && "fault" in input.call.end
        ? { events: [], effects: [], stored: [], verdict: { kind: "received" } }
        : decide(state, input, context);
    }),
};

const beginningUnrecorded: Canary = {
  name: "call not recorded before it is made",
  scenario: "catches",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      return input.kind === "call-begun"
        ? { events: [], effects: [], stored: [], verdict: { kind: "received" } }
        : decide(state, input, context);
    }),
};

/** All canaries. */
export const CANARIES: readonly Canary[] = [
  noDeduplication,
  effectsBeforeCommit,
  noFence,
  staleCache,
  reminderAfterCommit,
  reminderOfAccepted,
  undoBeforeAction,
  undoExpires,
  guardOffByOne,
  staleToken,
  evictedEarly,
  itemsShareIds,
  receiptUnchecked,
  snapshotBack,
  undoForgetsLoser,
  outcomeUntold,
  purgeUnmarked,
  purgeForgetsAgents,
  decidesOnAnyRun,
  pinsUndone,
  failureUnrecorded,
  beginningUnrecorded,
];
