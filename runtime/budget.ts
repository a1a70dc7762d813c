/**
 * @module Budgets: what a route, an agent or a work item may spend on models and tools, and what it has spent. Pure.
 *
 * Money is an integer of millionths of a US dollar (micros), so that sums are exact. A limit that is absent does not exist.
 */
import { z } from "zod";
import { entryOf, withEntry } from "./entries.ts";
import { counted } from "./units.ts";

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

/** What was spent on one model. `modelCalls` counts tries that may have cost something. Persisted: changing this needs a version bump. */
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

/** The limits that a {@link Grant} may have. */
export const AMOUNTS = ["tokens", "costMicros", "modelCalls", "toolCalls"] as const;
type AmountName = (typeof AMOUNTS)[number];

/** A number for each limit: what was used of a {@link Grant}. */
export type Amounts = Readonly<Record<AmountName, number>>;

/** Nothing spent. */
export const NOTHING_SPENT: Spent = Object.freeze({ toolCalls: 0, models: Object.freeze({}) });

/** Nothing used. */
export const NOTHING_USED: Amounts = Object.freeze({ tokens: 0, costMicros: 0, modelCalls: 0, toolCalls: 0 });

/** Under this name stands what may have been spent: the rest of the grant of a work item that never told what it spent. */
export const UNSETTLED_MODEL = "(unsettled)";

const NO_MODEL: ModelSpent = Object.freeze({ modelCalls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 });

// ---- what was spent ---------------------------------------------------------------------------------------------------------

function combineModels(left: ModelSpent, right: ModelSpent, combine: (left: number, right: number) => number): ModelSpent {
  return {
    modelCalls: combine(left.modelCalls, right.modelCalls),
    inputTokens: combine(left.inputTokens, right.inputTokens),
    outputTokens: combine(left.outputTokens, right.outputTokens),
    costMicros: combine(left.costMicros, right.costMicros),
  };
}

/** Combines all numbers of two spendings. A model that one of them does not have counts as 0 there. */
function combineSpent(left: Spent, right: Spent, combine: (left: number, right: number) => number): Spent {
  let { models } = left;
  for (const name of new Set([...Object.keys(left.models), ...Object.keys(right.models)])) {
    const combined = combineModels(entryOf(left.models, name) ?? NO_MODEL, entryOf(right.models, name) ?? NO_MODEL, combine);
    models = withEntry(models, name, combined);
  }
  return { toolCalls: combine(left.toolCalls, right.toolCalls), models };
}

/** The sum of two spendings. */
export function addSpent(left: Spent, right: Spent): Spent {
  return combineSpent(left, right, (a, b) => a + b);
}

/** Of two reports of the same growing spending, what both together tell: the larger of each number. */
export function laterSpent(left: Spent, right: Spent): Spent {
  return combineSpent(left, right, Math.max);
}

/** What a report adds to what is known of the same growing spending. An older report adds nothing. Models that add nothing are left out. */
export function spentSince(known: Spent, reported: Spent): Spent {
  const { toolCalls, models } = combineSpent(reported, known, (now, before) => Math.max(0, now - before));
  const grown = Object.entries(models).filter(([, model]) => Object.values(model).some((count) => count > 0));
  return { toolCalls, models: Object.fromEntries(grown) };
}

/** Whether nothing was spent. */
export function isNothingSpent({ toolCalls, models }: Spent): boolean {
  return toolCalls === 0 && Object.values(models).every((model) => Object.values(model).every((count) => count === 0));
}

/**
 * The sum of two spendings with at most `modelsMax` models: further ones are counted together, under `others`.
 */
export function addSpentWithin(sum: Spent, more: Spent, modelsMax: number, others: string): Spent {
  let { models } = sum;
  for (const [name, spent] of Object.entries(more.models)) {
    const isKnown = entryOf(models, name) !== undefined;
    const under = isKnown || Object.keys(models).length < modelsMax ? name : others;
    models = withEntry(
      models,
      under,
      combineModels(entryOf(models, under) ?? NO_MODEL, spent, (a, b) => a + b),
    );
  }
  return { toolCalls: sum.toolCalls + more.toolCalls, models };
}

/** What a spending uses of a grant. */
export function usedOf({ toolCalls, models }: Spent): Amounts {
  let [tokens, costMicros, modelCalls] = [0, 0, 0];
  for (const model of Object.values(models)) {
    tokens += model.inputTokens + model.outputTokens;
    costMicros += model.costMicros;
    modelCalls += model.modelCalls;
  }
  return { tokens, costMicros, modelCalls, toolCalls };
}

