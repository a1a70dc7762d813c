/** @module What an attempt of a model call has cost, from its reply or its fault. Pure. */
import { fullReservation, type Reservation } from "../agent/spending.ts";
import type { ModelSpent } from "../budget.ts";
import type { WireFault } from "../faults.ts";
import { ModelUsage } from "./conversation.ts";

/** Faults that are an answer of the provider which did no work. */
const UNPAID: ReadonlySet<string> = new Set(["model.rate-limited", "model.quota", "model.rejected", "model.unknown"]);
const STATUS_ERROR_MIN = 400;

/** The tokens that an attempt used, as far as the provider reported them. */
export function usageOfFault({ details }: WireFault): ModelUsage | undefined {
  const parsed = ModelUsage.safeParse(details?.["usage"]);
  return parsed.success ? parsed.data : undefined;
}

/** The endpoint at which an attempt failed, if its fault says so. */
export function endpointOfFault({ details }: WireFault): string | undefined {
  const endpoint = details?.["endpoint"];
  return typeof endpoint === "string" ? endpoint : undefined;
}

/**
 * Returns the cost of a failed attempt that reported no usage; undefined if it cost nothing: it was surely not sent (details
 * `sent: false`), or the provider answered that it did not do it. Anything else may have been paid for in full.
 */
export function spentOnFault(fault: WireFault, reserved: Reservation): ModelSpent | undefined {
  const { code, details } = fault;
  const status = details?.["status"];
  const isAnswered = UNPAID.has(code) || (typeof status === "number" && status >= STATUS_ERROR_MIN);
  return details?.["sent"] === false || isAnswered ? undefined : fullReservation(reserved);
}

/** Returns the cost of an attempt. Where tokens or price are not known, it is what was reserved. */
export function spentOnUsage(usage: ModelUsage | undefined, costMicros: number | undefined, reserved: Reservation): ModelSpent {
  if (usage === undefined) return fullReservation(reserved);
  return {
    modelCalls: 1,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    costMicros: costMicros ?? reserved.costMicros ?? 0,
  };
}
