/** @module The part of the fault table for what operators see and do: screens, pauses, digests, drift. */
import type { FaultRow } from "./row.ts";

/** Faults of what operators see and do: screens, pauses, digests, drift. */
export const OPERATING_FAULTS = {} as const satisfies Readonly<Record<string, FaultRow>>;
