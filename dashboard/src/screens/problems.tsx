/** @module What an operator should look at, each with what to do. */
import type { ReactNode } from "react";
import type { LetterEntry } from "../../../runtime/answers.ts";
import type { Problem } from "../../../runtime/overview.ts";
import { Box, CommandLine, Mark, When } from "../parts/blocks.tsx";
import { Link, useLoad } from "../parts/page.tsx";
import { TO } from "../parts/paths.ts";

/** Where a problem is looked at, by the first part of its code. */
const SCREENS: Readonly<Record<string, string>> = { deadletter: TO.deadLetters(), person: TO.inbox(), drift: TO.drift };

const DEAD_LETTERS = "deadletter.open";
const NEWEST_MAX = 5;

/** The problems, or that there are none. */
export function Problems({ of }: { readonly of: readonly Problem[] }): ReactNode {
  return (
    <Box title="To look at">
      {of.length === 0 ? (
        <p className="p-faint">Nothing. All hosts, models and stores that this host knows do their work.</p>
      ) : (
        <ul className="v-problems">
          {of.map((problem) => (
            <Line key={`${problem.code} ${problem.message}`} problem={problem} />
          ))}
        </ul>
      )}
    </Box>
  );
}

/** The newest dead letters that wait, each with its cause. */
function Newest(): ReactNode {
  const letters = useLoad<{ readonly entries: readonly LetterEntry[] }>("/deadletters", { limit: NEWEST_MAX });
  return (
    <ul className="v-newest">
      {(letters.data?.entries ?? []).map(({ id, processId, run, code, message, atMs }) => (
        <li key={id}>
          <Link to={TO.deadLetter(id)}>{processId === undefined || run === undefined ? id : `${processId}, run ${run}`}</Link>
          <span className="v-newest-cause">{message ?? code}</span>
          <span className="v-newest-state">
            <When atMs={atMs} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function Line({ problem: { code, message, fix, command } }: { readonly problem: Problem }): ReactNode {
  const screen = SCREENS[code.split(".")[0] ?? ""];
  // Its letters say more than the advice to look at them.
  if (code === DEAD_LETTERS)
    return (
      <li>
        <p>
          <Link to={TO.deadLetters()}>{message}</Link>
        </p>
        <Newest />
        {command === undefined ? null : <CommandLine text={command} />}
      </li>
    );
  return (
    <li>
      <p>
        <Mark tone="warn">{code}</Mark> {screen === undefined ? message : <Link to={screen}>{message}</Link>}
      </p>
      <p className="p-faint">{fix}</p>
      {command === undefined ? null : <CommandLine text={command} />}
    </li>
  );
}
