/** @module Cases of actors: what a killed, frozen or lost part does to a turn. */
import type { Json } from "../../runtime/faults.ts";
import type { Case } from "./world-case.ts";
import { ANSWER, freshActor, gate, messageTo, outcome, type WorldRig } from "./world-rig.ts";
import { delivered } from "./world-actor-cases.ts";

const SOON_MS = 3_000;
/** Time within which a turn that may begin has begun. */
const BEGINS_MS = 1_000;
/** Row of the table "Differences from daprd". */
const NO_DEACTIVATION = "Deactivation";

/** Disrupts the world while a turn is held at a gate; returns how the call, the turn and a later call end. */
async function hurt(rig: WorldRig, harm: () => Promise<void>, fix: () => Promise<void>): Promise<Json> {
  const actor = freshActor(rig);
  const { opened, open } = gate();
  rig.script.on(actor.id, async ({ name }) => {
    if (name === "hurt") await opened;
    return ANSWER;
  });
  const call = delivered(rig, messageTo(actor, "hurt"));
  await rig.comes(() => rig.script.count(actor.id, "turn") === 1, SOON_MS);
  await harm();
  const answer = await call;
  await fix();
  open();
  const ended = await rig.comes(() => rig.script.of(actor.id, "turn").some((turn) => turn.ended), SOON_MS);
  return { answer, ended, later: await delivered(rig, messageTo(actor, "later")) };
}

/** The cases of actors whose app, sidecar or placement fails. */
export const ACTOR_OUTAGE_CASES: readonly Case[] = [
  {
    name: "an app that is killed during a turn leaves its caller without an answer, and answers after its restart",
    alone: true,
    same: { answer: "thrown: sidecar.unavailable", ended: false, later: "receipt" },
    run: (rig) =>
      hurt(
        rig,
        () => rig.app.kill(),
        () => rig.app.start(),
      ),
  },
  {
    name: "an app that is frozen during a turn leaves its caller without an answer, and completes the turn when it resumes",
    alone: true,
    same: { answer: "thrown: sidecar.unavailable", ended: true, later: "receipt" },
    run: (rig) =>
      hurt(
        rig,
        () => rig.app.freeze(),
        () => rig.app.wake(),
      ),
  },
  {
    name: "a sidecar that is killed during a turn leaves its caller without an answer, and the turn continues",
    alone: true,
    same: { answer: "thrown: sidecar.unavailable", ended: true, later: "receipt" },
    run: (rig) =>
      hurt(
        rig,
        () => rig.sidecar.kill(),
        () => rig.sidecar.start(),
      ),
  },
  {
    name: "a call while the app is dead fails, and nothing of it arrives later",
    alone: true,
    same: ["thrown: sidecar.unavailable", "receipt", 1],
    run: async (rig) => {
      const actor = freshActor(rig);
      await rig.app.kill();
      const during = await delivered(rig, messageTo(actor, "during"));
      await rig.app.start();
      return [during, await delivered(rig, messageTo(actor, "after")), rig.script.count(actor.id, "turn")];
    },
  },
  {
    name: "a call while the sidecar is dead fails, and nothing of it arrives later",
    alone: true,
    same: ["thrown: sidecar.unavailable", "receipt", 1],
    run: async (rig) => {
      const actor = freshActor(rig);
      await rig.sidecar.kill();
      const during = await delivered(rig, messageTo(actor, "during"));
      await rig.sidecar.start();
      return [during, await delivered(rig, messageTo(actor, "after")), rig.script.count(actor.id, "turn")];
    },
  },
  {
    name: "a turn in flight when placement is lost completes, and later calls are answered",
    alone: true,
    same: { ended: true, later: "receipt" },
    run: async (rig) => {
      const actor = freshActor(rig);
      const { opened, open } = gate();
      rig.script.on(actor.id, async ({ name }) => {
        if (name === "hurt") await opened;
        return ANSWER;
      });
      const call = outcome(rig.transport.deliver(messageTo(actor, "hurt")));
      await rig.comes(() => rig.script.count(actor.id, "turn") === 1, SOON_MS);
      await rig.placement.kill();
      await rig.elapse(BEGINS_MS);
      open();
      const ended = await rig.comes(() => rig.script.of(actor.id, "turn").some((turn) => turn.ended), SOON_MS);
      await rig.placement.start();
      await call;
      return { ended, later: await delivered(rig, messageTo(actor, "later")) };
    },
  },
  {
    name: "an actor is deactivated when placement is lost",
    alone: true,
    differs: { row: NO_DEACTIVATION, simulated: false, embedded: true },
    run: async (rig) => {
      const actor = freshActor(rig);
      await delivered(rig, messageTo(actor));
      await rig.placement.kill();
      const left = await rig.comes(() => rig.script.count(actor.id, "deactivate") > 0, 2 * SOON_MS);
      await rig.placement.start();
      return left;
    },
  },
];