/** The sum of two uses. */
export function addUsed(left: Amounts, right: Amounts): Amounts {
  return {
    tokens: left.tokens + right.tokens,
    costMicros: left.costMicros + right.costMicros,
    modelCalls: left.modelCalls + right.modelCalls,
    toolCalls: left.toolCalls + right.toolCalls,
  };
}

// ---- what may be spent ------------------------------------------------------------------------------------------------------

/** A grant with the limits for which `limit` gives a number. */
function grantOf(limit: (name: AmountName) => number | undefined): Grant {
  const grant: Grant = {};
  for (const name of AMOUNTS) {
    const value = limit(name);
    if (value !== undefined) grant[name] = value;
  }
  return grant;
}

/** What is left of a grant after a use. Never below 0, also after an overrun. */
export function restOf(grant: Grant, used: Amounts): Grant {
  return grantOf((name) => (grant[name] === undefined ? undefined : Math.max(0, grant[name] - used[name])));
}

/** The grant that allows `used` and then what `rest` allows. */
export function grantAfter(used: Amounts, rest: Grant): Grant {
  return grantOf((name) => (rest[name] === undefined ? undefined : used[name] + rest[name]));
}

/** The stricter of two grants in each limit. Absent: no limits. */
export function minGrant(left: Grant | undefined, right: Grant | undefined): Grant | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return grantOf((name) => (left[name] === undefined ? right[name] : Math.min(left[name], right[name] ?? Number.POSITIVE_INFINITY)));
}

/** The larger of two grants in each limit. A limit that one of them does not have is that of the other. */
export function maxGrant(left: Grant, right: Grant): Grant {
  return grantOf((name) => (left[name] === undefined ? right[name] : Math.max(left[name], right[name] ?? 0)));
}

/** One of `places` equal shares of a grant, rounded up, so that the last of a small rest is not kept back. */
export function shareOf(grant: Grant, places: number): Grant {
  return grantOf((name) => (grant[name] === undefined ? undefined : Math.ceil(grant[name] / Math.max(1, places))));
}

/** Whether a need is within a grant. A limit that the grant does not have is not exceeded. */
export function isWithin(need: Grant, grant: Grant | undefined): boolean {
  return grant === undefined || AMOUNTS.every((name) => (need[name] ?? 0) <= (grant[name] ?? Number.POSITIVE_INFINITY));
}

/** What a need has beyond a grant, in the limits of the grant. */
export function beyond(need: Grant, grant: Grant): Grant {
  return grantOf((name) => (grant[name] === undefined ? undefined : Math.max(0, (need[name] ?? 0) - grant[name])));
}

/** The numbers of a grant; 0 where it has no limit. */
export function amountsOf(grant: Grant): Amounts {
  const { tokens = 0, costMicros = 0, modelCalls = 0, toolCalls = 0 } = grant;
  return { tokens, costMicros, modelCalls, toolCalls };
}

/** The rest of a grant as a spending, for a work item that never told what it spent. */
export function unsettledSpent(rest: Grant): Spent {
  const { tokens, costMicros, modelCalls, toolCalls } = amountsOf(rest);
  if (tokens + costMicros + modelCalls === 0) return { toolCalls, models: {} };
  return { toolCalls, models: { [UNSETTLED_MODEL]: { modelCalls, inputTokens: tokens, outputTokens: 0, costMicros } } };
}

/** Micros of a US dollar. */
export const MICROS_PER_USD = 1_000_000;
const USD_DIGITS = 4;

/** A sum of money as text, in US dollars with 4 decimals. */
export function usdText(usd: number): string {
  return `$${usd.toFixed(USD_DIGITS)}`;
}

/** A grant or a use in words, such as `500 tokens, $0.0200`. Limits that are absent are left out. */
export function grantText(grant: Partial<Grant>): string {
  const parts = [
    ...(grant.tokens === undefined ? [] : [counted(grant.tokens, "token")]),
    ...(grant.costMicros === undefined ? [] : [usdText(grant.costMicros / MICROS_PER_USD)]),
    ...(grant.modelCalls === undefined ? [] : [counted(grant.modelCalls, "model call")]),
    ...(grant.toolCalls === undefined ? [] : [counted(grant.toolCalls, "tool call")]),
  ];
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

/** What was spent, by the name of the agent or nested route. Persisted: changing this needs a version bump. */
export const SpentBy = z.record(z.string(), Spent);
export type SpentBy = z.infer<typeof SpentBy>;

/** The whole of what was spent by several. */
export function totalSpent(by: SpentBy): Spent {
  return Object.values(by).reduce(addSpent, NOTHING_SPENT);
}
