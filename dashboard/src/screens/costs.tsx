/** @module What was spent: in all, over time, by route and version, and by the dearest processes. */
import { type ReactNode, useMemo } from "react";
import type { CostLine, CostView, OverviewView } from "../../../runtime/overview.ts";
import { Answer, Box, Empty, Figure, Head, Note, Scrolled } from "../parts/blocks.tsx";
import { Chart } from "../parts/chart.tsx";
import { hoursOf } from "../parts/hours.ts";
import { countText, usdText } from "../parts/format.ts";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { type ScreenProps, TO } from "../parts/paths.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Windows that are offered. */
export const WINDOWS: readonly (readonly [name: string, ms: number])[] = [
  ["24 hours", DAY_MS],
  ["7 days", 7 * DAY_MS],
  ["30 days", 30 * DAY_MS],
];

/** The choice of a window; its length stands in the address. */
export function WindowChoice({ value, onChange }: { readonly value: number; readonly onChange: (ms: number) => void }): ReactNode {
  return (
    <div className="p-tabs" role="group" aria-label="Window">
      {WINDOWS.map(([name, ms]) => (
        <button key={name} type="button" aria-pressed={value === ms} onClick={() => onChange(ms)}>
          {name}
        </button>
      ))}
    </div>
  );
}

/** The length of the window in the address. */
export function windowOf(query: URLSearchParams): number {
  const given = Number(query.get("window"));
  return WINDOWS.some(([, ms]) => ms === given) ? given : DAY_MS;
}

/** The beginning of a window, on the hour, so that it does not change with each look. */
export function sinceOf(nowMs: number, windowMs: number): number {
  return Math.floor(nowMs / HOUR_MS) * HOUR_MS - windowMs;
}

/** The screen. */
export function CostsScreen({ query }: ScreenProps): ReactNode {
  const page = usePage();
  const windowMs = windowOf(query);
  const sinceMs = sinceOf(page.nowMs(), windowMs);
  const costs = useLoad<CostView>("/costs", { sinceMs });
  const overview = useLoad<OverviewView>("/overview", { sinceMs });
  return (
    <>
      <Head title="Costs" about="What ended processes have spent on models and tools.">
        <WindowChoice value={windowMs} onChange={(ms) => page.go(TO.costs({ window: String(ms) }))} />
      </Head>
      <Answer of={costs}>
        {(data) => (
          <>
            {data.atLeast ? <Note tone="warn">There are more processes than were counted: the numbers are lower bounds.</Note> : null}
            <Figures total={data.total} />
            {overview.data === undefined ? null : <OverTime overview={overview.data} />}
            {data.total.processes === 0 ? (
              <Empty title="Nothing was spent">No process that ended in this window has used a model or a tool.</Empty>
            ) : (
              <>
                <div className="p-columns">
                  <Lines title="By route" lines={data.byRoute} />
                  <Lines title="By version" lines={data.byVersion} />
                </div>
                {data.dearest.length === 0 ? null : <Dearest dearest={data.dearest} />}
              </>
            )}
          </>
        )}
      </Answer>
    </>
  );
}

function Figures({ total }: { readonly total: CostLine }): ReactNode {
  return (
    <div className="p-figures">
      <Figure name="Spent">{usdText(total.usd)}</Figure>
      <Figure name="Processes">{countText(total.processes)}</Figure>
      <Figure name="Per process">{usdText(total.processes === 0 ? 0 : total.usd / total.processes)}</Figure>
      <Figure name="Model calls">{countText(total.modelCalls)}</Figure>
      <Figure name="Tokens">{countText(total.inputTokens + total.outputTokens)}</Figure>
    </div>
  );
}

function OverTime({ overview }: { readonly overview: OverviewView }): ReactNode {
  const hours = useMemo(() => hoursOf(overview), [overview]);
  const atMs = useMemo(() => hours.map((hour) => hour.atMs), [hours]);
  const series = useMemo(
    () => [{ name: "Spent", values: hours.map(({ usd }) => usd), text: usdText, short: (usd: number) => `$${Number(usd.toPrecision(2))}` }],
    [hours],
  );
  if (overview.usd === 0) return null;
  return (
    <Box title="Over time">
      <Chart title="Spent in each hour" atMs={atMs} series={series} />
    </Box>
  );
}

function Lines({ title, lines }: { readonly title: string; readonly lines: readonly CostLine[] }): ReactNode {
  const most = Math.max(...lines.map(({ usd }) => usd), 0);
  return (
    <Box title={title}>
      <Scrolled label={title}>
        <table className="p-table">
          <thead>
            <tr>
              <th>Name</th>
              <th className="p-num">Processes</th>
              <th className="p-num">Tokens</th>
              <th className="p-num">Spent</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.name}>
                <td className="p-cell-bar">
                  {line.name === "" ? <span className="p-faint">no model</span> : line.name}
                  <meter min={0} max={most === 0 ? 1 : most} value={line.usd} aria-label={`Share of ${line.name}`} />
                </td>
                <td className="p-num">{countText(line.processes)}</td>
                <td className="p-num">{countText(line.inputTokens + line.outputTokens)}</td>
                <td className="p-num">{usdText(line.usd)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
    </Box>
  );
}

function Dearest({ dearest }: { readonly dearest: CostView["dearest"] }): ReactNode {
  return (
    <Box title="Dearest processes">
      <Scrolled label="Dearest processes">
        <table className="p-table">
          <thead>
            <tr>
              <th>Process</th>
              <th>Route</th>
              <th className="p-num">Tokens</th>
              <th className="p-num">Spent</th>
            </tr>
          </thead>
          <tbody>
            {dearest.map(({ id, route, usd, tokens }) => (
              <tr key={id}>
                <td>
                  <Link to={TO.budget(id)}>{id}</Link>
                </td>
                <td>{route}</td>
                <td className="p-num">{countText(tokens)}</td>
                <td className="p-num">{usdText(usd)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
    </Box>
  );
}
