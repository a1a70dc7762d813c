/** @module One request to people: what is asked, why, on which evidence, and the decision, which carries the hash of what was shown. */
import { type ReactNode, useState } from "react";
import type { DecisionReceipt } from "../../../runtime/people/answers.ts";
import type { RequestView } from "../../../runtime/people/view.ts";
import { Answer, Box, Facts, Head, HiddenNote, JsonBlock, Mark, Note, RawText, TrustMark, When } from "../parts/blocks.tsx";
import { usdText } from "../parts/format.ts";
import { silenceText } from "../parts/inbox.ts";
import { Link, useLoad } from "../parts/page.tsx";
import { API, type ScreenProps, TO } from "../parts/paths.ts";
import { Decide } from "./decide.tsx";
import { Deadline } from "./inbox.tsx";

/** A request, with or without its content. */
export type ShownRequest = RequestView & { readonly hidden?: true };

/** The screen. */
export function RequestScreen({ params }: ScreenProps): ReactNode {
  const id = params["id"] ?? "";
  const request = useLoad<ShownRequest>(API.request(id));
  const [receipt, setReceipt] = useState<DecisionReceipt>();
  const [shown, setShown] = useState<ShownRequest>();
  // What a person reads must not change under the hand: a newer state is told, and shown when asked for, or when they have decided.
  const isDecided = receipt !== undefined && request.data?.state !== "open";
  const held = isDecided ? request.data : (shown ?? request.data);
  if (held !== undefined && shown === undefined) setShown(held);
  const isStale =
    request.data !== undefined && held !== undefined && (request.data.state !== held.state || request.data.hash !== held.hash);
  const renew = (): void => setShown(request.data);
  const decided = (recorded: DecisionReceipt): void => {
    setReceipt(recorded);
    request.reload();
  };
  return (
    <Answer of={{ ...request, data: held }}>
      {(data) => (
        <>
          <RequestHead request={data} state={receipt?.state ?? data.state} />
          {receipt === undefined ? null : (
            <Note tone="good">
              Recorded: the request is {receipt.state}. <Link to={TO.run(receipt.processId)}>Open the run</Link>
            </Note>
          )}
          {isStale && receipt === undefined ? (
            <div className="p-note p-note-warn" role="alert">
              <p>
                This request has changed since it was shown: it is {request.data?.state ?? "gone"}
                {request.data?.decided?.by === undefined ? "" : ` by ${request.data.decided.by}`}.
              </p>
              <button type="button" onClick={renew}>
                Show it as it is now
              </button>
            </div>
          ) : null}
          <div className="p-columns">
            <div>
              <Asked request={data} />
              <EvidenceList request={data} />
            </div>
            <div>
              {data.state === "open" && receipt === undefined ? (
                <Decide key={data.hash} request={data} done={decided} conflict={request.reload} />
              ) : (
                <DecidedNote request={data} />
              )}
            </div>
          </div>
        </>
      )}
    </Answer>
  );
}

function RequestHead({ request, state }: { readonly request: ShownRequest; readonly state: string }): ReactNode {
  const { id, kind, person, agent, route, processId, askedAtMs } = request;
  return (
    <Head
      from={<Link to={TO.inbox()}>Inbox</Link>}
      title={id}
      about={
        <>
          {kind} by {agent ?? route} for {person ?? "all who may decide"}, asked <When atMs={askedAtMs} />{" "}
          {state === "open" ? <Deadline entry={request} /> : <Mark>{state}</Mark>}
        </>
      }
    >
      <Link className="p-button" to={TO.run(processId)}>
        Open the run
      </Link>
    </Head>
  );
}

function Asked({ request }: { readonly request: ShownRequest }): ReactNode {
  const { reason, about, rule, tool, agent, stop, roles, forSubject, silence, spent, label = [], hash } = request;
  return (
    <Box title={tool === undefined ? "What is asked" : `May ${agent ?? "the route"} call ${tool}?`} side={<TrustMark label={label} />}>
      <p className="p-lead">{request.hidden === true ? about : reason}</p>
      {request.hidden === true ? (
        <HiddenNote what="What is asked, and its evidence" />
      ) : (
        <JsonBlock value={request.input} label="What is asked" />
      )}
      <Facts
        of={[
          ["Rule", rule],
          ["Stop", stop],
          ["For", forSubject],
          ["May decide", roles.length === 0 ? "all who may decide" : roles.join(", ")],
          ["In silence", request.state === "open" ? silenceText(silence) : undefined],
          ["Spent so far", spent === undefined ? undefined : usdText(usdOf(spent))],
          ["Hash", <code key="hash">{hash.slice(0, 12)}</code>],
        ]}
      />
    </Box>
  );
}

const MICROS_PER_USD = 1_000_000;

/** What the process had spent on models. */
function usdOf({ models }: NonNullable<ShownRequest["spent"]>): number {
  return Object.values(models).reduce((sum, { costMicros }) => sum + costMicros, 0) / MICROS_PER_USD;
}

function EvidenceList({ request: { evidence, hidden } }: { readonly request: ShownRequest }): ReactNode {
  if (hidden === true) return null;
  return (
    <Box title="Evidence">
      {evidence.length === 0 ? <p className="p-faint">The request came without evidence.</p> : null}
      <ul className="p-evidence">
        {evidence.map(({ origin, trusted, text }, index) => (
          <li key={`${origin} ${index}`} className={trusted ? "" : "p-untrusted"}>
            <div className="p-message-head">
              <strong>{origin}</strong>
              <TrustMark label={trusted ? [] : [origin]} />
            </div>
            <RawText text={text} />
          </li>
        ))}
      </ul>
    </Box>
  );
}

function DecidedNote({ request }: { readonly request: ShownRequest }): ReactNode {
  const { decided, state } = request;
  if (decided === undefined) return null;
  return (
    <Box title="Decision">
      <Facts
        of={[
          ["State", <Mark key="state">{state}</Mark>],
          ["By", decided.by ?? "no person"],
          ["When", <When key="when" atMs={decided.atMs} />],
          ["Reason", decided.reason],
        ]}
      />
    </Box>
  );
}
