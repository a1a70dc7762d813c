/** @module Forks a run at a call, with another model, prompt or input, and shows how it ended and what differs. */
import { type ReactNode, useState } from "react";
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
  const [input, setInput] = useState<Json>();
  const given = hasInput ? input : undefined;
  const acting = useActing(() =>
    page.post<ForkReport>(`${API.process(id)}/fork`, {
      at,
      ...(model === "" ? {} : { model }),
      ...(prompt === "" ? {} : { prompt }),
      ...(given === undefined ? {} : { input: given }),
    }),
  );
  /** What stands where the fork begins. The input of the task itself is in no record of a work item. */
  const recorded = (stops.data?.stops ?? []).find(({ work, stop }) => work === at || stop === at)?.input;
  const calls = (stops.data?.stops ?? [])
    .filter(({ calls: own = [] }) => own.some(({ kind }) => kind === "model"))
    .map(({ work, agent }) => ({ work, agent }));
  const choose = (isOther: boolean): void => {
    setHasInput(isOther);
    if (isOther && input === undefined) setInput(recorded);
  };
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
          <label className="p-field">
            <span className="p-label">At call</span>
            <input value={at} required list="fork-calls" onChange={(event) => setAt(event.target.value)} />
            <datalist id="fork-calls">
              {calls.map(({ work, agent }) => (
                <option key={work} value={work}>
                  {agent}
                </option>
              ))}
            </datalist>
            <span className="p-faint">
              A stop, a work item, a call of it after a slash, or start. What came before keeps its recorded results; a conversation offers
              its calls.
            </span>
          </label>
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
          <OtherInput hasInput={hasInput} choose={choose} input={input} setInput={setInput} />
        </ActForm>
      </Box>
      {acting.done === undefined ? null : <Result report={acting.done} />}
    </>
  );
}

interface OtherInputProps {
  readonly hasInput: boolean;
  readonly choose: (isOther: boolean) => void;
  readonly input: Json | undefined;
  readonly setInput: (input: Json | undefined) => void;
}

function OtherInput({ hasInput, choose, input, setInput }: OtherInputProps): ReactNode {
  return (
    <>
      <label className="p-check">
        <input type="checkbox" checked={hasInput} onChange={(event) => choose(event.target.checked)} /> Another input for the task
      </label>
      {hasInput ? <InputEditor label="Input" schema={undefined} value={input} onChange={setInput} /> : null}
    </>
  );
}

function Result({ report }: { readonly report: ForkReport }): ReactNode {
  const { status, unrecorded, output, code, modelCalls, usd, diff } = report;
  return (
    <>
      <div className="p-figures">
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
