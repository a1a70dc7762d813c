/** @module Formats budgets and what was spent for people. Pure. */
import { grantText, MICROS_PER_USD, usdText } from "../../runtime/budget.ts";
import { table } from "./table.ts";
import type { ProcessView } from "../../client/index.ts";

type Budget = NonNullable<ProcessView["budget"]>;
type Spending = Budget["spent"];
type Amounts = Spending["total"];

/** The amounts of a budget, in the order in which they are shown. */
const AMOUNTS: readonly (readonly [name: string, text: (amounts: Amounts) => string])[] = [
  ["tokens", ({ tokens }) => countText(tokens)],
  ["cost", ({ usd }) => (usd === undefined ? "" : usdText(usd))],
  ["model calls", ({ modelCalls }) => countText(modelCalls)],
  ["tool calls", ({ toolCalls }) => countText(toolCalls)],
];

/** The budget of a run: its limits with what is reserved and left, and what was spent by agent and model. */
export function budgetLines(budget: Budget | undefined): readonly string[] {
  if (budget === undefined) return [];
  const { limit = {}, reserved = {}, left = {}, spent, before } = budget;
  const rows = AMOUNTS.filter(([, text]) => text(limit) !== "" || text(reserved) !== "").map(([name, text]) => [
    name,
    text(limit),
    text(spent.total),
    text(reserved),
    text(left),
  ]);
  return [
    ...(rows.length === 0 ? [] : ["", table(["budget", "limit", "spent", "reserved", "left"], rows)]),
    ...(spent.by.length === 0 ? [] : ["", ...spendingLines(spent)]),
    ...(before === undefined ? [] : [`earlier runs spent ${totalText(before.total)}`]),
  ];
}

/** What was spent, by agent and model, with the sum. */
export function spendingLines({ by, total }: Spending): readonly string[] {
  const rows = by.flatMap(({ agent, models, toolCalls }) => [
    ...models.map(({ model, modelCalls, inputTokens, outputTokens, usd }) => [
      agent,
      model,
      countText(modelCalls),
      countText(inputTokens),
      countText(outputTokens),
      usdText(usd),
    ]),
    ...(toolCalls === 0 ? [] : [[agent, "(tools)", countText(toolCalls)]]),
  ]);
  return [table(["spent by", "model", "calls", "input tokens", "output tokens", "cost"], rows), `in all ${totalText(total)}`];
}

function totalText(total: Amounts): string {
  const { tokens = 0, usd = 0, modelCalls = 0, toolCalls = 0 } = total;
  return grantText({ tokens, costMicros: Math.round(usd * MICROS_PER_USD), modelCalls, toolCalls });
}

function countText(count: number | undefined): string {
  return count === undefined ? "" : String(count);
}
