/**
 * @module Records whose names are data: reading, changing by copying, and checking. Pure.
 *
 * Any text may be a name, also one that every object inherits (`constructor`, `valueOf`, `__proto__`). `record[name]`
 * would find what is inherited, and `record["__proto__"] = entry` would change the prototype, so both go through these
 * functions.
 *
 * Since names are data, every set of names would be a hidden class of its own to V8, and adding one takes longer the more of them there
 * are. So copies are made without a prototype.
 */
import { z } from "zod";

/** Returns the record's own entry under a name, or undefined. */
export function entryOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** A copy of the record with an entry set. */
export function withEntry<T>(record: Readonly<Record<string, T>>, name: string, entry: T): Record<string, T> {
  return withEntries(record, [[name, entry]]);
}

/** A copy of the record with some entries set. */
export function withEntries<T>(
  record: Readonly<Record<string, T>>,
  entries: Iterable<readonly [name: string, entry: T]>,
): Record<string, T> {
  const next = Object.assign(emptyRecord<T>(), record);
  for (const [name, entry] of entries) next[name] = entry;
  return next;
}

/** A copy of the record without an entry. */
export function withoutEntry<T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return withoutEntries(record, [name]);
}

/** A copy of the record without some entries. */
export function withoutEntries<T>(record: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  const next = Object.assign(emptyRecord<T>(), record);
  for (const name of names) delete next[name];
  return next;
}

/** An object that inherits nothing. V8 keeps it as a hash table, so names that are never seen again cost no hidden class. */
function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

/**
 * The schema of a record of entries. `z.record` drops an entry named `__proto__` without an issue. This schema checks it like any other
 * and returns the record itself, so the entry's schema must not change values.
 */
export function recordOf<T>(entry: z.ZodType<T>): z.ZodType<Readonly<Record<string, T>>> {
  return z.custom<Readonly<Record<string, T>>>(isObject, "expected a record").superRefine((record, context) => {
    if (!isObject(record)) return;
    for (const [name, item] of Object.entries(record)) {
      for (const issue of entry.safeParse(item).error?.issues ?? [])
        context.addIssue({ code: "custom", message: issue.message, path: [name, ...issue.path] });
    }
  });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
