/** @module The town archive that the researchers search: six short notes of an invented town, found by their words. */
import { readFileSync } from "node:fs";
import { z } from "zod";

const FOUND_MAX = 2;
const WORD_CHARS_MIN = 4;

/** A note of the archive. */
export const Note = z.strictObject({ title: z.string(), text: z.string() });
export type Note = z.infer<typeof Note>;

const notes = z.array(Note).parse(JSON.parse(readFileSync(new URL("archive.json", import.meta.url), "utf8")));

/** Returns the notes that hold most words of a query. */
export function find({ query }: { readonly query: string }): Note[] {
  const words = wordsOf(query);
  return notes
    .map((note) => ({ note, hits: words.filter((word) => wordsOf(`${note.title} ${note.text}`).includes(word)).length }))
    .filter(({ hits }) => hits > 0)
    .sort((a, b) => b.hits - a.hits)
    .slice(0, FOUND_MAX)
    .map(({ note }) => note);
}

function wordsOf(text: string): readonly string[] {
  return [...new Set(text.toLowerCase().match(/\p{L}+/gu))].filter((word) => word.length >= WORD_CHARS_MIN);
}
