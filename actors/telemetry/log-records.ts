/**
 * @module Lines of the log as OpenTelemetry's log records, in the trace that they name. They are sent only if the environment asks for
 * logs over OTLP; the lines on standard output stay.
 */
import { type AnyValue, context, type Context, isValidTraceId, logs, SeverityNumber, trace, TraceFlags } from "@opentelemetry/api";
import { entryOf } from "../../runtime/entries.ts";
import { ATTRIBUTE } from "./names.ts";

/** Levels of pino, by number. */
const SEVERITIES: Readonly<Record<number, readonly [SeverityNumber, string]>> = {
  10: [SeverityNumber.TRACE, "TRACE"],
  20: [SeverityNumber.DEBUG, "DEBUG"],
  30: [SeverityNumber.INFO, "INFO"],
  40: [SeverityNumber.WARN, "WARN"],
  50: [SeverityNumber.ERROR, "ERROR"],
  60: [SeverityNumber.FATAL, "FATAL"],
};
const SPAN_DIGITS = 16;
/** Names of facts that spans have, too. */
const NAMES: Readonly<Record<string, string>> = {
  ...{ processId: ATTRIBUTE.process, messageId: ATTRIBUTE.message, workId: ATTRIBUTE.work, route: ATTRIBUTE.route },
  ...{ agent: ATTRIBUTE.agent, status: ATTRIBUTE.status, code: ATTRIBUTE.fault, attempt: ATTRIBUTE.attempt },
};
const OWN_PREFIX = "troupe.log.";
/** Parts of a line that are fields of the record. */
const FIELDS: readonly string[] = ["level", "time", "msg", "traceId", "err", "fault"];

/** Emits the record of a line of pino. A text that is no such line is left out. */
export function emitLine(line: string): void {
  const facts = factsOf(line);
  if (facts === undefined) return;
  const [severityNumber, severityText] = SEVERITIES[Number(facts["level"])] ?? [SeverityNumber.INFO, "INFO"];
  logs.getLogger("troupe").emit({
    ...{ timestamp: Number(facts["time"]), severityNumber, severityText, body: String(facts["msg"] ?? "") },
    attributes: attributesOf(facts),
    context: contextIn(facts["traceId"]),
  });
}

type Facts = Readonly<Record<string, unknown>>;

function isFacts(value: unknown): value is Facts {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function factsOf(line: string): Facts | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return isFacts(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function attributesOf(facts: Facts): Record<string, AnyValue> {
  const { err, fault } = facts;
  const attributes = new Map<string, AnyValue>();
  for (const [name, value] of Object.entries(facts)) {
    if (FIELDS.includes(name)) continue;
    const key = entryOf(NAMES, name) ?? `${OWN_PREFIX}${name}`;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") attributes.set(key, value);
    else if (value !== undefined && value !== null) attributes.set(key, JSON.stringify(value));
  }
  const named = Object.fromEntries(attributes);
  if (isFacts(fault)) Object.assign(named, { [ATTRIBUTE.fault]: String(fault["code"]), "exception.message": String(fault["message"]) });
  if (isFacts(err))
    Object.assign(named, {
      "exception.type": String(err["type"]),
      "exception.message": String(err["message"]),
      "exception.stacktrace": String(err["stack"]),
    });
  return named;
}

/** The context of a record: the active span if it is in the trace; else one in which only the trace is known. */
function contextIn(traceId: unknown): Context {
  const active = context.active();
  if (typeof traceId !== "string" || !isValidTraceId(traceId) || trace.getSpanContext(active)?.traceId === traceId) return active;
  // The SDK takes no trace id without a span id, so the beginning of the trace id stands for a span that is not known.
  return trace.setSpanContext(active, { traceId, spanId: traceId.slice(0, SPAN_DIGITS), traceFlags: TraceFlags.SAMPLED, isRemote: true });
}
