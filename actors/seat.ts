/**
 * @module The seat of a host: the place that only one living process can hold, a listening port of a machine's network.
 *
 * Whoever listens where an earlier host listened knows that the earlier one is dead, or closed its port and is on its
 * way out: a frozen process keeps its port. So its work needs no three missed heartbeats to be taken over.
 */
import cluster from "node:cluster";
import { readFileSync, readlinkSync } from "node:fs";
import { hashText } from "../runtime/canonical.ts";

/** It stands in every record: enough to tell the hosts of one state store apart, and no more. */
const SEAT_CHARS = 12;
const MARK = "~";

/** The seat of a port that is about to be listened on; undefined where it cannot be told that it is the only one of its name. */
export function seatOf(host: string, port: number): string | undefined {
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

/** An incarnation: a token that no other start gets, behind the seat if there is one. */
export function incarnationAt(seat: string | undefined, token: string): string {
  return seat === undefined ? token : `${seat}${MARK}${token}`;
}

/** Whether a host is gone for sure because this one sits in its seat. */
export function isGone(holder: string, incarnation: string): boolean {
  const at = holder.indexOf(MARK);
  return at > 0 && holder !== incarnation && holder.slice(0, at + 1) === incarnation.slice(0, at + 1);
}
