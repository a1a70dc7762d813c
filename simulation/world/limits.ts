/**
 * @module Makes the limits of the system smaller for a while, so that small runs reach them.
 */
import { LIMITS } from "../../runtime/limits.ts";

/** Other values for some limits. */
export type LimitChanges = Partial<Record<keyof typeof LIMITS, number>>;

/** Changes limits for this process; the result restores them. All other code treats them as constants. */
export function withLimits(changes: LimitChanges): () => void {
  const limits = LIMITS as unknown as Record<string, number>;
  const before = Object.fromEntries(Object.keys(changes).map((key) => [key, limits[key] ?? 0]));
  Object.assign(limits, changes);
  return () => void Object.assign(limits, before);
}
