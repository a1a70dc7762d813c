/** @module The system: its hosts, what an operator should look at, its models, broken actors and the audit. */
import type { ReactNode } from "react";
import type { AuditEntry, BrokenActors, ModelsAnswer } from "../../../runtime/answers.ts";
import type { SystemView } from "../../../runtime/overview.ts";
import { Answer, Box, CommandLine, Empty, FaultNote, Head, Mark, When } from "../parts/blocks.tsx";
import { doneText } from "../../../runtime/look.ts";
import { targetPath } from "../parts/audit.ts";
import { command } from "../parts/commands.ts";
import { countText, spanText } from "../parts/format.ts";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { type ScreenProps, TO, withQuery } from "../parts/paths.ts";
import { FilterText } from "./dead-letters.tsx";
import { Problems } from "./problems.tsx";

const AUDIT_ENTRIES = 50;
const FIX_BROKEN = "The journal does not fit the code. `troupe doctor` tells more; the actor stays as it is until then.";

/** The screen. */
export function SystemScreen({ query }: ScreenProps): ReactNode {
  const system = useLoad<SystemView>("/system");
  return (
    <>
      <Head title="System" about="Hosts, models, records and who did what." />
      <Answer of={system}>
        {(data) => (
          <>
            <Problems of={data.problems} />
            <Hosts hosts={data.hosts} />
          </>
        )}
      </Answer>
      <Models />
      <Broken />
      <Audit query={query} />
    </>
  );
}

function Hosts({ hosts }: { readonly hosts: SystemView["hosts"] }): ReactNode {
  return (
    <Box title="Hosts">
      <table className="p-table">
        <thead>
          <tr>
            <th>Host</th>
            <th>State</th>
            <th className="p-num">Open work</th>
            <th>Lease renewed</th>
          </tr>
        </thead>
        <tbody>
          {hosts.map(({ incarnation, self, alive, open, leaseAtMs }) => (
            <tr key={incarnation}>
              <td>
                <code>{incarnation}</code> {self ? <span className="p-faint">(this one)</span> : null}
              </td>
              <td>
                <Mark tone={alive ? "good" : "bad"}>{alive ? "alive" : "gone"}</Mark>
              </td>
              <td className="p-num">{open === undefined ? "" : countText(open)}</td>
              <td>
                <When atMs={leaseAtMs} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Box>
  );
}

function Models(): ReactNode {
  const models = useLoad<ModelsAnswer>("/models");
  if (models.data?.models.length === 0) return null;
  return (
    <Box title="Models">
      <Answer of={models}>
        {(data) => (
          <table className="p-table">
            <thead>
              <tr>
                <th>Model</th>
                <th>Endpoint</th>
                <th className="p-num">Running</th>
                <th>State</th>
              </tr>
            </thead>
            <tbody>
              {data.models.flatMap(({ name, waiting, endpoints }) =>
                endpoints.map((one) => (
                  <tr key={`${name} ${one.name}`}>
                    <td className="p-cell-main">
                      {name} {waiting === 0 ? null : <Mark tone="warn">{`${countText(waiting)} wait`}</Mark>}
                    </td>
                    <td>
                      {one.name} <span className="p-faint">{`${one.provider}, ${one.model}`}</span>
                    </td>
                    <td className="p-num">{`${countText(one.running)} of ${countText(one.concurrency)}`}</td>
                    <td>
                      <EndpointState {...one} />
                    </td>
                  </tr>
                )),
              )}
            </tbody>
          </table>
        )}
      </Answer>
    </Box>
  );
}

function EndpointState({ breaker, restMs, connection }: ModelsAnswer["models"][number]["endpoints"][number]): ReactNode {
  if (connection !== "connected") return <Mark tone="bad">{connection}</Mark>;
  if (breaker !== "closed") return <Mark tone="bad">{`breaker ${breaker}`}</Mark>;
  return restMs > 0 ? <Mark tone="warn">{`rests ${spanText(restMs)}`}</Mark> : <Mark tone="good">connected</Mark>;
}

function Broken(): ReactNode {
  const broken = useLoad<BrokenActors>("/broken");
  const entries = broken.data?.entries ?? [];
  if (broken.fault === undefined && entries.length === 0) return null;
  return (
    <Box title="Broken actors" tone="bad">
      {broken.fault === undefined ? null : <FaultNote fault={broken.fault} />}
      {entries.map(({ actor, code, message, atMs }) => (
        <FaultNote key={actor} fault={{ code, message: `${actor}: ${message}`, fix: FIX_BROKEN }}>
          <p className="p-faint">
            Found <When atMs={atMs} />
          </p>
        </FaultNote>
      ))}
    </Box>
  );
}

interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly cursor?: string;
}

function Audit({ query }: { readonly query: URLSearchParams }): ReactNode {
  const page = usePage();
  const filter = { process: query.get("process") ?? "", what: query.get("what") ?? "", cursor: query.get("cursor") ?? "" };
  const audit = useLoad<AuditPage>("/audit", { ...filter, limit: AUDIT_ENTRIES });
  const change = (part: Partial<typeof filter>): void => page.go(withQuery(TO.system, { ...filter, cursor: "", ...part }));
  return (
    <Box title="Audit">
      <div className="p-filters" role="group" aria-label="Filters of the audit">
        <FilterText name="Process" value={filter.process} onChange={(process) => change({ process })} />
        <FilterText name="What" value={filter.what} onChange={(what) => change({ what })} />
      </div>
      <Answer of={audit}>
        {({ entries, cursor }) =>
          entries.length === 0 ? (
            <Empty title="No records">Acts of operators and decisions of people are recorded here.</Empty>
          ) : (
            <>
              <AuditTable entries={entries} />
              {cursor === undefined ? null : (
                <button type="button" className="p-button-small" onClick={() => change({ cursor })}>
                  Older
                </button>
              )}
            </>
          )
        }
      </Answer>
      <CommandLine text={command(["audit"], { process: filter.process, what: filter.what })} />
    </Box>
  );
}

function AuditTable({ entries }: { readonly entries: readonly AuditEntry[] }): ReactNode {
  return (
    <table className="p-table p-cards">
      <thead>
        <tr>
          <th>When</th>
          <th>Who</th>
          <th>What</th>
          <th>Target</th>
          <th>Why</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id}>
            <td className="p-cell-when">
              <When atMs={entry.atMs} />
            </td>
            <td>{entry.who}</td>
            <td>
              {doneText(entry)} {entry.verdict === undefined ? null : <Mark>{entry.verdict}</Mark>}
            </td>
            <td>
              <Target entry={entry} />
            </td>
            <td>{entry.why}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Target({ entry }: { readonly entry: AuditEntry }): ReactNode {
  const to = targetPath(entry);
  return to === undefined ? entry.target : <Link to={to}>{entry.target}</Link>;
}
