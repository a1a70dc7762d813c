/**
 * @module The listener that listening on a port gives, for hosts on Linux. Apart from listener.ts, because it reads files.
 */
import cluster from "node:cluster";
import { readFileSync, readlinkSync } from "node:fs";
import { hashText } from "../../runtime/canonical.ts";

/** It stands in every record: enough to tell the hosts of one state store apart, and no more. */
const SEAT_CHARS = 12;

/** The listener of a port that is about to be listened on; undefined where it cannot be told that it is the only one of its name. */
export function listenerOf(host: string, port: number): string | undefined {
  // Workers of a cluster share a port, and port 0 is none yet.
  if (port === 0 || cluster.isWorker) return undefined;
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return hashText(`${boot} ${readlinkSync("/proc/self/ns/net")} ${host}:${port}`).slice(0, SEAT_CHARS);
  } catch {
    // No Linux, or no /proc: hosts are told apart by their heartbeats alone.
    return undefined;
  }
}
