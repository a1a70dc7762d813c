/**
 * @module Planted bugs of the process manager.
 */
import { entryOf } from "../../../runtime/entries.ts";
import type { Json } from "../../../runtime/faults.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { processMachine } from "../../../runtime/process/machine.ts";
import type { Asked } from "../../../runtime/process/work.ts";
import type { StoredValue } from "../../../runtime/value.ts";
import { type Canary, replace } from "./canary.ts";

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

/** Each agent may be visited once more than it should. */
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
  name: "index entry closed before the outcome is told",
  scenario: "party",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const decision = decide(state, input, context);
      if (input.kind !== "tick" || state.phase !== "ended") return decision;
      return { ...decision, effects: decision.effects.filter((effect) => effect.kind === "index") };
    }),
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

/** Above every order of asking. */
const ORDER_MAX = 1_000_000;

const undoOldestFirst: Canary = {
  name: "compensation in the order of asking",
  scenario: "party",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const asked = state.asked.map((one) => ({ ...one, order: ORDER_MAX - one.order }));
      const decision = decide({ ...state, asked }, input, context);
      const events = decision.events.map((event) =>
        event.e === "asked" && event.work.undoes !== undefined
          ? { ...event, work: { ...event.work, order: ORDER_MAX - event.work.order } }
          : event,
      );
      return { ...decision, events };
    }),
};

const staleFault: Canary = {
  name: "fault of an earlier attempt decides a later one",
  scenario: "chains",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      if (input.kind !== "message" || input.message.body.kind !== "result") return decide(state, input, context);
      const { message } = input;
      const { body } = input.message;
      const attempt = entryOf(state.works, body.workId)?.attempt ?? body.attempt;
      return decide(state, { ...input, message: { ...message, body: { ...body, attempt } } }, context);
    }),
};

const signalTwice: Canary = {
  name: "signal that was taken is taken again",
  scenario: "waits",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const isSignal = input.kind === "message" && input.message.body.kind === "signal";
      return decide(isSignal ? { ...state, signalIds: [] } : state, input, context);
    }),
};

const itemLost: Canary = {
  name: "output of an item lost when it leaves the state",
  scenario: "fans",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const pack = (stored: StoredValue): StoredValue => ({
        ...stored,
        text: stored.text.replace(/("outputs":\[)\["\d+",[^[\]]*\],/, "$1"),
      });
      const decision = decide(state, input, context);
      const isSealed = decision.events.some((event) => event.e === "sealed");
      return isSealed ? { ...decision, stored: decision.stored.map(pack) } : decision;
    }),
};

/** Changes the work items that return to the state for their compensation. */
function changeUnsealed(change: (asked: readonly Asked[], actorId: string) => readonly Asked[]): () => void {
  return replace(processMachine, "decide", (decide) => (state, input, context) => {
    const decision = decide(state, input, context);
    return {
      ...decision,
      events: decision.events.map((event) =>
        event.e === "unsealed" ? { ...event, asked: [...change(event.asked, context.actorId)] } : event,
      ),
    };
  });
}

const partForgotten: Canary = {
  name: "a work item of a part is not compensated",
  scenario: "fans",
  plant: () => changeUnsealed((asked) => asked.slice(1)),
};

const partTwice: Canary = {
  name: "a work item of a part is compensated twice",
  scenario: "fans",
  plant: () => {
    const last = new Map<string, readonly Asked[]>();
    return changeUnsealed((asked, actorId) => {
      const again = last.get(actorId) ?? [];
      last.set(actorId, asked);
      return [...asked, ...again.filter((one) => !asked.some(({ id }) => id === one.id))];
    });
  },
};

const EARLY_MS = 400;

const timerEarly: Canary = {
  name: "timer that ends early",
  scenario: "waits",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const waits = Object.entries(state.waits ?? {}).map(([id, wait]) => [
        id,
        wait.dueAtMs === undefined ? wait : { ...wait, dueAtMs: wait.dueAtMs - EARLY_MS },
      ]);
      return decide(state.waits === undefined ? state : { ...state, waits: Object.fromEntries(waits) }, input, context);
    }),
};

/** The planted bugs of this file. */
export const PROCESS_CANARIES: readonly Canary[] = [
  undoExpires,
  guardOffByOne,
  undoForgetsLoser,
  outcomeUntold,
  decidesOnAnyRun,
  pinsUndone,
  undoOldestFirst,
  staleFault,
  signalTwice,
  timerEarly,
  itemLost,
  partForgotten,
  partTwice,
];
