/**
 * @module Budgets as users write them, of a route or a stop.
 */
import { type Grant, MICROS_PER_USD } from "../runtime/budget.ts";
import { LIMITS } from "../runtime/limits.ts";
import { invalid, requireInt, requireKeys } from "./definition.ts";

/** What may be spent on models and tools. A limit that is left out does not exist. Time is limited by `timeoutMs`. */
export interface Budget {
  /** Input and output tokens together. */
  readonly tokens?: number | undefined;
  /** US dollars, to the millionth. A model without a known price cannot be called then (`budget.price`). */
  readonly usd?: number | undefined;
  /** Model calls, each attempt counted. */
  readonly modelCalls?: number | undefined;
  /** Tool calls, each attempt counted. */
  readonly toolCalls?: number | undefined;
}

const BUDGET_OPTIONS = ["tokens", "usd", "modelCalls", "toolCalls"];

/** Returns a budget as data, or throws `definition.invalid` naming the field. */
export function budgetOf(budget: Budget, where: string): Grant {
  requireKeys(budget, `${where}, budget`, BUDGET_OPTIONS);
  const { tokens, usd, modelCalls, toolCalls } = budget;
  const grant: Grant = {};
  if (tokens !== undefined) grant.tokens = requireInt(tokens, where, "budget.tokens", 0, LIMITS.budgetCountMax);
  if (modelCalls !== undefined) grant.modelCalls = requireInt(modelCalls, where, "budget.modelCalls", 0, LIMITS.budgetCountMax);
  if (toolCalls !== undefined) grant.toolCalls = requireInt(toolCalls, where, "budget.toolCalls", 0, LIMITS.budgetCountMax);
  if (usd !== undefined) grant.costMicros = microsOf(usd, where);
  if (Object.keys(grant).length === 0)
    throw invalid(where, `budget has no limit; give at least one of ${BUDGET_OPTIONS.join(", ")}, or leave it out`);
  return grant;
}

function microsOf(usd: number, where: string): number {
  const usdMax = LIMITS.budgetCountMax / MICROS_PER_USD;
  if (typeof usd !== "number" || !(usd >= 0 && usd <= usdMax))
    throw invalid(where, `budget.usd is ${String(usd)}, but must be a number of US dollars from 0 to ${usdMax}`);
  // A product such as 0.29 * 1,000,000 may be just below its whole number.
  return Math.floor(usd * MICROS_PER_USD + 1e-3);
}
