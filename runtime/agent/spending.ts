/**
 * @module What a work item has reserved and spent on models and tools, and whether its grant allows more. Pure.
 *
 * Invariants: B1 each try of a model call reserves its upper bound before it is made. B2 it settles once: at what the provider reported, at
 * nothing, or at its full reservation if its end is not known. B3 nothing is reserved that could exceed the grant.
 */
import { z } from "zod";
import {
  addSpent,
  addUsed,
  AMOUNTS,
  type Amounts,
  type Grant,
  grantText,
  isWithin,
  type ModelSpent,
  NOTHING_SPENT,
  NOTHING_USED,
  type Spent,
  usedOf,
} from "../budget.ts";
import { plainJson } from "../canonical.ts";
import { wireFault, type WireFault } from "../faults.ts";

const Count = z.int().nonnegative();

/** Most that one try of a model call costs. Without `costMicros` its price is unknown. Persisted: changing this needs a version bump. */
export const Reservation = z.strictObject({ inputTokens: Count, outputTokens: Count, costMicros: Count.optional() });
export type Reservation = z.infer<typeof Reservation>;

/** What a work item may spend, and what it has reserved and spent. */
export interface Spending {
  readonly grant?: Grant | undefined;
  readonly raised?: Grant | undefined;
  readonly spent?: Spent | undefined;
  readonly modelCalls?: readonly { readonly open?: Reservation | undefined }[] | undefined;
}

/** The cost of a try whose end is not known. */
export function fullReservation({ inputTokens, outputTokens, costMicros = 0 }: Reservation): ModelSpent {
  return { modelCalls: 1, inputTokens, outputTokens, costMicros };
}

/** Whether a try has cost more than it reserved. */
export function isOverrun({ inputTokens, outputTokens, costMicros }: Reservation, spent: ModelSpent): boolean {
  return spent.inputTokens + spent.outputTokens > inputTokens + outputTokens || (costMicros !== undefined && spent.costMicros > costMicros);
}

/** Adds what a try of a model call has cost. */
export function withModelSpent(spent: Spent = NOTHING_SPENT, model: string, more: ModelSpent): Spent {
  return addSpent(spent, { toolCalls: 0, models: { [model]: more } });
}

/** Adds a tool call. */
export function withToolCall({ toolCalls, models }: Spent = NOTHING_SPENT): Spent {
  return { toolCalls: toolCalls + 1, models };
}

/** Checks whether the grant allows one more try of a model call. */
export function modelRefusal(work: Spending, reserved: Reservation): WireFault | undefined {
  const grant = work.raised ?? work.grant;
  if (grant === undefined) return undefined;
  if (grant.costMicros !== undefined && reserved.costMicros === undefined)
    return wireFault("budget.price", "money is budgeted, but the price of the model is unknown; give its endpoints a price");
  const spent = usedOf(work.spent ?? NOTHING_SPENT);
  if (!isWithin({ ...spent, toolCalls: 0 }, grant))
    return wireFault("budget.overrun", `${grantText(spent)} were spent where ${grantText(grant)} are granted`, {
      grant: plainJson(grant),
      spent,
    });
  const open = (work.modelCalls ?? []).flatMap((call) => (call.open === undefined ? [] : [usedBy(call.open)]));
  return exhausted(grant, [spent, ...open, usedBy(reserved)].reduce(addUsed));
}

/** Checks whether the grant allows one more tool call. */
export function toolRefusal(work: Spending): WireFault | undefined {
  const { toolCalls } = work.raised ?? work.grant ?? {};
  if (toolCalls === undefined) return undefined;
  const spent = work.spent?.toolCalls ?? 0;
  return exhausted({ toolCalls }, { ...NOTHING_USED, toolCalls: spent + 1 });
}

/** The fault names what the work item must be allowed to spend in all, so that the call fits. */
function exhausted(grant: Grant, would: Amounts): WireFault | undefined {
  if (isWithin(would, grant)) return undefined;
  const need = Object.fromEntries(
    AMOUNTS.flatMap((name) => (would[name] > (grant[name] ?? Number.POSITIVE_INFINITY) ? [[name, would[name]]] : [])),
  );
  const text = `the next call could bring it to ${grantText(need)} where ${grantText(grant)} are granted`;
  return wireFault("budget.exhausted", text, { grant: plainJson(grant), need });
}

function usedBy(reserved: Reservation): Amounts {
  return usedOf({ toolCalls: 0, models: { reserved: fullReservation(reserved) } });
}
