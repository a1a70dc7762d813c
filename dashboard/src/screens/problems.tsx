/** @module What an operator should look at, each with what to do. */
import type { ReactNode } from "react";
import type { Problem } from "../../../runtime/overview.ts";
import { Box, CommandLine, Mark } from "../parts/blocks.tsx";
import { Link } from "../parts/page.tsx";
import { TO } from "../parts/paths.ts";

/** Where a problem is looked at, by the first part of its code. */
const SCREENS: Readonly<Record<string, string>> = { deadletter: TO.deadLetters(), person: TO.inbox(), drift: TO.drift };

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

function Line({ problem: { code, message, fix, command } }: { readonly problem: Problem }): ReactNode {
  const screen = SCREENS[code.split(".")[0] ?? ""];
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
