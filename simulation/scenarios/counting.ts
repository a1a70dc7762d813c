/**
 * @module Agents that count in their state. `checks/agent-state.ts` holds that no count is lost, so each agent of a scenario
 * that has state counts in this way and returns the new count as `counted`.
 */
import { z } from "zod";

/** The part of the state that such an agent needs. */
export const COUNT = { count: z.int() };

/** Adds one to the count that the handler has read, and returns the new count. */
export function countOn<S extends { readonly count: number }>(ctx: { readonly state: S; setState(next: S): void }): number {
  const count = ctx.state.count + 1;
  ctx.setState({ ...ctx.state, count });
  return count;
}

/** Takes one from the count, as the undo of an agent does. */
export function uncountOn<S extends { readonly count: number }>(ctx: { readonly state: S; setState(next: S): void }): void {
  ctx.setState({ ...ctx.state, count: ctx.state.count - 1 });
}
