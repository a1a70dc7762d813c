/** @module A run as a Gantt chart. Zoom with the buttons, `+` and `-`, or Ctrl and the wheel; move and choose with the arrows. */
import { type CSSProperties, type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";
import type { TimelineView } from "../../../runtime/timeline.ts";
import { spanText } from "./format.ts";
import { moved, placeOf, type Row, rowsOf, type Span, ticksOf, wholeOf, zoomed } from "./gantt-shape.ts";
import { useSight } from "./virtual.ts";

const ROW_PX = 30;
const CLOSER_SHARE = 0.6;
const FARTHER_SHARE = 1 / CLOSER_SHARE;
const STEP_SHARE = 0.2;
const PERCENT = 100;
const INDENT_PX = 14;
/** The part of a lane that the length of a bar needs. */
const TEXT_SHARE = 0.25;
/** A mark of the axis that is further right has no room for its time. */
const TICK_SHARE_MAX = 0.93;

/** What is told of the kinds of bars, in the legend. */
const LEGEND: readonly (readonly [kind: string, name: string])[] = [
  ["queue", "waits in a queue"],
  ["handler", "code"],
  ["model", "model"],
  ["tool", "tool"],
  ["person", "person"],
  ["timer", "timer or signal"],
  ["retry", "retry"],
  ["undo", "undo"],
  ["paused", "paused"],
];

/** Parts of a {@link Gantt}. */
export interface GanttProps {
  readonly timeline: TimelineView;
  readonly nowMs: number;
  /** Id of the chosen bar. */
  readonly chosen: string;
  readonly choose: (id: string) => void;
}

/** The chart. */
export function Gantt({ timeline, nowMs, chosen, choose }: GanttProps): ReactNode {
  const id = useId();
  const rows = useMemo(() => rowsOf(timeline), [timeline]);
  const whole = wholeOf(timeline, nowMs);
  const [part, setPart] = useState<Span>();
  const span = part ?? whole;
  const sight = useSight(rows.length, ROW_PX);
  const index = rows.findIndex(({ bar }) => bar.id === chosen);
  const zoom = (factor: number, around?: number): void => setPart(widest(zoomed(span, factor, whole, around), whole));
  useWheel(sight.place, zoom);
  const step = (by: number): void => {
    const next = rows[Math.min(rows.length - 1, Math.max(0, index + by))];
    if (next === undefined) return;
    choose(next.bar.id);
    sight.reveal(rows.indexOf(next));
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    ArrowRight: () => setPart(widest(moved(span, STEP_SHARE, whole), whole)),
    ArrowLeft: () => setPart(widest(moved(span, -STEP_SHARE, whole), whole)),
    "+": () => zoom(CLOSER_SHARE),
    "=": () => zoom(CLOSER_SHARE),
    "-": () => zoom(FARTHER_SHARE),
    "0": () => setPart(undefined),
    Escape: () => choose(""),
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const does = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (does === undefined) return;
    event.preventDefault();
    does();
  };
  return (
    <div className="v-gantt">
      <Zoom zoom={zoom} all={() => setPart(undefined)} isAll={part === undefined} />
      <Axis span={span} beginMs={timeline.beginMs} />
      <div
        ref={sight.place}
        className="v-gantt-rows"
        role="listbox"
        aria-label="Timeline"
        tabIndex={0}
        aria-activedescendant={index < 0 ? undefined : `${id}-${index}`}
        onKeyDown={onKeyDown}
      >
        <div role="presentation" className="v-gantt-all" style={{ height: rows.length * ROW_PX }}>
          {rows.slice(sight.from, sight.to).map((row, offset) => (
            <BarRow
              key={row.bar.id}
              id={`${id}-${sight.from + offset}`}
              top={(sight.from + offset) * ROW_PX}
              {...{ row, span, nowMs, isChosen: row.bar.id === chosen, choose }}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

/** All of the run stays all of it while it grows. */
function widest(span: Span, whole: Span): Span | undefined {
  return span.toMs - span.fromMs >= whole.toMs - whole.fromMs ? undefined : span;
}

/** React listens to the wheel passively, so that the page would be zoomed too. */
function useWheel(place: { readonly current: HTMLElement | null }, zoom: (factor: number, around: number) => void): void {
  const latest = useRef(zoom);
  latest.current = zoom;
  useEffect(() => {
    const node = place.current;
    const turn = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const lane = node?.querySelector(".v-lane")?.getBoundingClientRect();
      const around = lane === undefined ? 0.5 : Math.min(1, Math.max(0, (event.clientX - lane.left) / lane.width));
      latest.current(event.deltaY > 0 ? FARTHER_SHARE : CLOSER_SHARE, around);
    };
    node?.addEventListener("wheel", turn, { passive: false });
    return () => node?.removeEventListener("wheel", turn);
  }, [place]);
}

function Zoom({
  zoom,
  all,
  isAll,
}: {
  readonly zoom: (factor: number) => void;
  readonly all: () => void;
  readonly isAll: boolean;
}): ReactNode {
  return (
    <div className="v-gantt-head">
      <ul className="v-gantt-legend">
        {LEGEND.map(([kind, name]) => (
          <li key={kind}>
            <i className={`v-swatch v-bar-${kind}`} /> {name}
          </li>
        ))}
      </ul>
      <span className="p-row">
        <button type="button" className="p-button-small" aria-label="Zoom in" title="+" onClick={() => zoom(CLOSER_SHARE)}>
          +
        </button>
        <button
          type="button"
          className="p-button-small"
          aria-label="Zoom out"
          title="-"
          onClick={() => zoom(FARTHER_SHARE)}
          disabled={isAll}
        >
          −
        </button>
        <button type="button" className="p-button-small" title="0" onClick={all} disabled={isAll}>
          All
        </button>
      </span>
    </div>
  );
}

function Axis({ span, beginMs }: { readonly span: Span; readonly beginMs: number }): ReactNode {
  const length = span.toMs - span.fromMs;
  return (
    <div className="v-gantt-axis" aria-hidden="true">
      <span />
      <div className="v-gantt-ticks">
        {ticksOf(span, beginMs).map((ms) => (
          <span key={ms} style={{ left: `${(PERCENT * (beginMs + ms - span.fromMs)) / length}%` }}>
            {ms === 0 ? "0" : (beginMs + ms - span.fromMs) / length > TICK_SHARE_MAX ? "" : spanText(ms)}
          </span>
        ))}
      </div>
    </div>
  );
}

interface BarRowProps {
  readonly id: string;
  readonly top: number;
  readonly row: Row;
  readonly span: Span;
  readonly nowMs: number;
  readonly isChosen: boolean;
  readonly choose: (id: string) => void;
}

function BarRow({ id, top, row: { bar, depth }, span, nowMs, isChosen, choose }: BarRowProps): ReactNode {
  const place = placeOf(bar, span, nowMs);
  const text = place === undefined ? undefined : textPlace(place);
  const length = spanText((bar.endMs ?? nowMs) - bar.beginMs);
  const label = `${bar.kind} ${bar.name}, ${bar.state}${bar.code === undefined ? "" : `, ${bar.code}`}, ${length}`;
  return (
    <div
      id={id}
      role="option"
      aria-selected={isChosen}
      className="v-row"
      style={{ top, height: ROW_PX }}
      onClick={() => choose(isChosen ? "" : bar.id)}
    >
      <span className="v-row-name" aria-hidden="true" style={{ paddingLeft: depth * INDENT_PX }} title={label}>
        {bar.kind === "work" || bar.kind === "model" || bar.kind === "tool" ? null : <span className="p-faint">{bar.kind} </span>}
        {bar.name === bar.kind ? "" : bar.name}
        {bar.kind === "work" && bar.stop !== bar.name ? <span className="p-faint"> {bar.stop}</span> : null}
      </span>
      <span className="p-visually-hidden">{label}</span>
      <span className="v-lane" aria-hidden="true">
        {place === undefined ? null : (
          <i
            className={`v-bar v-bar-${bar.kind}`}
            data-state={bar.state}
            style={{ left: `${PERCENT * place.left}%`, width: `${PERCENT * place.width}%` }}
          />
        )}
        {text === undefined ? null : (
          <span className="v-bar-text" style={text}>
            {length}
          </span>
        )}
      </span>
    </div>
  );
}

/** The length of a bar stands behind it, or before it; where neither has room it is left out. */
function textPlace({ left, width }: { readonly left: number; readonly width: number }): CSSProperties | undefined {
  const end = left + width;
  if (end <= 1 - TEXT_SHARE) return { left: `${PERCENT * end}%` };
  return left > TEXT_SHARE ? { right: `${PERCENT * (1 - left)}%` } : undefined;
}
