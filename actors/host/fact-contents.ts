/** @module The contents of facts, as they are stored. */
import { z } from "zod";
import { isFault } from "../../runtime/faults.ts";
import type { Fact } from "../../runtime/memory/fact.ts";
import { JsonContent } from "../../runtime/value.ts";
import type { Values } from "../engine/values.ts";

/** What is stored of a fact. The call makes it the value of this version alone. */
const FactContent = z.strictObject({ call: z.string(), key: z.string().optional(), value: JsonContent });
/** What is stored of a fact. */
export type FactContent = z.infer<typeof FactContent>;

/** Reads the contents of facts, in their order. Undefined: it is gone, perhaps since a moment. Throws `store.unavailable`. */
export function contentsOf(values: Values, facts: readonly Fact[]): Promise<readonly (FactContent | undefined)[]> {
  return Promise.all(facts.map((fact) => contentOf(values, fact)));
}

async function contentOf(values: Values, { content }: Fact): Promise<FactContent | undefined> {
  if (content === undefined) return undefined;
  try {
    return FactContent.parse(await values.read(content));
  } catch (error) {
    if (!isFault(error) || error.code !== "value.missing") throw error;
    return undefined;
  }
}
