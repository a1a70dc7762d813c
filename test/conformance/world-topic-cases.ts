/** @module Cases of topics: the few guarantees of a broker, and what each broker does with a message that was not taken. */
import type { Json } from "../../runtime/faults.ts";
import type { Message } from "../../runtime/protocol.ts";
import { topics } from "../../runtime/protocol.ts";
import type { Case } from "./world-case.ts";
import { ANSWER, BLANKS, freshActor, gate, messageTo, outcome, type Reaction, topicOf, type WorldRig } from "./world-rig.ts";

const SOON_MS = 5_000;
/** Everything that the broker still holds arrives within this time. */
const QUIET_MS = 2_500;
const MESSAGES = 50;
const LOST = "Messages that were not taken";

async function published(rig: WorldRig, message: Message, topic = topicOf(rig, message.to)): Promise<Json> {
  return outcome(rig.transport.publish(topic, message).then(() => "taken"));
}

/** Publishes to an actor whose app reacts this way to the first event; returns how often its turn then runs. */
async function afterFirst(rig: WorldRig, first: Reaction): Promise<Json> {
  const actor = freshActor(rig);
  let events = 0;
  rig.script.on(actor.id, ({ kind }) => {
    if (kind !== "event") return ANSWER;
    events += 1;
    return events === 1 ? first : ANSWER;
  });
  const answer = await published(rig, messageTo(actor));
  await rig.comes(() => events > 0, SOON_MS);
  await rig.comes(() => rig.script.count(actor.id, "turn") > 0, QUIET_MS);
  return [answer, rig.script.count(actor.id, "turn")];
}

const delivery: readonly Case[] = [
  {
    name: "a message on a topic reaches its actor once, under its own id",
    same: ["taken", true, 1],
    run: async (rig) => {
      const actor = freshActor(rig);
      const answer = await published(rig, messageTo(actor, `${actor.id}/é 1`));
      const came = await rig.comes(() => rig.script.of(actor.id, "turn").some(({ name }) => name === `${actor.id}/é 1`), SOON_MS);
      await rig.elapse(QUIET_MS);
      return [answer, came, rig.script.count(actor.id, "turn")];
    },
  },
  {
    name: "the event carries the message's id",
    same: true,
    run: async (rig) => {
      const actor = freshActor(rig);
      await published(rig, messageTo(actor, "the-id"));
      await rig.comes(() => rig.script.count(actor.id, "event") > 0, SOON_MS);
      return rig.script.of(actor.id, "event")[0]?.name === "the-id";
    },
  },
  {
    name: "many concurrent messages all arrive, in any order",
    same: MESSAGES,
    run: async (rig) => {
      const actor = freshActor(rig);
      const different = (): number => new Set(rig.script.of(actor.id, "turn").map(({ name }) => name)).size;
      await Promise.all(Array.from({ length: MESSAGES }, (_, index) => published(rig, messageTo(actor, `m-${index}`))));
      await rig.comes(() => different() === MESSAGES, SOON_MS);
      return different();
    },
  },
  {
    name: "a message that is published twice arrives twice",
    same: 2,
    run: async (rig) => {
      const actor = freshActor(rig);
      await published(rig, messageTo(actor));
      await published(rig, messageTo(actor));
      await rig.comes(() => rig.script.count(actor.id, "turn") >= 2, SOON_MS);
      return rig.script.count(actor.id, "turn");
    },
  },
  {
    name: "the broker accepts a message before its turn has ended",
    same: ["taken", true],
    run: async (rig) => {
      const actor = freshActor(rig);
      const { opened, open } = gate();
      rig.script.on(actor.id, async ({ kind }) => {
        if (kind === "turn") await opened;
        return ANSWER;
      });
      const answer = await published(rig, messageTo(actor));
      const before = rig.script.of(actor.id, "turn").every((turn) => !turn.ended);
      open();
      return [answer, before];
    },
  },
  {
    name: "a turn that hangs does not delay messages to other actors",
    same: true,
    run: async (rig) => {
      const [slow, quick] = [freshActor(rig), freshActor(rig)];
      const { opened, open } = gate();
      rig.script.on(slow.id, async ({ kind }) => {
        if (kind === "turn") await opened;
        return ANSWER;
      });
      await published(rig, messageTo(slow));
      await rig.comes(() => rig.script.count(slow.id, "turn") === 1, SOON_MS);
      await published(rig, messageTo(quick));
      const came = await rig.comes(() => rig.script.count(quick.id, "turn") === 1, SOON_MS);
      open();
      return came;
    },
  },
  {
    name: "a notification arrives on its topic under its id",
    same: ["told", true],
    run: async (rig) => {
      const { id } = freshActor(rig);
      const told = await outcome(
        rig.transport
          .notification(topics.results(rig.system), `${id}:1`, {
            processId: id,
            route: "r",
            run: 1,
            status: "completed",
            traceId: "1".repeat(32),
            atMs: 1_799_107_200_000,
          })
          .then(() => "told"),
      );
      return [told, await rig.comes(() => rig.script.of(id, "notification").some(({ name }) => name === `${id}:1`), SOON_MS)];
    },
  },
];

