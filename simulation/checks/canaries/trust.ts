/**
 * @module Planted bugs of people, consents, permissions and labels.
 */
import { CallPolicy } from "../../../actors/host/call-policy.ts";
import { Checks } from "../../../actors/host/checks.ts";
import { Consents } from "../../../actors/host/consents.ts";
import { ExecutionFacts } from "../../../actors/host/execution-facts.ts";
import { memoryMachine } from "../../../runtime/memory/machine.ts";
import type { Judgement } from "../../../runtime/policy.ts";
import { openRequests } from "../../../runtime/process/people.ts";
import { processMachine } from "../../../runtime/process/machine.ts";
import type { ProcessState } from "../../../runtime/process/state.ts";
import type { PersonWait } from "../../../runtime/process/wait.ts";
import type { Effect, Message } from "../../../runtime/protocol.ts";
import { type Canary, nothing, replace } from "./canary.ts";

/** Changes the messages of a kind that a process sends, and the work items that it asks for. */
function withoutLabel(kind: "work" | "answer", isMeant: (message: Message) => boolean): () => () => void {
  const bare = (effect: Effect): Effect => {
    if (effect.kind !== "send" || effect.message.body.kind !== kind || !isMeant(effect.message)) return effect;
    const { label: _label, ...body } = effect.message.body;
    return { ...effect, message: { ...effect.message, body } };
  };
  return () => {
    const removeDecide = replace(processMachine, "decide", (decide) => (state, input, context) => {
      const decision = decide(state, input, context);
      return { ...decision, effects: decision.effects.map(bare) };
    });
    const removeOutbox = replace(
      processMachine,
      "outbox",
      (outbox) =>
        (...given) =>
          outbox(...given).map(bare),
    );
    return () => {
      removeOutbox();
      removeDecide();
    };
  };
}

const handOffDropsLabel: Canary = {
  name: "label dropped at a hand-off",
  scenario: "trust",
  plant: withoutLabel("work", ({ body }) => body.kind === "work" && /:[2-9]$/.test(body.workId)),
};

const answerDropsLabel: Canary = {
  name: "label dropped at the answer to an ask",
  scenario: "trust",
  plant: withoutLabel("answer", () => true),
};

const labelForgotten: Canary = {
  name: "handler whose label does not grow with what it receives",
  scenario: "trust",
  plant: () => replace(ExecutionFacts.prototype, "received", () => () => {}),
};

const editIgnored: Canary = {
  name: "consent not bound to arguments: the call is made as it was asked for",
  scenario: "trust",
  plant: () =>
    replace(
      Consents.prototype,
      "settled",
      (settled) =>
        async function (this: Consents, call, known, edited) {
          return { ...(await settled.call(this, call, known, edited)), input: call.input };
        },
    ),
};

const judgedOnce: Canary = {
  name: "permission checked only at the start",
  scenario: "trust",
  plant: () => {
    const first = new WeakMap<CallPolicy, Promise<Judgement>>();
    return replace(
      CallPolicy.prototype,
      "judged",
      (judged) =>
        function (this: CallPolicy, call, edit) {
          const made = first.get(this) ?? judged.call(this, call, edit);
          first.set(this, made);
          return made;
        },
    );
  },
};

const egressUnjudged: Canary = {
  name: "calls that send something out not judged",
  scenario: "trust",
  plant: () =>
    replace(
      Consents.prototype,
      "settled",
      (settled) =>
        async function (this: Consents, call, known, edited) {
          return call.tool.effect === "egress" ? call : settled.call(this, call, known, edited);
        },
    ),
};

const nestedLost: Canary = {
  name: "request of a nested route lost",
  scenario: "trust",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const decision = decide(state, input, context);
      if (state.task?.parent === undefined) return decision;
      return { ...decision, effects: decision.effects.filter((effect) => effect.kind !== "index" || effect.index !== "Inbox") };
    }),
};

/** Decisions meet another state or message than they should. */
function misled(change: (state: ProcessState, message: Message) => readonly [ProcessState, Message]): () => () => void {
  return () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      if (input.kind !== "message" || input.message.body.kind !== "decide") return decide(state, input, context);
      const [seen, message] = change(state, input.message);
      return decide(seen, { ...input, message }, context);
    });
}

function meant(state: ProcessState, { body }: Message): PersonWait | undefined {
  return body.kind !== "decide" ? undefined : openRequests(state).find(({ for: { count } }) => body.requestId === `${state.id}.r${count}`);
}

