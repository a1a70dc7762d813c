/** @module The dead letter queue: letters by fault, filters in the address, and decisions for many at once. */
import { type ReactNode, useState } from "react";
import type { LetterEntry } from "../../../runtime/answers.ts";
import { Answer, Box, Empty, Head, Mark, When } from "../parts/blocks.tsx";
import { pluralText } from "../parts/format.ts";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { type ScreenProps, TO } from "../parts/paths.ts";
import { DecideMany } from "./decide-many.tsx";

interface LetterPage {
  readonly entries: readonly LetterEntry[];
  readonly cursor?: string;
  readonly broken?: readonly string[];
}

const PAGE_ENTRIES = 100;

/** The screen. */
export function DeadLettersScreen({ query }: ScreenProps): ReactNode {
  const page = usePage();
  const filter = {
    route: query.get("route") ?? "",
    code: query.get("code") ?? "",
    decided: query.get("decided") ?? "",
    cursor: query.get("cursor") ?? "",
  };
  const letters = useLoad<LetterPage>("/deadletters", { ...filter, limit: PAGE_ENTRIES });
  const change = (part: Partial<typeof filter>): void => page.go(TO.deadLetters({ ...filter, cursor: "", ...part }));
  return (
    <>
      <Head
        title="Dead letters"
        about="Work that could not be done. Each waits for a decision: redrive it, with another input if needed, or discard it."
      />
      <div className="p-filters" role="group" aria-label="Filters">
        <div className="p-tabs">
          <button type="button" aria-pressed={filter.decided !== "true"} onClick={() => change({ decided: "" })}>
            Waiting
          </button>
          <button type="button" aria-pressed={filter.decided === "true"} onClick={() => change({ decided: "true" })}>
            Decided
          </button>
        </div>
        <FilterText name="Route" value={filter.route} onChange={(route) => change({ route })} />
        <FilterText name="Fault" value={filter.code} onChange={(code) => change({ code })} />
      </div>
      <Answer of={letters}>
        {(data) => <Letters key={JSON.stringify(filter)} data={data} filter={filter} change={change} reload={letters.reload} />}
      </Answer>
    </>
  );
}

/** A filter that is applied when Enter is pressed or the field is left. */
export function FilterText({
  name,
  value,
  onChange,
}: {
  readonly name: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
}): ReactNode {
  return (
    <label className="p-filter">
      <span>{name}</span>
      <input
        key={value}
        type="search"
        placeholder="then Enter"
        defaultValue={value}
        onKeyDown={(event) => {
          if (event.key === "Enter") onChange(event.currentTarget.value.trim());
        }}
        onBlur={(event) => {
          if (event.target.value.trim() !== value) onChange(event.target.value.trim());
        }}
      />
    </label>
  );
}

interface LettersProps {
  readonly data: LetterPage;
  readonly filter: Readonly<Record<"route" | "code" | "decided" | "cursor", string>>;
  readonly change: (part: Readonly<Partial<Record<"route" | "code" | "cursor", string>>>) => void;
  readonly reload: () => void;
}

