/** @module The history of a run: its newest lines, and all others when they are asked for. */
import { type ReactNode, useRef, useState } from "react";
import type { HistoryLine, HistoryPage, ProcessView } from "../../../runtime/process-view.ts";
import { Box, CommandLine, FaultNote, Mark } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { momentText, pluralText } from "../parts/format.ts";
import { faultOf, type PageFault, usePage } from "../parts/page.tsx";
import { API } from "../parts/paths.ts";

const PAGE_LINES = 200;

/** The history. Lines that were seen stay, while the view moves on to newer ones. */
export function RunHistory({ view }: { readonly view: ProcessView }): ReactNode {
  const page = usePage();
  const seen = useRef(new Map<number, HistoryLine>());
  const [from, setFrom] = useState(view.historyFrom);
  const [fault, setFault] = useState<PageFault>();
  for (const [index, line] of view.history.entries()) seen.current.set(view.historyFrom + index, line);
  const load = (): void => {
    const first = Math.max(0, from - PAGE_LINES);
    page.get<HistoryPage>(`${API.process(view.id)}/history`, { from: first, limit: from - first }).then(
      ({ lines }) => {
        for (const line of lines) seen.current.set(line.line, line);
        setFrom(first);
      },
      (error: unknown) => setFault(faultOf(error)),
    );
  };
  const known = [...seen.current].toSorted(([a], [b]) => a - b);
  return (
    <Box title="History" side={<span className="p-faint">{pluralText(view.historyFrom + view.history.length, "line")}</span>}>
      {fault === undefined ? null : <FaultNote fault={fault} />}
      {from === 0 ? null : (
        <button type="button" className="p-button-small" onClick={load}>
          Older
        </button>
      )}
      <div className="v-history" role="region" aria-label="Lines of the history" tabIndex={0}>
        <table className="p-table p-cards">
          <thead>
            <tr>
              <th>When</th>
              <th>What</th>
              <th>Stop</th>
              <th>Agent</th>
            </tr>
          </thead>
          <tbody>
            {known.map(([number, line]) => (
              <tr key={number}>
                <td className="p-cell-when">{momentText(line.atMs)}</td>
                <td>
                  {line.what} {line.code === undefined ? null : <Mark tone="bad">{line.code}</Mark>}
                  {line.attempt > 1 ? <span className="p-faint">{` attempt ${line.attempt}`}</span> : null}
                </td>
                <td>{line.stop}</td>
                <td>{line.agent}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <CommandLine text={command(["show", view.id], { history: true })} />
    </Box>
  );
}
