/** @module What a process has spent and may spend, for people and programs. Pure. */
import { AMOUNTS, type Amounts, type Grant, MICROS_PER_USD, type SpentBy, totalSpent, usedOf } from "../budget.ts";
import type { AmountsView, BudgetView, SpendingView, WorkView } from "../process-view.ts";
import { budgetOf, holdingOf, leftOf, reservedOf } from "./account.ts";
import type { ProcessState } from "./state.ts";

/** The limits of a grant, or numbers for them, with money in US dollars. */
function amountsView(grant: Grant): AmountsView {
  const { costMicros, ...others } = grant;
  return { ...others, ...(costMicros === undefined ? {} : { usd: usd(costMicros) }) };
}

/** Spending by agent or nested route and by model. */
export function spendingView(spent: SpentBy): SpendingView {
  return {
    total: amountsView(usedOf(totalSpent(spent))),
    by: Object.entries(spent).map(([agent, { toolCalls, models }]) => ({
      agent,
      toolCalls,
      models: Object.entries(models).map(([model, { costMicros, ...counts }]) => ({ model, ...counts, usd: usd(costMicros) })),
    })),
  };
}

/** The account of the current run. Undefined: it has no budget, and nothing was given or spent. */
export function budgetView(state: ProcessState): BudgetView | undefined {
  const { account } = state;
  const [limit, left] = [budgetOf(state), leftOf(state)];
  if (limit === undefined && account === undefined) return undefined;
  const grants = [limit ?? {}, ...Object.values(account?.holdings ?? {}).map(({ grant = {} }) => grant)];
  const reserved = only(reservedOf(state), grants);
  return {
    ...(limit === undefined ? {} : { limit: amountsView(limit) }),
    ...(Object.keys(reserved).length === 0 ? {} : { reserved: amountsView(reserved) }),
    ...(left === undefined ? {} : { left: amountsView(left) }),
    spent: spendingView(account?.spent ?? {}),
    ...(account?.before === undefined ? {} : { before: spendingView(account.before) }),
  };
}

/** What an open work item may spend and has told. */
export function workBudgetView(state: ProcessState, id: string): Pick<WorkView, "grant" | "spent"> {
  const holding = holdingOf(state, id);
  if (holding === undefined) return {};
  return {
    ...(holding.grant === undefined ? {} : { grant: amountsView(holding.grant) }),
    ...(holding.spent === undefined ? {} : { spent: amountsView(usedOf(holding.spent)) }),
  };
}

/** The numbers for which one of some grants has a limit. */
function only(amounts: Amounts, grants: readonly Grant[]): Grant {
  return Object.fromEntries(
    AMOUNTS.filter((name) => grants.some((grant) => grant[name] !== undefined)).map((name) => [name, amounts[name]]),
  );
}

function usd(costMicros: number): number {
  return costMicros / MICROS_PER_USD;
}
