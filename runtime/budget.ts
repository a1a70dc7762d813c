/**
 * @module Budgets: what a route, an agent or a work item may spend on models and tools, and what it has spent. Pure.
 *
 * Money is an integer of millionths of a US dollar (micros), so that sums are exact. A limit that is absent does not exist.
 */
import { z } from "zod";

const Count = z.int().nonnegative();

/** What may be spent. Absent: unlimited. Persisted: changing this needs a version bump. */
export const Grant = z.strictObject({
  /** Input and output tokens together. */
  tokens: Count.optional(),
  /** Millionths of a US dollar. */
  costMicros: Count.optional(),
  modelCalls: Count.optional(),
  toolCalls: Count.optional(),
});
export type Grant = z.infer<typeof Grant>;

/** What was spent on one model. `modelCalls` counts attempts that may have cost something. Persisted: changing this needs a version bump. */
export const ModelSpent = z.strictObject({
  modelCalls: Count,
  inputTokens: Count,
  outputTokens: Count,
  costMicros: Count,
});
export type ModelSpent = z.infer<typeof ModelSpent>;

/** What was spent, by the name of the model in the system. Persisted: changing this needs a version bump. */
export const Spent = z.strictObject({ toolCalls: Count, models: z.record(z.string(), ModelSpent) });
export type Spent = z.infer<typeof Spent>;