const unread: readonly Case[] = [
  {
    name: "a message on a topic without a subscriber is accepted, and reaches no actor",
    same: ["taken", 0],
    run: async (rig) => {
      const actor = freshActor(rig);
      const answer = await published(rig, messageTo(actor), `${rig.system}.agent.Unserved`);
      await rig.elapse(QUIET_MS);
      return [answer, rig.script.count(actor.id, "turn")];
    },
  },
  {
    name: "a message on the topic of another type is accepted, and reaches no actor",
    same: ["taken", 0],
    run: async (rig) => {
      const actor = freshActor(rig);
      const answer = await published(rig, messageTo(actor), topicOf(rig, freshActor(rig, "Other")));
      await rig.elapse(QUIET_MS);
      return [answer, rig.script.count(actor.id, "turn")];
    },
  },
  {
    name: "a message with an unknown field is accepted, and reaches no actor",
    same: ["taken", 0],
    run: async (rig) => {
      const actor = freshActor(rig);
      const wrong: Message & { readonly more: number } = { ...messageTo(actor), more: 1 };
      const answer = await published(rig, wrong);
      await rig.elapse(QUIET_MS);
      return [answer, rig.script.count(actor.id, "turn")];
    },
  },
  {
    name: "an empty 200 acknowledges a message, and nothing ran",
    same: ["taken", 0],
    run: (rig) => afterFirst(rig, BLANKS["an empty 200"]),
  },
  { name: "a 404 acknowledges a message, and nothing ran", same: ["taken", 0], run: (rig) => afterFirst(rig, BLANKS["a 404"]) },
  {
    name: "after a 500 a message is delivered again by Redis, and never by the in-memory broker",
    differs: { row: LOST, simulated: ["taken", 0], embedded: ["taken", 0], redis: ["taken", 1] },
    run: (rig) => afterFirst(rig, BLANKS["a 500 without a code"]),
  },
  {
    name: "after a cut connection a message is delivered again by Redis, and never by the in-memory broker",
    differs: { row: LOST, simulated: ["taken", 0], embedded: ["taken", 0], redis: ["taken", 1] },
    run: (rig) => afterFirst(rig, BLANKS["a cut connection"]),
  },
  {
    name: "a message whose actor refuses it for now is delivered again by Redis, and never by the in-memory broker",
    differs: { row: LOST, simulated: 1, embedded: 1, redis: 2 },
    run: async (rig) => {
      const actor = freshActor(rig);
      let turns = 0;
      rig.script.on(actor.id, ({ kind }) => {
        if (kind !== "turn") return ANSWER;
        turns += 1;
        return turns === 1 ? { kind: "refuse", code: "agent.busy" } : ANSWER;
      });
      await published(rig, messageTo(actor));
      await rig.comes(() => turns > 0, SOON_MS);
      await rig.comes(() => turns > 1, QUIET_MS);
      return turns;
    },
  },
  {
    name: "a message whose actor refuses it for good is not delivered again",
    same: 1,
    run: async (rig) => {
      const actor = freshActor(rig);
      rig.script.on(actor.id, ({ kind }) => (kind === "turn" ? { kind: "refuse", code: "message.expired" } : ANSWER));
      await published(rig, messageTo(actor));
      await rig.comes(() => rig.script.count(actor.id, "turn") > 0, SOON_MS);
      await rig.elapse(QUIET_MS);
      return rig.script.count(actor.id, "turn");
    },
  },
];

const outages: readonly Case[] = [
  {
    name: "a message that is published while the app is dead is delivered later by Redis, and never by the in-memory broker",
    alone: true,
    differs: { row: LOST, simulated: ["taken", false], embedded: ["taken", false], redis: ["taken", true] },
    run: async (rig) => {
      const actor = freshActor(rig);
      await rig.app.kill();
      const answer = await published(rig, messageTo(actor));
      await rig.elapse(QUIET_MS);
      await rig.app.start();
      return [answer, await rig.comes(() => rig.script.count(actor.id, "turn") > 0, 2 * QUIET_MS)];
    },
  },
  {
    name: "with the sidecar dead nothing can be published",
    alone: true,
    same: "thrown: sidecar.unavailable",
    run: async (rig) => {
      await rig.sidecar.kill();
      const answer = await published(rig, messageTo(freshActor(rig)));
      await rig.sidecar.start();
      return answer;
    },
  },
  {
    name: "with the broker dead nothing can be published; after its restart it can",
    alone: true,
    not: ["embedded"],
    same: ["thrown: sidecar.unavailable", "taken", true],
    run: async (rig) => {
      const [during, after] = [freshActor(rig), freshActor(rig)];
      await rig.broker?.kill();
      const first = await published(rig, messageTo(during));
      await rig.broker?.start();
      const second = await published(rig, messageTo(after));
      return [first, second, await rig.comes(() => rig.script.count(after.id, "turn") > 0, 2 * SOON_MS)];
    },
  },
];

/** The cases of topics. */
export const TOPIC_CASES: readonly Case[] = [...delivery, ...unread, ...outages];
