/** @module What to do about each fault of the system, by its code. Pure. */
import { FAULTS } from "../../../runtime/faults/table.ts";

/** What to do, by code. Codes of the system's own are not in it. */
export const FAULT_FIXES: Readonly<Record<string, string | undefined>> = Object.fromEntries(
  Object.entries(FAULTS).map(([code, { fix }]) => [code, fix]),
);
