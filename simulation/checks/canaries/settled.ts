/**
 * @module Planted bugs of settled work items outside of the state.
 */
import { JournalPurge } from "../../../actors/retention/journal-purge.ts";
import { agentMachine } from "../../../runtime/agent/machine.ts";
import type { AgentState } from "../../../runtime/agent/state.ts";
import type { Body } from "../../../runtime/protocol/bodies.ts";
import { type Canary, replace } from "./canary.ts";

/** The actor takes what is not in its state for unknown when a message of that kind comes. */
function forgets(kind: Body["kind"]): () => () => void {
  return () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      const isBlind = input.kind === "message" && input.message.body.kind === kind && state.settledUntilMs !== undefined;
      // The state before the first work item left is that of an actor that looks nothing up.
      const known: AgentState = isBlind ? { ...state, settledUntilMs: undefined } : state;
      return decide(known, input, context);
    });
}

const runAgain: Canary = { name: "settled work item forgotten and run again", scenario: "hot", plant: forgets("work") };

const undoFindsNothing: Canary = { name: "undo of a settled work item that finds nothing", scenario: "hot", plant: forgets("undo") };

const oldEntry: Canary = {
  name: "first entry of a settled work item taken for its last",
  scenario: "hot",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      const { values } = context;
      const isLater = (ref: string): boolean => ref.startsWith("settled-") && !ref.endsWith("-1");
      return decide(state, input, {
        ...context,
        values: { has: (ref) => isLater(ref) || values.has(ref), get: (ref) => (isLater(ref) ? undefined : values.get(ref)) },
      });
    }),
};

const boundTooLow: Canary = {
  name: "request as old as the last that left taken for a new one",
  scenario: "hot",
  plant: () =>
    replace(agentMachine, "decide", (decide) => (state, input, context) => {
      const { settledUntilMs } = state;
      return decide(settledUntilMs === undefined ? state : { ...state, settledUntilMs: settledUntilMs - 1 }, input, context);
    }),
};

const entriesStay: Canary = {
  name: "entries of settled work items left by a purge",
  scenario: "hot",
  plant: () => replace(JournalPurge.prototype, "forgetSettled", () => async () => {}),
};

/** The planted bugs of this file. */
export const SETTLED_CANARIES: readonly Canary[] = [runAgain, undoFindsNothing, oldEntry, boundTooLow, entriesStay];
