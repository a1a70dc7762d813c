/** @module Redrives of failed processes while the app is killed: the decision is sent until it has a receipt. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { EFFECTS } from "./booking.ts";
import type { World } from "./world.ts";
import { recordsOf } from "./verdict.ts";

/** Maximum time between sending the decision and the kill. Mostly it is shorter: before its record, or during its work. */
const STRIKE_MS_MAX = 150;
const AGAIN_MS = 50;
const END_MS = 60_000;
/** One of this many decisions is made by two persons at once. */
const RIVALS_PER = 3;

const Receipt = z.looseObject({ id: z.string(), run: z.int(), sequence: z.int() });
const Refused = z.looseObject({ error: z.looseObject({ code: z.string() }) });
const Input = z.looseObject({ price: z.int(), process: z.string() });
const Letter = z.looseObject({ letter: z.looseObject({ original: z.looseObject({ input: Input }) }) });

/** What a round of kills showed. */
export interface Redriven {
  readonly letter: string;
  /** The kill came before the receipt, or while the new run was open, or after its end. */
  readonly struck: "decision" | "run" | "nothing";
  /** What is wrong; empty if correct. */
  readonly wrong: readonly string[];
}

/** A decision that is sent until it is accepted or refused for good. */
async function decide(world: World, letter: string, decisionId: string, input: unknown, count: () => void): Promise<string> {
  for (;;) {
    const answer = await world.client.redrive(letter, { decisionId, input, reason: "the card is good again" }).catch(() => undefined);
    if (answer?.status === 202) {
      const { id, run, sequence } = Receipt.parse(answer.body);
      return `${id} ${run} ${sequence}`;
    }
    const refused = Refused.safeParse(answer?.body);
    if (refused.success && answer !== undefined && answer.status < 500 && answer.status !== 429) return refused.data.error.code;
    count();
    await sleep(AGAIN_MS);
  }
}

/** One round: a process that failed for good is redriven with a fixed input, and the app dies in the meantime. */
export async function redriveUnderKill(world: World, id: string, random: () => number): Promise<Redriven> {
  const wrong: string[] = [];
  const letter = `${id}:1`;
  const { original } = Letter.parse((await world.client.letter(letter)).body).letter;
  const input = { ...original.input, refuse: false };
  let again = 0;
  const asked = (): void => void (again += 1);
  const people = random() < 1 / RIVALS_PER ? ["one", "two"] : ["one"];
  const decided = Promise.all(people.map((decisionId) => decide(world, letter, decisionId, input, asked)));
  await sleep(random() ** 3 * STRIKE_MS_MAX);
  const struckMs = Date.now();
  await world.host.killApp();
  world.host.startApp();
  await world.host.healthy();
  const answers = await decided;
  const taken = answers.filter((answer) => answer !== "deadletter.decided");
  if (taken.length !== 1) wrong.push(`${letter}: ${people.length} decisions were answered ${answers.join(" and ")}`);
  // The same decision once more gets the same receipt.
  const winner = people[answers.findIndex((answer) => answer !== "deadletter.decided")] ?? "";
  const repeated = await decide(world, letter, winner, input, () => {});
  if (repeated !== taken[0]) wrong.push(`${letter}: the receipt was ${taken[0] ?? ""} and then ${repeated}`);
  const view = await world.client.ended(id, Date.now() + END_MS);
  if (view?.outcome?.status !== "completed") wrong.push(`${id}: ${JSON.stringify(view)?.slice(0, 2_000) ?? "unknown to the system"}`);
  wrong.push(...(await runsWrong(world, id)), ...effectsWrong(world, id));
  const isOpen = (view?.outcome?.atMs ?? 0) > struckMs;
  return { letter, struck: again > 0 ? "decision" : isOpen ? "run" : "nothing", wrong };
}

/** The records themselves: one new run, and one outcome for each run. */
async function runsWrong(world: World, id: string): Promise<string[]> {
  const text = (await recordsOf(world, id)).join("\n");
  const count = (event: string): number => text.split(`{"e":"${event}"`).length - 1;
  return count("reopened") === 1 && count("ended") === 2
    ? []
    : [`${id}: the journal has ${count("reopened")} new runs and ${count("ended")} outcomes`];
}

/** Every effect of the booking happened once; every effect under another key is undone. */
function effectsWrong(world: World, id: string): string[] {
  const entries = world.ledger.of(id);
  return EFFECTS.flatMap((effect) => {
    const standing = entries.filter((entry) => entry.effect === effect && entry.applied && !entry.undone);
    return standing.length === 1
      ? []
      : [`${id}: ${effect} stands ${standing.length} times: ${JSON.stringify(entries.filter((entry) => entry.effect === effect))}`];
  });
}
