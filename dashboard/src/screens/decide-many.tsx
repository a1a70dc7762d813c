/** @module One decision on many dead letters, with a reason, and what came of each. */
import { type ReactNode, useState } from "react";
import { ActForm, ReasonField, useActing } from "../parts/act.tsx";
import { Box, Mark, Note } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { pluralText } from "../parts/format.ts";
import { Link, usePage } from "../parts/page.tsx";
import { TO } from "../parts/paths.ts";

interface LettersDecided {
  readonly decided: number;
  readonly results: readonly {
    readonly id: string;
    readonly decided: boolean;
    readonly fault?: { readonly code: string; readonly message: string };
  }[];
}

/** The form for the chosen letters. `done` is told those that are decided. */
export function DecideMany({ ids, done }: { readonly ids: readonly string[]; readonly done: (ids: readonly string[]) => void }): ReactNode {
  const page = usePage();
  const [what, setWhat] = useState<"redrive" | "discard">("redrive");
  const [reason, setReason] = useState("");
  const acting = useActing(
    () => page.post<LettersDecided>("/deadletters/decide", { ids, what, reason }),
    ({ results }) => done(results.filter(({ decided }) => decided).map(({ id }) => id)),
  );
  const name = what === "redrive" ? "Redrive" : "Discard";
  return (
    <Box title={ids.length === 0 ? "Decided" : `Decide on ${pluralText(ids.length, "letter")}`} tone="info">
      {ids.length === 0 ? null : (
        <ActForm
          name={`${name} ${pluralText(ids.length, "letter")}`}
          role="decide"
          tone={what === "redrive" ? "main" : "danger"}
          acting={acting}
          blocked={reason === "" ? "A decision on many needs a reason." : undefined}
          command={ids.map((id) => command(["dead", what, id], { reason })).join("\n")}
        >
          <div className="p-tabs">
            {(["redrive", "discard"] as const).map((one) => (
              <button key={one} type="button" aria-pressed={what === one} onClick={() => setWhat(one)}>
                {one === "redrive" ? "Redrive as they are" : "Discard"}
              </button>
            ))}
          </div>
          <ReasonField value={reason} onChange={setReason} isNeeded />
        </ActForm>
      )}
      {acting.done === undefined ? null : <Results of={acting.done} />}
    </Box>
  );
}

function Results({ of: { decided, results } }: { readonly of: LettersDecided }): ReactNode {
  const failed = results.filter((one) => !one.decided);
  return (
    <>
      <Note tone={failed.length === 0 ? "good" : "warn"}>
        {pluralText(decided, "letter")} decided{failed.length === 0 ? "" : `, ${failed.length} not`}.
      </Note>
      <ul className="p-list">
        {failed.map(({ id, fault }) => (
          <li key={id}>
            <Link to={TO.deadLetter(id)}>{id}</Link> <Mark tone="bad">{fault?.code ?? "unknown"}</Mark> {fault?.message}
          </li>
        ))}
      </ul>
    </>
  );
}