function Letters({ data, filter, change, reload }: LettersProps): ReactNode {
  const page = usePage();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { entries, cursor, broken = [] } = data;
  const isWaiting = filter.decided !== "true";
  const canChoose = isWaiting && page.roles.has("decide");
  const [isDeciding, setDeciding] = useState(false);
  const present = entries.filter(({ id }) => chosen.has(id)).map(({ id }) => id);
  const toggle = (ids: readonly string[], isIn: boolean): void =>
    setChosen((old) => new Set(isIn ? [...old, ...ids] : [...old].filter((id) => !ids.includes(id))));
  if (entries.length === 0 && cursor === undefined && !isDeciding)
    return (
      <Empty title={filter.decided === "true" ? "No decided dead letters" : "No dead letters wait"}>
        {filter.route + filter.code === "" ? "All work of this system went through or was decided." : "None fits these filters."}
      </Empty>
    );
  return (
    <>
      {broken.length === 0 ? null : (
        <p className="p-problem">Some buckets of the index are broken, and their letters are missing: {broken.join(", ")}.</p>
      )}
      {isWaiting ? <Faults entries={entries} code={filter.code} choose={(code) => change({ code })} /> : null}
      {canChoose && (present.length > 0 || isDeciding) ? (
        <DecideMany
          ids={present}
          done={(ids) => {
            setDeciding(true);
            toggle(ids, false);
            reload();
          }}
        />
      ) : null}
      <Box>
        <LetterTable {...{ entries, canChoose, chosen, toggle }} />
        <div className="p-pager">
          <span className="p-faint">{pluralText(entries.length, "letter")} on this page</span>
          {filter.cursor === "" ? null : (
            <button type="button" onClick={() => change({ cursor: "" })}>
              First page
            </button>
          )}
          {cursor === undefined ? null : (
            <button type="button" onClick={() => change({ cursor })}>
              Older
            </button>
          )}
        </div>
      </Box>
    </>
  );
}

/** The faults of the letters on the page, most frequent first; each is a filter. */
function Faults({
  entries,
  code,
  choose,
}: {
  readonly entries: readonly LetterEntry[];
  readonly code: string;
  readonly choose: (code: string) => void;
}): ReactNode {
  const counts = new Map<string, number>();
  for (const entry of entries) counts.set(entry.code ?? "unknown", (counts.get(entry.code ?? "unknown") ?? 0) + 1);
  return (
    <div className="p-chips" role="group" aria-label="By fault">
      {[...counts]
        .toSorted(([, a], [, b]) => b - a)
        .map(([name, count]) => (
          <button key={name} type="button" aria-pressed={code === name} onClick={() => choose(code === name ? "" : name)}>
            {name} <b>{count}</b>
          </button>
        ))}
    </div>
  );
}

interface TableProps {
  readonly entries: readonly LetterEntry[];
  readonly canChoose: boolean;
  readonly chosen: ReadonlySet<string>;
  readonly toggle: (ids: readonly string[], isIn: boolean) => void;
}

function LetterTable({ entries, canChoose, chosen, toggle }: TableProps): ReactNode {
  const ids = entries.map(({ id }) => id);
  return (
    <table className="p-table p-cards">
      <thead>
        <tr>
          {canChoose ? (
            <th>
              <input
                type="checkbox"
                aria-label="All on this page"
                checked={ids.every((id) => chosen.has(id))}
                onChange={(event) => toggle(ids, event.target.checked)}
              />
            </th>
          ) : null}
          <th>Letter</th>
          <th>Fault</th>
          <th>What</th>
          <th>Route</th>
          <th>Since</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id}>
            {canChoose ? (
              <td className="p-cell-check">
                <input
                  type="checkbox"
                  aria-label={`Choose ${entry.id}`}
                  checked={chosen.has(entry.id)}
                  onChange={(event) => toggle([entry.id], event.target.checked)}
                />
              </td>
            ) : null}
            <td className="p-cell-main">
              <Link to={TO.deadLetter(entry.id)}>{entry.id}</Link>
            </td>
            <td>
              <Mark tone={entry.open ? "bad" : "plain"}>{entry.code ?? "unknown"}</Mark>
            </td>
            <td className="p-cell-text">{whatOf(entry)}</td>
            <td>{entry.route ?? entry.topic ?? ""}</td>
            <td className="p-cell-when">
              <When atMs={entry.atMs} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function whatOf({ decision, by, reason, message, parent }: LetterEntry): string {
  if (decision === undefined) return `${parent === undefined ? "" : `nested in ${parent}: `}${message ?? ""}`;
  return `${decision}${by === undefined ? "" : ` by ${by}`}${reason === undefined || reason === "" ? "" : `: ${reason}`}`;
}
