/**
 * @module Breakers of tools that want one: while most calls of a tool fail, its further calls fail at once, and the far side has a rest.
 */
import type { ToolDefinition } from "../../agents/tool.ts";
import { Fault, faultFromUserCode, isRetryable } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { Breaker } from "../engine/breaker.ts";
import type { Clock } from "../engine/ports.ts";

/** One breaker for each tool, over all actors of the hosts with that clock. */
const breakers = new WeakMap<Clock, WeakMap<ToolDefinition, Breaker>>();

/** Makes a call unless the breaker of its tool is open. @throws `tool.unavailable` */
export async function withBreaker<T>(tool: ToolDefinition, clock: Clock, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  if (!tool.breaker) return call();
  const breaker = breakerOf(tool, clock);
  const nowMs = clock.nowMs();
  const { freeAtMs } = breaker;
  if (freeAtMs > nowMs) {
    const retryAfterMs = Number.isFinite(freeAtMs) ? freeAtMs - nowMs : LIMITS.breakerPauseMs;
    const text = `most of the last calls of tool ${JSON.stringify(tool.name)} failed; this one was not made`;
    throw new Fault("tool.unavailable", text, { tool: tool.name }, { retryAfterMs });
  }
  return breaker.run(call, (error) => {
    if (signal.aborted) return "unknown";
    return isRetryable(faultFromUserCode(error)) ? "failed" : "answered";
  });
}

function breakerOf(tool: ToolDefinition, clock: Clock): Breaker {
  const known = breakers.get(clock) ?? new WeakMap<ToolDefinition, Breaker>();
  breakers.set(clock, known);
  const breaker = known.get(tool) ?? new Breaker({ clock });
  known.set(tool, breaker);
  return breaker;
}
