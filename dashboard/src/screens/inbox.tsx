/** @module The inbox: what waits for people, escalated ones first, then the oldest. */
import type { ReactNode } from "react";
import type { InboxPage } from "../../../runtime/people/answers.ts";
import type { InboxEntry } from "../../../runtime/people/view.ts";
import { Answer, Box, Empty, Head, Mark, type Tone, When } from "../parts/blocks.tsx";
import { pluralText } from "../parts/format.ts";
import { urgencyOf, waitingOrder } from "../parts/inbox.ts";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { type ScreenProps, TO } from "../parts/paths.ts";
import { useTick } from "../parts/tick.ts";
import { FilterText } from "./dead-letters.tsx";

const PAGE_ENTRIES = 100;

/** The screen. */
export function InboxScreen({ query }: ScreenProps): ReactNode {
  const page = usePage();
  const filter = {
    state: query.get("state") ?? "",
    person: query.get("person") ?? "",
    route: query.get("route") ?? "",
    cursor: query.get("cursor") ?? "",
  };
  const requests = useLoad<InboxPage>("/inbox", { ...filter, limit: PAGE_ENTRIES });
  const change = (part: Partial<typeof filter>): void => page.go(TO.inbox({ ...filter, cursor: "", ...part }));
  const isDecided = filter.state === "decided";
  return (
    <>
      <Head title="Inbox" about="What waits for people: the escalated first, then what has waited longest." />
      <div className="p-filters" role="group" aria-label="Filters">
        <div className="p-tabs">
          <button type="button" aria-pressed={!isDecided} onClick={() => change({ state: "" })}>
            Waiting
          </button>
          <button type="button" aria-pressed={isDecided} onClick={() => change({ state: "decided" })}>
            Decided
          </button>
        </div>
        <FilterText name="Person" value={filter.person} onChange={(person) => change({ person })} />
        <FilterText name="Route" value={filter.route} onChange={(route) => change({ route })} />
      </div>
      <Answer of={requests}>
        {({ entries, cursor }) =>
          entries.length === 0 && cursor === undefined ? (
            <Empty title={isDecided ? "No decided requests" : "Nothing waits for people"}>
              Requests come here when an agent needs consent, an answer or a larger budget.
            </Empty>
          ) : (
            <Box>
              <ul className="p-requests">
                {(isDecided ? entries : waitingOrder(entries)).map((entry) => (
                  <RequestRow key={entry.id} entry={entry} />
                ))}
              </ul>
              <div className="p-pager">
                <span className="p-faint">{pluralText(entries.length, "request")}</span>
                {cursor === undefined ? null : (
                  <button type="button" onClick={() => change({ cursor })}>
                    More
                  </button>
                )}
              </div>
            </Box>
          )
        }
      </Answer>
    </>
  );
}

const TONES: Readonly<Record<string, Tone>> = {
  approved: "good",
  answered: "good",
  edited: "good",
  denied: "bad",
  expired: "warn",
  closed: "plain",
  open: "info",
};

function RequestRow({ entry }: { readonly entry: InboxEntry }): ReactNode {
  const { id, about, kind, agent, tool, route, stop, person, state, by } = entry;
  return (
    <li>
      <div className="p-request-main">
        <Link to={TO.request(id)}>{about === "" ? id : about}</Link>
        <span className="p-faint">
          {kind} by {agent ?? route}
          {tool === undefined ? "" : `, call of ${tool}`}
          {stop === "" ? "" : `, stop ${stop}`}, for {person ?? "all who may decide"}
        </span>
      </div>
      <div className="p-request-side">
        {entry.escalated > 0 ? <Mark tone="bad">escalated</Mark> : null}
        {state === "open" ? <Deadline entry={entry} /> : <Mark tone={TONES[state] ?? "plain"}>{state}</Mark>}
        <span className="p-faint">
          {state === "open" ? (
            <>
              asked <When atMs={entry.askedAtMs} />
            </>
          ) : (
            <>
              {by ?? "no person"} <When atMs={entry.decidedAtMs} />
            </>
          )}
        </span>
      </div>
    </li>
  );
}

/** How near the deadline is. */
export function Deadline({ entry }: { readonly entry: Pick<InboxEntry, "dueAtMs"> }): ReactNode {
  const page = usePage();
  useTick();
  const urgency = urgencyOf(entry, page.nowMs());
  if (urgency === "none") return null;
  return (
    <Mark tone={urgency === "calm" ? "plain" : urgency === "pressing" ? "warn" : "bad"}>
      {urgency === "past" ? "deadline passed " : "due "}
      <When atMs={entry.dueAtMs} />
    </Mark>
  );
}
