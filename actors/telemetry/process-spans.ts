/**
 * @module The spans of a whole process, told by its records: its waits, its reopening, and its end.
 *
 * A wait may take days, and the host that saw it begin may be gone at its end. So no span is open meanwhile: a short span says that a wait
 * began, and another one that it ended, after how long, with a link to what ended it. The span `invoke_workflow` is told at the end of a
 * run, from its beginning to its end.
 */
import { type Attributes, type Link, ProxyTracer, type Span, SpanKind, SpanStatusCode, trace, context } from "@opentelemetry/api";
import { entryOf } from "../../runtime/entries.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Wait } from "../../runtime/process/wait.ts";
import { ATTRIBUTE, INVOKE_WORKFLOW, SPAN } from "./names.ts";
import { contextOf } from "./spans.ts";

const TRACER = "troupe";
const MS_PER_SECOND = 1_000;

/** Tells what a record changed in a process. It costs nothing if no SDK is installed. */
export function traceProcess(before: ProcessState, after: ProcessState, nowMs: number): void {
  const { task } = after;
  if (task === undefined || trace.getTracer(TRACER) instanceof ProxyTracer) return;
  const facts = { [ATTRIBUTE.process]: after.id, [ATTRIBUTE.route]: task.route, [ATTRIBUTE.run]: after.run };
  if (before.waits !== after.waits) traceWaits(before, after, facts, nowMs);
  if (before.phase === "ended" && after.phase === "open") instant(SPAN.reopened, after, { ...facts, ...actFacts(after) }, nowMs);
  if (before.outcome !== after.outcome && after.outcome !== undefined && after.phase === "ended") traceEnd(after, facts);
}

function traceWaits(before: ProcessState, after: ProcessState, facts: Attributes, nowMs: number): void {
  for (const wait of Object.values(after.waits ?? {}))
    if (entryOf(before.waits ?? {}, wait.id) === undefined) instant(SPAN.wait, after, { ...facts, ...waitFacts(after.id, wait) }, nowMs);
  for (const wait of Object.values(before.waits ?? {})) {
    if (entryOf(after.waits ?? {}, wait.id) !== undefined) continue;
    const seconds = Math.max(0, nowMs - wait.begunAtMs) / MS_PER_SECOND;
    instant(SPAN.waitEnded, after, { ...facts, ...waitFacts(after.id, wait), [ATTRIBUTE.waitSeconds]: seconds }, nowMs);
  }
}

function waitFacts(processId: string, { stop, for: of }: Wait): Attributes {
  return {
    [ATTRIBUTE.waitKind]: of.kind,
    [ATTRIBUTE.stop]: stop,
    ...(of.kind === "person" ? { [ATTRIBUTE.request]: `${processId}.r${of.count}` } : {}),
    ...(of.kind === "person" && of.person !== undefined ? { [ATTRIBUTE.person]: of.person } : {}),
  };
}

function actFacts({ acts, run }: ProcessState): Attributes {
  const act = acts?.find(({ opened }) => opened === run);
  return act === undefined ? {} : { [ATTRIBUTE.act]: act.what };
}

/** A span without length in the trace of the task, with a link to the span that runs now: the turn of what caused it. */
function instant(name: string, { task }: ProcessState, attributes: Attributes, atMs: number): void {
  if (task === undefined) return;
  begun(name, task, attributes, atMs, causes()).end(atMs);
}

function causes(): Link[] {
  const cause = trace.getSpanContext(context.active());
  return cause === undefined ? [] : [{ context: cause }];
}

function begun(name: string, task: NonNullable<ProcessState["task"]>, attributes: Attributes, startTime: number, links: Link[]): Span {
  return trace.getTracer(TRACER).startSpan(name, { attributes, kind: SpanKind.INTERNAL, startTime, links }, contextOf(task.trace));
}

/** The run that ended, from its beginning on. A redriven one links to the task that it continues. */
function traceEnd(state: ProcessState, facts: Attributes): void {
  const { task, outcome, run, acts } = state;
  if (task === undefined || outcome === undefined) return;
  const atMs = acts?.find(({ opened }) => opened === run)?.atMs ?? task.acceptedAtMs;
  const code = outcome.fault?.code;
  const attributes = {
    ...facts,
    [ATTRIBUTE.operation]: INVOKE_WORKFLOW,
    [ATTRIBUTE.workflow]: task.route,
    [ATTRIBUTE.conversation]: state.id,
    [ATTRIBUTE.status]: outcome.status,
    ...(code === undefined ? {} : { [ATTRIBUTE.fault]: code }),
  };
  const origin = trace.getSpanContext(contextOf(task.trace));
  const links = run > 1 && origin !== undefined ? [{ context: origin, attributes: { [ATTRIBUTE.link]: "redrive of" } }] : [];
  const span = begun(`${INVOKE_WORKFLOW} ${task.route}`, task, attributes, atMs, links);
  if (code !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(Math.max(atMs, outcome.atMs));
}
