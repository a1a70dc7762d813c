/** @module The trace of a request: continued from its `traceparent`, or named here if it has none. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Trace } from "../../runtime/protocol.ts";

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** W3C Trace Context, level 2, section 3.3.1.5: the minimum length that a vendor should propagate. */
const TRACESTATE_CHARS_MAX = 512;
/** Ids of only zeros and version ff are invalid. */
const NO_TRACE = /^ff-|^..-0{32}-|-0{16}-..$/;

const traces = new WeakMap<IncomingMessage, Trace>();

/** The trace that a request brings; undefined if it brings none. Then what it begins is the root of a trace, and is sampled as one. */
export function callerTrace(request: IncomingMessage): Trace | undefined {
  const state = request.headers["tracestate"];
  return traceFrom(request.headers["traceparent"], typeof state === "string" ? state : undefined);
}

/** The trace by which the log and the error of a request can be found, the same at every call. Made here if the request brings none. */
export function traceOf(request: IncomingMessage): Trace {
  const known = traces.get(request);
  if (known !== undefined) return known;
  const trace = callerTrace(request) ?? newTrace();
  traces.set(request, trace);
  return trace;
}

/** A trace context from its two fields; undefined when they are invalid. daprd 1.18.2 fills in empty ones. */
export function traceFrom(traceparent: unknown, tracestate: unknown): Trace | undefined {
  const kept = typeof tracestate === "string" && tracestate !== "" && tracestate.length <= TRACESTATE_CHARS_MAX ? { tracestate } : {};
  const parsed = Trace.safeParse({ traceparent, ...kept });
  return parsed.success && !NO_TRACE.test(parsed.data.traceparent) ? parsed.data : undefined;
}

/** A new random trace id. */
export function newTraceId(): string {
  return randomBytes(TRACE_ID_BYTES).toString("hex");
}

function newTrace(): Trace {
  return { traceparent: `00-${newTraceId()}-${randomBytes(SPAN_ID_BYTES).toString("hex")}-01` };
}
