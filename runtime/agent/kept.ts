/** @module The stored contents of a work item, in the scope of its process. Pure. */
import type { Json } from "../faults.ts";
import type { AgentWork } from "./state.ts";

/** The hashes of a scope's values that a content refers to. */
export function refsIn(content: Json, scope: string): string[] {
  const refs = new Set<string>();
  const walk = (part: Json): void => {
    if (typeof part !== "object" || part === null) return;
    if (Array.isArray(part)) return part.forEach(walk);
    const { ref, scope: of } = part as { readonly ref?: Json; readonly scope?: Json };
    if (typeof ref === "string" && of === scope) refs.add(ref);
    Object.values(part).forEach(walk);
  };
  walk(content);
  return [...refs];
}

/** The hashes of all contents that a work item has stored in the scope of its process. */
export function keptOf(work: AgentWork): string[] {
  // A work item is JSON but for properties that are undefined, which are no objects.
  return [...new Set([...(work.kept ?? []), ...refsIn(work as unknown as Json, work.processId)])];
}
