/** @module One run: how it stands, where its time went, what each part of it did, what can be done with it, and its history. */
import { type ReactNode, useState } from "react";
import type { ProcessView, StopsView } from "../../../runtime/process-view.ts";
import type { Bar, TimelineView } from "../../../runtime/timeline.ts";
import { Answer, Box, Empty, Facts, FaultNote, Head, HiddenNote, JsonBlock, Mark, Note, TrustMark, When } from "../parts/blocks.tsx";
import { FAULT_FIXES } from "../parts/fixes.ts";
import { usdText } from "../parts/format.ts";
import { Gantt } from "../parts/gantt.tsx";
import { Link, type Loaded, useLoad, usePage } from "../parts/page.tsx";
import { API, type ScreenProps, TO, withQuery } from "../parts/paths.ts";
import { toneOf } from "../parts/status.tsx";
import { useFollowed } from "../shell/live.ts";
import { BarDetail } from "./run-bar.tsx";
import { RunActs } from "./run-acts.tsx";
import { RunHistory } from "./run-history.tsx";

/** The screen. */
export function RunScreen({ params, query }: ScreenProps): ReactNode {
  const id = params["id"] ?? "";
  const process = useLoad<ProcessView>(API.process(id));
  const timeline = useLoad<TimelineView>(`${API.process(id)}/timeline`);
  const stops = useLoad<StopsView>(`${API.process(id)}/stops`);
  useFollowed(process.data?.phase === "open" ? id : undefined, () => {
    process.reload();
    timeline.reload();
    stops.reload();
  });
  return (
    <>
      <RunHead id={id} view={process.data} />
      <Answer of={process}>
        {(view) => (
          <>
            <State view={view} />
            <Box title="Where the time went">
              <Answer of={timeline}>{(data) => <Time id={id} timeline={data} stops={stops} bar={query.get("bar") ?? ""} />}</Answer>
            </Box>
            <Given stops={stops} />
            <RunActs key={`${view.phase} ${view.paused === undefined}`} view={view} />
            <RunHistory key={view.id} view={view} />
          </>
        )}
      </Answer>
    </>
  );
}

function RunHead({ id, view }: { readonly id: string; readonly view: ProcessView | undefined }): ReactNode {
  const spent = view?.outcome?.spent?.total.usd ?? view?.budget?.spent.total.usd;
  return (
    <Head
      title={id}
      about={
        view === undefined ? undefined : (
          <>
            {view.route}, submitted by {view.by}, <When atMs={view.acceptedAtMs} />
            {view.run > 1 ? `, run ${view.run}` : ""}
          </>
        )
      }
    >
      {spent === undefined ? null : (
        <Link className="p-button" to={TO.budget(id)}>
          {`Spent ${usdText(spent)}`}
        </Link>
      )}
      <Link className="p-button" to={TO.graph({ process: id })}>
        On the graph
      </Link>
      <Link className="p-button" to={TO.replay(id)}>
        Replay
      </Link>
      <Link className="p-button" to={TO.fork(id)}>
        Fork
      </Link>
    </Head>
  );
}

function State({ view }: { readonly view: ProcessView }): ReactNode {
  const { outcome, paused, phase, stop, parent, traceId, deadlineAtMs, runs = [] } = view;
  const letter = `${view.id}:${view.run}`;
  const edits = (view.actions ?? []).flatMap(({ edited, by, opened }) =>
    edited === undefined ? [] : [`${edited}, by ${by} for run ${opened ?? ""}`],
  );
  return (
    <Box tone={outcome === undefined ? "info" : toneOf(outcome.status)}>
      <div className="p-row">
        <Mark tone={outcome === undefined ? "info" : toneOf(outcome.status)}>{outcome?.status ?? phase}</Mark>
        {paused === undefined ? null : <Mark tone="warn">paused</Mark>}
        {view.ending === undefined || outcome !== undefined ? null : <Mark tone="warn">{`compensates, then ${view.ending}`}</Mark>}
        {outcome?.label === undefined ? null : <TrustMark label={outcome.label} />}
      </div>
      {paused === undefined ? null : (
        <Note tone="warn">
          Paused by {paused.by}, <When atMs={paused.atMs} />: {paused.reason === "" ? "no reason given" : paused.reason}. It goes on by
          itself <When atMs={paused.untilMs} />.
        </Note>
      )}
      {phase === "open" ? <Waits view={view} /> : null}
      {outcome?.fault === undefined ? null : (
        <FaultNote
          fault={{ ...outcome.fault, fix: outcome.fault.fix ?? FAULT_FIXES[outcome.fault.code] ?? "Look at the failed part below." }}
        >
          {outcome.deadLetter === undefined ? null : (
            <p>
              <Link className="p-button" to={TO.deadLetter(letter)}>
                Redrive or discard
              </Link>
            </p>
          )}
        </FaultNote>
      )}
      {outcome === undefined ? null : <Output outcome={outcome} />}
      <Facts
        of={[
          ["Now at", phase === "open" ? stop : undefined],
          ["Deadline", phase === "open" ? <When atMs={deadlineAtMs} /> : undefined],
          ["Ended", outcome === undefined ? undefined : <When atMs={outcome.atMs} />],
          ["Part of", parent === undefined ? undefined : <Link to={TO.run(parent)}>{parent}</Link>],
          [
            "Trace",
            <code key="trace" className="p-trace">
              {traceId}
            </code>,
          ],
          ["Edited input", edits.length === 0 ? undefined : edits.join(", ")],
          ["Earlier runs", runs.length === 0 ? undefined : <EarlierRuns key="runs" id={view.id} runs={runs} />],
        ]}
      />
    </Box>
  );
}

