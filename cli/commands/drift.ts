/** @module `drift`: how agents work together in a window, against the baseline before it. */
import type { Command } from "commander";
import type { DriftView } from "../../client/index.ts";
import { driftedKinds } from "../../runtime/reports/drift.ts";
import { rateText } from "../../runtime/reports/digest-text.ts";
import { DRIFT_KINDS, type DriftKind } from "../../runtime/reports/runs.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { momentText } from "../text/duration.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { table } from "../text/table.ts";
import { clientOf, type Context, durationOption, examples, remote, type RemoteOptions } from "./common.ts";

interface DriftOptions extends RemoteOptions {
  readonly window?: number;
  readonly baseline?: number;
  readonly all: boolean;
}

/** Adds the command. */
export function drift(parent: Command, context: Context): void {
  const command = remote(parent.command("drift"))
    .description("show retries, waits, repairs, failures, duration and cost by route and version, against a baseline")
    .addOption(durationOption("--window <time>", "how far back the window goes (default: 24h)"))
    .addOption(durationOption("--baseline <time>", "length of the baseline before the window (default: seven windows)"))
    .option("--all", "also what has not drifted", false);
  examples(
    command,
    [
      ["troupe drift", "the last day against the week before"],
      ["troupe drift --window 1h --baseline 1d", "after a release"],
      ["troupe drift --json | jq '.lines[].retries'", "for a program"],
    ],
    [
      "Numbers are means per ended process. What counts as drifted, and from how many",
      "processes on, is in docs/digest.md. The exit code is 1 when something drifted.",
    ],
  );
  command.action(async (options: DriftOptions) => {
    const client = await clientOf(options, context.lifetime);
    const { window, baseline, json, all } = options;
    const sinceMs = window === undefined && baseline === undefined ? undefined : Date.now() - (window ?? LIMITS.driftWindowMs);
    const baselineMs = baseline === undefined || sinceMs === undefined ? undefined : sinceMs - baseline;
    const view = await client.reports.drift({ sinceMs, baselineMs });
    say(json ? JSON.stringify(view) : driftText(view, all));
    context.done(view.lines.some((line) => driftedKinds(line).length > 0) ? EXIT.failed : EXIT.ok);
  });
}

/** What has drifted, or all, as a table. */
function driftText({ sinceMs, baselineMs, lines, atLeast }: DriftView, all: boolean): string {
  const rows = lines.flatMap((line) => {
    const drifted = driftedKinds(line);
    const shown = all ? DRIFT_KINDS.filter((kind) => drifted.includes(kind) || line[kind].now > 0 || line[kind].before > 0) : drifted;
    return shown.map((kind) => {
      const { now, before } = line[kind];
      const against = `${line.processesBefore}${line.against === "route" ? " of the route" : ""}`;
      const mark = drifted.includes(kind) ? ({ text: "DRIFTED", colour: "yellow" } as const) : "";
      const of = [line.route, line.version, NAMES[kind], rateText(kind, now), rateText(kind, before), String(line.processes), against];
      return all ? [...of, mark] : of;
    });
  });
  const head = ["route", "version", "per process", "now", "before", "processes", "before", ...(all ? [""] : [])];
  const none = lines.length === 0 ? "No process ended in the window." : "Nothing drifted.";
  return [
    `Since ${momentText(sinceMs)}, against ${momentText(baselineMs)} until then.`,
    rows.length === 0 ? none : table(head, rows),
    ...(atLeast ? ["There are more processes than were counted: the means are of the last ones."] : []),
  ].join("\n");
}

const NAMES: Readonly<Record<DriftKind, string>> = {
  ...{ failed: "failed", retries: "retries", takeovers: "takeovers", waits: "waits", repairs: "repairs", fallbacks: "fallbacks" },
  ...{ refusals: "refused outputs", ungrounded: "ungrounded claims", durationMs: "duration", usd: "cost" },
};
