/** @module JSON values in the page: what they are, whether two are the same, and parts of them by their path. Pure. */
import type { Json } from "../../../runtime/faults.ts";

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };
/** The way to a part of a value: keys of objects and indexes of lists. */
export type Path = readonly (string | number)[];

/** Whether a value is an object, not a list or null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is a list. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** What an object holds under a key, not what it inherits: keys are data here, and `valueOf` is a key like others. */
export function memberOf(value: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Whether two values are the same JSON. The order of keys does not count. */
export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

/** A path as people write it: `items[2].price`. Empty: the value itself. */
export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === "number"
        ? `${text}[${key}]`
        : /^\w+$/.test(key)
          ? `${text === "" ? "" : `${text}.`}${key}`
          : `${text}[${JSON.stringify(key)}]`,
    "",
  );
}

/** The value with another content under a key. `undefined` removes the key. */
export function withKey(value: JsonObject, key: string, content: Json | undefined): JsonObject {
  if (content !== undefined) return { ...value, [key]: content };
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
}

/** The list with another item at an index. `undefined` removes it. */
export function withItem(list: readonly Json[], index: number, item: Json | undefined): readonly Json[] {
  return item === undefined ? list.toSpliced(index, 1) : list.with(index, item);
}

/** What a text holds: a value, or why it is not JSON. An empty text holds nothing. */
export function parseJson(text: string): { readonly value: Json } | { readonly problem: string } {
  if (text.trim() === "") return { problem: "JSON is expected." };
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : "This is not JSON." };
  }
}
