/** @module Cases of the small calls to an actor: nudge, inspect and heartbeat. */
import type { Json } from "../../runtime/faults.ts";
import { actorType, type Address } from "../../runtime/protocol.ts";
import type { Case } from "./world-case.ts";
import { ANSWER, freshActor, gate, messageTo, outcome, type WorldRig } from "./world-rig.ts";

const SOON_MS = 3_000;
const BEGINS_MS = 400;
const BEAT = { workId: "w", token: "t", state: "running" } as const;
const NO_LOCK = "Turns of one actor";

async function nudged(rig: WorldRig, actor: Address): Promise<Json> {
  return outcome(rig.transport.nudge(actor, undefined).then(() => "nudged"));
}

async function inspected(rig: WorldRig, actor: Address): Promise<Json> {
  return outcome(rig.transport.inspect(actor).then((shown) => JSON.stringify(shown)));
}

async function beaten(rig: WorldRig, actor: Address): Promise<Json> {
  return outcome(rig.transport.heartbeat(actor, BEAT).then(() => "sent"));
}

/** Whether a call reaches an actor while one of its turns runs. */
async function reachesDuringTurn(
  rig: WorldRig,
  kind: "inspect" | "beat" | "nudge",
  call: (actor: Address) => Promise<Json>,
): Promise<boolean> {
  const actor = freshActor(rig);
  const { opened, open } = gate();
  rig.script.on(actor.id, async (arrival) => {
    if (arrival.kind === "turn") await opened;
    return ANSWER;
  });
  const running = outcome(rig.transport.deliver(messageTo(actor)));
  await rig.comes(() => rig.script.count(actor.id, "turn") === 1, SOON_MS);
  const called = call(actor);
  const reached = await rig.comes(() => rig.script.count(actor.id, kind) === 1, BEGINS_MS);
  open();
  await Promise.all([running, called]);
  return reached;
}

/** The cases of nudge, inspect and heartbeat. */
export const CALL_CASES: readonly Case[] = [
  {
    name: "a nudge reaches its actor once",
    same: ["nudged", 1],
    run: async (rig) => {
      const actor = freshActor(rig);
      return [await nudged(rig, actor), rig.script.count(actor.id, "nudge")];
    },
  },
  {
    name: "a nudge that fails returns the fault's code",
    same: "thrown: store.unavailable",
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.script.on(actor.id, () => ({ kind: "fault", code: "store.unavailable" }));
      return nudged(rig, actor);
    },
  },
  {
    name: "an empty 200 does not count as a nudge",
    same: ["thrown: sidecar.unavailable", 0],
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.blank(actor, "an empty 200");
      return [await nudged(rig, actor), rig.script.count(actor.id, "nudge")];
    },
  },
  {
    name: "the state that an actor shows arrives unchanged",
    same: '{"id":true,"number":0.123456789,"text":"é😀<&>"}',
    run: async (rig) => {
      const actor = freshActor(rig);
      return String(await inspected(rig, actor)).replace(`"${actor.id}"`, "true");
    },
  },
  {
    name: "an inspection that fails returns the fault's code",
    same: "thrown: journal.broken-chain",
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.script.on(actor.id, () => ({ kind: "fault", code: "journal.broken-chain" }));
      return inspected(rig, actor);
    },
  },
  {
    name: "an empty 200 does not count as an inspection",
    same: "thrown: sidecar.unavailable",
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.blank(actor, "an empty 200");
      return inspected(rig, actor);
    },
  },
  {
    name: "a heartbeat reaches its actor with work and token",
    same: ["sent", true, "w t"],
    run: async (rig) => {
      const actor = freshActor(rig);
      const sent = await beaten(rig, actor);
      const reached = await rig.comes(() => rig.script.count(actor.id, "beat") === 1, SOON_MS);
      return [sent, reached, rig.script.of(actor.id, "beat")[0]?.name ?? null];
    },
  },
  {
    name: "a heartbeat that fails is not reported",
    same: "sent",
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.script.on(actor.id, () => ({ kind: "throw" }));
      return beaten(rig, actor);
    },
  },
  {
    name: "with the app dead, nudge and inspection fail and a heartbeat does not",
    alone: true,
    same: ["thrown: sidecar.unavailable", "thrown: sidecar.unavailable", "sent"],
    run: async (rig) => {
      const actor = freshActor(rig);
      await rig.app.kill();
      const during = await Promise.all([nudged(rig, actor), inspected(rig, actor), beaten(rig, actor)]);
      await rig.app.start();
      return during;
    },
  },
  {
    name: "calls to a type without a host have no effect within the time of a call",
    same: ["thrown: sidecar.unavailable", "thrown: sidecar.unavailable", "sent"],
    run: async (rig) => {
      const actor = { type: actorType(rig.system, "Unserved"), id: "n-1" };
      return Promise.all([nudged(rig, actor), inspected(rig, actor), beaten(rig, actor)]);
    },
  },
  {
    name: "a nudge waits for the running turn",
    differs: { row: NO_LOCK, simulated: false, embedded: true },
    run: async (rig) => !(await reachesDuringTurn(rig, "nudge", (actor) => nudged(rig, actor))),
  },
  {
    name: "an inspection waits for the running turn",
    differs: { row: NO_LOCK, simulated: false, embedded: true },
    run: async (rig) => !(await reachesDuringTurn(rig, "inspect", (actor) => inspected(rig, actor))),
  },
  {
    name: "a heartbeat waits for the running turn",
    differs: { row: NO_LOCK, simulated: false, embedded: true },
    run: async (rig) => !(await reachesDuringTurn(rig, "beat", (actor) => beaten(rig, actor))),
  },
];
