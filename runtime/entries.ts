/**
 * @module Records by name that are never changed in place: the same entries, and one more. Pure.
 *
 * Names are data, so every set of names is a shape of its own to the engine, and a spread with a computed name goes the
 * longest way there: three to five times as long as this.
 */

/** The record with an entry set. Any text is a name, `__proto__` too. */
export function withEntry<T>(record: Readonly<Record<string, T>>, name: string, entry: T): Record<string, T> {
  if (name === PROTOTYPE || Object.hasOwn(record, PROTOTYPE)) return { ...record, [name]: entry };
  const next: Record<string, T> = Object.assign({}, record);
  next[name] = entry;
  return next;
}

/** The record without an entry. */
export function withoutEntry<T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> {
  if (Object.hasOwn(record, PROTOTYPE)) return Object.fromEntries(Object.entries(record).filter(([one]) => one !== name));
  const next: Record<string, T> = {};
  for (const one of Object.keys(record)) {
    const entry = record[one];
    if (one !== name && entry !== undefined) next[one] = entry;
  }
  return next;
}

/** Assigning under this name changes the prototype instead. */
const PROTOTYPE = "__proto__";
