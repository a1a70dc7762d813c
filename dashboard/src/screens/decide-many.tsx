/** @module One decision on many dead letters, with a reason, and what came of each. */
import { type ReactNode, useState } from "react";
import { ActForm, ReasonField, useActing } from "../parts/act.tsx";
import { Box, Mark } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { pluralText } from "../parts/format.ts";
import { faultOf, Link, usePage } from "../parts/page.tsx";
import { API, TO } from "../parts/paths.ts";

interface Result {
  readonly id: string;
  readonly code?: string;
  readonly message?: string;
}

/** The form for the chosen letters. */
export function DecideMany({ ids, done }: { readonly ids: readonly string[]; readonly done: () => void }): ReactNode {
  const page = usePage();
  const [what, setWhat] = useState<"redrive" | "discard">("redrive");
  const [reason, setReason] = useState("");
  const decide = async (): Promise<readonly Result[]> => {
    const results: Result[] = [];
    for (const id of ids)
      results.push(
        await page.post(`${API.letter(id)}/${what}`, reason === "" ? {} : { reason }).then(
          () => ({ id }),
          (error: unknown) => ({ id, code: faultOf(error).code, message: faultOf(error).message }),
        ),
      );
    return results;
  };
  const acting = useActing(decide, done);
  const failed = (acting.done ?? []).filter(({ code }) => code !== undefined);
  return (
    <Box title={`Decide on ${pluralText(ids.length, "letter")}`} tone="info">
      <ActForm
        name={`${what === "redrive" ? "Redrive" : "Discard"} ${pluralText(ids.length, "letter")}`}
        role="decide"
        tone={what === "redrive" ? "main" : "danger"}
        acting={acting}
        blocked={what === "discard" && reason === "" ? "A discard needs a reason." : undefined}
        command={command(["dead", what, ...ids], { reason })}
      >
        <div className="p-tabs">
          {(["redrive", "discard"] as const).map((one) => (
            <button key={one} type="button" aria-pressed={what === one} onClick={() => setWhat(one)}>
              {one === "redrive" ? "Redrive as they are" : "Discard"}
            </button>
          ))}
        </div>
        <ReasonField value={reason} onChange={setReason} isNeeded={what === "discard"} />
      </ActForm>
      {failed.length === 0 ? null : (
        <ul className="p-list" role="alert">
          {failed.map(({ id, code, message }) => (
            <li key={id}>
              <Link to={TO.deadLetter(id)}>{id}</Link> <Mark tone="bad">{code}</Mark> {message}
            </li>
          ))}
        </ul>
      )}
    </Box>
  );
}
