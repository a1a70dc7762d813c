/**
 * @module What a work item has reserved and spent on models and tools, and whether its grant allows more. Pure.
 *
 * Invariants: B1 each attempt of a model call reserves its upper bound before it is made. B2 it settles once: at what the provider reported,
 * at nothing, or at its full reservation if its end is not known. B3 nothing is reserved that could exceed the grant.
 */
import { z } from "zod";
import type { Grant, ModelSpent, Spent } from "../budget.ts";
import { plainJson } from "../canonical.ts";
import { wireFault, type WireFault } from "../faults.ts";

const Count = z.int().nonnegative();

/** What one attempt of a model call may cost at most. `costMicros` is absent if a price is unknown. Persisted: changing this needs a version bump. */
export const Reservation = z.strictObject({ inputTokens: Count, outputTokens: Count, costMicros: Count.optional() });
export type Reservation = z.infer<typeof Reservation>;

/** A work item that has spent nothing. */
export const NOTHING_SPENT: Spent = { toolCalls: 0, models: {} };

const NO_MODEL_SPENT: ModelSpent = { modelCalls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 };

/** The part of a work item that says what it may spend, and what it has reserved and spent. */
export interface Spending {
  /** The newest one; see {@link grantOf}. */
  readonly grant?: Grant | undefined;
  /** A larger grant, which a handler asked for in this attempt. */
  readonly raised?: Grant | undefined;
  readonly spent?: Spent | undefined;
  readonly modelCalls?: readonly { readonly model: string; readonly open?: Reservation | undefined }[] | undefined;
}

/** Amounts in the dimensions of a grant. */
type Amounts = Readonly<Record<keyof Grant, number>>;

const DIMENSIONS = ["tokens", "costMicros", "modelCalls", "toolCalls"] as const satisfies readonly (keyof Grant)[];

/** What the work item may spend. Undefined: it has no budget. */
export function grantOf({ grant, raised }: Pick<Spending, "grant" | "raised">): Grant | undefined {
  return raised ?? grant;
}

/** The cost of an attempt whose end is not known. */
export function fullReservation({ inputTokens, outputTokens, costMicros = 0 }: Reservation): ModelSpent {
  return { modelCalls: 1, inputTokens, outputTokens, costMicros };
}

/** Whether an attempt has cost more than it reserved. */
export function isOverrun({ inputTokens, outputTokens, costMicros }: Reservation, spent: ModelSpent): boolean {
  return spent.inputTokens + spent.outputTokens > inputTokens + outputTokens || (costMicros !== undefined && spent.costMicros > costMicros);
}

/** Adds what an attempt of a model call has cost. */
export function withModelSpent(spent: Spent | undefined, model: string, more: ModelSpent | undefined): Spent | undefined {
  if (more === undefined) return spent;
  const { toolCalls, models } = spent ?? NOTHING_SPENT;
  const before = Object.hasOwn(models, model) ? (models[model] ?? NO_MODEL_SPENT) : NO_MODEL_SPENT;
  const sum: ModelSpent = {
    modelCalls: before.modelCalls + more.modelCalls,
    inputTokens: before.inputTokens + more.inputTokens,
    outputTokens: before.outputTokens + more.outputTokens,
    costMicros: before.costMicros + more.costMicros,
  };
  return { toolCalls, models: { ...models, [model]: sum } };
}

/** Adds a tool call. */
export function withToolCall(spent: Spent | undefined): Spent {
  const { toolCalls, models } = spent ?? NOTHING_SPENT;
  return { toolCalls: toolCalls + 1, models };
}

/** The larger of two amounts in each place: of two moments of one work item, the later one. */
export function laterSpent(one: Spent, other: Spent | undefined): Spent {
  if (other === undefined) return one;
  const names = [...new Set([...Object.keys(one.models), ...Object.keys(other.models)])];
  const models = names.map((name): [string, ModelSpent] => {
    const [a = NO_MODEL_SPENT, b = NO_MODEL_SPENT] = [one.models[name], other.models[name]];
    return [name, a.modelCalls >= b.modelCalls && a.inputTokens >= b.inputTokens ? a : b];
  });
  return { toolCalls: Math.max(one.toolCalls, other.toolCalls), models: Object.fromEntries(models) };
}

/** Checks whether the grant allows one more attempt of a model call. */
export function modelRefusal(work: Spending, reserved: Reservation): WireFault | undefined {
  const grant = grantOf(work);
  if (grant === undefined) return undefined;
  if (grant.costMicros !== undefined && reserved.costMicros === undefined)
    return wireFault("budget.price", "money is budgeted, but the price of the model is unknown");
  const spent = spentAmounts(work.spent);
  const overrun = DIMENSIONS.find((name) => name !== "toolCalls" && spent[name] > (grant[name] ?? Number.POSITIVE_INFINITY));
  if (overrun !== undefined)
    return wireFault("budget.overrun", `${spent[overrun]} ${overrun} were spent, and ${grant[overrun] ?? 0} are granted`, {
      grant: plainJson(grant),
      spent,
    });
  const open = (work.modelCalls ?? []).flatMap((call) => (call.open === undefined ? [] : [amountsOf(call.open)]));
  return exhausted(grant, spent, [...open, amountsOf(reserved)]);
}

/** Checks whether the grant allows one more tool call. */
export function toolRefusal(work: Spending): WireFault | undefined {
  const grant = grantOf(work);
  if (grant?.toolCalls === undefined) return undefined;
  return exhausted({ toolCalls: grant.toolCalls }, spentAmounts(work.spent), [{ ...NO_AMOUNTS, toolCalls: 1 }]);
}

/** Whether a grant allows what another one allows. */
export function covers(grant: Grant, need: Grant): boolean {
  return DIMENSIONS.every((name) => grant[name] === undefined || (grant[name] ?? 0) >= (need[name] ?? 0));
}

const NO_AMOUNTS: Amounts = { tokens: 0, costMicros: 0, modelCalls: 0, toolCalls: 0 };

/** The fault names the least whole grant that would do. */
function exhausted(grant: Grant, spent: Amounts, more: readonly Amounts[]): WireFault | undefined {
  const sum = (name: keyof Grant): number => spent[name] + more.reduce((total, one) => total + one[name], 0);
  const short = DIMENSIONS.filter((name) => grant[name] !== undefined && sum(name) > (grant[name] ?? 0));
  if (short.length === 0) return undefined;
  const need = Object.fromEntries(
    DIMENSIONS.flatMap((name) => (grant[name] === undefined ? [] : [[name, Math.max(sum(name), grant[name] ?? 0)]])),
  );
  const text = short.map((name) => `${sum(name)} ${name} where ${grant[name] ?? 0} are granted`).join(", ");
  return wireFault("budget.exhausted", `the next call could bring it to ${text}`, { grant: plainJson(grant), spent, need });
}

function spentAmounts(spent: Spent = NOTHING_SPENT): Amounts {
  const models = Object.values(spent.models);
  const sum = (of: (one: ModelSpent) => number): number => models.reduce((total, one) => total + of(one), 0);
  return {
    tokens: sum((one) => one.inputTokens + one.outputTokens),
    costMicros: sum((one) => one.costMicros),
    modelCalls: sum((one) => one.modelCalls),
    toolCalls: spent.toolCalls,
  };
}

function amountsOf({ inputTokens, outputTokens, costMicros = 0 }: Reservation): Amounts {
  return { tokens: inputTokens + outputTokens, costMicros, modelCalls: 1, toolCalls: 0 };
}
