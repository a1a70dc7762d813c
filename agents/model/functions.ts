/** @module The functions that a model is offered: tools, asks and hand-offs, with names that cannot be confused. */
import type { z } from "zod";
import { isFault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { objectForm } from "../../runtime/model/as-object.ts";
import type { Checked, LoopFunction } from "../../runtime/model/rules.ts";
import { type JsonSchema, violationOf } from "../../runtime/schema.ts";
import type { Contract } from "../contract.ts";
import { invalid } from "../definition.ts";
import type { MemoryOptions } from "../memory.ts";
import type { ToolDefinition } from "../tool.ts";
import { memoryFunctions } from "./memory-functions.ts";

/** What a model may call. */
export interface Callables {
  readonly tools: readonly ToolDefinition[];
  readonly asks: readonly Contract[];
  readonly handsOffTo: readonly Contract[];
  readonly memory?: MemoryOptions | undefined;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const INPUT_KEY = "input";

/** Returns the functions by name. Throws `definition.invalid`. */
export function functionsOf({ tools, asks, handsOffTo, memory }: Callables, where: string): ReadonlyMap<string, LoopFunction> {
  const all = [
    ...tools.map((item) => functionOf(item.name, "tool", item, item.about ?? "", item.input)),
    ...asks.map((item) => functionOf(`ask_${item.name}`, "ask", item, aboutAsk(item), item.input)),
    ...memoryFunctions(memory).map(({ item, about, schema }) => functionOf(item.name, "memory", item, about, schema)),
    ...handsOffTo.map((item) => functionOf(`hand_off_to_${item.name}`, "hand-off", item, aboutHandOff(item), item.input)),
  ];
  if (all.length > LIMITS.modelToolsMax)
    throw invalid(where, `${all.length} functions for a model, at most ${LIMITS.modelToolsMax} are allowed`);
  const found = new Map<string, LoopFunction>();
  for (const item of all) {
    const { name } = item;
    if (!NAME.test(name) || name.length > LIMITS.modelFunctionNameLengthMax)
      throw invalid(
        where,
        `a model cannot call ${JSON.stringify(name)}: a name has 1 to ${LIMITS.modelFunctionNameLengthMax} characters A-Z a-z 0-9 _ -`,
      );
    if (found.has(name)) throw invalid(where, `two functions of the model have the name ${JSON.stringify(name)}; rename the tool`);
    found.set(name, item);
  }
  return found;
}

interface Offered {
  readonly name: string;
  readonly inputJsonSchema: JsonSchema;
  checkInput(value: unknown): Json;
}

function functionOf(name: string, kind: LoopFunction["kind"], item: Offered, about: string, schema: z.ZodType): LoopFunction {
  const { schema: input, under } = objectForm(item.inputJsonSchema, INPUT_KEY);
  return {
    name,
    kind,
    target: item.name,
    about,
    input,
    under,
    check: (value) => checked((given) => item.checkInput(given), schema, value),
  };
}

function aboutAsk({ name, about }: Contract): string {
  return about ?? `Asks the agent ${name}.`;
}

function aboutHandOff({ name, about }: Contract): string {
  return `Hands the whole task to the agent ${name}, which answers instead of you.${about === undefined ? "" : ` ${about}`}`;
}

/** What a gate says of a value: the gate's own fault, and further violations of the schema. */
export function checked(check: (value: unknown) => Json, schema: z.ZodType, value: Json): Checked {
  try {
    return { value: check(value) };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { violations: [error.message, ...furtherViolations(schema, value, String(error.details?.["path"] ?? ""))] };
  }
}

function furtherViolations(schema: z.ZodType, value: Json, told: string): readonly string[] {
  const parsed = schema.safeParse(value);
  const all = parsed.success ? [] : parsed.error.issues.map((issue) => violationOf(issue, value));
  return all.filter(({ path }) => path !== told).map(({ path, text }) => (path === "" ? text : `${path}: ${text}`));
}
