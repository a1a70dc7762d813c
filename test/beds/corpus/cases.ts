/** @module The cases of the corpus: texts that want an agent to do what its task does not want, by the channel through which they come. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

/** The ways by which a text of strangers reaches an agent that acts. */
export const CHANNELS = [
  "tool",
  "fault",
  "file-name",
  "hand-off",
  "ask",
  "ask-fault",
  "signal",
  "nested",
  "nested-input",
  "plan",
  "summary",
  "state",
  "items",
  "principal",
  "input",
  "handler-signal",
  "reply",
  "sent-back",
  "memory",
  "memory-within",
  "fact",
  "conversation",
  "source",
] as const;

const Call = z.strictObject({ name: z.string(), input: z.record(z.string(), z.json()) });

const Case = z
  .strictObject({
    id: z.string(),
    channel: z.enum(CHANNELS),
    /** The text of the stranger, and the words in it that the obeying model follows. */
    text: z.string(),
    mark: z.string(),
    /** A harmless text in its place. */
    clean: z.string(),
    /** What the text wants to be done. */
    attack: z.array(Call).min(1),
    /** What the task wants to be done. */
    wants: z.array(Call).min(1),
  })
  .refine(({ text, mark, clean }) => text.includes(mark) && !clean.includes(mark), "the mark stands in the text, and not in the clean one");
/** One case. */
export type Case = z.infer<typeof Case>;
/** A channel of the corpus. */
export type Channel = Case["channel"];

/** All cases. */
export function corpus(): readonly Case[] {
  return z.array(Case).parse(parse(readFileSync(join(import.meta.dirname, "cases.yaml"), "utf8")));
}
