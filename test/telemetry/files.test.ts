/**
 * @module The files of components/telemetry: each metric and label that they name is exported, each exported metric is in a panel, and the
 * tools that read the files accept them, where they are on PATH (`promtool`, `otelcol`).
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Meter } from "@opentelemetry/api";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { DriftGauges } from "../../actors/telemetry/drift-gauges.ts";
import { HostMetrics } from "../../actors/telemetry/metrics.ts";
import { ATTRIBUTE, METRIC } from "../../actors/telemetry/names.ts";
import { DRIFT_KINDS } from "../../runtime/reports/runs.ts";

const DIR = join(import.meta.dirname, "..", "..", "components", "telemetry");
const read = (name: string): string => readFileSync(join(DIR, name), "utf8");

type Kind = "counter" | "gauge" | "histogram";

/** The instruments that a host makes, with their kinds and units. */
function instruments(): ReadonlyMap<string, readonly [Kind, string]> {
  const made = new Map<string, readonly [Kind, string]>();
  const make =
    (kind: Kind) =>
    (name: string, options: { readonly unit?: string } = {}): object => {
      made.set(name, [kind, options.unit ?? ""]);
      return {};
    };
  const meter = { createCounter: make("counter"), createHistogram: make("histogram"), createObservableGauge: make("gauge") };
  new HostMetrics("party", meter as unknown as Meter);
  new DriftGauges("party", meter as unknown as Meter);
  return made;
}

const underscored = (name: string): string => name.replaceAll(".", "_");

/** The names that Prometheus gives a metric which comes over OTLP: with its unit, and what its kind ends in. */
function prometheusNames(name: string, [kind, unit]: readonly [Kind, string]): readonly string[] {
  const base = `${underscored(name)}${unit === "s" ? "_seconds" : ""}`;
  if (kind === "counter") return [`${base}_total`];
  return kind === "gauge" ? [`${base}${unit === "1" ? "_ratio" : ""}`] : ["bucket", "sum", "count"].map((part) => `${base}_${part}`);
}

const MADE = instruments();
const EXPORTED = new Map([...MADE].map(([name, made]) => [name, prometheusNames(name, made)] as const));
const LABELS = new Set([...Object.values(ATTRIBUTE).map(underscored), "le", "instance"]);

const Dashboard = z.looseObject({
  panels: z.array(
    z.looseObject({
      id: z.int(),
      type: z.string(),
      title: z.string().min(1),
      gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
      targets: z
        .array(
          z.object({
            refId: z.string(),
            datasource: z.object({ uid: z.literal("${source}"), type: z.string() }),
            expr: z.string(),
            interval: z.string().optional(),
            legendFormat: z.string(),
          }),
        )
        .default([]),
    }),
  ),
  templating: z.object({ list: z.array(z.looseObject({ name: z.string(), query: z.unknown() })) }),
});
const Rules = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Troupe[A-Z]/),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.object({ severity: z.enum(["info", "warning", "critical"]) }),
          annotations: z.object({ summary: z.string().min(1), action: z.string().min(1) }),
        }),
      ),
    }),
  ),
});

const dashboard = Dashboard.parse(JSON.parse(read("grafana/dashboard.json")));
const rules = Rules.parse(parse(read("alerts.yaml"))).groups.flatMap((group) => group.rules);
const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
const expressions = [...queries, ...rules.map(({ expr }) => expr)];

/** Names of ours in an expression: metrics and labels. */
const named = (expr: string): readonly string[] => expr.match(/\b(?:troupe|gen_ai)_\w+/g) ?? [];

