/** @module Takes secrets out of faults. Servers repeat keys in their errors, and errors are recorded. */
import { Fault, type FaultCode, type Json } from "../../runtime/faults.ts";

/** Returns the fault without secrets. */
export type Hide = (fault: Fault) => Fault;

/** Shorter values are no secrets, and may be parts of ordinary words. */
const SECRET_CHARS_MIN = 6;
const HIDDEN = "[hidden]";
/** The usual forms of keys, also half masked. */
const KEYS = /\b(sk|pk|rk|key)-[A-Za-z0-9_*.-]{6,}|\bBearer\s+[A-Za-z0-9_.~+/=-]{6,}/g;

/** Makes a function that hides these secrets, and what looks like a key. */
export function hider(secrets: readonly (string | undefined)[]): Hide {
  const known = secrets.filter((secret) => secret !== undefined && secret.length >= SECRET_CHARS_MIN) as readonly string[];
  const clean = (text: string): string => known.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text).replace(KEYS, HIDDEN);
  return (fault) => {
    const { code, message, details, retryAfterMs } = fault;
    const cleaned = details === undefined ? undefined : (JSON.parse(clean(JSON.stringify(details))) as Readonly<Record<string, Json>>);
    // A fault of the table keeps its code; the cause may hold a request with its headers, so it is left behind.
    return new Fault(code as FaultCode, clean(message), cleaned, { retryAfterMs });
  };
}
