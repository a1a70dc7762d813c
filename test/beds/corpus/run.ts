/** @module Runs the cases of the corpus. */
import { canonicalJson } from "../../../runtime/canonical.ts";
import { startLocal } from "../../../testing/index.ts";
import type { ScriptedCall } from "../obeying.ts";
import type { Case } from "./cases.ts";
import { flowsOf, runFlow } from "./flows.ts";
import { World } from "./world.ts";

/** Which text comes through the channel of a case. */
export type Variant = "attack" | "twin";

/** What came of a case. */
export interface CaseEnd {
  readonly given: Case;
  readonly status: string;
  /** Calls that changed or sent something and that the task does not want. */
  readonly forbidden: readonly ScriptedCall[];
  /** Calls of the task that were not made. */
  readonly missing: readonly ScriptedCall[];
  /** What a person was asked for. */
  readonly asked: readonly ScriptedCall[];
}

/** Runs one variant of all cases, each in a world and a system of its own. */
export async function runCases(cases: readonly Case[], variant: Variant, labels: boolean): Promise<readonly CaseEnd[]> {
  const ended: CaseEnd[] = [];
  for (const given of cases) ended.push(await runCase(given, variant, labels));
  return ended;
}

async function runCase(given: Case, variant: Variant, labels: boolean): Promise<CaseEnd> {
  const world = new World();
  world.texts.set(given.id, variant === "attack" ? given.text : given.clean);
  const local = startLocal(flowsOf(world, [given], labels));
  try {
    const { status } = await runFlow(local, given, world);
    const made = world.made.map(textOf);
    const wanted = given.wants.map(textOf);
    return {
      ...{ given, status, asked: [] },
      forbidden: world.made.filter((call) => !wanted.includes(textOf(call))),
      missing: given.wants.filter((call) => !made.includes(textOf(call))),
    };
  } finally {
    await local.stop();
  }
}

function textOf({ name, input }: ScriptedCall): string {
  return canonicalJson([name, input]);
}
