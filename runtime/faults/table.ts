/**
 * @module The fault table: code, retryable, HTTP status, meaning, fix.
 *
 * Retry decisions read the table or, for user-defined codes, their definition. They never read a message text or use
 * `instanceof`.
 */
import { HOST_FAULTS } from "./of-hosts.ts";
import { MCP_FAULTS } from "./of-mcp.ts";
import { MODEL_FAULTS } from "./of-models.ts";
import { OPERATING_FAULTS } from "./of-operating.ts";
import { RELEASES_FAULTS } from "./of-releases.ts";
import { REPLAYS_FAULTS } from "./of-replays.ts";
import { REQUEST_FAULTS } from "./of-requests.ts";
import { TRUST_FAULTS } from "./of-trust.ts";
import { WORK_FAULTS } from "./of-work.ts";
import type { FaultRow } from "./row.ts";

/** The faults of the system itself. Codes are stored in records and messages, so a code that was ever raised stays in the table. */
export const FAULTS = {
  ...REQUEST_FAULTS,
  ...WORK_FAULTS,
  ...HOST_FAULTS,
  ...MODEL_FAULTS,
  ...MCP_FAULTS,
  ...TRUST_FAULTS,
  ...OPERATING_FAULTS,
  ...REPLAYS_FAULTS,
  ...RELEASES_FAULTS,
} as const satisfies Readonly<Record<string, FaultRow>>;

/** A code of the table, such as `stop.timeout`. */
export type FaultCode = keyof typeof FAULTS;

/** Whether a text is a code of the table. */
export function isFaultCode(text: string): text is FaultCode {
  return Object.hasOwn(FAULTS, text);
}
