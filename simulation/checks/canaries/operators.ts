/** @module Planted bugs of pauses, resumes and terminations. */
import { agentMachine } from "../../../runtime/agent/machine.ts";
import { entryOf } from "../../../runtime/entries.ts";
import { processMachine } from "../../../runtime/process/machine.ts";
import { type Canary, replace } from "./canary.ts";

const pauseKeepsTime: Canary = {
  name: "pause that does not stop the time of attempts and timers",
  scenario: "operatedWaits",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const { paused, ...open } = state;
      return decide(input.kind === "tick" && paused !== undefined ? open : state, input, context);
    }),
};

const pauseTakesAnswers: Canary = {
  name: "paused process that takes an answer at once",
  scenario: "operated",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const { paused: _paused, ...open } = state;
      return decide(input.kind === "message" && input.message.body.kind === "result" ? open : state, input, context);
    }),
};

const olderOrder: Canary = {
  name: "older order of a parent that is taken after a newer one",
  scenario: "operated",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const isTask = input.kind === "message" && input.message.body.kind === "task";
      return decide(isTask ? { ...state, treeTaken: undefined } : state, input, context);
    }),
};

const terminationCompensates: Canary = {
  name: "termination that compensates",
  scenario: "operated",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      if (input.kind !== "message" || input.message.body.kind !== "terminate") return decide(state, input, context);
      const { message } = input;
      return decide(state, { ...input, message: { ...message, body: { kind: "cancel", reason: "" } } }, context);
    }),
};

const dropUndoes: Canary = {
  name: "dropped work item that keeps its actor",
  scenario: "operated",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      if (input.kind !== "message" || input.message.body.kind !== "drop") return decide(state, input, context);
      const { body } = input.message;
      const known = entryOf(state.works, body.workId);
      return known === undefined || known.status === "ready" ? decide(state, input, context) : NOTHING;
    }),
};

const NOTHING = { events: [], effects: [], stored: [], verdict: { kind: "received" } } as const;

/** The planted bugs of this file. */
export const OPERATOR_CANARIES: readonly Canary[] = [pauseKeepsTime, pauseTakesAnswers, olderOrder, terminationCompensates, dropUndoes];
