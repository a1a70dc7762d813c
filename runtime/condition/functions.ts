/**
 * @module Functions and macros of conditions: what each takes and returns, for the check and the evaluation. Pure.
 */
import type { Json } from "../faults.ts";

/** The kinds of JSON values. JSON has one kind of number, and so do conditions: `5 / 2` is 2.5. */
export type Kind = "null" | "boolean" | "number" | "string" | "list" | "object";

/** Macros over the items of a list, or over the keys of an object. */
export const MACROS = ["all", "exists", "exists_one", "map", "filter"] as const;
/** The name of a macro. */
export type Macro = (typeof MACROS)[number];

/** A function, or a method whose receiver is its first argument. */
export interface ConditionFunction {
  readonly forms: readonly ("function" | "method")[];
  /** Kinds of each argument. */
  readonly takes: readonly (readonly Kind[])[];
  /** How many arguments are required; absent: all. */
  readonly needs?: number;
  /** Absent: a value of any type, as `dyn` returns. */
  readonly gives?: Kind;
  /** It searches the first argument for the second, which in the worst case takes the product of their lengths. */
  readonly searches?: true;
  /** Returns the result, or `undefined` if the values do not have one, such as an index outside of the text. */
  readonly run: (args: readonly Json[]) => Json | undefined;
}

const TEXT: readonly Kind[] = ["string"];
const NUMBER: readonly Kind[] = ["number"];
const ANY: readonly Kind[] = ["null", "boolean", "number", "string", "list", "object"];

const text = (takes: number, run: (...texts: string[]) => Json): ConditionFunction => ({
  forms: ["method"],
  takes: Array.from({ length: takes }, () => TEXT),
  gives: "string",
  // The kinds of the arguments were checked against `takes`.
  run: (args) => run(...(args as string[])),
});
const question = (run: (value: string, part: string) => boolean): ConditionFunction => ({
  ...text(2, (value = "", part = "") => run(value, part)),
  gives: "boolean",
});
const found = (run: (value: string, part: string, from: number | undefined) => number): ConditionFunction => ({
  forms: ["method"],
  searches: true,
  takes: [TEXT, TEXT, NUMBER],
  needs: 2,
  gives: "number",
  run: ([value, part, from]) => run(String(value), String(part), from === undefined ? undefined : Number(from)),
});

/** By name. */
export const FUNCTIONS: ReadonlyMap<string, ConditionFunction> = new Map<string, ConditionFunction>([
  ["size", { forms: ["function", "method"], takes: [["string", "list", "object"]], gives: "number", run: ([value]) => sizeOf(value) }],
  ["string", { forms: ["function"], takes: [["string", "number", "boolean"]], gives: "string", run: ([value]) => String(value) }],
  ["int", { forms: ["function"], takes: [["number", "string"]], gives: "number", run: ([value]) => whole(numberOf(value)) }],
  ["double", { forms: ["function"], takes: [["number", "string"]], gives: "number", run: ([value]) => numberOf(value) }],
  ["dyn", { forms: ["function"], takes: [ANY], run: ([value]) => value }],
  ["startsWith", question((value, part) => value.startsWith(part))],
  ["endsWith", question((value, part) => value.endsWith(part))],
  ["contains", { ...question((value, part) => value.includes(part)), searches: true }],
  ["lowerAscii", text(1, (value = "") => value.replace(/[A-Z]+/g, (part) => part.toLowerCase()))],
  ["upperAscii", text(1, (value = "") => value.replace(/[a-z]+/g, (part) => part.toUpperCase()))],
  ["trim", text(1, (value = "") => value.trim())],
  ["indexOf", found((value, part, from) => value.indexOf(part, from))],
  ["lastIndexOf", found((value, part, from) => value.lastIndexOf(part, from))],
  ["substring", { forms: ["method"], takes: [TEXT, NUMBER, NUMBER], needs: 2, gives: "string", run: substring }],
  ["split", { ...text(2, (value = "", by = "") => value.split(by)), gives: "list", searches: true }],
  ["join", { forms: ["method"], takes: [["list"], TEXT], needs: 1, gives: "string", run: join }],
]);

function sizeOf(value: Json | undefined): number {
  if (typeof value === "string") return [...value].length;
  if (Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  const number = typeof value === "string" && value.trim() === value && value !== "" ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

function whole(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.trunc(value);
}

function substring([value, from, to]: readonly Json[]): string | undefined {
  const whole = String(value);
  const start = Number(from);
  const end = to === undefined ? whole.length : Number(to);
  const fits = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= whole.length;
  return fits ? whole.slice(start, end) : undefined;
}

/** Characters of the text that `join` gives. */
export function joinedLength([list, by]: readonly Json[]): number {
  if (!Array.isArray(list)) return 0;
  const between = typeof by === "string" ? by.length * list.length : 0;
  return (list as readonly Json[]).reduce<number>((sum, item) => sum + (typeof item === "string" ? item.length : 0), between);
}

function join([list, by]: readonly Json[]): string | undefined {
  if (!Array.isArray(list) || !list.every((item) => typeof item === "string")) return undefined;
  return list.join(by === undefined ? "" : String(by));
}
