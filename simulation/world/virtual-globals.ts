/**
 * @module Timers, time and chance of user code in a simulation: virtual, and from the seed.
 *
 * Handlers should use `ctx.now()` and `ctx.uuid()`, but a naive one calls `setTimeout`, `Date.now` or `Math.random`. Code
 * that runs in a handler of a simulated host gets the world's; all other code gets the real ones.
 */
import { place } from "./life.ts";

/** Replaces the globals; the result puts them back. */
export function virtualGlobals(): () => void {
  const real = { setTimeout: globalThis.setTimeout, now: Date.now, random: Math.random };
  const fake = (callback: (...args: readonly unknown[]) => void, delayMs = 0, ...args: readonly unknown[]): unknown => {
    const at = place.getStore();
    if (at === undefined) return real.setTimeout(() => callback(...args), delayMs);
    return at.life.ports?.clock.after(delayMs, () => place.run(at, () => callback(...args)));
  };
  globalThis.setTimeout = Object.assign(fake, real.setTimeout) as unknown as typeof globalThis.setTimeout;
  Date.now = () => place.getStore()?.life.ports?.clock.nowMs() ?? real.now();
  Math.random = () => place.getStore()?.life.ports?.random.jitter01() ?? real.random();
  return () => {
    globalThis.setTimeout = real.setTimeout;
    Date.now = real.now;
    Math.random = real.random;
  };
}
