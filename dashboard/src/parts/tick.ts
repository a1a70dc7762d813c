/** @module One clock for all times on a page that are told as "how long ago". */
import { useSyncExternalStore } from "react";

/** How often the time since a moment is told anew. */
const TICK_MS = 5_000;

const listeners = new Set<() => void>();
let ticks = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  ticks += 1;
  for (const listener of listeners) listener();
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Draws what uses it again at every tick. */
export function useTick(): void {
  useSyncExternalStore(listen, () => ticks);
}
