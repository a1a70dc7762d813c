/** @module Search: processes by the filters in the address, newest first. Only rows in sight are in the page. */
import { memo, type ReactNode, useEffect, useRef, useState } from "react";
import type { ProcessEntry } from "../../../runtime/answers.ts";
import type { OutcomeStatus } from "../../../runtime/protocol.ts";
import { Box, CommandLine, Empty, FaultNote, Head, Mark, When } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { pluralText, spanText, usdText } from "../parts/format.ts";
import { faultOf, Link, type PageFault, usePage } from "../parts/page.tsx";
import { type ScreenProps, TO } from "../parts/paths.ts";
import { StatusMark } from "../parts/status.tsx";
import { useSight } from "../parts/virtual.ts";
import { sinceOf, WINDOWS } from "./costs.tsx";
import { FilterText } from "./dead-letters.tsx";

const PAGE_ENTRIES = 200;
const ROW_PX = 52;
const FILTERS = ["state", "status", "route", "code", "by", "text", "minUsd", "version", "waiting", "paused", "window", "ended"] as const;

const STATUSES: readonly OutcomeStatus[] = ["completed", "partial", "failed", "cancelled", "expired"];

type Filter = Readonly<Record<(typeof FILTERS)[number], string>>;

interface Entries {
  readonly entries: readonly ProcessEntry[];
  readonly cursor?: string;
  readonly broken?: readonly string[];
}

/** The screen. */
export function RunsScreen({ query }: ScreenProps): ReactNode {
  const page = usePage();
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""])) as Filter;
  const change = (part: Partial<Filter>): void => page.go(TO.runs({ ...filter, ...part }), { inPlace: true });
  return (
    <>
      <Head title="Runs" about="Every process that was submitted, newest first.">
        <Link className="p-button" to={TO.submit()}>
          Submit a task
        </Link>
      </Head>
      <Filters filter={filter} change={change} />
      <List key={JSON.stringify(filter)} filter={filter} />
      <CommandLine text={commandOf(filter)} />
    </>
  );
}

/** The command that lists the same. */
function commandOf({ state, waiting, paused, window, ended, minUsd, version, ...rest }: Filter): string {
  const { status, route, code, by, text } = rest;
  const [since = "", endedSince = ""] = [window, ended].map((ms) => (ms === "" ? "" : spanText(Number(ms)).replace(" ", "")));
  const flags = { waiting: waiting === "true", paused: paused === "true" };
  const times = { since, "ended-since": endedSince };
  return command(["ps"], { only: state, status, route, code, by, ...times, "min-usd": minUsd, ...flags, text, used: version });
}

interface FiltersProps {
  readonly filter: Filter;
  readonly change: (part: Partial<Filter>) => void;
}

/** What a process is to be: one of these at a time. */
const CHOICES: readonly (readonly [name: string, part: Pick<Filter, "state" | "status" | "waiting" | "paused">])[] = [
  ["All", { state: "", status: "", waiting: "", paused: "" }],
  ["Open", { state: "open", status: "", waiting: "", paused: "" }],
  ["Waiting for people", { state: "", status: "", waiting: "true", paused: "" }],
  ["Paused", { state: "", status: "", waiting: "", paused: "true" }],
  ["Ended", { state: "ended", status: "", waiting: "", paused: "" }],
  ...STATUSES.map((status) => [status, { state: "", status, waiting: "", paused: "" }] as const),
];

function Filters({ filter, change }: FiltersProps): ReactNode {
  const isChosen = (part: Partial<Filter>): boolean =>
    Object.entries(part).every(([name, value]) => filter[name as keyof Filter] === value);
  const isMore = [filter.by, filter.minUsd, filter.version, filter.window, filter.ended].some((text) => text !== "");
  return (
    <div className="v-filters">
      <div className="p-chips" role="group" aria-label="State">
        {CHOICES.map(([name, part]) => (
          <button key={name} type="button" aria-pressed={isChosen(part)} onClick={() => change(part)}>
            {name}
          </button>
        ))}
      </div>
      <div className="p-filters" role="group" aria-label="Filters">
        <FilterText name="Id or trace" value={filter.text} onChange={(text) => change({ text })} />
        <FilterText name="Route" value={filter.route} onChange={(route) => change({ route })} />
        <FilterText name="Fault" value={filter.code} onChange={(code) => change({ code })} />
      </div>
      <details className="p-more" open={isMore}>
        <summary>More filters</summary>
        <div className="p-filters" role="group" aria-label="More filters">
          <FilterText name="Submitted by" value={filter.by} onChange={(by) => change({ by })} />
          <FilterText name="Version" value={filter.version} onChange={(version) => change({ version })} />
          <FilterText name="Cost from, USD" value={filter.minUsd} onChange={(minUsd) => change({ minUsd })} />
          <FilterWindow name="Submitted in the last" value={filter.window} onChange={(window) => change({ window })} />
          <FilterWindow name="Ended in the last" value={filter.ended} onChange={(ended) => change({ ended })} />
        </div>
      </details>
    </div>
  );
}

