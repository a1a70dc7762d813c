/**
 * @module The account of a process: what its work items hold of its budget, and what was spent. Pure.
 *
 * The account has an entry only for work items that may still spend, and sums by agent and model; so it does not grow with what happened.
 * Decisions are in grants.ts. Invariants:
 * B1 What was spent and what is held together never exceed the budget, unless a provider reports more than was reserved.
 * B2 A report of spending counts once: its work item tells all it has spent so far, and only what is new is added.
 * B3 What a work item holds comes back only when it can no longer spend it: its attempt has ended, or it was compensated.
 */
import { z } from "zod";
import {
  addSpentWithin,
  addUsed,
  type Amounts,
  amountsOf,
  Grant,
  grantAfter,
  isNothingSpent,
  laterSpent,
  minGrant,
  NOTHING_SPENT,
  NOTHING_USED,
  restOf,
  Spent,
  SpentBy,
  spentSince,
  unsettledSpent,
  usedOf,
} from "../budget.ts";
import { entryOf, withEntry, withoutEntry } from "../entries.ts";
import { assertNever } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { ProcessEvent } from "./events.ts";
import type { ProcessState } from "./state.ts";

/** What a work item may spend and has told. Persisted: changing this needs a version bump. */
const Holding = z.strictObject({
  /** The agent or nested route. */
  by: z.string(),
  /** What it may spend in all. Absent: it holds nothing, or has no limit. */
  grant: Grant.optional(),
  /** What it has told. Absent: nothing. */
  spent: Spent.optional(),
  /** Its last attempt. Absent: the first. */
  attempt: z.int().positive().optional(),
});
/** What a work item may spend and has told. */
export type Holding = z.infer<typeof Holding>;

/** The account of the current run. Persisted: changing this needs a version bump. */
export const Account = z.strictObject({
  spent: SpentBy,
  /** What earlier runs spent. */
  before: SpentBy.optional(),
  /** Work items that may still spend, by id. */
  holdings: z.record(z.string(), Holding),
  /** Only for a nested route: the whole grant of its parent, after it gave more. */
  raised: Grant.optional(),
  /** What people have added to the budget of the route, and who has refused to. */
  more: Grant.optional(),
  refused: z.string().optional(),
  /** Only for a nested route: how often it requested more of its parent, and the request that is not answered. */
  requests: z.int().positive().optional(),
  request: z.strictObject({ index: z.int().nonnegative(), need: Grant, atMs: z.int() }).optional(),
});
export type Account = z.infer<typeof Account>;

const EMPTY: Account = Object.freeze({ spent: Object.freeze({}), holdings: Object.freeze({}) });

/** Under this name stands what was spent by agents and on models beyond the limits of the sums. */
const OTHERS = "(others)";

// ---- what is left -----------------------------------------------------------------------------------------------------------

/** What the current run may spend. Undefined: it has no budget. */
export function budgetOf({ task, account }: ProcessState): Grant | undefined {
  return minGrant(ownBudgetOf({ task, account }), account?.raised ?? task?.grant);
}

/** The budget of the route, with what people have added. Undefined: it has none. */
export function ownBudgetOf({ task, account }: Pick<ProcessState, "task" | "account">): Grant | undefined {
  const { budget } = task ?? {};
  return budget === undefined || account?.more === undefined ? budget : grantAfter(amountsOf(account.more), budget);
}

/** What the current run has spent. */
export function usedInRun({ account }: ProcessState): Amounts {
  return Object.values(account?.spent ?? {}).reduce((sum, spent) => addUsed(sum, usedOf(spent)), NOTHING_USED);
}

/** What the work items hold of the budget and have not told as spent. */
export function reservedOf({ account }: ProcessState): Amounts {
  return Object.values(account?.holdings ?? {}).reduce((sum, holding) => addUsed(sum, amountsOf(heldBy(holding))), NOTHING_USED);
}

/** What work items hold whose compensation is due. It comes back when they have told what they spent. */
export function returning({ account, undoing }: ProcessState): Amounts {
  const due = new Set(undoing);
  const held = Object.entries(account?.holdings ?? {}).flatMap(([id, holding]) => (due.has(id) ? [amountsOf(heldBy(holding))] : []));
  return held.reduce(addUsed, NOTHING_USED);
}

/** What is left of the budget for new grants. Undefined: there is no budget. */
export function leftOf(state: ProcessState): Grant | undefined {
  const budget = budgetOf(state);
  return budget === undefined ? undefined : restOf(budget, addUsed(usedInRun(state), reservedOf(state)));
}

/** What a work item holds and has not told as spent. */
export function heldBy({ grant, spent = NOTHING_SPENT }: Holding): Grant {
  return grant === undefined ? {} : restOf(grant, usedOf(spent));
}

/** The entry of a work item. */
export function holdingOf({ account }: ProcessState, id: string): Holding | undefined {
  return account === undefined ? undefined : entryOf(account.holdings, id);
}

// ---- changes ----------------------------------------------------------------------------------------------------------------

/** Events of the account alone. */
type AccountEvent = Extract<
  ProcessEvent,
  { e: "spent" | "granted" | "more-requested" | "more-answered" | "budget-raised" | "budget-refused" }
>;

