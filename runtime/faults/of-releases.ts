/** @module The part of the fault table for releases of prompts and models, and checks of answers against evidence. */
import type { FaultRow } from "./row.ts";

/** Faults of releases of prompts and models, and checks of answers against evidence. */
export const RELEASES_FAULTS = {} as const satisfies Readonly<Record<string, FaultRow>>;
