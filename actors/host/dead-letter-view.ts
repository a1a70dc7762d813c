/**
 * @module A dead letter for people and programs: with the original input itself instead of a reference.
 */
import { z } from "zod";
import { isFault, type Json } from "../../runtime/faults.ts";
import { Value } from "../../runtime/value.ts";
import type { Values } from "../engine/values.ts";

/** A process's dead letter. The dead letter of an invalid message has no `original`. */
const Written = z.looseObject({ original: z.looseObject({ input: Value }) });

/** Returns the dead letter with its original input, so that it can be read, corrected and passed to a redrive. */
export async function letterView(content: Value, values: Values): Promise<Json> {
  const letter = await values.read(content);
  const written = Written.safeParse(letter);
  if (!written.success) return letter;
  try {
    const input = await values.read(written.data.original.input);
    return { ...written.data, original: { ...written.data.original, input } } as Json;
  } catch (error) {
    // The dead letter is still useful if its input is lost.
    if (isFault(error) && error.code === "value.missing") return letter;
    throw error;
  }
}
