/** @module What a bar of a timeline stands for: the work item or call, with what went in and what came out. */
import type { ReactNode } from "react";
import type { CallView, StopsView, WorkView } from "../../../runtime/process-view.ts";
import type { Bar } from "../../../runtime/timeline.ts";
import { Answer, Box, Facts, FaultNote, HiddenNote, JsonBlock, Mark, When } from "../parts/blocks.tsx";
import { FAULT_FIXES } from "../parts/fixes.ts";
import { countText, spanText, usdText } from "../parts/format.ts";
import { Link, type Loaded, usePage } from "../parts/page.tsx";
import { TO } from "../parts/paths.ts";
import { toneOf } from "../parts/status.tsx";

/** Parts of a {@link BarDetail}. */
export interface BarDetailProps {
  readonly id: string;
  readonly stops: Loaded<StopsView>;
  readonly bar: Bar;
  readonly close: () => void;
}

/** The detail of a bar. */
export function BarDetail({ id, stops, bar, close }: BarDetailProps): ReactNode {
  const page = usePage();
  const length = spanText((bar.endMs ?? page.nowMs()) - bar.beginMs);
  return (
    <section className="v-detail" aria-label={`${bar.kind} ${bar.name}`}>
      <div className="p-box-head">
        <h3>
          {bar.kind === "work" || bar.kind === bar.name ? "" : `${bar.kind} `}
          {bar.name} <Mark tone={toneOf(bar.state)}>{bar.state}</Mark> {bar.code === undefined ? null : <Mark tone="bad">{bar.code}</Mark>}
        </h3>
        <button type="button" className="p-button-small" onClick={close}>
          Close
        </button>
      </div>
      <Facts
        of={[
          ["Took", bar.endMs === undefined ? `${length} until now` : length],
          ["Began", <When key="begin" atMs={bar.beginMs} />],
          ["Stop", bar.stop],
          ["Agent", bar.agent],
          ["Attempt", bar.attempt === undefined ? "" : String(bar.attempt)],
          ["Tries", bar.tries === undefined ? "" : String(bar.tries)],
          ["Model", bar.model],
          ["Prompt", bar.prompt],
          ["Tokens", bar.tokens === undefined ? "" : countText(bar.tokens)],
          ["Cost", bar.usd === undefined ? "" : usdText(bar.usd)],
          ["Call", bar.call],
        ]}
      />
      <Ways id={id} bar={bar} />
      <Answer of={stops}>{(data) => <Content stops={data.stops} bar={bar} />}</Answer>
    </section>
  );
}

function Ways({ id, bar }: { readonly id: string; readonly bar: Bar }): ReactNode {
  const hasModel = bar.kind === "model" || bar.prompt !== undefined || bar.model !== undefined;
  return (
    <div className="p-row">
      {bar.process === undefined ? null : (
        <Link className="p-button" to={TO.run(bar.process)}>
          The nested run
        </Link>
      )}
      {bar.request === undefined ? null : (
        <Link className="p-button" to={TO.request(bar.request)}>
          The request
        </Link>
      )}
      {bar.work === undefined || !hasModel ? null : (
        <Link className="p-button" to={TO.conversation(id, bar.work)}>
          Conversation
        </Link>
      )}
      {bar.call === undefined ? null : (
        <Link className="p-button" to={TO.fork(id, bar.work === undefined ? bar.call : `${bar.work}/${bar.call}`)}>
          Fork here
        </Link>
      )}
    </div>
  );
}

function Content({ stops, bar }: { readonly stops: readonly WorkView[]; readonly bar: Bar }): ReactNode {
  const work = stops.find((one) => one.work === bar.work);
  if (work === undefined) return null;
  const call = work.calls?.find(({ key }) => key !== undefined && key === bar.call);
  if (call !== undefined) return <Call call={call} work={work} />;
  return <Work work={work} />;
}

function Call({ call, work }: { readonly call: CallView; readonly work: WorkView }): ReactNode {
  return (
    <>
      <Facts
        of={[
          ["Recorded", call.state],
          ["Failures", call.failures === 0 ? "" : countText(call.failures)],
          ["Endpoint", call.endpoint],
          ["Answered by", call.answered],
          ["Made for", call.rung],
        ]}
      />
      {call.code === undefined ? null : (
        <FaultNote
          fault={{ code: call.code, message: `${call.kind} ${call.name} failed`, fix: FAULT_FIXES[call.code] ?? "Look at the work item." }}
        />
      )}
      <details className="p-more">
        <summary>The work item that it is a part of</summary>
        <Work work={work} />
      </details>
    </>
  );
}

function Work({ work }: { readonly work: WorkView }): ReactNode {
  const canRead = usePage().roles.has("content");
  const { fault, input, output, waits = [] } = work;
  return (
    <>
      {fault === undefined ? null : (
        <FaultNote
          fault={{ ...fault, fix: fault.fix ?? FAULT_FIXES[fault.code] ?? "Correct the agent or its input, and redrive the dead letter." }}
        >
          {fault.cause === undefined ? null : <pre className="p-json">{fault.cause}</pre>}
        </FaultNote>
      )}
      {waits.length === 0 ? null : <p>Waits for {waits.map(({ kind, name }) => `${kind} ${name ?? ""}`).join(", ")}.</p>}
      {canRead ? (
        <div className="p-columns">
          <Value title="Input" value={input} />
          <Value title="Output" value={output} />
        </div>
      ) : (
        <HiddenNote what="What went in and what came out" />
      )}
    </>
  );
}

function Value({ title, value }: { readonly title: string; readonly value: WorkView["input"] }): ReactNode {
  return (
    <Box title={title}>{value === undefined ? <p className="p-faint">There is none.</p> : <JsonBlock value={value} label={title} />}</Box>
  );
}
