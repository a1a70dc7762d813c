/**
 * @module The listener identity of hosts on Linux, derived from the port they listen on. Separate from listener-identity.ts because it
 * reads files.
 */
import cluster from "node:cluster";
import { readFileSync, readlinkSync } from "node:fs";
import { hashText } from "../../runtime/canonical.ts";

/** Length of a listener identity. Every record contains it, so it is only long enough to tell the hosts of one state store apart. */
const IDENTITY_CHARS = 12;

/** The listener identity for a port that the host is about to listen on. `undefined` where it cannot be known to be unique. */
export function listenerOf(host: string, port: number): string | undefined {
  // Workers of a cluster share a port, and port 0 is not assigned yet.
  if (port === 0 || cluster.isWorker) return undefined;
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return hashText(`${boot} ${readlinkSync("/proc/self/ns/net")} ${host}:${port}`).slice(0, IDENTITY_CHARS);
  } catch {
    // Not Linux, or no /proc: hosts are told apart by their heartbeats alone.
    return undefined;
  }
}
