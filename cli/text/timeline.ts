/** @module A timeline as text: a bar for each thing that took time, on one scale. */
import type { Bar, TimelineView } from "../../runtime/timeline.ts";
import { table } from "./table.ts";

const WIDTH_CHARS = 36;
const MS_PER_SECOND = 1_000;
/** How each kind is drawn. */
const SIGNS: Readonly<Record<Bar["kind"], string>> = {
  ...{ work: "=", ask: "=", undo: "u", handler: "#", queue: ".", model: "m", tool: "t", step: "s", person: "p", timer: "z", signal: "?" },
  ...{ retry: "r", paused: "|" },
};

/** The bars of a run. */
export function timelineText({ beginMs, endMs, bars, left, begunBefore }: TimelineView, nowMs: number): string {
  const lastMs = Math.max(endMs ?? nowMs, beginMs + 1, ...bars.map(({ endMs: end, beginMs: begin }) => end ?? begin));
  const scale = WIDTH_CHARS / (lastMs - beginMs);
  const rows = bars.map((bar) => {
    const from = Math.min(WIDTH_CHARS - 1, Math.floor((bar.beginMs - beginMs) * scale));
    const to = Math.min(WIDTH_CHARS, Math.max(from + 1, Math.ceil(((bar.endMs ?? lastMs) - beginMs) * scale)));
    const seconds = ((bar.endMs ?? lastMs) - bar.beginMs) / MS_PER_SECOND;
    const name = `${bar.in === undefined ? "" : "  "}${bar.kind} ${bar.name}`;
    return [
      bar.stop,
      name,
      `${seconds.toFixed(3)}${bar.endMs === undefined ? "+" : ""}`,
      SIGNS[bar.kind].repeat(to - from).padStart(to),
      bar.code ?? "",
    ];
  });
  const head = ["stop", "what", "seconds", "", "fault"];
  return [table(head, rows), ...leftOut(left, begunBefore)].join("\n");
}

function leftOut(left: number | undefined, begunBefore: true | undefined): readonly string[] {
  if (begunBefore === true) return ["The run began earlier; its older records are not shown."];
  return left === undefined ? [] : [`${left} older ones are not shown.`];
}