interface FilterWindowProps {
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function FilterWindow({ name, value, onChange }: FilterWindowProps): ReactNode {
  return (
    <label className="p-filter">
      <span>{name}</span>
      <select value={value} onChange={({ target }) => onChange(target.value)}>
        <option value="">any time</option>
        {WINDOWS.map(([text, ms]) => (
          <option key={ms} value={ms}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Held {
  readonly entries: readonly ProcessEntry[];
  readonly cursor: string | undefined;
  readonly broken: readonly string[];
}

interface Listed {
  readonly held: Held | undefined;
  readonly fault: PageFault | undefined;
  readonly more: () => void;
  readonly again: () => void;
}

/** The entries so far, the newest first; at each news the first page is read again, and what is known already stays. */
function useEntries(filter: Filter): Listed {
  const page = usePage();
  const [held, setHeld] = useState<Held>();
  const [fault, setFault] = useState<PageFault>();
  const isReading = useRef(false);
  const { window, ended, ...rest } = filter;
  const [sinceMs, endedSinceMs] = [window, ended].map((ms) => (ms === "" ? undefined : sinceOf(page.nowMs(), Number(ms))));
  const read = async (cursor?: string): Promise<void> => {
    try {
      const found = await page.get<Entries>("/processes", { ...rest, sinceMs, endedSinceMs, limit: PAGE_ENTRIES, cursor });
      setFault(undefined);
      setHeld((old) => merged(old, found, cursor !== undefined));
    } catch (error) {
      setFault(faultOf(error));
    }
  };
  useEffect(() => void read(), [page.news]);
  const more = (): void => {
    if (held?.cursor === undefined || isReading.current) return;
    isReading.current = true;
    void read(held.cursor).finally(() => {
      isReading.current = false;
    });
  };
  return { held, fault, more, again: () => void read() };
}

function merged(old: Held | undefined, { entries, cursor, broken = [] }: Entries, isNext: boolean): Held {
  if (isNext && old !== undefined) {
    const known = new Set(old.entries.map(({ id }) => id));
    return { entries: [...old.entries, ...entries.filter(({ id }) => !known.has(id))], cursor, broken };
  }
  const fresh = new Set(entries.map(({ id }) => id));
  const last = entries.at(-1);
  // Below the first page stands what was read of the others. What left the first page otherwise fits the filter no more.
  const at = last === undefined ? -1 : (old?.entries.findIndex(({ id }) => id === last.id) ?? -1);
  const rest = old === undefined || at < 0 ? [] : old.entries.slice(at + 1).filter(({ id }) => !fresh.has(id));
  return rest.length === 0 ? { entries, cursor, broken } : { entries: [...entries, ...rest], cursor: old?.cursor, broken };
}

function List({ filter }: { readonly filter: Filter }): ReactNode {
  const { held, fault, more, again } = useEntries(filter);
  const entries = held?.entries ?? [];
  const sight = useSight(entries.length, ROW_PX, more);
  return (
    <>
      {fault === undefined ? null : (
        <FaultNote fault={fault}>
          <button type="button" onClick={again}>
            Try again
          </button>
        </FaultNote>
      )}
      {held !== undefined && held.broken.length > 0 ? (
        <p className="p-problem">Some buckets of the index are broken, and their processes are missing: {held.broken.join(", ")}.</p>
      ) : null}
      {held?.entries.length === 0 ? (
        <Empty title="No processes">
          {Object.values(filter).join("") === "" ? <Link to={TO.submit()}>Submit the first task</Link> : "None fits these filters."}
        </Empty>
      ) : null}
      <Box>
        <div className="v-runs" role="table" aria-label="Processes" aria-rowcount={entries.length + 1} aria-busy={held === undefined}>
          <div className="v-run v-run-head" role="row">
            {["Process", "Route", "State", "Began", "Took", "Cost"].map((name) => (
              <span key={name} role="columnheader">
                {name}
              </span>
            ))}
          </div>
          <div ref={sight.place} className="v-runs-rows" role="rowgroup" tabIndex={0} aria-label="Rows">
            <div role="presentation" className="v-runs-all" style={{ height: entries.length * ROW_PX }}>
              {entries.slice(sight.from, sight.to).map((entry, offset) => (
                <RunRow key={entry.id} entry={entry} index={sight.from + offset} />
              ))}
            </div>
          </div>
        </div>
        <span className="p-faint">
          {pluralText(entries.length, "process", "processes")}
          {held?.cursor === undefined ? "" : " so far; scroll for more"}
        </span>
      </Box>
    </>
  );
}

/** While the list is scrolled, rows that stay in sight are not drawn again. */
const RunRow = memo(function RunRow({ entry, index }: { readonly entry: ProcessEntry; readonly index: number }): ReactNode {
  const { id, route, open, atMs, acceptedAtMs, durationMs, usd, code, failedStop, parent } = entry;
  return (
    <div className="v-run" role="row" aria-rowindex={index + 2} style={{ top: index * ROW_PX, height: ROW_PX }}>
      <span role="cell" className="v-run-id">
        <Link to={TO.run(id)}>{id}</Link>
        {parent === undefined ? null : <span className="p-faint"> part of {parent}</span>}
      </span>
      <span role="cell">{route}</span>
      <span role="cell" className="v-run-state">
        <StatusMark of={entry} />
        {code === undefined ? null : (
          <Mark tone="bad" title={failedStop === undefined ? code : `${code} at ${failedStop}`}>
            {code}
          </Mark>
        )}
      </span>
      <span role="cell">
        <When atMs={acceptedAtMs ?? atMs} />
      </span>
      <span role="cell">{durationMs === undefined ? (open ? "" : spanText(atMs - (acceptedAtMs ?? atMs))) : spanText(durationMs)}</span>
      <span role="cell">{usd === undefined ? "" : usdText(usd)}</span>
    </div>
  );
});
