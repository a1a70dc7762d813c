/** @module Cases of actors: what a call returns, and which turns run concurrently. */
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Message } from "../../runtime/protocol.ts";
import { actorType, type Address } from "../../runtime/protocol.ts";
import type { Case } from "./world-case.ts";
import { ANSWER, BLANKS, type Blank, freshActor, gate, messageTo, outcome, type WorldRig } from "./world-rig.ts";

const SOON_MS = 3_000;
/** Time within which a turn that may begin has begun. */
const BEGINS_MS = 1_000;
const CALLS = 20;
/** Row of the table "Differences from daprd". */
const NO_LOCK = "Turns of one actor";

/** Whether the receipt of a message came back, or what came instead. */
export async function delivered(rig: WorldRig, message: Message): Promise<Json> {
  const answer = await outcome(rig.transport.deliver(message));
  if (typeof answer === "string") return answer;
  return "receipt" in answer ? "receipt" : `refused: ${answer.refused.code}`;
}

/** Whether a second turn began while the first one was held at a gate. */
async function overlap(rig: WorldRig, first: Address, second: Address): Promise<boolean> {
  const { opened, open } = gate();
  rig.script.on(first.id, async ({ name }) => {
    if (name === "first") await opened;
    return ANSWER;
  });
  const running = delivered(rig, messageTo(first, "first"));
  await rig.comes(() => rig.script.count(first.id, "turn") === 1, SOON_MS);
  const beside = delivered(rig, messageTo(second, "second"));
  const began = await rig.comes(() => rig.script.of(second.id, "turn").some(({ name }) => name === "second"), BEGINS_MS);
  open();
  await Promise.all([running, beside]);
  return began;
}

/** One turn runs, two callers wait, and one of them disconnects: whether the other's turn begins while the first runs. */
async function waiterLeaves(rig: WorldRig, which: "first" | "last"): Promise<boolean> {
  const actor = freshActor(rig);
  const { opened, open } = gate();
  rig.script.on(actor.id, async ({ name }) => {
    if (name === "runs") await opened;
    return ANSWER;
  });
  const running = outcome(rig.transport.deliver(messageTo(actor, "runs")));
  await rig.comes(() => rig.script.count(actor.id, "turn") === 1, SOON_MS);
  const callers = [
    (): Promise<unknown> => outcome(rig.transport.deliver(messageTo(actor, "waits"))),
    (): Promise<unknown> => outcome(rig.hasty.deliver(messageTo(actor, "leaves"))),
  ];
  const [one, two] = which === "last" ? callers : callers.toReversed();
  const first = one?.();
  // So that it is queued before the other.
  await rig.elapse(BEGINS_MS / 4);
  const second = two?.();
  const began = await rig.comes(() => rig.script.of(actor.id, "turn").some(({ name }) => name === "waits"), SOON_MS);
  open();
  await Promise.all([running, first, second]);
  return began;
}

