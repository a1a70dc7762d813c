/** @module One memory: its facts with where they come from, whether they are trusted and current, and who has read them. */
import { type ReactNode, useState } from "react";
import type { FactEntry, Forgotten, MemoryView } from "../../../runtime/memory-answers.ts";
import { ActForm, ReasonField, useActing } from "../parts/act.tsx";
import { Answer, Box, Empty, Facts, Head, HiddenNote, JsonBlock, Mark, Note, TrustMark, When } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { countText, pluralText } from "../parts/format.ts";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { API, type ScreenProps, TO } from "../parts/paths.ts";
import { FilterText } from "./dead-letters.tsx";

type Shown = MemoryView & { readonly hidden?: true };
const FACTS_MAX = 64;

/** The screen. */
export function MemoryScreen({ params, query }: ScreenProps): ReactNode {
  const page = usePage();
  const id = params["id"] ?? "";
  const filter = { text: query.get("text") ?? "", key: query.get("key") ?? "" };
  const memory = useLoad<Shown>(API.memory(id), { ...filter, limit: FACTS_MAX });
  const change = (part: Partial<typeof filter>): void => page.go(TO.memory(id, { ...filter, ...part }));
  const [forgotten, setForgotten] = useState<Forgotten>();
  return (
    <>
      <Head from={<Link to={TO.memories}>Memory</Link>} title={id} about="Facts, the newest first, each with its provenance." />
      <div className="p-filters" role="group" aria-label="Filters">
        <FilterText name="Words" value={filter.text} onChange={(text) => change({ text })} />
        <FilterText name="Key" value={filter.key} onChange={(key) => change({ key })} />
      </div>
      {forgotten === undefined ? null : <ForgottenNote forgotten={forgotten} />}
      <Answer of={memory}>
        {(data) => (
          <>
            <p className="p-faint">
              {pluralText(data.total, "fact")}
              {data.total > data.facts.length ? `, ${countText(data.facts.length)} shown` : ""}
            </p>
            {data.facts.length === 0 ? (
              <Empty title="No facts">{filter.text + filter.key === "" ? "This memory is empty." : "None fits these filters."}</Empty>
            ) : null}
            {data.facts.map((fact) => (
              <Fact
                key={`${fact.id} ${fact.version}`}
                {...{ fact, memory: id }}
                isHidden={data.hidden === true}
                reload={memory.reload}
                forgotten={(what) => {
                  setForgotten(what);
                  memory.reload();
                }}
              />
            ))}
            <Gone data={data} />
          </>
        )}
      </Answer>
    </>
  );
}

interface FactProps {
  readonly fact: FactEntry;
  readonly memory: string;
  readonly isHidden: boolean;
  readonly reload: () => void;
  readonly forgotten: (what: Forgotten) => void;
}

function Fact({ fact, memory, isHidden, reload, forgotten }: FactProps): ReactNode {
  const { id, key, version, kind, trust, label, atMs, validUntilMs, writer, source, parents, promoted, readers } = fact;
  const page = usePage();
  const isStale = validUntilMs !== undefined && validUntilMs <= page.nowMs();
  return (
    <Box
      title={key ?? id}
      side={
        <span className="p-row">
          <Mark>{kind}</Mark>
          {trust === "untrusted" && label.length > 0 ? null : <Mark tone={trust === "untrusted" ? "warn" : "good"}>{trust}</Mark>}
          {label.length === 0 ? null : <TrustMark label={label} />}
          {isStale ? <Mark tone="bad">stale</Mark> : null}
        </span>
      }
    >
      {isHidden ? (
        <HiddenNote what="The fact" />
      ) : typeof fact.value === "string" ? (
        <div className="p-text">{fact.value}</div>
      ) : (
        <JsonBlock value={fact.value as never} label="The fact" />
      )}
      <Facts
        of={[
          ["Id", `${id}, version ${version}`],
          ["Written", <When key="w" atMs={atMs} />],
          [
            "By",
            <span key="by">
              {writer.agent} for {writer.subject} in <Link to={TO.run(writer.processId)}>{writer.processId}</Link>
            </span>,
          ],
          ["Source", source === undefined ? undefined : `${source.name}, ${source.id}`],
          [
            "Derived from",
            parents.length === 0 ? undefined : parents.map((parent) => `${parent.memory} / ${parent.id} v${parent.version}`).join(", "),
          ],
          ["Valid until", validUntilMs === undefined ? undefined : <When key="v" atMs={validUntilMs} />],
          [
            "Vouched for",
            promoted === undefined ? undefined : (
              <span key="p">
                {promoted.by}, <When atMs={promoted.atMs} />: {promoted.reason}
              </span>
            ),
          ],
        ]}
      />
      {readers.length === 0 ? null : (
        <details className="p-more">
          <summary>Read by {pluralText(readers.length, "work item")}</summary>
          <ul className="p-list">
            {readers.map(({ agent, processId, workId, atMs: readAtMs }) => (
              <li key={workId}>
                {agent} in <Link to={TO.run(processId)}>{processId}</Link>, <When atMs={readAtMs} />
              </li>
            ))}
          </ul>
        </details>
      )}
      {trust === "untrusted" && promoted === undefined ? <Promote {...{ fact, memory, reload }} /> : null}
      <Forget {...{ fact, memory, forgotten }} />
    </Box>
  );
}

