/** @module Plays the cases of one world: those that disrupt nothing all at once, the others one after another. */
import type { Json } from "../../runtime/faults.ts";
import { type Case, ROOMS, type Room, runsIn } from "./world-case.ts";
import { CASES } from "./world-cases.ts";
import type { WorldName } from "./world-rig.ts";

/** A case that takes longer counts as hanging. */
const CASE_MS_MAX = 40_000;

/** The result of one case. */
export type Played = { readonly answer: Json } | { readonly error: unknown };

/** The world and script of a case. */
export interface Stage {
  run(one: Case): Promise<Json>;
}

interface Planned {
  readonly room: Room;
  readonly one: Case;
}

/** The cases of a world. */
export function casesOf(world: WorldName): readonly Planned[] {
  return ROOMS.flatMap((room) => CASES[room].filter((one) => runsIn(room, one, world)).map((one) => ({ room, one })));
}

/** The cases of a world while they are played; each can be awaited. */
export class Play {
  readonly #results = new Map<Case, { readonly promise: Promise<Played>; resolve(played: Played): void }>();
  /** Resolves when all have ended. */
  readonly ended: Promise<void>;

  constructor(world: WorldName, stage: () => Stage) {
    const cases = casesOf(world).map(({ one }) => one);
    for (const one of cases) this.#results.set(one, Promise.withResolvers<Played>());
    this.ended = this.#play(cases, stage);
  }

  /** Answer of a case, or the error that it threw. */
  of(one: Case): Promise<Played> {
    const result = this.#results.get(one);
    if (result === undefined) throw new Error(`${one.name} is not played here`);
    return result.promise;
  }

  async #play(cases: readonly Case[], stage: () => Stage): Promise<void> {
    await Promise.all(cases.filter((one) => one.alone !== true).map((one) => this.#run(one, stage())));
    for (const one of cases.filter((each) => each.alone === true)) await this.#run(one, stage());
  }

  async #run(one: Case, stage: Stage): Promise<void> {
    const played = await play(one, stage);
    this.#results.get(one)?.resolve(played);
  }
}

/** Plays one case. Never throws. */
export async function play(one: Case, stage: Stage): Promise<Played> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${CASE_MS_MAX} ms`)), CASE_MS_MAX);
  });
  try {
    return { answer: await Promise.race([stage.run(one), late]) };
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(timer);
  }
}