/** The earlier runs; each that failed leads to its dead letter. */
function EarlierRuns({ id, runs }: { readonly id: string; readonly runs: NonNullable<ProcessView["runs"]> }): ReactNode {
  return runs.map(({ run, status, code }, index) => {
    const text = `run ${run} ${status}${code === undefined ? "" : ` (${code})`}`;
    return (
      <span key={run}>
        {index === 0 ? "" : ", "}
        {status === "failed" ? <Link to={TO.deadLetter(`${id}:${run}`)}>{text}</Link> : text}
      </span>
    );
  });
}

function Output({ outcome }: { readonly outcome: NonNullable<ProcessView["outcome"]> }): ReactNode {
  const canRead = usePage().roles.has("content");
  if (outcome.output !== undefined) return <JsonBlock value={outcome.output} label="Output" />;
  return canRead || outcome.status !== "completed" ? null : <HiddenNote what="The output" />;
}

function Waits({ view: { waits = [] } }: { readonly view: ProcessView }): ReactNode {
  if (waits.length === 0) return null;
  return (
    <ul className="p-list">
      {waits.map(({ wait, stop, kind, name, request, begunAtMs, dueAtMs }) => (
        <li key={wait}>
          {stop} waits for{" "}
          {request === undefined ? (
            `${kind} ${name ?? ""}`
          ) : (
            <Link to={TO.request(request)}>{name === "" || name === undefined ? "a person" : name}</Link>
          )}
          , begun <When atMs={begunAtMs} />
          {dueAtMs === undefined ? null : (
            <>
              , due <When atMs={dueAtMs} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The input of the task. */
function Given({ stops: { data } }: { readonly stops: Loaded<StopsView> }): ReactNode {
  if (data?.task === undefined) return data?.hidden === true ? <HiddenNote what="The input of the task" /> : null;
  return (
    <Box title="What it was given">
      <JsonBlock value={data.task} label="Input of the task" />
    </Box>
  );
}

interface TimeProps {
  readonly id: string;
  readonly timeline: TimelineView;
  readonly stops: Loaded<StopsView>;
  readonly bar: string;
}

/** The chart with the chosen bar, whose id stands in the address. A failed bar is chosen first, because it is what people look for. */
function Time({ id, timeline, stops, bar }: TimeProps): ReactNode {
  const page = usePage();
  const [isClosed, setClosed] = useState(false);
  if (timeline.bars.length === 0) return <Empty title="No work yet">The first work item of this run was not asked yet.</Empty>;
  const chosen = timeline.bars.find((one) => one.id === bar) ?? (isClosed ? undefined : failedOf(timeline.bars));
  const choose = (next: string): void => {
    setClosed(next === "");
    page.go(withQuery(TO.run(id), { bar: next }), { inPlace: true });
  };
  return (
    <>
      {timeline.left === undefined ? null : <Note tone="warn">{`${timeline.left} older bars are not shown.`}</Note>}
      {timeline.fromMs === undefined ? null : (
        <Note tone="warn">
          What began before <When atMs={timeline.fromMs} /> is not shown: only the newest records of a long run are read.
        </Note>
      )}
      <Gantt timeline={timeline} nowMs={page.nowMs()} chosen={chosen?.id ?? ""} choose={choose} />
      {chosen === undefined ? (
        <p className="p-faint">Choose a bar to see its times, and of work and calls of tools what went in and what came out.</p>
      ) : (
        <BarDetail key={chosen.id} id={id} stops={stops} bar={chosen} close={() => choose("")} />
      )}
    </>
  );
}

/** The innermost bar that failed last. */
function failedOf(bars: readonly Bar[]): Bar | undefined {
  const failed = bars.filter(({ state }) => state === "failed");
  const parents = new Set(failed.map(({ in: parent }) => parent));
  return failed.findLast(({ id }) => !parents.has(id));
}
