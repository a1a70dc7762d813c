/** @module A chart over time, drawn by uplot in the colours of the page. Those who cannot see it get the same numbers as a text. */
import { type ReactNode, useEffect, useRef } from "react";
import uPlot from "uplot";
import { momentText } from "./format.ts";
import { tickText } from "./hours.ts";
import "uplot/dist/uPlot.min.css";

/** One line of a chart. */
export interface Series {
  readonly name: string;
  readonly values: readonly number[];
  readonly text: (value: number) => string;
  /** As the axis has it, which is shorter. */
  readonly short?: (value: number) => string;
}

const HEIGHT_PX = 180;
const SECOND_MS = 1_000;
const COLOURS = ["--p-accent", "--p-bad-ink", "--p-warn-ink"];
/** Half of a bar at both ends, so that none is cut. */
const HALF_S = 1_800;
const BAR_SHARE = 0.7;
const BAR_PX_MAX = 40;
const BAR_PX_MIN = 2;
const HOUR_S = 3_600;
/** Steps between ticks, in hours: those of a day, and whole days. */
const TICK_HOURS = [1, 2, 3, 6, 12, 24, 48, 120, 240];
const TICK_PX_MIN = 70;

/** The chart: bars at each moment. */
export function Chart({
  title,
  atMs,
  series,
}: {
  readonly title: string;
  readonly atMs: readonly number[];
  readonly series: readonly Series[];
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const node = place.current;
    if (node === null || atMs.length === 0) return undefined;
    const chart = new uPlot(
      optionsOf(node, atMs, series),
      [atMs.map((ms) => ms / SECOND_MS), ...series.map(({ values }) => values.map(barOf))],
      node,
    );
    const watcher = new ResizeObserver(() => chart.setSize({ width: node.clientWidth, height: HEIGHT_PX }));
    watcher.observe(node);
    return () => {
      watcher.disconnect();
      chart.destroy();
    };
  }, [atMs, series]);
  return (
    <figure className="p-chart">
      <div ref={place} aria-hidden="true" />
      <figcaption className="p-visually-hidden">
        {title}.{" "}
        {atMs
          .flatMap((ms, index) => (isNothing(series, index) ? [] : [`${new Date(ms).toLocaleString()}: ${numbersAt(series, index)}`]))
          .join("; ")}
      </figcaption>
    </figure>
  );
}

/** Nothing has no bar: uPlot would draw its edge. */
function barOf(value: number): number | null {
  return value === 0 ? null : value;
}

function isNothing(series: readonly Series[], index: number): boolean {
  return series.every(({ values }) => (values[index] ?? 0) === 0);
}

function numbersAt(series: readonly Series[], index: number): string {
  return series.map(({ name, values, text }) => `${name} ${text(values[index] ?? 0)}`).join(", ");
}

function optionsOf(node: HTMLElement, atMs: readonly number[], series: readonly Series[]): uPlot.Options {
  const styles = getComputedStyle(node);
  const colour = (name: string): string => styles.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--p-faint"),
    grid: { stroke: colour("--p-line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui",
  };
  const first = series[0];
  return {
    width: node.clientWidth,
    height: HEIGHT_PX,
    cursor: { y: false, points: { show: false } },
    legend: { live: true },
    scales: {
      // From the data: uPlot widens a single moment to years.
      x: { range: () => [(atMs[0] ?? 0) / SECOND_MS - HALF_S, (atMs.at(-1) ?? 0) / SECOND_MS + HALF_S] },
      y: { range: (_plot, _min, max) => [0, max === 0 ? 1 : max * 1.1] },
    },
    axes: [
      {
        ...axis,
        incrs: TICK_HOURS.map((hours) => hours * HOUR_S),
        space: TICK_PX_MIN,
        values: (_plot, ticks) => ticks.map((second) => tickText(second * SECOND_MS)),
      },
      { ...axis, size: 52, values: (_plot, ticks) => ticks.map((tick) => (first?.short ?? first?.text)?.(tick) ?? "") },
    ],
    series: [
      { label: "Hour", value: (_plot: uPlot, second: number | null) => (second === null ? "" : momentText(second * SECOND_MS)) },
      ...series.map(({ name, text }, index) => ({
        label: name,
        stroke: colour(COLOURS[index] ?? "--p-accent"),
        fill: colour(COLOURS[index] ?? "--p-accent"),
        points: { show: false },
        ...(uPlot.paths.bars === undefined ? {} : { paths: uPlot.paths.bars({ size: [BAR_SHARE, BAR_PX_MAX, BAR_PX_MIN] }) }),
        value: (_plot: uPlot, value: number | null, _series: number, index: number | null) => (index === null ? "" : text(value ?? 0)),
      })),
    ],
  };
}
