/** @module Placeholders in the replies of a script: `{{input.orderId}}`, `{{results.reserve.code}}`. Pure. */
import type { Json } from "../../runtime/faults.ts";

/** What placeholders refer to. */
export interface Scope {
  readonly input: Json;
  readonly user: string;
  readonly model: string;
  readonly call: number;
  /** The last result of each tool. */
  readonly results: { readonly [tool: string]: Json };
}

const ROOTS: readonly string[] = ["input", "user", "model", "call", "results"] satisfies readonly (keyof Scope)[];
const ANY = /\{\{(.*?)\}\}/gs;
const PATH = /^\s*([A-Za-z]+)((?:\.[A-Za-z0-9_$-]+)*)\s*$/;

/** A placeholder that refers to something that the request does not hold. */
export class AbsentError extends Error {
  readonly placeholder: string;

  constructor(placeholder: string) {
    super(`the request has no ${placeholder}`);
    this.placeholder = placeholder;
  }
}

/** Whether all placeholders of a text have the right form. */
export function isPlaceholderText(text: string): boolean {
  return [...text.matchAll(ANY)].every(([, path = ""]) => pathOf(path) !== undefined);
}

/** Replaces the placeholders in all texts of a value. A text that is one placeholder becomes its value. @throws AbsentError */
export function filled(template: Json, scope: Scope): Json {
  if (typeof template === "string") {
    const whole = /^\{\{([^{}]*)\}\}$/.exec(template)?.[1];
    return whole === undefined ? filledText(template, scope) : valueAt(whole, scope);
  }
  if (typeof template !== "object" || template === null) return template;
  if (Array.isArray(template)) return template.map((item: Json) => filled(item, scope));
  return Object.fromEntries(Object.entries(template).map(([key, item]) => [key, filled(item, scope)]));
}

/** Replaces the placeholders in a text; values that are no text are inserted as JSON. @throws AbsentError */
export function filledText(template: string, scope: Scope): string {
  return template.replaceAll(ANY, (_all, path: string) => {
    const value = valueAt(path, scope);
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}

function valueAt(path: string, scope: Scope): Json {
  let current: Json | undefined = { ...scope };
  for (const key of pathOf(path) ?? []) current = property(current, key);
  if (current === undefined) throw new AbsentError(`{{${path.trim()}}}`);
  return current;
}

function property(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const entries: readonly (readonly [string, Json])[] = Object.entries(value);
  return entries.find(([name]) => name === key)?.[1];
}

/** The keys of a placeholder. Undefined: it has another form. */
function pathOf(text: string): readonly string[] | undefined {
  const [, root = "", rest = ""] = PATH.exec(text) ?? [];
  return ROOTS.includes(root) ? [root, ...rest.split(".").slice(1)] : undefined;
}
