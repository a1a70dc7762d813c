/** @module Gauges of coordination drift, by route and kind. Versions are not attributes: there may be many. */
import { createNoopMeter, type Meter, metrics, type ObservableGauge, type ObservableResult } from "@opentelemetry/api";
import { LIMITS } from "../../runtime/limits.ts";
import type { DriftLine, DriftView } from "../../runtime/overview.ts";
import { DRIFT_KINDS, type DriftKind } from "../../runtime/reports/runs.ts";
import { ATTRIBUTE, METRIC } from "./names.ts";

/** The gauges of one host; every host of a system has the same values. */
export class DriftGauges {
  /** False if no SDK is installed: then no reader takes them. */
  readonly on: boolean;
  readonly #system: string;
  readonly #mean: ObservableGauge;
  readonly #drifted: ObservableGauge;
  #routes: ReadonlyMap<string, readonly DriftLine[]> = new Map();

  constructor(system: string, meter: Meter = metrics.getMeter("troupe")) {
    this.#system = system;
    this.on = meter !== createNoopMeter();
    this.#mean = meter.createObservableGauge(METRIC.driftMean, {
      description: "Mean per ended process of the last hour and of the day before it, by route and kind; durations in ms, costs in USD",
    });
    this.#drifted = meter.createObservableGauge(METRIC.drifted, {
      description: "Versions of a route for which a kind has drifted, by route and kind",
      unit: "{version}",
    });
  }

  /** Observes until the returned function is called. */
  watch(): () => void {
    const mean = (result: ObservableResult): void =>
      this.#each((route, lines, kind) => {
        const of = { [ATTRIBUTE.system]: this.#system, [ATTRIBUTE.route]: route, [ATTRIBUTE.driftKind]: kind };
        result.observe(
          meanOf(lines, (line) => [line[kind].now, line.processes]),
          { ...of, [ATTRIBUTE.driftTime]: "window" },
        );
        result.observe(
          meanOf(lines, (line) => [line[kind].before, line.processesBefore]),
          { ...of, [ATTRIBUTE.driftTime]: "baseline" },
        );
      });
    const drifted = (result: ObservableResult): void =>
      this.#each((route, lines, kind) => {
        const of = { [ATTRIBUTE.system]: this.#system, [ATTRIBUTE.route]: route, [ATTRIBUTE.driftKind]: kind };
        result.observe(lines.filter((line) => line[kind].drifted).length, of);
      });
    this.#mean.addCallback(mean);
    this.#drifted.addCallback(drifted);
    return () => {
      this.#mean.removeCallback(mean);
      this.#drifted.removeCallback(drifted);
    };
  }

  /** What is observed from now on. */
  note({ lines }: DriftView): void {
    const routes = new Map<string, DriftLine[]>();
    for (const line of lines) {
      const known = routes.get(line.route);
      if (known !== undefined) known.push(line);
      else if (routes.size < LIMITS.driftGaugeRoutesMax) routes.set(line.route, [line]);
    }
    this.#routes = routes;
  }

  #each(observe: (route: string, lines: readonly DriftLine[], kind: DriftKind) => void): void {
    for (const [route, lines] of this.#routes) for (const kind of DRIFT_KINDS) observe(route, lines, kind);
  }
}

/** The mean of all lines, by their processes. */
function meanOf(lines: readonly DriftLine[], of: (line: DriftLine) => readonly [mean: number, processes: number]): number {
  let [sum, all] = [0, 0];
  for (const line of lines) {
    const [mean, processes] = of(line);
    sum += mean * processes;
    all += processes;
  }
  return all === 0 ? 0 : sum / all;
}
