/**
 * @module The Berkeley Function Calling Leaderboard as a test of the schema gate: tools as others describe them, calls that are right, and
 * each of these calls with one thing changed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { asJsonSchema } from "./bfcl-schema.ts";
import type { Json } from "../../runtime/faults.ts";
import type { JsonSchema } from "../../runtime/schema.ts";

export const BFCL = { name: "bfcl-eval", version: "2026.3.23" };

const Line = z.looseObject({
  id: z.string(),
  function: z.array(z.looseObject({ name: z.string(), description: z.string(), parameters: z.record(z.string(), z.json()) })),
});
/** For each parameter the values that are right; "" among them says that it may be absent. */
const Answer = z.looseObject({ id: z.string(), ground_truth: z.array(z.record(z.string(), z.record(z.string(), z.array(z.json())))) });

/** A tool as a question describes it. */
export interface BedTool {
  readonly name: string;
  readonly about: string;
  readonly schema: JsonSchema;
}

/** A question: its tools, and the calls that are right. */
export interface BedCase {
  readonly id: string;
  readonly tools: readonly BedTool[];
  readonly calls: readonly { readonly name: string; readonly input: Record<string, Json> }[];
}

/** The questions of one file, such as `parallel`. */
export function casesOf(folder: string, file: string): readonly BedCase[] {
  const lines = (path: string): unknown[] =>
    readFileSync(join(folder, "bfcl_eval/data", path), "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line): unknown => JSON.parse(line));
  const answers = new Map(
    lines(`possible_answer/BFCL_v4_${file}.json`).map((line) => [Answer.parse(line).id, Answer.parse(line).ground_truth]),
  );
  return lines(`BFCL_v4_${file}.json`).map((line) => {
    const { id, function: described } = Line.parse(line);
    const tools = described.map(({ name, description, parameters }) => ({
      name: nameOf(name),
      about: description,
      schema: asJsonSchema(parameters),
    }));
    const calls = (answers.get(id) ?? []).flatMap((call) =>
      Object.entries(call).map(([name, values]) => ({ name: nameOf(name), input: firstOf(values) })),
    );
    return { id, tools, calls };
  });
}

/** Names of modules are joined by dots, which the names of functions of a model cannot have. */
function nameOf(name: string): string {
  return name.replaceAll(".", "_");
}

/** The first right value of each parameter, without those that may be absent and have no other. */
function firstOf(values: Readonly<Record<string, readonly Json[]>>): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, right]) => {
      const value = right.find((item) => item !== "");
      return value === undefined ? [] : [[name, unwrapped(value)] as const];
    }),
  );
}

/** Within objects, too, each value is a list of the right ones. */
function unwrapped(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => unwrapped(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, right]) => {
      const first = Array.isArray(right) ? (right as readonly Json[]).find((item) => item !== "") : right;
      return first === undefined ? [] : [[name, unwrapped(first)] as const];
    }),
  );
}

const OTHERS: readonly Json[] = [null, true, 0, -1, 7, 1.5, "", "7", "true", "no such choice", [], [1], ["x"], {}, { x: 1 }];

/** Copies of a value with one thing changed: a part replaced by each other kind, removed, wrapped, or an unknown key added. */
export function changedOnce(value: Json): readonly Json[] {
  const own = [...OTHERS.filter((other) => JSON.stringify(other) !== JSON.stringify(value)), [value], JSON.stringify(value)];
  if (typeof value !== "object" || value === null) return typeof value === "number" ? [...own, value + 0.5, String(value)] : own;
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    return [...own, ...items.flatMap((item, index) => changedOnce(item).map((other) => items.with(index, other)))];
  }
  const entries = Object.entries(value as { readonly [key: string]: Json });
  const removed = entries.map(([name]) => Object.fromEntries(entries.filter(([other]) => other !== name)));
  const replaced = entries.flatMap(([name, item]) =>
    changedOnce(item).map((other) => Object.fromEntries(entries.map(([key, old]) => [key, key === name ? other : old]))),
  );
  return [...own, ...removed, ...replaced, { ...Object.fromEntries(entries), "a key of no schema": 1 }];
}
