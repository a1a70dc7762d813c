/**
 * @module Planted bugs of the agent actor and of handler executions.
 */
import { entryOf } from "../../../runtime/entries.ts";
import { HandlerExecution } from "../../../actors/host/handler-execution.ts";
import { OpenCalls } from "../../../actors/host/open-calls.ts";
import { Replay } from "../../../actors/host/replay.ts";
import { ResultOrder } from "../../../actors/host/result-order.ts";
import type { ToolCall } from "../../../agents/tool.ts";
import { agentMachine } from "../../../runtime/agent/machine.ts";
import type { AgentState } from "../../../runtime/agent/state.ts";
import type { Value } from "../../../runtime/value.ts";
import { type Canary, replace } from "./canary.ts";

function forgetWorks(state: AgentState, keep: (id: string) => boolean): AgentState {
  return { ...state, works: Object.fromEntries(Object.entries(state.works).filter(([id]) => keep(id))) };
}

const noDeduplication: Canary = {
  name: "no deduplication",
  scenario: "party",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      // The agent forgets finished work items, so a repeated request starts them again.
      const isRepeat = input.kind === "message" && input.message.body.kind === "work";
      return decide(isRepeat ? forgetWorks(state, (id) => entryOf(state.works, id)?.status !== "done") : state, input, context);
    }),
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

const lostUpdate: Canary = {
  name: "lost update of agent state",
  scenario: "chains",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      // A state that is based on an old version is taken for one that is based on the newest.
      const taken =
        input.kind === "finished" && input.state !== undefined ? { ...input, state: { ...input.state, base: state.stateVersion } } : input;
      return decide(state, taken, context);
    }),
};

const callsUndoneOldestFirst: Canary = {
  name: "undos of a work item in the order of its calls",
  scenario: "chains",
  plant: () =>
    replace(agentMachine, "evolve", (evolve) => (state, event) => {
      const next = evolve(state, event);
      const work = event.e === "undo-asked" ? entryOf(next.works, event.workId) : undefined;
      if (work === undefined || work.undo?.attempt !== 1) return next;
      return { ...next, works: { ...next.works, [work.id]: { ...work, calls: work.calls.toReversed() } } };
    }),
};

const endsBeforeItsCalls: Canary = {
  name: "attempt that ends before its calls have settled",
  scenario: "chains",
  plant: () => replace(OpenCalls.prototype, "settled", () => () => undefined),
};

const repeatsUnknown: Canary = {
  name: "call whose end is unknown made again",
  scenario: "chains",
  plant: () =>
    replace(
      HandlerExecution.prototype,
      "call",
      (call) =>
        function (this: HandlerExecution, tool, input) {
          return call.call(this, { ...tool, unknown: "repeat" }, input);
        },
    ),
};

const resultsInAnyOrder: Canary = {
  name: "recorded results handed over as they are reached",
  scenario: "waits",
  plant: () =>
    replace(
      Replay.prototype,
      "turn",
      (turn) =>
        function (this: Replay, record) {
          void turn.call(this, record);
          return Promise.resolve();
        },
    ),
};

const resultsAsAnswered: Canary = {
  name: "new results handed over as their reports are answered",
  scenario: "waits",
  plant: () => replace(ResultOrder.prototype, "firstIn", () => () => Infinity),
};

const inputOfAnother: Canary = {
  name: "request taken with the input of the one before it",
  scenario: "party",
  plant: () => {
    let before: Value | undefined;
    return replace(agentMachine, "decide", (decide) => (state, input, context) => {
      if (input.kind !== "message" || input.message.body.kind !== "work") return decide(state, input, context);
      const { message } = input;
      const { body } = input.message;
      const taken = before ?? body.input;
      before = body.input;
      return decide(state, { ...input, message: { ...message, body: { ...body, input: taken } } }, context);
    });
  },
};

/** The planted bugs of this file. */
export const AGENT_CANARIES: readonly Canary[] = [
  inputOfAnother,
  noDeduplication,
  undoBeforeAction,
  staleToken,
  evictedEarly,
  itemsShareIds,
  failureUnrecorded,
  beginningUnrecorded,
  lostUpdate,
  callsUndoneOldestFirst,
  endsBeforeItsCalls,
  repeatsUnknown,
  resultsInAnyOrder,
  resultsAsAnswered,
];
