/**
 * @module Tracing: spans for task, turn, message and effect, in one trace per task. No payloads.
 *
 * Only `@opentelemetry/api` is used, so nothing is measured or sent unless the application installs an SDK. The trace
 * context travels in messages and is stored in the journal, so it survives queues, reminders, retries and restarts.
 */
import {
  type Attributes,
  context,
  type Context,
  isSpanContextValid,
  ProxyTracer,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import { isFault } from "../../runtime/faults.ts";
import type { Trace } from "../../runtime/protocol.ts";
import type { RandomSource } from "../engine/ports.ts";
import { ATTRIBUTE, SPAN } from "./names.ts";

const TRACER = "troupe";
const HEX_TRACE_LENGTH = 32;
const HEX_SPAN_LENGTH = 16;

/** A new trace context, for tasks that come without one while no SDK is installed. */
export function freshTrace(random: RandomSource): Trace {
  return { traceparent: `00-${hex(random, HEX_TRACE_LENGTH)}-${hex(random, HEX_SPAN_LENGTH)}-01` };
}

/** A new trace context that samplers leave out by default: of a run that is none of the system, such as a fork. */
export function unsampledTrace(random: RandomSource): Trace {
  return { traceparent: `${freshTrace(random).traceparent.slice(0, -2)}00` };
}

function hex(random: RandomSource, length: number): string {
  let text = "";
  while (text.length < length) {
    const bits = Math.floor(random.jitter01() * 0x1_0000_0000);
    text += hexHalf(bits >>> 16) + hexHalf(bits & 0xffff);
  }
  // An id of only zeros is invalid in W3C Trace Context.
  return /^0+$/.test(text) ? `${"0".repeat(length - 1)}1` : text.slice(0, length);
}

/** Formats 16 bits as four hexadecimal digits. Small integers are formatted several times as fast as large ones. */
function hexHalf(bits: number): string {
  return (0x1_0000 + bits).toString(16).slice(1);
}

/** The OpenTelemetry context of a message's trace context. */
export function contextOf(parent: Trace): Context {
  const [, traceId = "", spanId = "", flags = "00"] = parent.traceparent.split("-");
  return trace.setSpanContext(context.active(), {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  });
}

/**
 * Runs an action in a span under a message's trace. A thrown value marks the span and is rethrown. `faultOf` extracts the code of a fault
 * that is a result. `linked` is another trace that led to it.
 */
export function inSpan<T>(
  name: string,
  parent: Trace,
  attributes: Attributes,
  action: () => Promise<T>,
  faultOf?: (result: T) => string | undefined,
  linked?: Trace,
): Promise<T> {
  const tracer = trace.getTracer(TRACER);
  // A ProxyTracer stands in for an SDK that is not installed; its spans go nowhere.
  return tracer instanceof ProxyTracer ? action() : seen({ tracer, name, parent, attributes, linked }, action, faultOf);
}

interface Seen {
  readonly tracer: Tracer;
  readonly name: string;
  readonly parent: Trace;
  readonly attributes: Attributes;
  readonly linked: Trace | undefined;
}

function seen<T>(
  { tracer, name, parent, attributes, linked }: Seen,
  action: () => Promise<T>,
  faultOf?: (result: T) => string | undefined,
): Promise<T> {
  const parentContext = contextOf(parent);
  const linkedContext = linked && trace.getSpanContext(contextOf(linked));
  const links = linkedContext === undefined ? [] : [{ context: linkedContext }];
  const span = tracer.startSpan(name, { attributes, kind: SpanKind.INTERNAL, links }, parentContext);
  return within(span, parentContext, action, (result) => {
    const code = faultOf?.(result);
    if (code !== undefined) markFault(span, code);
  });
}

/** Runs an action in a span that has begun, and ends the span. `ended` may add what the result says. */
async function within<T>(span: Span, parentContext: Context, action: () => Promise<T>, ended: (result: T) => void): Promise<T> {
  try {
    const result = await context.with(trace.setSpan(parentContext, span), action);
    ended(result);
    return result;
  } catch (error) {
    markFault(span, isFault(error) ? error.code : "error");
    throw error;
  } finally {
    span.end();
  }
}

function markFault(span: Span, code: string): void {
  span.setAttribute(ATTRIBUTE.fault, code);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** A span of one call. The attributes of its beginning and of its result are computed only if a tracer is installed. */
export interface CallSpan<T> {
  readonly name: string;
  readonly kind: "client" | "internal";
  readonly begun: () => Attributes;
  readonly ended: (result: T) => Attributes;
}

/** Runs a call in a span under the active one, else under a message's trace. A thrown value marks the span and is rethrown. */
export async function inCallSpan<T>(parent: Trace, { name, kind, begun, ended }: CallSpan<T>, action: () => Promise<T>): Promise<T> {
  const tracer = trace.getTracer(TRACER);
  if (tracer instanceof ProxyTracer) return action();
  const parentContext = trace.getSpan(context.active()) === undefined ? contextOf(parent) : context.active();
  const span = tracer.startSpan(
    name,
    { attributes: begun(), kind: kind === "client" ? SpanKind.CLIENT : SpanKind.INTERNAL },
    parentContext,
  );
  return within(span, parentContext, action, (result) => void span.setAttributes(ended(result)));
}

/** The trace of a new task: a span under the caller's trace if there is one, else a new root. All spans of the task are its descendants. */
export function taskTrace(caller: Trace | undefined, attributes: Attributes, random: RandomSource): Trace {
  const parentContext = caller === undefined ? context.active() : contextOf(caller);
  const span = trace
    .getTracer(TRACER)
    .startSpan(SPAN.task, { attributes, kind: SpanKind.SERVER, ...(caller === undefined ? { root: true } : {}) }, parentContext);
  span.end();
  return traceOf(span) ?? caller ?? freshTrace(random);
}

/** What leads to an act on a process: the trace context of its task, and that of the caller. */
export interface ActOn {
  readonly process: string | undefined;
  readonly caller: Trace | undefined;
}

/**
 * The trace of an act on a process: a span in the trace of its task, with a link to the trace of the caller. An act on a process that is
 * not known is in the trace of the caller.
 */
export function actTrace({ process, caller }: ActOn, attributes: Attributes, random: RandomSource): Trace {
  if (process === undefined) return caller ?? freshTrace(random);
  const within = { traceparent: process };
  const linked = caller && trace.getSpanContext(contextOf(caller));
  const links = linked === undefined ? [] : [{ context: linked }];
  const span = trace.getTracer(TRACER).startSpan(SPAN.decision, { attributes, kind: SpanKind.SERVER, links }, contextOf(within));
  span.end();
  return traceOf(span) ?? within;
}

/** The trace context of a span; undefined if no SDK is installed. */
function traceOf(span: Span): Trace | undefined {
  const made = span.spanContext();
  if (!isSpanContextValid(made)) return undefined;
  const flags = (made.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, "0");
  return { traceparent: `00-${made.traceId}-${made.spanId}-${flags}` };
}
