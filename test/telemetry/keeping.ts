/** @module A tracer provider and a meter provider that keep what they are told, set through `@opentelemetry/api` as an SDK would be. */
import {
  type Attributes,
  type Context,
  type Link,
  type Meter,
  metrics,
  type Observable,
  type ObservableCallback,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type SpanOptions,
  type TimeInput,
  trace,
  TraceFlags,
  type TracerProvider,
} from "@opentelemetry/api";

export interface KeptSpan {
  readonly name: string;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly links: readonly Link[];
  readonly startMs: number | undefined;
  endMs: number | undefined;
  isError: boolean;
  ended: boolean;
}

function timeOf(time: TimeInput | undefined): number | undefined {
  return typeof time === "number" ? time : undefined;
}

/** Keeps every sampled span from now on, until `trace.disable()`: all but those whose parent is not sampled, as samplers do by default. */
export function keepSpans(): KeptSpan[] {
  const kept: KeptSpan[] = [];
  let count = 0;
  const startSpan = (name: string, options: SpanOptions = {}, context?: Context): Span => {
    const parent = options.root === true || context === undefined ? undefined : trace.getSpanContext(context);
    count += 1;
    const spanId = String(count).padStart(16, "0");
    const traceFlags = parent?.traceFlags ?? TraceFlags.SAMPLED;
    const own: SpanContext = { traceId: parent?.traceId ?? `${"a".repeat(16)}${spanId}`, spanId, traceFlags };
    const kind = options.kind ?? SpanKind.INTERNAL;
    const record: KeptSpan = {
      name,
      kind,
      context: own,
      parent,
      attributes: { ...options.attributes },
      ...{ ended: false, isError: false, links: options.links ?? [], startMs: timeOf(options.startTime), endMs: undefined },
    };
    if (traceFlags === TraceFlags.SAMPLED) kept.push(record);
    const span: Span = {
      spanContext: () => own,
      setAttribute: (key, value) => {
        record.attributes[key] = value;
        return span;
      },
      setAttributes: (attributes) => {
        Object.assign(record.attributes, attributes);
        return span;
      },
      addEvent: () => span,
      addLink: () => span,
      addLinks: () => span,
      setStatus: ({ code }) => {
        record.isError = code === SpanStatusCode.ERROR;
        return span;
      },
      updateName: () => span,
      end: (at) => {
        record.ended = true;
        record.endMs = timeOf(at);
      },
      isRecording: () => true,
      recordException: () => {},
    };
    return span;
  };
  const provider: TracerProvider = {
    getTracer: () => ({
      startSpan,
      startActiveSpan: () => {
        throw new Error("not used");
      },
    }),
  };
  trace.setGlobalTracerProvider(provider);
  return kept;
}

interface KeptValue {
  readonly metric: string;
  readonly value: number;
  readonly attributes: Attributes;
}

/** Keeps every value. */
export class KeepingMeter {
  readonly kept: KeptValue[] = [];
  readonly #gauges = new Map<ObservableCallback, string>();

  install(): void {
    const keep =
      (metric: string) =>
      (value: number, attributes: Attributes = {}): void =>
        void this.kept.push({ metric, value, attributes });
    const observable = (metric: string): Observable => ({
      addCallback: (callback) => void this.#gauges.set(callback, metric),
      removeCallback: (callback) => void this.#gauges.delete(callback),
    });
    const meter: Meter = {
      createCounter: (name) => ({ add: keep(name) }),
      createUpDownCounter: (name) => ({ add: keep(name) }),
      createHistogram: (name) => ({ record: keep(name) }),
      createGauge: (name) => ({ record: keep(name) }),
      createObservableGauge: observable,
      createObservableCounter: observable,
      createObservableUpDownCounter: observable,
      addBatchObservableCallback: () => {},
      removeBatchObservableCallback: () => {},
    };
    metrics.setGlobalMeterProvider({ getMeter: () => meter });
  }

  /** The current values of the gauges. */
  read(): readonly KeptValue[] {
    const shown: KeptValue[] = [];
    for (const [callback, metric] of this.#gauges)
      void callback({ observe: (value, attributes = {}) => void shown.push({ metric, value, attributes }) });
    return shown;
  }

  values(metric: string): readonly KeptValue[] {
    return this.kept.filter((one) => one.metric === metric);
  }
}
