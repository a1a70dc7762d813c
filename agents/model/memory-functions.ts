/** @module The functions `remember` and `recall` of models with a memory: what they take, and what they are told. */
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";
import { joined, type Label } from "../../runtime/label.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { RuntimeMemory } from "../../runtime/memory/view.ts";
import { factJson } from "../../runtime/model/remembered.ts";
import { type Gate, gate, type JsonSchema, jsonSchemaOf } from "../../runtime/schema.ts";
import type { MemoryOptions } from "../memory.ts";

const Remember = z.object({
  text: z.string().min(1).max(LIMITS.factTextCharsMax).describe("One fact, as a full sentence"),
  key: z.string().min(1).max(LIMITS.factKeyLengthMax).describe("A name: a later fact with the same key replaces this one").optional(),
});
const Recall = z.object({
  text: z.string().min(1).max(LIMITS.factTextCharsMax).describe("Words to search for").optional(),
  key: z.string().min(1).max(LIMITS.factKeyLengthMax).describe("The name of one fact").optional(),
});

/** A function of the memory, as a model is offered it. */
export interface MemoryFunction {
  readonly item: { readonly name: string; readonly inputJsonSchema: JsonSchema; readonly checkInput: Gate["check"] };
  readonly about: string;
  readonly schema: z.ZodType;
}

/** The functions of an agent with such a memory. */
export function memoryFunctions(memory: MemoryOptions | undefined): readonly MemoryFunction[] {
  if (memory === undefined) return [];
  const { facts, sources = [] } = memory;
  const remember = functionOf("remember", "Remembers a fact for later tasks.", Remember);
  const recall = functionOf("recall", "Recalls facts: by their key, by words, or the newest ones.", Recall);
  if (facts !== undefined) return [remember, recall];
  return sources.length > 0 ? [recall] : [];
}

function functionOf(name: string, about: string, schema: z.ZodType): MemoryFunction {
  const { check } = gate(schema, `input of ${name}`, "schema.input");
  return { item: { name, inputJsonSchema: jsonSchemaOf(schema, name), checkInput: check }, about, schema };
}

/** Performs a call. The label is that of what the model is told. */
export async function callMemory(
  memory: RuntimeMemory,
  name: string,
  input: Json,
): Promise<{ readonly output: Json; readonly label: Label }> {
  if (name === "remember") {
    const { text, key } = Remember.parse(input);
    const { id } = await memory.remember({ value: text, ...(key === undefined ? {} : { key }) });
    return { output: { remembered: id }, label: [] };
  }
  const { facts, withheld } = await memory.recall(Recall.parse(input));
  const told = withheld.untrusted === 0 ? {} : { withheld: `${withheld.untrusted} untrusted facts of other tasks are not shown` };
  return {
    output: { facts: facts.map((fact) => factJson(fact, timeText(fact.atMs))), ...told },
    label: joined(...facts.map(({ label }) => label)),
  };
}

/** A time as a model reads it. */
export function timeText(atMs: number): string {
  return new Date(atMs).toISOString();
}