describe("the dashboard and the alert rules", () => {
  test("name only metrics and labels that are exported", () => {
    const metrics = new Set([...EXPORTED.values()].flat());
    for (const expr of expressions) {
      const unknown = named(expr).filter((name) => !metrics.has(name) && !LABELS.has(name));
      expect(unknown, expr).toEqual([]);
      expect(
        named(expr).some((name) => metrics.has(name)),
        expr,
      ).toBe(true);
    }
    for (const [, names] of rules.map(({ annotations }) => [0, annotations.summary.match(/\$labels\.(\w+)/g) ?? []] as const))
      for (const label of names) expect(LABELS).toContain(label.replace("$labels.", ""));
  });

  test("each metric of names.ts is made by a host, and is in a panel", () => {
    expect([...MADE.keys()].toSorted()).toEqual(Object.values(METRIC).toSorted());
    const shown = new Set(queries.flatMap(named));
    const missing = [...EXPORTED].filter(([, names]) => !names.some((name) => shown.has(name))).map(([name]) => name);
    expect(missing).toEqual([]);
  });

  test("rates are taken over at least two exports of a host, which are a minute apart", () => {
    const targets = dashboard.panels.flatMap((panel) => panel.targets).filter(({ expr }) => /\brate\(/.test(expr));
    expect(targets.length).toBeGreaterThan(10);
    // Grafana makes four times the interval of it. Without one it takes 15 s, so a rate has one value, and its panel is empty.
    for (const { expr, interval } of targets) expect([expr, interval]).toEqual([expect.stringContaining("[$__rate_interval]"), "1m"]);
    const Sources = z.object({ datasources: z.array(z.looseObject({ jsonData: z.object({ timeInterval: z.string() }).optional() })) });
    expect(Sources.parse(parse(read("grafana/datasource.yaml"))).datasources[0]?.jsonData?.timeInterval).toBe("1m");
  });

  test("panels have ids and places of their own, and the choice of kinds is complete", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size, "no two panels overlap").toBe(cells.length);
    expect(dashboard.templating.list.find(({ name }) => name === "kind")?.query).toBe(DRIFT_KINDS.join(","));
  });

  test.skipIf(spawnSync("promtool", ["--version"]).status !== 0)("promtool accepts the rules, the configuration and every query", () => {
    const rulesChecked = spawnSync("promtool", ["check", "rules", "--lint=all", join(DIR, "alerts.yaml")], { encoding: "utf8" });
    expect([rulesChecked.status, rulesChecked.stderr]).toEqual([0, expect.any(String)]);
    const config = spawnSync("promtool", ["check", "config", join(DIR, "prometheus.yaml")], { encoding: "utf8" });
    expect([config.status, config.stderr]).toEqual([0, expect.any(String)]);
    const asRules = {
      groups: [
        { name: "q", rules: queries.map((expr, index) => ({ record: `q:${index}`, expr: expr.replaceAll("$__rate_interval", "5m") })) },
      ],
    };
    const asked = spawnSync("promtool", ["check", "rules", "--lint=none"], { input: JSON.stringify(asRules), encoding: "utf8" });
    expect([asked.status, asked.stderr]).toEqual([0, expect.any(String)]);
    const fired = spawnSync("promtool", ["test", "rules", join(import.meta.dirname, "alerts.test.yaml")], { encoding: "utf8" });
    expect([fired.status, fired.stdout + fired.stderr]).toEqual([0, expect.stringContaining("SUCCESS")]);
  });
});

const Collector = z.object({
  receivers: z.record(z.string(), z.unknown()),
  processors: z.record(z.string(), z.unknown()),
  exporters: z.record(z.string(), z.unknown()),
  service: z.looseObject({
    pipelines: z.record(
      z.string(),
      z.strictObject({ receivers: z.array(z.string()), processors: z.array(z.string()), exporters: z.array(z.string()) }),
    ),
  }),
});

describe("the configuration of the collector", () => {
  test("has a pipeline for traces, metrics and logs, of parts that it defines and uses", () => {
    const { receivers, processors, exporters, service } = Collector.parse(parse(read("collector.yaml")));
    expect(Object.keys(service.pipelines).toSorted()).toEqual(["logs", "metrics", "traces"]);
    const used = Object.values(service.pipelines);
    for (const [part, defined] of [
      ["receivers", receivers],
      ["processors", processors],
      ["exporters", exporters],
    ] as const)
      expect(new Set(used.flatMap((one) => one[part]))).toEqual(new Set(Object.keys(defined)));
    for (const { processors: order } of used) expect(order[0]).toBe("memory_limiter");
  });

  test.skipIf(spawnSync("otelcol", ["--version"]).status !== 0)("the collector accepts it", () => {
    const { status, stderr } = spawnSync("otelcol", ["validate", "--config", join(DIR, "collector.yaml")], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
  });

  test("the recipe mounts only files that exist", () => {
    const Compose = z.object({ services: z.record(z.string(), z.looseObject({ volumes: z.array(z.string()).default([]) })) });
    const mounts = Object.values(Compose.parse(parse(read("compose.yaml"))).services).flatMap(({ volumes }) => volumes);
    expect(mounts.length).toBeGreaterThan(3);
    for (const mount of mounts) expect(read(mount.split(":")[0] ?? "")).not.toBe("");
  });
});
