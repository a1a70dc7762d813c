/**
 * @module Telemetry points: spans for task, turn, message and effect, in one trace per task. No payloads.
 *
 * Only `@opentelemetry/api` is used, so nothing is measured or sent unless the application installs an SDK. The trace
 * context travels in messages and stands in the journal: it survives queues, alarms, retries and restarts.
 */
import { type Attributes, context, type Context, isSpanContextValid, ProxyTracer, SpanKind, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import { isFault } from "../runtime/faults.ts";
import type { Trace } from "../runtime/protocol.ts";
import type { Chance } from "./ports.ts";

const TRACER = "troupe";
const HEX_TRACE_LENGTH = 32;
const HEX_SPAN_LENGTH = 16;

/** Names of spans. */
export const SPAN = { task: "troupe.task", turn: "troupe.turn", message: "troupe.message", effect: "troupe.effect" } as const;
/** Names of the attributes of spans. Those that do not begin with `troupe` are OpenTelemetry's own. */
export const ATTRIBUTE = {
  process: "troupe.process.id",
  route: "troupe.route",
  message: "troupe.message.id",
  kind: "troupe.message.kind",
  actor: "troupe.actor",
  effect: "troupe.effect.kind",
  work: "troupe.work.id",
  agent: "gen_ai.agent.name",
  sequence: "troupe.journal.sequence",
  fault: "error.type",
} as const;

/** A trace context of its own: for tasks that come with none while no SDK is installed. */
export function freshTrace(chance: Chance): Trace {
  return { traceparent: `00-${hex(chance, HEX_TRACE_LENGTH)}-${hex(chance, HEX_SPAN_LENGTH)}-01` };
}

function hex(chance: Chance, length: number): string {
  let text = "";
  while (text.length < length) text += Math.floor(chance.jitter01() * 0x1_0000_0000).toString(16).padStart(8, "0");
  // All zeros is no valid id in W3C Trace Context.
  return /^0+$/.test(text) ? `${"0".repeat(length - 1)}1` : text.slice(0, length);
}

/** The OpenTelemetry context of a trace context that came in a message. */
function contextOf(parent: Trace): Context {
  const [, traceId = "", spanId = "", flags = "00"] = parent.traceparent.split("-");
  return trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true });
}

/** Runs something in a span under a message's trace. A thrown value marks the span and is thrown on. */
export async function inSpan<T>(name: string, parent: Trace, attributes: Attributes, action: () => Promise<T>): Promise<T> {
  const tracer = trace.getTracer(TRACER);
  // The stand-in of an SDK that is not there: nobody would see the span.
  if (tracer instanceof ProxyTracer) return await action();
  const parentContext = contextOf(parent);
  const span = tracer.startSpan(name, { attributes, kind: SpanKind.INTERNAL }, parentContext);
  try {
    return await context.with(trace.setSpan(parentContext, span), action);
  } catch (error) {
    span.setAttribute(ATTRIBUTE.fault, isFault(error) ? error.code : "error");
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/**
 * The trace of a new task: a span under the caller's trace when one came, else a new root. Everything that the task
 * causes hangs under it.
 */
export function taskTrace(caller: Trace | undefined, attributes: Attributes, chance: Chance): Trace {
  const parentContext = caller === undefined ? context.active() : contextOf(caller);
  const span = trace.getTracer(TRACER).startSpan(SPAN.task, { attributes, kind: SpanKind.SERVER, ...(caller === undefined ? { root: true } : {}) }, parentContext);
  const made = span.spanContext();
  span.end();
  if (!isSpanContextValid(made)) return caller ?? freshTrace(chance);
  const flags = (made.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, "0");
  return { traceparent: `00-${made.traceId}-${made.spanId}-${flags}` };
}
