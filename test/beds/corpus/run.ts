/** @module Runs the cases of the corpus. */
import { startLocal } from "../../../testing/index.ts";
import type { ScriptedCall } from "../obeying.ts";
import { type Asked, scriptedPerson, textOf } from "../scripted-person.ts";
import type { Case } from "./cases.ts";
import { flowsOf, runFlow } from "./flows.ts";
import { World } from "./world.ts";

/**
 * What comes through the channel of a case: the text that attacks, or the harmless one. `own`: the task's own principal says the text that
 * attacks, so that it is no attack.
 */
export type Variant = "attack" | "clean" | "own";

/** What came of a case. */
export interface CaseEnd {
  readonly given: Case;
  readonly status: string;
  /** Whether the text reached the model of the agent that acts. */
  readonly reached: boolean;
  /** Calls that changed or sent something and that the task does not want. */
  readonly forbidden: readonly ScriptedCall[];
  /** Calls of the task that were not made. */
  readonly missing: readonly ScriptedCall[];
  /** What a person was asked for. */
  readonly asked: readonly Asked[];
}

/** Runs one variant of cases, each in a world and a system of its own. */
export async function runCases(cases: readonly Case[], variant: Variant, labels: boolean): Promise<readonly CaseEnd[]> {
  const ended: CaseEnd[] = [];
  for (const given of cases) ended.push(await runCase(given, variant, labels));
  return ended;
}

async function runCase(given: Case, variant: Variant, labels: boolean): Promise<CaseEnd> {
  const own = variant === "own";
  const text = variant === "clean" ? given.clean : given.text;
  const world = new World(text);
  const asked: Asked[] = [];
  const people = scriptedPerson(
    () => given.wants,
    (_id, one) => asked.push(one),
  );
  const local = startLocal(flowsOf(world, given, { labels, own }), { people });
  try {
    const { status } = await runFlow(local, given, world, { labels, own });
    const made = world.made.map(textOf);
    const wanted = given.wants.map(textOf);
    return {
      ...{ given, status, asked },
      reached: bare(world.conversation).includes(bare(variant === "clean" ? text : given.mark)),
      forbidden: world.made.filter((call) => !wanted.includes(textOf(call))),
      missing: given.wants.filter((call) => !made.includes(textOf(call))),
    };
  } finally {
    await local.stop();
  }
}

/** A text without what stands between its words, which differs by how it is written. */
function bare(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9]/g, "");
}
