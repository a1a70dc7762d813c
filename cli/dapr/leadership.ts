/**
 * @module Whether the scheduler can set reminders, and the removal of the claim that a killed one left behind.
 *
 * Work-around for go-etcd-cron 0.12.6 (in dapr 1.18.2), internal/leadership/leadership.go. Each scheduler holds a key in its
 * etcd under a lease of 20 s. A killed scheduler leaves the key; the next one waits for the lease to expire and accepts no
 * reminder until then (measured: 23 s), although /healthz answers 200. This scheduler is the only one on its data, and the folder
 * lock proves that the earlier one is dead, so its lease is revoked. That is free of races: revoking removes the key only while
 * it belongs to the dead lease.
 */
import { z } from "zod";
import { LOOPBACK } from "./ports.ts";

const REQUEST_TIMEOUT_MS = 1_000;
const keysSchema = z.object({ kvs: z.array(z.object({ lease: z.string().default("0") })).default([]) });
const leasesSchema = z.object({ leases: z.array(z.object({ ID: z.string().regex(/^\d+$/) })).default([]) });

/** An etcd lease id: 16 bits of member, 40 bits of the start time in milliseconds, 8 bits of counter (etcd 3.5 pkg/idutil/id.go). */
const LEASE_COUNTER_BITS = 8n;
const LEASE_TIME_BITS = 40;

/**
 * Whether the scheduler `id`, launched at `launchedAtMs`, leads. Removes the claim of a dead scheduler first.
 */
export async function schedulerLeads(etcdPort: number, id: string, launchedAtMs: number): Promise<boolean> {
  try {
    const key = Buffer.from(`dapr/leadership/${id}`).toString("base64");
    const holder = keysSchema.parse(await post(etcdPort, "/v3/kv/range", { key, keys_only: true })).kvs[0]?.lease;
    if (holder === undefined) return false;
    if (grantedAfter(BigInt(holder), launchedAtMs)) return true;
    const { leases } = leasesSchema.parse(await post(etcdPort, "/v3/lease/leases", {}));
    // Once the new scheduler has a lease of its own, any other holder is the dead one.
    if (leases.some((lease) => grantedAfter(BigInt(lease.ID), launchedAtMs))) await post(etcdPort, "/v3/lease/revoke", { ID: holder });
    return false;
  } catch {
    // etcd does not answer yet.
    return false;
  }
}

/** Whether a lease comes from an etcd that started at or after `time`. The 40-bit times wrap around. */
function grantedAfter(lease: bigint, time: number): boolean {
  const started = BigInt.asUintN(LEASE_TIME_BITS, lease >> LEASE_COUNTER_BITS);
  return BigInt.asIntN(LEASE_TIME_BITS, started - BigInt(time)) >= 0n;
}

async function post(etcdPort: number, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`http://${LOOPBACK}:${etcdPort}${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  return response.json();
}
