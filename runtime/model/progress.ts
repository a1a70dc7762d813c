/** @module Whether the calls of a model lead anywhere: the same calls with the same results again and again do not. Pure. */
import { hashJson } from "../canonical.ts";
import type { Json } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { Spent } from "../budget.ts";

/** What is known of the calls of a run. */
export interface Progress {
  /** Hashes of all calls with their results. */
  readonly seen: ReadonlySet<string>;
  /** Rounds in a row in which each call was made before with the same result. */
  readonly repeats: number;
  /** The last calls, by name. */
  readonly ring: readonly string[];
}

/** Nothing was called yet. */
export const NO_CALLS: Progress = { seen: new Set(), repeats: 0, ring: [] };

/** One call with its result. */
export interface EndedCall {
  readonly name: string;
  readonly input: Json;
  readonly result: string;
}

/** Adds the calls of one reply. */
export function withCalls({ seen, repeats, ring }: Progress, calls: readonly EndedCall[]): Progress {
  const hashes = calls.map(({ name, input, result }) => hashJson([name, input, result]));
  const isRepeated = hashes.every((hash) => seen.has(hash));
  return {
    seen: isRepeated ? seen : new Set([...seen, ...hashes]),
    repeats: isRepeated ? repeats + 1 : 0,
    ring: [...ring, ...calls.map(({ name }) => name)].slice(-LIMITS.modelRingCallsMax),
  };
}

/** What was spent, as details of a fault. */
export function costOf({ toolCalls, models }: Spent): { readonly [key: string]: Json } {
  const all = Object.values(models);
  const sum = (part: (one: (typeof all)[number]) => number): number => all.reduce((total, one) => total + part(one), 0);
  return {
    toolCalls,
    modelCalls: sum((one) => one.modelCalls),
    tokens: sum((one) => one.inputTokens + one.outputTokens),
    costMicros: sum((one) => one.costMicros),
  };
}
