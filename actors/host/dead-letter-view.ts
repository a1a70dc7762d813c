/**
 * @module A dead letter as people and programs see it: with the original input itself, not with where it lies.
 */
import { z } from "zod";
import { isFault, type Json } from "../../runtime/faults.ts";
import { Value } from "../../runtime/value.ts";
import type { Values } from "../engine/values.ts";

/** A process's letter. Invalid message has no `original`. */
const Written = z.looseObject({ original: z.looseObject({ input: Value }) });

/** The letter with its original input as it was given, so that it can be looked at, fixed and given to a redrive. */
export async function letterView(content: Value, values: Values): Promise<Json> {
  const letter = await values.read(content);
  const written = Written.safeParse(letter);
  if (!written.success) return letter;
  try {
    const input = await values.read(written.data.original.input);
    return { ...written.data, original: { ...written.data.original, input } } as Json;
  } catch (error) {
    // The letter says more than nothing, also when its input is lost.
    if (isFault(error) && error.code === "value.missing") return letter;
    throw error;
  }
}
