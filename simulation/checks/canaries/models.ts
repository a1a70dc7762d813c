/**
 * @module Planted bugs of model calls, of the loop of model agents, and of budgets.
 */
import { ModelCalls } from "../../../actors/host/model-calls.ts";
import type { Models } from "../../../actors/engine/ports.ts";
import { agentMachine } from "../../../runtime/agent/machine.ts";
import type { AgentEvent } from "../../../runtime/agent/events.ts";
import type { AgentWork } from "../../../runtime/agent/state.ts";
import type { Spent } from "../../../runtime/budget.ts";
import { entryOf, withEntry } from "../../../runtime/entries.ts";
import { Fault, isFault } from "../../../runtime/faults.ts";
import { processMachine } from "../../../runtime/process/machine.ts";
import type { ProcessEvent } from "../../../runtime/process/events.ts";
import { type Canary, nothing, replace } from "./canary.ts";

const reservationUnrecorded: Canary = {
  name: "reservation of a model call not recorded",
  scenario: "minds",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      return input.kind === "model-begun"
        ? { events: [], effects: [], stored: [], verdict: { kind: "received" } }
        : decide(state, input, context);
    }),
};

/** Changes a work item of the state after an event. */
function changeWork(change: (event: AgentEvent, before: AgentWork, after: AgentWork) => AgentWork): () => void {
  return replace(agentMachine, "evolve", (evolve) => (state, event) => {
    const next = evolve(state, event);
    if (!("workId" in event)) return next;
    const [before, after] = [entryOf(state.works, event.workId), entryOf(next.works, event.workId)];
    if (before === undefined || after === undefined) return next;
    return { ...next, works: withEntry(next.works, event.workId, change(event, before, after)) };
  });
}

const boughtTwice: Canary = {
  name: "recorded reply bought again after a takeover",
  scenario: "minds",
  plant: () =>
    changeWork((event, _before, after) => {
      const { modelCalls = [], calls, waits, results } = after;
      const hasGoneOn = calls.some(({ open }) => open) || waits.some(({ result }) => result === undefined);
      if (event.e !== "taken-over" || hasGoneOn) return after;
      // The newest result, so that nothing that depends on it is recorded.
      return { ...after, modelCalls: modelCalls.filter(({ reply, order }) => reply === undefined || order !== results - 1) };
    }),
};

/** Wraps the models of each host. */
function withModels(wrap: (models: Models) => Models): NonNullable<Canary["wrapPorts"]> {
  return (ports) => (ports.models === undefined ? ports : { ...ports, models: wrap(ports.models) });
}

const cutReplyUsed: Canary = {
  name: "calls of a truncated reply made",
  scenario: "minds",
  plant: nothing,
  wrapPorts: withModels((models) => ({
    costMicros: (endpoint, usage) => models.costMicros(endpoint, usage),
    costMicrosMax: (model, inputTokens, outputTokens) => models.costMicrosMax(model, inputTokens, outputTokens),
    attempt: async (attempt) => {
      const reply = await models.attempt(attempt);
      return reply.finish === "length" ? { ...reply, finish: reply.calls.length > 0 ? "calls" : "stop" } : reply;
    },
  })),
};

const retryAfterIgnored: Canary = {
  name: "Retry-After of a provider ignored",
  scenario: "minds",
  plant: nothing,
  wrapPorts: withModels((models) => ({
    costMicros: (endpoint, usage) => models.costMicros(endpoint, usage),
    costMicrosMax: (model, inputTokens, outputTokens) => models.costMicrosMax(model, inputTokens, outputTokens),
    attempt: (attempt) =>
      models.attempt(attempt).catch((error: unknown) => {
        throw isFault(error) && error.code === "model.rate-limited" ? new Fault("model.rate-limited", error.message) : error;
      }),
  })),
};

const sentAgain: Canary = {
  name: "request sent again as it was after a bad reply",
  scenario: "minds",
  plant: () =>
    replace(
      ModelCalls.prototype,
      "chat",
      (chat) =>
        async function (this: ModelCalls, call, key) {
          const reply = await chat.call(this, call, key);
          return reply.finish === "length" ? chat.call(this, call, `${key}1`) : reply;
        },
    ),
};

const openForgotten: Canary = {
  name: "model call that a host died in costs nothing",
  scenario: "minds",
  plant: () => changeWork((event, before, after) => (event.e === "taken-over" ? { ...after, spent: before.spent } : after)),
};

const staleGrant: Canary = {
  name: "stale account believed: what others hold is granted again",
  scenario: "minds",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const { account } = state;
      if (account === undefined || input.kind !== "message") return decide(state, input, context);
      const free = Object.entries(account.holdings).map(([id, { grant: _held, ...holding }]) => [id, holding] as const);
      return decide({ ...state, account: { ...account, holdings: Object.fromEntries(free) } }, input, context);
    }),
};

/** Changes the events of processes. */
function changeEvents(change: (event: ProcessEvent) => ProcessEvent): () => void {
  return replace(processMachine, "decide", (decide) => (state, input, context) => {
    const decision = decide(state, input, context);
    return { ...decision, events: decision.events.map(change) };
  });
}

const restKept: Canary = {
  name: "rest of the budget of a failed work item not returned",
  scenario: "minds",
  plant: () =>
    changeEvents((event) => {
      if (event.e !== "failed") return event;
      const { told: _returned, ...kept } = event;
      return kept;
    }),
};

function doubled({ toolCalls, models }: Spent): Spent {
  const twice = Object.entries(models).map(([name, spent]) => [name, { ...spent, outputTokens: 2 * spent.outputTokens }] as const);
  return { toolCalls, models: Object.fromEntries(twice) };
}

const toldTwice: Canary = {
  name: "spending of a reply counted twice",
  scenario: "minds",
  plant: () =>
    changeEvents((event) => (event.e === "spent" && event.spent !== undefined ? { ...event, spent: doubled(event.spent) } : event)),
};

/** The cycle guard forgets how each chain began. */
const handsOffTooOften: Canary = {
  name: "hand-off beyond its bound",
  scenario: "minds",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const works = Object.fromEntries(Object.entries(state.works).map(([id, work]) => [id, { ...work, chain: work.chain.slice(1) }]));
      return decide({ ...state, works }, input, context);
    }),
};

/** The planted bugs of this file. */
export const MODEL_CANARIES: readonly Canary[] = [
  reservationUnrecorded,
  boughtTwice,
  cutReplyUsed,
  retryAfterIgnored,
  sentAgain,
  openForgotten,
  staleGrant,
  restKept,
  toldTwice,
  handsOffTooOften,
];
