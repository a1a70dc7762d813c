/** @module What the record has of the reads of a memory. */
import { z } from "zod";
import { hashJson } from "../../runtime/canonical.ts";
import type { KnownWork, RecordedRun } from "../../runtime/cassette/recorded-run.ts";
import type { Json } from "../../runtime/faults.ts";
import type { Label } from "../../runtime/label.ts";
import type { Recalled } from "../../runtime/memory/view.ts";

const Seen = z.object({
  facts: z.array(z.object({ memory: z.string(), id: z.string(), version: z.int() })),
  label: z.array(z.string()),
  withheld: z.object({ untrusted: z.int(), gone: z.int() }),
});

const HASH_DIGITS = 16;

/** The first recorded read of a work item's memory with this query. Undefined: there is none, or its facts are not in the record. */
export function recalledOf(
  { contents }: RecordedRun,
  known: KnownWork | undefined,
  act: "recall" | "relevant" | "conversation",
  query: Json,
  received: (label: Label) => void,
): Recalled | undefined {
  if (known?.handler === undefined) return undefined;
  const name = act === "recall" ? `recall/${hashJson([known.work.id, query]).slice(0, HASH_DIGITS)}` : act;
  const step = known.handler.work.steps.find((one) => one.name === `memory:${name}/0`);
  const seen = step === undefined ? undefined : Seen.safeParse(contents.read(step.output)).data;
  if (seen === undefined || seen.facts.length > 0) return undefined;
  received(seen.label);
  return { facts: [], withheld: seen.withheld };
}
