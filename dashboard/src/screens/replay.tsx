/** @module Replays a run with the current code, and shows each first divergence at its call. */
import type { ReactNode } from "react";
import type { Divergence, ReplayReport } from "../../../runtime/cassette/replay-report.ts";
import { ActForm, useActing } from "../parts/act.tsx";
import { Box, Head, Mark, Note } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { pluralText } from "../parts/format.ts";
import { DiffLines } from "../parts/input-editor.tsx";
import { Link, usePage } from "../parts/page.tsx";
import { API, type ScreenProps, TO } from "../parts/paths.ts";

/** The screen. */
export function ReplayScreen({ params }: ScreenProps): ReactNode {
  const page = usePage();
  const id = params["id"] ?? "";
  const acting = useActing(() => page.post<ReplayReport>(`${API.process(id)}/replay`, {}));
  return (
    <>
      <Head
        from={<Link to={TO.run(id)}>{id}</Link>}
        title="Replay"
        about="The code of this host runs again over what is recorded: no model is asked, no tool is called, nothing is written."
      >
        <Link className="p-button" to={TO.fork(id)}>
          Fork
        </Link>
        <Link className="p-button" to={TO.diff(id, "")}>
          Compare
        </Link>
      </Head>
      <Box>
        <ActForm
          name={acting.done === undefined ? "Replay" : "Replay again"}
          role="content"
          acting={acting}
          command={command(["replay", id])}
        />
      </Box>
      {acting.done === undefined ? null : <Report report={acting.done} />}
    </>
  );
}

function Report({ report }: { readonly report: ReplayReport }): ReactNode {
  const { divergences, works, processes, skipped, id } = report;
  const what = `${pluralText(works, "work item")} of ${pluralText(processes, "process", "processes")}`;
  return (
    <>
      {divergences.length === 0 ? (
        <Note tone="good">The current code does all that is recorded again: {what}, no divergence.</Note>
      ) : (
        <Note tone="bad">
          {pluralText(divergences.length, "divergence")} in {what}: the first of each is shown.
        </Note>
      )}
      {divergences.map((divergence, index) => (
        <DivergenceBox key={`${index} ${divergence.work ?? divergence.stop}`} divergence={divergence} id={id} />
      ))}
      {skipped.length === 0 ? null : (
        <Box title="Not replayed">
          <ul className="p-list">
            {skipped.map(({ work, why }) => (
              <li key={work}>
                <code>{work}</code>: {why}
              </li>
            ))}
          </ul>
        </Box>
      )}
    </>
  );
}

const KINDS: Readonly<Record<Divergence["kind"], string>> = {
  route: "The routing slip asks for something else",
  unreached: "Something recorded does not happen again",
  new: "Something happens that is not recorded",
  changed: "Another content",
};

function DivergenceBox({ divergence, id }: { readonly divergence: Divergence; readonly id: string }): ReactNode {
  const { kind, stop, agent, work, call, message, recorded, now, process } = divergence;
  return (
    <Box title={KINDS[kind]} tone="bad" side={<Mark tone="bad">{kind}</Mark>}>
      <p className="p-lead">{message}</p>
      <p className="p-faint">
        {process === id ? "" : `nested process ${process}, `}stop {stop}
        {agent === undefined ? "" : `, ${agent}`}
        {call === undefined ? "" : `, at ${call}`}
      </p>
      {recorded === undefined && now === undefined ? null : (
        <>
          <p className="p-label">Recorded (−) and now (+)</p>
          <DiffLines before={recorded} after={now} />
        </>
      )}
      <p className="p-row">
        {work === undefined ? null : <Link to={TO.conversation(process, work)}>Conversation</Link>}
        {call === undefined ? null : <Link to={TO.fork(process, work === undefined ? call : `${work}/${call}`)}>Fork at this call</Link>}
      </p>
    </Box>
  );
}