function Promote({ fact: { id }, memory, reload }: Pick<FactProps, "fact" | "memory" | "reload">): ReactNode {
  const page = usePage();
  const [reason, setReason] = useState("");
  const acting = useActing(() => page.post(`${API.memory(memory)}/promote`, { id, reason }), reload);
  return (
    <details className="p-more">
      <summary>Vouch for it</summary>
      <ActForm
        name="Promote"
        role="decide"
        acting={acting}
        blocked={reason === "" ? "To vouch for a fact needs a reason." : undefined}
        command={command(["memory", "promote", memory, id], { reason })}
      >
        <p className="p-faint">Other processes may read it then. It keeps its label: what is made from it stays untrusted.</p>
        <ReasonField value={reason} onChange={setReason} isNeeded />
      </ActForm>
    </details>
  );
}

function Forget({ fact: { id, parents, readers }, memory, forgotten }: Pick<FactProps, "fact" | "memory" | "forgotten">): ReactNode {
  const page = usePage();
  const [reason, setReason] = useState("");
  const [purge, setPurge] = useState(false);
  const acting = useActing(
    () => page.post<Forgotten>(`${API.memory(memory)}/forget`, { id, ...(reason === "" ? {} : { reason }), ...(purge ? { purge } : {}) }),
    forgotten,
  );
  return (
    <details className="p-more">
      <summary>Forget it</summary>
      <ActForm
        name="Forget"
        role="operate"
        tone="danger"
        acting={acting}
        command={command(["memory", "forget", memory, id], { purge, reason })}
      >
        <p>
          All versions of this fact go, and everything that was derived from it, in any memory.
          {readers.length === 0 ? "" : ` ${pluralText(readers.length, "work item")} had read it and will be named.`}
          {parents.length === 0 ? "" : " What it was derived from stays."}
        </p>
        <label className="p-check">
          <input type="checkbox" checked={purge} onChange={(event) => setPurge(event.target.checked)} /> Purge ended processes that had
          written or read it, too
        </label>
        <ReasonField value={reason} onChange={setReason} />
      </ActForm>
    </details>
  );
}

function ForgottenNote({ forgotten: { facts, readers, purged = [], waiting = [] } }: { readonly forgotten: Forgotten }): ReactNode {
  return (
    <Note tone="good">
      Gone: {facts.map((fact) => `${fact.memory} / ${fact.id} v${fact.version}`).join(", ")}. {pluralText(readers.length, "work item")} had
      read it
      {readers.length === 0 ? "" : `: ${[...new Set(readers.map(({ processId }) => processId))].join(", ")}`}.
      {purged.length === 0 ? "" : ` Purged: ${purged.join(", ")}.`}
      {waiting.length === 0 ? "" : ` To purge later, as others may still refer to them: ${waiting.join(", ")}.`}
    </Note>
  );
}

function Gone({ data: { gone, stale } }: { readonly data: Shown }): ReactNode {
  if (gone.length + stale.length === 0) return null;
  return (
    <details className="p-box p-more">
      <summary>
        Gone: {pluralText(gone.length, "version")}, read by {pluralText(stale.length, "work item")}
      </summary>
      <ul className="p-list">
        {gone.map(({ id, version, why, by, atMs }) => (
          <li key={`${id} ${version}`}>
            {id} v{version}: {why} by {by}, <When atMs={atMs} />
          </li>
        ))}
        {stale.map(({ workId, agent, processId, facts }) => (
          <li key={workId}>
            {agent} in <Link to={TO.run(processId)}>{processId}</Link> had read{" "}
            {facts.map(({ id, version, why }) => `${id} v${version} (${why})`).join(", ")}
          </li>
        ))}
      </ul>
    </details>
  );
}