/** The state after an event of the account. */
export function evolveAccount(state: ProcessState, event: AccountEvent): ProcessState {
  switch (event.e) {
    case "spent":
      return spentTold(state, event);
    case "granted": {
      const known = holdingOf(state, event.workId);
      return known === undefined ? state : withHolding(state, event.workId, { ...known, grant: event.grant });
    }
    case "more-requested":
      return patch(state, (account) => ({
        ...account,
        request: { index: event.index, need: event.need, atMs: event.atMs },
        requests: event.index + 1,
      }));
    case "more-answered":
      return patch(state, (account) => ({
        ...(withoutRequest(account) ?? account),
        ...(event.grant === undefined ? {} : { raised: event.grant }),
      }));
    case "budget-raised":
      return patch(state, (account) => ({ ...account, more: grantAfter(amountsOf(account.more ?? {}), event.more) }));
    case "budget-refused":
      return patch(state, (account) => ({ ...account, refused: event.by }));
    default:
      return assertNever(event);
  }
}

function patch(state: ProcessState, change: (account: Account) => Account): ProcessState {
  return { ...state, account: change(state.account ?? EMPTY) };
}

function withHolding(state: ProcessState, id: string, holding: Holding): ProcessState {
  return patch(state, (account) => ({ ...account, holdings: withEntry(account.holdings, id, holding) }));
}

/** Gives a work item a grant: what it may spend in all. */
export function granted(state: ProcessState, id: string, by: string, grant: Grant | undefined, attempt = 1): ProcessState {
  const known = holdingOf(state, id);
  if (grant === undefined && known === undefined) return state;
  return withHolding(state, id, {
    by,
    ...(grant === undefined ? {} : { grant }),
    ...(known?.spent === undefined ? {} : { spent: known.spent }),
    ...(attempt === 1 ? {} : { attempt }),
  });
}

/** Takes a report: all that a work item has spent so far. `ends`: it spends no more, so it holds nothing. */
function spentTold(
  state: ProcessState,
  report: { readonly workId: string; readonly by: string; readonly spent?: Spent | undefined; readonly ends: boolean },
): ProcessState {
  const { workId, by, spent = NOTHING_SPENT, ends } = report;
  const known = holdingOf(state, workId);
  const before = known?.spent ?? NOTHING_SPENT;
  const { grant: _held, ...rest } = known ?? { by };
  const holding: Holding = { ...(ends ? rest : (known ?? rest)), spent: laterSpent(before, spent) };
  return withHolding(charged(state, known?.by ?? by, spentSince(before, spent)), workId, holding);
}

/** Adds to the sum of an agent or nested route. */
function charged(state: ProcessState, by: string, spent: Spent): ProcessState {
  if (isNothingSpent(spent)) return state;
  return patch(state, (account) => ({ ...account, spent: charge(account.spent, by, spent) }));
}

function charge(sums: SpentBy, by: string, spent: Spent): SpentBy {
  const isRoom = entryOf(sums, by) !== undefined || Object.keys(sums).length < LIMITS.spentAgentsMax;
  const under = isRoom ? by : OTHERS;
  return withEntry(sums, under, addSpentWithin(entryOf(sums, under) ?? NOTHING_SPENT, spent, LIMITS.spentModelsMax, OTHERS));
}

/** Removes the entry of a work item that spends no more. */
export function settled(state: ProcessState, id: string | undefined): ProcessState {
  if (id === undefined || holdingOf(state, id) === undefined) return state;
  return patch(state, (account) => ({ ...account, holdings: withoutEntry(account.holdings, id) }));
}

/**
 * Ends what a work item holds. While an earlier attempt of it may still run, its entry stays without a grant: its compensation tells
 * again what it spent, and that counts once (B2).
 */
export function closedHolding(state: ProcessState, id: string): ProcessState {
  const holding = holdingOf(state, id);
  if (holding === undefined || state.stopping?.includes(id) !== true) return settled(state, id);
  const { grant: _returned, ...kept } = holding;
  return withHolding(state, id, kept);
}

/** Removes the entry of a work item that holds nothing. One that may still spend keeps it until it tells. */
export function settledIfFree(state: ProcessState, id: string): ProcessState {
  return holdingOf(state, id)?.grant === undefined ? settled(state, id) : state;
}

/** The account at the end of a run: what is still held counts as spent in full. */
export function closedAccount({ account }: Pick<ProcessState, "account">): Account | undefined {
  if (account === undefined) return undefined;
  const spent = Object.values(account.holdings).reduce((sums, holding) => {
    const unsettled = unsettledSpent(heldBy(holding));
    return isNothingSpent(unsettled) ? sums : charge(sums, holding.by, unsettled);
  }, account.spent);
  return { ...(withoutRequest(account) ?? account), spent, holdings: {} };
}

/** The account of a new run: its budget is whole again, and what earlier runs spent stays visible. */
export function reopenedAccount(account: Account | undefined): Account | undefined {
  if (account === undefined) return undefined;
  const before = Object.entries(account.spent).reduce((sums, [by, spent]) => charge(sums, by, spent), account.before ?? {});
  return Object.keys(before).length === 0 ? undefined : { ...EMPTY, before };
}

/** The account without the request to the parent: it was answered, or is no longer needed. */
export function withoutRequest(account: Account | undefined): Account | undefined {
  if (account === undefined) return undefined;
  const { request: _over, ...rest } = account;
  return rest;
}
