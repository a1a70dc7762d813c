/**
 * @module Grants: what each work item may spend of the budget of its process. Pure.
 *
 * A work item gets the least of the budget of its call, of that of its agent or nested route, and of its share: what is left, divided by
 * the places of those that may be open at the same time. Compensation needs no grant: it is exempt.
 */
import {
  amountsOf,
  type Grant,
  grantAfter,
  isNothingSpent,
  maxGrant,
  minGrant,
  NOTHING_SPENT,
  restOf,
  shareOf,
  spentSince,
  usedOf,
} from "../budget.ts";
import { entryOf } from "../entries.ts";
import { isFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { BodyOf } from "../protocol.ts";
import { type Call, callsOf, type Doer, doerName, type Slip, type Stop } from "../slip.ts";
import { heldBy, holdingOf, leftOf } from "./account.ts";
import { type ProcessBuilder, routeOf, slipOf, taskOf } from "./decision-builder.ts";
import { itemsOpen } from "./parts.ts";
import type { Work } from "./work.ts";

/** The grant of a work item that is requested first. Undefined: it has no budget. */
export function firstGrant(builder: ProcessBuilder, work: Work): Grant | undefined {
  const left = leftOf(builder.state);
  const share = left === undefined ? undefined : shareOf(left, placesWith(builder, work));
  return minGrant(capOf(builder, work), share);
}

/**
 * The grant of the next attempt of a work item: what it holds already, or more if its share of what is left has grown. It never shrinks,
 * because an answer that is still on its way may name the earlier one.
 */
export function nextGrant(builder: ProcessBuilder, work: Work): Grant | undefined {
  const holding = holdingOf(builder.state, work.id);
  if (holding?.grant === undefined) return undefined;
  const used = usedOf(holding.spent ?? NOTHING_SPENT);
  const [left, cap] = [leftOf(builder.state), capOf(builder, work)];
  const share = left === undefined ? undefined : shareOf(grantAfter(amountsOf(heldBy(holding)), left), placesBeside(builder));
  const rest = minGrant(cap === undefined ? undefined : restOf(cap, used), share);
  return rest === undefined ? holding.grant : maxGrant(grantAfter(used, rest), holding.grant);
}

/** The most that a work item may spend in all, independent of what is left: the budgets of its call and of its agent or nested route. */
function capOf(builder: ProcessBuilder, work: Pick<Work, "target" | "cap">): Grant | undefined {
  const slip = slipOf(taskOf(builder.state).slip, builder.context);
  const { target } = work;
  const own = target.kind === "agent" ? entryOf(slip.agents, target.agent)?.budget : entryOf(slip.routes, target.route)?.budget;
  return minGrant(work.cap, own);
}

/** The same for what it needs later. A nested route whose person may raise its budget keeps to it by itself. */
export function needCapOf(builder: ProcessBuilder, work: Pick<Work, "target" | "cap">): Grant | undefined {
  const { target } = work;
  const isRaised =
    target.kind === "route" && entryOf(slipOf(taskOf(builder.state).slip, builder.context).routes, target.route)?.budgetAsks !== undefined;
  return isRaised ? work.cap : capOf(builder, work);
}

/** What the budget of a call leaves for the work item to which another one hands off. */
export function capAfter(builder: ProcessBuilder, work: Work): Grant | undefined {
  return work.cap === undefined ? undefined : restOf(work.cap, usedOf(holdingOf(builder.state, work.id)?.spent ?? NOTHING_SPENT));
}

// ---- shares -----------------------------------------------------------------------------------------------------------------

/** Among how many places what is left is divided when a work item is requested: its own, and of all that may still be opened beside it. */
function placesWith(builder: ProcessBuilder, work: Work): number {
  const slip = slipOf(taskOf(builder.state).slip, builder.context);
  const asks = askPlaces(builder, slip);
  if (work.kind === "do" && work.visit === 1) return Math.max(1, stopPlaces(builder, slip, work.stop) + asks);
  // An ask takes a place that was kept for its asker.
  const kept = work.kind === "ask" && work.visit === 1 ? Math.min(1, asks) : 0;
  return placesOf(slip, work.target) + stopPlaces(builder, slip) + asks - kept;
}

/** The same for a work item that is open and gets more. */
export function placesBeside(builder: ProcessBuilder): number {
  const slip = slipOf(taskOf(builder.state).slip, builder.context);
  return 1 + stopPlaces(builder, slip) + askPlaces(builder, slip);
}

/** The places of a work item: its own, and those of agents that it may ask at the same time. */
function placesOf(slip: Slip, target: Doer): number {
  return 1 + (target.kind === "agent" ? Math.min(entryOf(slip.agents, target.agent)?.asks.length ?? 0, LIMITS.budgetAskPlacesMax) : 0);
}

/** The places that open work items keep for asks that they may still make. */
function askPlaces({ state }: ProcessBuilder, slip: Slip): number {
  const works = Object.values(state.works).filter((work) => work.kind !== "undo");
  const open = new Map<string, number>();
  for (const { asker } of works) if (asker !== undefined) open.set(asker.workId, (open.get(asker.workId) ?? 0) + 1);
  return works.reduce((sum, work) => sum + Math.max(0, placesOf(slip, work.target) - 1 - (open.get(work.id) ?? 0)), 0);
}

/** The places of works of the current stop that have not begun. `path`: the call that begins now, with those after it. */
function stopPlaces(builder: ProcessBuilder, slip: Slip, path?: string): number {
  const { progress, cursor, ending } = builder.state;
  const stop = ending === undefined && progress !== undefined ? currentStop(builder, cursor) : undefined;
  if (progress === undefined || stop === undefined) return 0;
  if (stop.kind === "forEach") {
    const room = Math.min(stop.concurrency - itemsOpen(builder.state), progress.total - progress.begun);
    return Math.max(0, room) * callPlaces(slip, stop.call);
  }
  // The calls of a stop begin in order, in one turn.
  const calls = callsOf(stop);
  const from = path === undefined ? calls.length : calls.findIndex(([one]) => one === path);
  return calls
    .slice(from)
    .reduce((sum, [one, call]) => sum + (entryOf(progress.outputs, one) === undefined ? callPlaces(slip, call) : 0), 0);
}

function currentStop(builder: ProcessBuilder, cursor: number): Stop | undefined {
  try {
    return routeOf(builder).stops[cursor];
  } catch (error) {
    if (!isFault(error)) throw error;
    return undefined;
  }
}

function callPlaces(slip: Slip, { target }: Call): number {
  return target.kind === "agent" || target.kind === "route" ? placesOf(slip, target) : 0;
}

// ---- reports ----------------------------------------------------------------------------------------------------------------

/**
 * Counts what a reply reports as spent. A reply of a work item that is no longer waited for counts too; a repeated one adds nothing.
 * `work`: the open work item that it answers.
 */
export function takeSpent(builder: ProcessBuilder, work: Work | undefined, body: BodyOf<"result">): void {
  const { state } = builder;
  const isUndo = work?.kind === "undo";
  const id = isUndo ? (work.undoes ?? "") : body.workId;
  const holding = holdingOf(state, id);
  const isOpen = work !== undefined && !isUndo;
  if (!isOpen && holding === undefined && state.stopping?.includes(id) !== true) return;
  const doer = work?.target ?? state.asked.find((one) => one.id === id)?.target;
  const by = holding?.by ?? (doer === undefined ? undefined : doerName(doer));
  if (by === undefined) return;
  const { result, spent, attempt } = body;
  // After a failed attempt an open work item may be tried again, so it keeps its grant.
  const isLast = isUndo || (!isOpen && attempt >= (holding?.attempt ?? 1));
  const ends = !("fault" in result) || (spent !== undefined && isLast);
  const isNews = !isNothingSpent(spentSince(holding?.spent ?? NOTHING_SPENT, spent ?? NOTHING_SPENT));
  // An answer, and the report of a compensation, end the entry themselves.
  const isReturned = ends && holding?.grant !== undefined && !("output" in result && work !== undefined);
  if (isNews || isReturned) builder.emit({ e: "spent", workId: id, by, ...(spent === undefined ? {} : { spent }), ends });
}
