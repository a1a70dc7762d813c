/** @module Coordination drift: how each route and version works together now, against the time before. */
import type { ReactNode } from "react";
import type { DriftLine, DriftView } from "../../../runtime/overview.ts";
import { Answer, Box, CommandLine, Empty, Head, Mark, Note } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { countText, momentText, pluralText, spanText, usdText } from "../parts/format.ts";
import { useLoad, usePage } from "../parts/page.tsx";
import { type ScreenProps, withQuery } from "../parts/paths.ts";
import { sinceOf, WindowChoice, windowOf } from "./costs.tsx";

const RATES = ["failed", "retries", "takeovers", "waits", "repairs", "fallbacks", "refusals", "ungrounded", "durationMs", "usd"] as const;
type Rate = (typeof RATES)[number];

const NAMES: Readonly<Record<Rate, string>> = {
  ...{ failed: "Failed", retries: "Retries", takeovers: "Takeovers", waits: "Waits", repairs: "Repairs", fallbacks: "Fallbacks" },
  ...{ refusals: "Refused outputs", ungrounded: "Ungrounded claims", durationMs: "Duration", usd: "Cost" },
};

function rateText(rate: Rate, value: number): string {
  if (rate === "durationMs") return spanText(value);
  return rate === "usd" ? usdText(value) : value.toFixed(2);
}

/** The screen. */
export function DriftScreen({ query }: ScreenProps): ReactNode {
  const page = usePage();
  const windowMs = windowOf(query);
  const sinceMs = sinceOf(page.nowMs(), windowMs);
  const drift = useLoad<DriftView>("/drift", { sinceMs });
  return (
    <>
      <Head
        title="Drift"
        about="How the agents of each route and version work together in this window, against the time before it; per process."
      >
        <WindowChoice value={windowMs} onChange={(ms) => page.go(withQuery("/drift", { window: String(ms) }))} />
      </Head>
      <Answer of={drift}>
        {({ lines, atLeast, baselineMs }) => (
          <>
            {atLeast ? <Note tone="warn">There are more processes than were counted: the rates are of the counted ones.</Note> : null}
            {lines.length === 0 ? <Empty title="No processes ended in this window">Drift is measured over ended processes.</Empty> : null}
            {lines
              .toSorted((a, b) => driftedOf(b).length - driftedOf(a).length)
              .map((line) => (
                <Line key={`${line.route} ${line.version}`} line={line} />
              ))}
            <p className="p-faint">
              Since {momentText(drift.data?.sinceMs ?? sinceMs)}, against what ended from {momentText(baselineMs)} until then.
            </p>
            <CommandLine text={command(["drift"], { window: spanText(windowMs).replaceAll(" ", "") })} />
          </>
        )}
      </Answer>
    </>
  );
}

function driftedOf(line: DriftLine): readonly Rate[] {
  return RATES.filter((rate) => line[rate].drifted);
}

function Line({ line }: { readonly line: DriftLine }): ReactNode {
  const drifted = driftedOf(line);
  return (
    <Box
      title={
        <>
          {line.route} <span className="p-faint">{line.version === "" ? "no model" : line.version}</span>
        </>
      }
      side={
        line.processesBefore === 0 ? (
          <Mark>nothing to compare with</Mark>
        ) : !line.comparable ? (
          <Mark>too few to compare</Mark>
        ) : drifted.length === 0 ? (
          <Mark tone="good">steady</Mark>
        ) : (
          <Mark tone="bad">{drifted.map((rate) => NAMES[rate].toLowerCase()).join(", ")}</Mark>
        )
      }
    >
      <p className="p-faint">
        {pluralText(line.processes, "process", "processes")} now, {countText(line.processesBefore)} before
      </p>
      <div className="p-rates">
        {RATES.map((rate) => {
          const { now, before, drifted: isDrifted } = line[rate];
          return (
            <div key={rate} className={`p-rate${isDrifted ? " p-rate-drifted" : ""}`}>
              <span className="p-figure-name">{NAMES[rate]}</span>
              <span className="p-rate-now">{rateText(rate, now)}</span>
              <span className="p-faint">
                {line.processesBefore === 0 ? "none before" : `before ${rateText(rate, before)}`}
                {isDrifted ? <span className="p-visually-hidden">, drifted</span> : null}
              </span>
            </div>
          );
        })}
      </div>
    </Box>
  );
}
