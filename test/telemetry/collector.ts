/** @module A minimal collector: accepts OTLP over HTTP as JSON and keeps what it received. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const POLL_MS = 50;
const STATUS_OK = 200;

const Value = z.looseObject({
  stringValue: z.string().optional(),
  intValue: z.union([z.number(), z.string()]).optional(),
  boolValue: z.boolean().optional(),
});
const Attributes = z
  .array(z.looseObject({ key: z.string(), value: Value }))
  .default([])
  .transform((list) =>
    Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? Number(value.intValue)])),
  );
const Resource = z.looseObject({ attributes: Attributes });
const SpanData = z.looseObject({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  attributes: Attributes,
  status: z.looseObject({ code: z.int().optional() }).optional(),
});
const Point = z.looseObject({
  attributes: Attributes,
  asInt: z.union([z.number(), z.string()]).optional(),
  asDouble: z.number().optional(),
  count: z.union([z.number(), z.string()]).optional(),
  sum: z.number().optional(),
});
const Points = z.looseObject({ dataPoints: z.array(Point) });
const MetricData = z.looseObject({
  name: z.string(),
  unit: z.string(),
  sum: Points.optional(),
  gauge: Points.optional(),
  histogram: Points.optional(),
});
const Traces = z.looseObject({
  resourceSpans: z.array(z.looseObject({ resource: Resource, scopeSpans: z.array(z.looseObject({ spans: z.array(SpanData) })) })),
});
const Metrics = z.looseObject({
  resourceMetrics: z.array(z.looseObject({ resource: Resource, scopeMetrics: z.array(z.looseObject({ metrics: z.array(MetricData) })) })),
});

const Logs = z.looseObject({
  resourceLogs: z.array(
    z.looseObject({
      scopeLogs: z.array(
        z.looseObject({
          logRecords: z.array(
            z.looseObject({
              traceId: z.string().optional(),
              spanId: z.string().optional(),
              severityText: z.string().optional(),
              body: Value.optional(),
              attributes: Attributes,
            }),
          ),
        }),
      ),
    }),
  ),
});

type Told = Readonly<Record<string, string | number | boolean>>;

export interface ToldSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Told;
  readonly isError: boolean;
  /** As `@opentelemetry/api` counts it. */
  readonly kind: number;
  /** The process that sent it. */
  readonly instance: string;
  readonly service: string;
}

export interface ToldPoint {
  readonly metric: string;
  readonly unit: string;
  readonly attributes: Told;
  /** Value of a counter or gauge; number of values of a histogram. */
  readonly value: number;
  readonly instance: string;
}

export interface ToldLog {
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly severity: string | undefined;
  readonly body: string | undefined;
  readonly attributes: Told;
}

const STATUS_ERROR_CODE = 2;

export class Collector {
  readonly spans: ToldSpan[] = [];
  readonly points: ToldPoint[] = [];
  readonly logs: ToldLog[] = [];
  readonly #server = createServer((request, response) => {
    void text(request).then((body) => {
      if (request.url === "/v1/traces") this.#takeTraces(body);
      if (request.url === "/v1/logs") this.#takeLogs(body);
      if (request.url === "/v1/metrics") this.#takeMetrics(body);
      response.writeHead(STATUS_OK, { "content-type": "application/json" }).end("{}");
    });
  });

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(0, "127.0.0.1", resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The environment that makes an app send to this collector soon. */
  get env(): Readonly<Record<string, string>> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: this.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_LOGS_EXPORTER: "otlp",
      OTEL_BLRP_SCHEDULE_DELAY: "100",
      OTEL_METRIC_EXPORT_INTERVAL: "250",
      OTEL_METRIC_EXPORT_TIMEOUT: "250",
    };
  }

  #takeTraces(body: string): void {
    for (const { resource, scopeSpans } of Traces.parse(JSON.parse(body)).resourceSpans) {
      const [instance, service] = [String(resource.attributes["service.instance.id"]), String(resource.attributes["service.name"])];
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          name: span.name,
          traceId: span.traceId,
          spanId: span.spanId,
          parentSpanId: span.parentSpanId,
          attributes: span.attributes,
          // OTLP counts from 1, since 0 means that it is not known.
          kind: span.kind - 1,
          isError: span.status?.code === STATUS_ERROR_CODE,
          instance,
          service,
        });
      }
    }
  }

  #takeLogs(body: string): void {
    for (const { scopeLogs } of Logs.parse(JSON.parse(body)).resourceLogs)
      for (const { traceId, spanId, severityText, body: text, attributes } of scopeLogs.flatMap(({ logRecords }) => logRecords))
        this.logs.push({ traceId, spanId, severity: severityText, body: text?.stringValue, attributes });
  }

  #takeMetrics(body: string): void {
    for (const { resource, scopeMetrics } of Metrics.parse(JSON.parse(body)).resourceMetrics) {
      const instance = String(resource.attributes["service.instance.id"]);
      for (const { name, unit, sum, gauge, histogram } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
        for (const point of (sum ?? gauge ?? histogram)?.dataPoints ?? [])
          this.points.push({
            metric: name,
            unit,
            attributes: point.attributes,
            value: Number(point.asInt ?? point.asDouble ?? point.count),
            instance,
          });
      }
    }
  }

  /** Sum of the last values of a metric over its series and processes, restricted to series with the attributes. */
  total(metric: string, attributes: Told = {}): number {
    const last = new Map<string, number>();
    for (const point of this.points) {
      const fits = point.metric === metric && Object.entries(attributes).every(([key, value]) => point.attributes[key] === value);
      if (fits) last.set(`${point.instance} ${JSON.stringify(point.attributes)}`, point.value);
    }
    return [...last.values()].reduce((sum, value) => sum + value, 0);
  }

  /** Waits until a condition on the received data is true. Throws with the received data instead. */
  async until(what: string, told: () => boolean, timeoutMs = 20_000): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (!told()) {
      if (performance.now() > end)
        throw new Error(
          `${what} was not told in ${timeoutMs} ms; metrics: ` +
            `${[...new Set(this.points.map(({ metric }) => metric))].join(", ")}; spans: ` +
            `${this.spans.map(({ name, attributes }) => `${name} ${JSON.stringify(attributes)}`).join("\n")}`,
        );
      await sleep(POLL_MS);
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