const driftAccepted: Canary = {
  name: "decision on something else than what was asked",
  scenario: "trust",
  plant: misled((state, message) => {
    const wait = meant(state, message);
    if (wait === undefined || message.body.kind !== "decide") return [state, message];
    return [state, { ...message, body: { ...message.body, hash: wait.for.hash } }];
  }),
};

const anyoneDecides: Canary = {
  name: "decision of someone without the role",
  scenario: "trust",
  plant: misled((state, message) => {
    const roles = meant(state, message)?.for.who.roles ?? [];
    return [state, { ...message, principal: { ...message.principal, roles: [...roles] } }];
  }),
};

const selfApproval: Canary = {
  name: "decision of who asked",
  scenario: "trust",
  plant: misled((state, message) => {
    if (state.task === undefined) return [state, message];
    return [{ ...state, task: { ...state.task, principal: { ...state.task.principal, subject: "another" } } }, message];
  }),
};

/** Deadlines of requests are neither acted on nor checked. */
const tooLate: Canary = {
  name: "decision after the deadline",
  scenario: "trust",
  plant: () =>
    replace(processMachine, "decide", (decide) => (state, input, context) => {
      const open = openRequests(state).map((wait) => {
        const { endsAtMs: _deadline, ...rest } = wait.for;
        return [wait.id, { ...wait, for: rest, dueAtMs: undefined }] as const;
      });
      return decide(open.length === 0 ? state : { ...state, waits: { ...state.waits, ...Object.fromEntries(open) } }, input, context);
    }),
};

const auditSkipped: Canary = {
  name: "act without a line of the audit",
  scenario: "trust",
  plant: () => replace(Checks.prototype, "call", () => () => Promise.resolve()),
};

/** Within the time for which a write of the simulated store can be late. */
const LATE_MS = 14_000;

/** What a memory decides about derivations. */
const summaryKeeps: Canary = {
  name: "deleted fact in a summary",
  scenario: "knowledge",
  plant: () =>
    replace(memoryMachine, "decide", (decide) => (state, input, context) => {
      const decision = decide(state, input, context);
      // What was derived stays.
      return { ...decision, events: decision.events.filter((event) => event.e !== "facts-gone" || event.why !== "derived") };
    }),
};

/** Each write to the store of memories is made again much later, as one that was given up. */
const removedOnce: Canary = {
  name: "forgotten value not removed again",
  scenario: "knowledge",
  plant: () =>
    replace(memoryMachine, "decide", (decide) => (state, input, context) => {
      const decision = decide(state, input, context);
      // What was removed is not waited for.
      return input.kind === "removed" ? { ...decision, events: [...decision.events, ...decision.events] } : decision;
    }),
  wrapPorts: (ports, life, world) => ({
    ...ports,
    store: {
      ...ports.store,
      insert: (key, text) => {
        if (world.faults.on && key.includes("/value/Memory~")) world.timeline.after(LATE_MS, () => void world.store.put(life, key, text));
        return ports.store.insert(key, text);
      },
    },
  }),
};

const promptUnchecked: Canary = {
  name: "prompt sent without a look at what it holds",
  scenario: "knowledge",
  plant: nothing,
  wrapPorts: (ports) =>
    ports.models === undefined
      ? ports
      : {
          ...ports,
          models: {
            costMicros: (endpoint, usage) => ports.models?.costMicros(endpoint, usage),
            costMicrosMax: (name, inputTokens, outputTokens) => ports.models?.costMicrosMax(name, inputTokens, outputTokens),
            attempt: ({ ready: _unused, ...attempt }) => ports.models?.attempt(attempt) ?? Promise.reject(new Error("no models")),
          },
        },
};

const goneRecalled: Canary = {
  name: "fact of a stranger given to another conversation",
  scenario: "knowledge",
  plant: () =>
    replace(memoryMachine, "decide", (decide) => (state, input, context) => {
      if (input.kind !== "message" || input.message.body.kind !== "memory" || input.message.body.op.op !== "read")
        return decide(state, input, context);
      const facts = Object.fromEntries(
        Object.entries(state.facts).map(([id, held]) => {
          const { label: _label, ...fact } = held.fact;
          return [id, { ...held, fact: { ...fact, trust: "tool" as const } }];
        }),
      );
      return decide({ ...state, facts }, input, context);
    }),
};

/** The planted bugs of this file. */
export const TRUST_CANARIES: readonly Canary[] = [
  handOffDropsLabel,
  answerDropsLabel,
  labelForgotten,
  editIgnored,
  judgedOnce,
  egressUnjudged,
  nestedLost,
  driftAccepted,
  removedOnce,
  anyoneDecides,
  selfApproval,
  tooLate,
  auditSkipped,
  summaryKeeps,
  promptUnchecked,
  goneRecalled,
];
