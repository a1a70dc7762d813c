/** @module Forks a run at a call, with another model, prompt or input, and shows how it ended and what differs. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { ForkReport } from "../../../runtime/cassette/diff.ts";
import type { Json } from "../../../runtime/faults.ts";
import type { StopsView } from "../../../runtime/process-view.ts";
import { ActForm, useActing } from "../parts/act.tsx";
import { Box, Figure, Head, JsonBlock, Mark, Note } from "../parts/blocks.tsx";
import { forkCommand } from "../parts/commands.ts";
import { countText, usdText } from "../parts/format.ts";
import { InputEditor } from "../parts/input-editor.tsx";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { API, type ScreenProps, TO } from "../parts/paths.ts";
import { DiffBody } from "./run-diff.tsx";

/** The screen. */
export function ForkScreen({ params, query }: ScreenProps): ReactNode {
  const page = usePage();
  const id = params["id"] ?? "";
  const stops = useLoad<StopsView>(`${API.process(id)}/stops`);
  const [at, setAt] = useState(query.get("at") ?? "start");
  const [model, setModel] = useState("");
  const [prompt, setPrompt] = useState("");
  const [hasInput, setHasInput] = useState(false);
  const [edited, setEdited] = useState<{ readonly input: Json | undefined }>();
  const recorded = stops.data === undefined ? undefined : recordedAt(stops.data, at);
  const input = edited === undefined ? recorded : edited.input;
  const given = hasInput ? input : undefined;
  const acting = useActing(() =>
    page.post<ForkReport>(`${API.process(id)}/fork`, {
      at,
      ...(model === "" ? {} : { model }),
      ...(prompt === "" ? {} : { prompt }),
      ...(given === undefined ? {} : { input: given }),
    }),
  );
  return (
    <>
      <Head
        from={<Link to={TO.run(id)}>{id}</Link>}
        title="Fork"
        about="Runs it again in memory, from a call on with new model calls. Reads get their recorded results; what writes is never run."
      />
      <Box>
        <ActForm
          name="Fork"
          role="operate"
          also="content"
          acting={acting}
          blocked={at === "" ? "Name the call." : hasInput && input === undefined ? "Give the input as JSON." : undefined}
          command={forkCommand(id, { at, model, prompt, input: given })}
        >
          <Place at={at} begin={setAt} stops={stops.data?.stops ?? []} />
          <div className="p-pair">
            <label className="p-field">
              <span className="p-label">Model (optional)</span>
              <input value={model} onChange={(event) => setModel(event.target.value)} />
            </label>
            <label className="p-field">
              <span className="p-label">Prompt version (optional)</span>
              <input value={prompt} onChange={(event) => setPrompt(event.target.value)} />
            </label>
          </div>
          <OtherInput
            hasInput={hasInput}
            choose={setHasInput}
            input={input}
            setInput={(next) => setEdited({ input: next })}
            begin={stops.data === undefined ? undefined : at}
          />
        </ActForm>
      </Box>
      {acting.done === undefined ? null : <Result report={acting.done} />}
    </>
  );
}

interface PlaceProps {
  readonly at: string;
  readonly begin: (at: string) => void;
  readonly stops: StopsView["stops"];
}

/** Where the fork begins; the work items that asked a model are offered. */
function Place({ at, begin, stops }: PlaceProps): ReactNode {
  const withModel = stops.filter(({ calls = [] }) => calls.some(({ kind }) => kind === "model"));
  return (
    <label className="p-field">
      <span className="p-label">Begin at</span>
      <input value={at} required list="fork-calls" onChange={(event) => begin(event.target.value)} />
      <datalist id="fork-calls">
        {withModel.map(({ work, agent }) => (
          <option key={work} value={work}>
            {agent}
          </option>
        ))}
      </datalist>
      <span className="p-faint">
        Start, the name of a stop, or the id of a work item. To begin at a call of a model, press Fork here in its conversation. What came
        before keeps its recorded results.
      </span>
    </label>
  );
}

/** The recorded input of what the fork begins at: the task, a stop, a work item, or the work item of a call. */
function recordedAt({ task, stops }: StopsView, at: string): Json | undefined {
  if (at === "start") return task;
  const found = stops.find(
    ({ work, stop, calls = [] }) => work === at || stop === at || at.startsWith(`${work}/`) || calls.some(({ key }) => key === at),
  );
  return found?.input;
}

interface OtherInputProps {
  readonly hasInput: boolean;
  readonly choose: (isOther: boolean) => void;
  readonly input: Json | undefined;
  readonly setInput: (input: Json | undefined) => void;
  /** What the input is of; undefined until the records are there. */
  readonly begin: string | undefined;
}

function OtherInput({ hasInput, choose, input, setInput, begin }: OtherInputProps): ReactNode {
  return (
    <>
      <label className="p-check">
        <input type="checkbox" checked={hasInput} onChange={(event) => choose(event.target.checked)} /> Another input
      </label>
      {hasInput && begin !== undefined ? (
        <InputEditor key={begin} label="Input" schema={undefined} value={input} onChange={setInput} />
      ) : null}
    </>
  );
}

function Result({ report }: { readonly report: ForkReport }): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.scrollIntoView({ block: "start" }), [report]);
  const { status, unrecorded, output, code, modelCalls, usd, diff } = report;
  return (
    <>
      <div ref={place} className="p-figures">
        <Figure name="Ended">
          <Mark tone={status === "completed" ? "good" : status === "unrecorded" ? "warn" : "bad"}>{status}</Mark>
        </Figure>
        <Figure name="New model calls">{countText(modelCalls)}</Figure>
        <Figure name="Spent on them">{usdText(usd)}</Figure>
      </div>
      {unrecorded === undefined ? null : (
        <Note tone="warn">
          It came to a {unrecorded.what} that is not in the record and stopped: <strong>{unrecorded.name}</strong> of {unrecorded.agent}.
          Nothing was run.
          {unrecorded.input === undefined ? null : <JsonBlock value={unrecorded.input} label="Its input" />}
        </Note>
      )}
      {code === undefined ? null : <Note tone="bad">It failed with {code}.</Note>}
      {output === undefined ? null : (
        <Box title="Output">
          <JsonBlock value={output} label="Output" />
        </Box>
      )}
      <DiffBody diff={diff} names={["recorded", "fork"]} />
    </>
  );
}
