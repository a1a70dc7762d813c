/**
 * @module The listener identity of a host: a listening port of the machine's network, which only one living process can hold.
 *
 * A host that listens on the port of an earlier host knows that the earlier one is dead or shutting down; a frozen process
 * keeps its port. So it takes over the earlier host's work without waiting for its lease to run out.
 */
const MARK = "~";

/** Returns an incarnation: a token unique to this start, prefixed with the listener identity if there is one. */
export function incarnationAt(listener: string | undefined, token: string): string {
  return listener === undefined ? token : `${listener}${MARK}${token}`;
}

/** Whether a host is certainly gone because this host has its listener identity. */
export function isGone(holder: string, incarnation: string): boolean {
  const at = holder.indexOf(MARK);
  return at > 0 && holder !== incarnation && holder.slice(0, at + 1) === incarnation.slice(0, at + 1);
}
