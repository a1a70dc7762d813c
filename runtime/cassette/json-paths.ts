/** @module The JSON paths at which two values differ. A text that holds JSON is compared as what it holds. Pure. */
import { canonicalJson } from "../canonical.ts";
import type { Json } from "../faults.ts";
import { LIMITS } from "../limits.ts";

/** The paths at which two values differ, such as `$.items[2].price`: at most {@link LIMITS.diffPathsMax}. Empty: they are equal. */
export function differingPaths(a: Json, b: Json): string[] {
  const found: string[] = [];
  compare(a, b, "$", found);
  return found;
}

function compare(a: Json, b: Json, path: string, found: string[]): void {
  if (found.length >= LIMITS.diffPathsMax || same(a, b)) return;
  const [left, right] = [opened(a), opened(b)];
  if (Array.isArray(left) && Array.isArray(right)) {
    for (let index = 0; index < Math.max(left.length, right.length); index += 1)
      part(left[index], right[index], `${path}[${index}]`, found);
    return;
  }
  if (isObject(left) && isObject(right)) {
    for (const name of [...new Set([...Object.keys(left), ...Object.keys(right)])].sort())
      part(left[name], right[name], `${path}${PLAIN_NAME.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`}`, found);
    return;
  }
  if (!same(left, right)) found.push(path);
}

/** An absent part differs from each value, also from `null`. */
function part(a: Json | undefined, b: Json | undefined, path: string, found: string[]): void {
  if (a !== undefined && b !== undefined) compare(a, b, path, found);
  else if (a !== b && found.length < LIMITS.diffPathsMax) found.push(path);
}

const PLAIN_NAME = /^[A-Za-z_$][\w$]*$/;
const HOLDS_JSON = /^\s*[[{]/;

/** A text that holds an object or a list is what it holds. */
function opened(value: Json): Json {
  if (typeof value !== "string" || !HOLDS_JSON.test(value)) return value;
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value;
  }
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function same(a: Json, b: Json): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}