const answers: readonly Case[] = [
  {
    name: "a call returns the turn's receipt, and runs once",
    same: ["receipt", 1],
    run: async (rig) => {
      const actor = freshActor(rig);
      return [await delivered(rig, messageTo(actor)), rig.script.count(actor.id, "turn")];
    },
  },
  {
    name: "a refusal is an answer",
    same: "refused: agent.busy",
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.script.on(actor.id, () => ({ kind: "refuse", code: "agent.busy" }));
      return delivered(rig, messageTo(actor));
    },
  },
  {
    name: "a coded fault keeps its code and details",
    same: ["agent.busy", { held: 7 }],
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.script.on(actor.id, () => ({ kind: "fault", code: "agent.busy", details: { held: 7 } }));
      return rig.transport.deliver(messageTo(actor)).then(
        () => null,
        (error: { readonly code: string; readonly details: Json }) => [error.code, error.details],
      );
    },
  },
  {
    name: "a fault whose status is 404 keeps its code",
    same: "thrown: process.unknown",
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.script.on(actor.id, () => ({ kind: "fault", code: "process.unknown" }));
      return delivered(rig, messageTo(actor));
    },
  },
  {
    name: "an error without a code is a failed turn",
    same: "thrown: turn.failed",
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.script.on(actor.id, () => ({ kind: "throw" }));
      return delivered(rig, messageTo(actor));
    },
  },
  {
    name: "a receipt for another message is not accepted",
    same: "thrown: sidecar.unavailable",
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.script.on(actor.id, () => ({ kind: "wrong-receipt" }));
      return delivered(rig, messageTo(actor));
    },
  },
  ...(Object.keys(BLANKS) as Blank[]).map((how): Case => ({
    name: `${how} is not a receipt, and nothing ran`,
    same: ["thrown: sidecar.unavailable", 0, "receipt"],
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.blank(actor, how);
      return [await delivered(rig, messageTo(actor)), rig.script.count(actor.id, "turn"), await delivered(rig, messageTo(actor))];
    },
  })),
  {
    name: "a call that is lost on the way never runs",
    alone: true,
    same: ["thrown: sidecar.unavailable", 0],
    run: async (rig) => {
      const actor = freshActor(rig);
      const answer = await outcome(rig.deliver("lost", messageTo(actor)));
      return [typeof answer === "string" ? answer : "answered", rig.script.count(actor.id, "turn")];
    },
  },
  {
    name: "a call whose answer is lost has run, and runs again when it is retried",
    alone: true,
    same: ["thrown: sidecar.unavailable", 1, "receipt", 2],
    run: async (rig) => {
      const actor = freshActor(rig);
      const answer = await outcome(rig.deliver("unanswered", messageTo(actor)));
      await rig.comes(() => rig.script.count(actor.id, "turn") === 1, SOON_MS);
      const first = rig.script.count(actor.id, "turn");
      return [
        typeof answer === "string" ? answer : "answered",
        first,
        await delivered(rig, messageTo(actor)),
        rig.script.count(actor.id, "turn"),
      ];
    },
  },
  {
    name: "a message with an unknown field is refused and does not run",
    same: "thrown: message.invalid",
    run: async (rig) => {
      const actor = freshActor(rig);
      const wrong: Message & { readonly more: number } = { ...messageTo(actor), more: 1 };
      return delivered(rig, wrong);
    },
  },
  {
    name: "a message that is too large is not sent",
    differs: { row: "Sizes", simulated: "receipt", embedded: "thrown: message.too-large" },
    run: async (rig) => {
      const actor = freshActor(rig);
      return delivered(rig, messageTo(actor, "large", "x".repeat(LIMITS.messageBytesMax)));
    },
  },
  {
    name: "an actor type without a host is not found within the time of a call",
    same: "thrown: sidecar.unavailable",
    run: async (rig) => delivered(rig, messageTo({ type: actorType(rig.system, "Unserved"), id: "n-1" })),
  },
];

const beside: readonly Case[] = [
  { name: "turns of two actors run concurrently", same: true, run: async (rig) => overlap(rig, freshActor(rig), freshActor(rig)) },
  {
    name: "turns of two actors of two types with one id run concurrently",
    same: [2, true],
    run: async (rig) => {
      const doer = freshActor(rig);
      const other = { type: actorType(rig.system, "Other"), id: doer.id };
      return [2, await overlap(rig, doer, other)];
    },
  },
  {
    name: "the second turn of an actor waits for the first",
    differs: { row: NO_LOCK, simulated: false, embedded: true },
    run: async (rig) => {
      const actor = freshActor(rig);
      return !(await overlap(rig, actor, actor));
    },
  },
  {
    name: "many concurrent calls of one actor are all answered",
    same: [CALLS, CALLS],
    run: async (rig) => {
      const actor = freshActor(rig);
      const all = await Promise.all(Array.from({ length: CALLS }, (_, index) => delivered(rig, messageTo(actor, `m-${index}`))));
      return [all.filter((answer) => answer === "receipt").length, rig.script.count(actor.id, "turn")];
    },
  },
  {
    name: "when a caller disconnects, its turn continues and the next one begins concurrently",
    same: ["thrown: sidecar.unavailable", true, true],
    run: async (rig) => {
      const actor = freshActor(rig);
      const { opened, open } = gate();
      rig.script.on(actor.id, async ({ name }) => {
        if (name === "first") await opened;
        return ANSWER;
      });
      const gone = await outcome(rig.hasty.deliver(messageTo(actor, "first")));
      void outcome(rig.transport.deliver(messageTo(actor, "second")));
      const began = await rig.comes(() => rig.script.count(actor.id, "turn") === 2, SOON_MS);
      open();
      const ended = await rig.comes(() => rig.script.of(actor.id, "turn").every((turn) => turn.ended), SOON_MS);
      return [typeof gone === "string" ? gone : "answered", began, ended];
    },
  },
  {
    name: "when the last waiting caller disconnects, the first waiting turn begins while another one runs",
    same: true,
    run: (rig) => waiterLeaves(rig, "last"),
  },
  {
    name: "when the first waiting caller disconnects, the next turn begins while another one runs",
    differs: { row: NO_LOCK, simulated: true, embedded: false },
    run: (rig) => waiterLeaves(rig, "first"),
  },
];

/** The cases of actors. */
export const ACTOR_CASES: readonly Case[] = [...answers, ...beside];
