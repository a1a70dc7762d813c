/**
 * @module The one table of faults: code, retryable, HTTP status, meaning, what to do.
 *
 * Retry decisions read the table, or for a code of the user's own what its definition says: never a message text, never
 * a chain of `instanceof`.
 */
import { HOST_FAULTS } from "./of-hosts.ts";
import { REQUEST_FAULTS } from "./of-requests.ts";
import { WORK_FAULTS } from "./of-work.ts";
import type { FaultRow } from "./row.ts";

/** Every fault of the system itself. Codes stand in records and messages, so one that was ever raised stays in the table. */
export const FAULTS = { ...REQUEST_FAULTS, ...WORK_FAULTS, ...HOST_FAULTS } as const satisfies Readonly<Record<string, FaultRow>>;

/** A code of the table, such as `stop.timeout`. */
export type FaultCode = keyof typeof FAULTS;

/** Whether a text is a code of the table. */
export function isFaultCode(text: string): text is FaultCode {
  return Object.hasOwn(FAULTS, text);
}
