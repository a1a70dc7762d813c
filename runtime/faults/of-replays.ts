/** @module The part of the fault table for cassettes, replays, forks, datasets and evaluations. */
import type { FaultRow } from "./row.ts";

/** Faults of cassettes, replays, forks, datasets and evaluations. */
export const REPLAYS_FAULTS = {} as const satisfies Readonly<Record<string, FaultRow>>;
