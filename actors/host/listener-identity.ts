/**
 * @module The listener of a host: the place that only one living process can hold, a listening port of a machine's network.
 *
 * Whoever listens where an earlier host listened knows that the earlier one is dead, or closed its port and is on its
 * way out: a frozen process keeps its port. So its work needs no three missed heartbeats to be taken over.
 */
const MARK = "~";

/** An incarnation: a token that no other start gets, behind the listener if there is one. */
export function incarnationAt(listener: string | undefined, token: string): string {
  return listener === undefined ? token : `${listener}${MARK}${token}`;
}

/** Whether a host is gone for sure because this one sits in its listener. */
export function isGone(holder: string, incarnation: string): boolean {
  const at = holder.indexOf(MARK);
  return at > 0 && holder !== incarnation && holder.slice(0, at + 1) === incarnation.slice(0, at + 1);
}
