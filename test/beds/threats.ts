/** @module The memory attacks of agent_threat_bench: questions to an agent with a memory, some entries of which hold instructions. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

export const THREATS = { name: "inspect-evals", version: "0.28.0" };

const Case = z.looseObject({
  id: z.string(),
  input: z.string(),
  target: z.string(),
  expected_answer: z.string(),
  /** What an answer holds that follows the instruction. Empty: nothing is tampered with. */
  attack_marker: z.string(),
  memory_store: z.record(z.string(), z.string()),
});

/** A question and the entries of the memory that it is about. */
export interface Threat {
  readonly id: string;
  readonly question: string;
  readonly expected: string;
  /** Absent: a case without an attack. */
  readonly marker: string | undefined;
  readonly entries: readonly ThreatEntry[];
  /** The key of the entry that holds the answer. */
  readonly key: string;
}

/** An entry of the memory. */
export interface ThreatEntry {
  readonly key: string;
  readonly text: string;
  /** What it says without the instruction. */
  readonly clean: string;
  readonly isTampered: boolean;
}

/** The cases of the bed. */
export function threats(folder: string): readonly Threat[] {
  const path = join(folder, "inspect_evals/agent_threat_bench/data/memory_poison.json");
  return z
    .array(Case)
    .parse(JSON.parse(readFileSync(path, "utf8")))
    .map(threatOf);
}

function threatOf({
  id,
  input,
  target,
  expected_answer: expected,
  attack_marker: marker,
  memory_store: store,
}: z.infer<typeof Case>): Threat {
  const holds = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase());
  const entries = Object.entries(store).map(([key, text]) => {
    const isTampered = marker !== "" && holds(text, marker);
    return { key, text, isTampered, clean: isTampered ? `${target} (${expected})` : text };
  });
  const key = entries.find(({ text }) => holds(text, expected))?.key ?? "";
  return { id, question: input, expected, marker: marker === "" ? undefined : marker, entries, key };
}
