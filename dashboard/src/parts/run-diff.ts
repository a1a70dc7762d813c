/** @module The difference of two runs and the report of a replay, as rows of a table. Pure. */
import type { DiffLine, RunDiff } from "../../../runtime/cassette/diff.ts";

/** Which lines are shown. */
export type DiffFilter = "all" | "different";

/** How many lines there are of each kind. */
export function diffCounts({ lines }: Pick<RunDiff, "lines">): Readonly<Record<DiffLine["how"], number>> {
  const counts = { same: 0, changed: 0, "only-a": 0, "only-b": 0 };
  for (const { how } of lines) counts[how] += 1;
  return counts;
}

/** The lines by stop, in their order. */
export function linesByStop(
  lines: readonly DiffLine[],
  filter: DiffFilter,
): readonly { readonly stop: string; readonly lines: readonly DiffLine[] }[] {
  const groups: { readonly stop: string; readonly lines: DiffLine[] }[] = [];
  for (const line of lines) {
    if (filter === "different" && line.how === "same") continue;
    const last = groups.at(-1);
    if (last?.stop === line.stop) last.lines.push(line);
    else groups.push({ stop: line.stop, lines: [line] });
  }
  return groups;
}

/** One figure of both runs. */
export interface CostRow {
  readonly name: string;
  readonly a: number;
  readonly b: number;
  readonly isUsd: boolean;
}

/** What both runs have cost, figure by figure. */
export function costRows({ cost: { a, b } }: Pick<RunDiff, "cost">): readonly CostRow[] {
  return [
    { name: "Model calls", a: a.modelCalls, b: b.modelCalls, isUsd: false },
    { name: "Tool calls", a: a.toolCalls, b: b.toolCalls, isUsd: false },
    { name: "Input tokens", a: a.inputTokens, b: b.inputTokens, isUsd: false },
    { name: "Output tokens", a: a.outputTokens, b: b.outputTokens, isUsd: false },
    { name: "Cost", a: a.usd, b: b.usd, isUsd: true },
  ];
}
