/** @module The memories of agents, and the sources of documents with how current they are. */
import type { ReactNode } from "react";
import type { MemoriesAnswer } from "../../../runtime/memory-answers.ts";
import type { SourcesAnswer, SourceView, SyncAnswer } from "../../../runtime/source-answers.ts";
import { ActForm, useActing } from "../parts/act.tsx";
import { Answer, Box, Empty, Facts, Head, Mark, Note, TrustMark, When } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { countText, pluralText, spanText } from "../parts/format.ts";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { API, TO } from "../parts/paths.ts";

/** The screen. */
export function MemoriesScreen(): ReactNode {
  const memories = useLoad<MemoriesAnswer>("/memory");
  const sources = useLoad<SourcesAnswer>("/sources");
  return (
    <>
      <Head title="Memory" about="What agents remember from one process to the next, and the documents that they read." />
      <Answer of={memories}>
        {({ memories: ids }) => (
          <Box title={`Memories (${countText(ids.length)})`}>
            {ids.length === 0 ? (
              <Empty title="No memories">An agent with the option memory, or a source, makes one with its first fact.</Empty>
            ) : (
              <ul className="p-links">
                {ids.map((id) => (
                  <li key={id}>
                    <Link to={TO.memory(id)}>{id}</Link>
                  </li>
                ))}
              </ul>
            )}
          </Box>
        )}
      </Answer>
      <Answer of={sources}>
        {({ sources: all }) =>
          all.length === 0 ? (
            <Box title="Sources">
              <p className="p-faint">No agent of this system declares a source.</p>
            </Box>
          ) : (
            all.map((source) => <Source key={source.name} source={source} reload={sources.reload} />)
          )
        }
      </Answer>
    </>
  );
}

function lastText({ listed, added, changed, vanished, unread }: NonNullable<SourceView["compared"]>): string {
  return `${listed} listed, ${added} added, ${changed} changed, ${vanished} vanished, ${unread} unread`;
}

function Source({ source, reload }: { readonly source: SourceView; readonly reload: () => void }): ReactNode {
  const page = usePage();
  const { name, memory, untrusted, everyMs, documents, compared, failures, fault } = source;
  const acting = useActing(() => page.post<SyncAnswer>(`${API.source(name)}/sync`, {}), reload);
  return (
    <Box
      title={`Source ${name}`}
      side={<TrustMark label={untrusted ? [name] : []} />}
      {...(fault === undefined ? {} : { tone: "bad" as const })}
    >
      {fault === undefined ? null : (
        <Note tone="bad">
          <Mark tone="bad">{fault.code}</Mark> {fault.message} (<When atMs={fault.atMs} />, {pluralText(failures, "failure")} since the last
          comparison that succeeded)
        </Note>
      )}
      <Facts
        of={[
          [
            "Memory",
            <Link key="memory" to={TO.memory(memory)}>
              {memory}
            </Link>,
          ],
          ["Documents", countText(documents)],
          ["Compared", compared === undefined ? "never" : <When key="compared" atMs={compared.atMs} />],
          ["Every", spanText(everyMs)],
          ["Last time", compared === undefined ? undefined : lastText(compared)],
        ]}
      />
      <ActForm name="Compare now" role="operate" tone="plain" acting={acting} command={command(["sources", "sync", name])} />
      {acting.done === undefined ? null : (
        <Note tone="good">
          Compared: {acting.done.added} added, {acting.done.changed} changed, {acting.done.vanished} vanished, {acting.done.derived} derived
          facts went with them; {pluralText(acting.done.readers.length, "work item")} had read what is gone.
        </Note>
      )}
    </Box>
  );
}
