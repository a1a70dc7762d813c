/** @module The stored contents that records refer to. Pure. */
import { Value, type ValueRef } from "../value.ts";

/** All references in a JSON document, each once. */
export function refsIn(document: unknown): readonly (ValueRef & { readonly bytes: number })[] {
  const found = new Map<string, ValueRef & { readonly bytes: number }>();
  const look = (at: unknown): void => {
    if (typeof at !== "object" || at === null) return;
    if (Array.isArray(at)) return at.forEach(look);
    if ("ref" in at) {
      const value = Value.safeParse(at);
      if (value.success && "ref" in value.data) found.set(value.data.ref, value.data);
    } else Object.values(at).forEach(look);
  };
  look(document);
  return [...found.values()];
}
