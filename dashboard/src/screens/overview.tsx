/** @module The overview: the system in numbers, of which each opens what it counts. */
import { type ReactNode, useMemo } from "react";
import type { ProcessEntry } from "../../../runtime/answers.ts";
import type { OverviewView } from "../../../runtime/overview.ts";
import { Answer, Box, Empty, Head, Note, When } from "../parts/blocks.tsx";
import { Chart } from "../parts/chart.tsx";
import { hoursOf } from "../parts/hours.ts";
import { countText, usdText } from "../parts/format.ts";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { type ScreenProps, TO, withQuery } from "../parts/paths.ts";
import { StatusMark } from "../parts/status.tsx";
import { sinceOf, WindowChoice, windowOf, WINDOWS } from "./costs.tsx";
import { Problems } from "./problems.tsx";

const NEWEST_MAX = 8;

/** The screen. */
export function OverviewScreen({ query }: ScreenProps): ReactNode {
  const page = usePage();
  const windowMs = windowOf(query);
  const sinceMs = sinceOf(page.nowMs(), windowMs);
  const overview = useLoad<OverviewView>("/overview", { sinceMs });
  return (
    <>
      <Head
        title="Overview"
        about={`What is under way, and what ended in the last ${WINDOWS.find(([, ms]) => ms === windowMs)?.[0] ?? ""}.`}
      >
        <WindowChoice value={windowMs} onChange={(ms) => page.go(withQuery("/", { window: String(ms) }))} />
      </Head>
      <Answer of={overview}>
        {(data) => (
          <>
            {data.atLeast ? <Note tone="warn">There are more processes than were counted: the numbers are lower bounds.</Note> : null}
            {data.problems.length > 0 ? <Problems of={data.problems} /> : null}
            <Numbers data={data} windowMs={windowMs} />
            {data.problems.length > 0 ? null : <Problems of={data.problems} />}
            <Hours overview={data} />
          </>
        )}
      </Answer>
      <div className="p-columns">
        <Newest title="Newest" filter={{}} none="No task was submitted yet" />
        <Newest title="Failed last" filter={{ status: "failed" }} none="No process failed" />
      </div>
    </>
  );
}

interface NumberProps {
  readonly name: string;
  readonly value: string;
  readonly to: string;
  readonly about?: ReactNode;
  readonly isBad?: boolean;
}

/** A number that is a link to what it counts. */
function NumberLink({ name, value, to, about, isBad = false }: NumberProps): ReactNode {
  return (
    <Link to={to} className={`p-figure v-number${isBad ? " v-number-bad" : ""}`}>
      <span className="p-figure-name">{name}</span>
      <span className="p-figure-value">{value}</span>
      <span className="p-faint">{about}</span>
    </Link>
  );
}

function Numbers({ data, windowMs }: { readonly data: OverviewView; readonly windowMs: number }): ReactNode {
  const ended = new Map(data.ended.map(({ status, count }) => [status as string, count]));
  const count = (status: string): number => ended.get(status) ?? 0;
  const window = String(windowMs);
  const all = data.ended.reduce((sum, line) => sum + line.count, 0);
  const bad = count("failed") + count("expired");
  const redriven = data.redriven === 0 ? "" : `; ${countText(data.redriven)} ended after a redrive`;
  const share = all === 0 ? "nothing ended" : `${((100 * bad) / all).toFixed(1)} % of ${countText(all)} failed or expired${redriven}`;
  const { oldestOpen } = data;
  return (
    <div className="p-figures v-numbers">
      <NumberLink
        name="Open"
        value={countText(data.open)}
        to={TO.runs({ state: "open" })}
        about={
          oldestOpen === undefined ? (
            ""
          ) : (
            <>
              oldest: <When atMs={oldestOpen.acceptedAtMs} />
            </>
          )
        }
      />
      <NumberLink name="Waiting for people" value={countText(data.waitingForPeople)} to={TO.inbox()} isBad={false} about="open requests" />
      <NumberLink
        name="Dead letters"
        value={countText(data.dead)}
        to={TO.deadLetters()}
        isBad={data.dead > 0}
        about="wait for a decision"
      />
      <NumberLink name="Paused" value={countText(data.paused)} to={TO.runs({ paused: "true" })} about="by operators" />
      <NumberLink
        name="Completed"
        value={countText(count("completed"))}
        to={TO.runs({ status: "completed", ended: window })}
        about="as routed"
      />
      <NumberLink
        name="Failed"
        value={countText(count("failed"))}
        to={TO.runs({ status: "failed", ended: window })}
        isBad={count("failed") > 0}
        about={share}
      />
      <NumberLink
        name="Ended otherwise"
        value={countText(count("partial") + count("cancelled") + count("expired"))}
        to={TO.runs({ state: "ended", ended: window })}
        about={`${count("partial")} partial, ${count("cancelled")} cancelled, ${count("expired")} expired`}
      />
      <NumberLink name="Spent" value={usdText(data.usd)} to={TO.costs({ window })} about={`${countText(data.tokens)} tokens`} />
    </div>
  );
}

function Hours({ overview }: { readonly overview: OverviewView }): ReactNode {
  const hours = useMemo(() => hoursOf(overview), [overview]);
  const atMs = useMemo(() => hours.map((hour) => hour.atMs), [hours]);
  const series = useMemo(
    () => [
      { name: "Ended", values: hours.map(({ ended }) => ended), text: countText, short: countText },
      { name: "Failed", values: hours.map(({ failed }) => failed), text: countText, short: countText },
    ],
    [hours],
  );
  if (overview.perHour.length === 0) return null;
  return (
    <Box title="Ended in each hour">
      <Chart title="Processes that ended in each hour" atMs={atMs} series={series} />
    </Box>
  );
}

interface Entries {
  readonly entries: readonly ProcessEntry[];
}

function Newest({
  title,
  filter,
  none,
}: {
  readonly title: string;
  readonly filter: Readonly<Record<string, string>>;
  readonly none: string;
}): ReactNode {
  const newest = useLoad<Entries>("/processes", { ...filter, limit: NEWEST_MAX });
  return (
    <Box title={title} side={<Link to={TO.runs(filter)}>All</Link>}>
      <Answer of={newest}>
        {({ entries }) =>
          entries.length === 0 ? (
            <Empty title={none}>{title === "Newest" ? <Link to={TO.submit()}>Submit the first one</Link> : null}</Empty>
          ) : (
            <ul className="v-newest">
              {entries.slice(0, NEWEST_MAX).map((entry) => (
                <li key={entry.id}>
                  <Link to={TO.run(entry.id)}>{entry.id}</Link>
                  <span className="p-faint">
                    {entry.route}, <When atMs={entry.acceptedAtMs ?? entry.atMs} />
                  </span>
                  <span className="v-newest-state">
                    <StatusMark of={entry} />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </Box>
  );
}
