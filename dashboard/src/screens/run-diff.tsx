/** @module The difference of two runs: outcome, cost, path, calls and arguments. */
import { type ReactNode, useState } from "react";
import type { DiffLine, RunDiff } from "../../../runtime/cassette/diff.ts";
import { ActForm, useActing } from "../parts/act.tsx";
import { Answer, Box, Head, Mark, Note, Scrolled, type Tone } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { countText, pluralText, usdText } from "../parts/format.ts";
import { DiffLines } from "../parts/input-editor.tsx";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { API, type ScreenProps, TO } from "../parts/paths.ts";
import { costRows, diffCounts, type DiffFilter, linesByStop } from "../parts/run-diff.ts";

/** The screen. */
export function RunDiffScreen({ params }: ScreenProps): ReactNode {
  const page = usePage();
  const [a, b] = [params["id"] ?? "", params["other"] ?? ""];
  const [other, setOther] = useState(b);
  const diff = useLoad<RunDiff>(b === "" ? undefined : API.diff(a, b));
  const acting = useActing(
    () => Promise.resolve(other.trim()),
    (id) => page.go(TO.diff(a, id)),
  );
  return (
    <>
      <Head
        from={<Link to={TO.run(a)}>{a}</Link>}
        title="Compare"
        about="Path, calls, arguments, cost and outcome of two runs, side by side."
      />
      <Box>
        <ActForm
          name="Compare"
          role="read"
          also="content"
          acting={acting}
          blocked={other.trim() === "" ? "Name the other process." : undefined}
          command={command(["diff", a, other.trim() === "" ? "<id>" : other.trim()])}
        >
          <label className="p-field">
            <span className="p-label">With process</span>
            <input value={other} onChange={(event) => setOther(event.target.value)} />
          </label>
        </ActForm>
      </Box>
      {b === "" ? null : <Answer of={diff}>{(data) => <DiffBody diff={data} names={[data.a, data.b]} />}</Answer>}
    </>
  );
}

/** The difference, with names for both runs. */
export function DiffBody({
  diff,
  names: [nameA, nameB],
}: {
  readonly diff: RunDiff;
  readonly names: readonly [string, string];
}): ReactNode {
  const [filter, setFilter] = useState<DiffFilter>("different");
  const counts = diffCounts(diff);
  const groups = linesByStop(diff.lines, filter);
  return (
    <>
      {diff.same ? <Note tone="good">Both runs are the same: path, calls, arguments and outcome.</Note> : null}
      <Box title="Outcome and cost">
        <Scrolled label="Outcome and cost">
          <table className="p-table">
            <thead>
              <tr>
                <th>What</th>
                <th className="p-num">{nameA}</th>
                <th className="p-num">{nameB}</th>
              </tr>
            </thead>
            <tbody>
              <tr className={diff.outcome.a === diff.outcome.b ? "" : "p-row-changed"}>
                <td>Outcome</td>
                <td className="p-num">{diff.outcome.a}</td>
                <td className="p-num">{diff.outcome.b}</td>
              </tr>
              {costRows(diff).map(({ name, a, b, isUsd }) => (
                <tr key={name} className={a === b ? "" : "p-row-changed"}>
                  <td>{name}</td>
                  <td className="p-num">{isUsd ? usdText(a) : countText(a)}</td>
                  <td className="p-num">{isUsd ? usdText(b) : countText(b)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolled>
      </Box>
      <Box
        title={`${pluralText(counts.changed, "change")}, ${counts["only-a"]} only in ${nameA}, ${counts["only-b"]} only in ${nameB}`}
        side={
          <div className="p-tabs">
            {(["different", "all"] as const).map((one) => (
              <button key={one} type="button" aria-pressed={filter === one} onClick={() => setFilter(one)}>
                {one === "all" ? `All ${diff.lines.length}` : "What differs"}
              </button>
            ))}
          </div>
        }
      >
        {groups.length === 0 ? <p className="p-faint">Nothing differs.</p> : null}
        {groups.map(({ stop, lines }, index) => (
          <section key={`${index} ${stop}`} className="p-stop">
            <h3>{stop === "" ? "the process" : stop}</h3>
            {lines.map((line, at) => (
              <Line key={`${at} ${line.name}`} line={line} names={[nameA, nameB]} />
            ))}
          </section>
        ))}
      </Box>
    </>
  );
}

const TONES: Readonly<Record<DiffLine["how"], Tone>> = { same: "plain", changed: "warn", "only-a": "bad", "only-b": "good" };

function Line({ line, names: [nameA, nameB] }: { readonly line: DiffLine; readonly names: readonly [string, string] }): ReactNode {
  const { what, name, agent, how, a, b } = line;
  const text = { same: "same", changed: "changed", "only-a": `only in ${nameA}`, "only-b": `only in ${nameB}` }[how];
  return (
    <details className="p-line" open={how === "changed"}>
      <summary>
        <Mark tone={TONES[how]}>{text}</Mark> {what} <strong>{name}</strong>{" "}
        {agent === undefined ? null : <span className="p-faint">{agent}</span>}
      </summary>
      {a === undefined && b === undefined ? <p className="p-faint">Its content is hidden or empty.</p> : <DiffLines before={a} after={b} />}
    </details>
  );
}
