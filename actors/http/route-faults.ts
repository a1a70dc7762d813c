/** @module Groups of fault codes that routes of the HTTP API may answer. */
import { FAULTS, type FaultCode } from "../../runtime/faults.ts";

/** Faults that every route except GET /healthz may answer. */
const COMMON_FAULTS: readonly FaultCode[] = [
  "body.invalid",
  "host.unknown",
  "origin.foreign",
  "auth.token",
  "auth.role",
  "auth.too-many",
  "turn.failed",
];
/** Faults that every route that reads the journal may answer. */
export const ASKING: readonly FaultCode[] = [
  "sidecar.unavailable",
  "store.unavailable",
  "actor.busy",
  "journal.contended",
  "journal.broken-chain",
  "journal.unreadable",
  "journal.newer",
  "value.missing",
];
/** What every route may answer that changes something. */
export const CHANGING: readonly FaultCode[] = [
  "system.stopping",
  "message.too-large",
  "body.too-many",
  "message.expired",
  "index.full",
  "store.full",
  "store.read-only",
  "record.too-large",
  "value.too-large",
  ...ASKING,
];
/** What may be answered where a process is told something. */
export const TELLING: readonly FaultCode[] = ["id.invalid", "process.unknown", "process.purged", "process.ended", ...CHANGING];

/** Faults of a route, grouped by HTTP status. */
export function faultsByStatus(one: {
  readonly role: string | undefined;
  readonly content?: unknown;
  readonly faults: readonly FaultCode[];
}): ReadonlyMap<number, readonly FaultCode[]> {
  const byStatus = new Map<number, FaultCode[]>();
  const codes =
    one.role === "open" ? one.faults : [...COMMON_FAULTS.filter((code) => code !== "auth.role" || one.role !== undefined), ...one.faults];
  for (const code of new Set(one.content === undefined ? codes : [...codes, "audit.unavailable" as const])) {
    const status = FAULTS[code].httpStatus;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}
