/** @module The decision on a dead letter: redrive, corrected or not, or discard. */
import { type ReactNode, useState } from "react";
import type { Letter, Receipt, SchemasAnswer } from "../../../runtime/answers.ts";
import type { Json } from "../../../runtime/faults.ts";
import { ActForm, ReasonField, RoleNote, useActing } from "../parts/act.tsx";
import { Box, Note } from "../parts/blocks.tsx";
import { discardCommand, redriveCommand } from "../parts/commands.ts";
import { InputEditor } from "../parts/input-editor.tsx";
import { isSame } from "../parts/json.ts";
import { isEditable, type LetterShown, schemaOfInput } from "../parts/letter.ts";
import { Link, type Loaded, usePage } from "../parts/page.tsx";
import { API, TO } from "../parts/paths.ts";
import { problemsOf } from "../parts/schema-check.ts";

/** A dead letter as this token may see it. */
export type Shown = Letter & { readonly hidden?: true };

interface DecisionProps {
  readonly letter: Shown;
  readonly shown: LetterShown;
  readonly schemas: Loaded<SchemasAnswer>;
  /** Called with the receipt of a redrive that has something to tell. Otherwise the page goes to the run. */
  readonly setRedriven: (receipt: Receipt) => void;
}

/** Redrive or discard, where this token may. */
export function Decision({ letter, shown, schemas, setRedriven }: DecisionProps): ReactNode {
  const page = usePage();
  if (letter.parent !== undefined)
    return (
      <Note>
        It is a nested route: its failure is decided by the dead letter of <Link to={TO.run(letter.parent)}>{letter.parent}</Link>.
      </Note>
    );
  if (!page.roles.has("decide")) return <RoleNote act="A decision" role="decide" />;
  return (
    <>
      <Redrive {...{ letter, shown, schemas, setRedriven }} />
      <Discard letter={letter} />
    </>
  );
}

function Redrive({ letter, shown, schemas, setRedriven }: DecisionProps): ReactNode {
  const page = usePage();
  const isMessage = letter.processId === undefined;
  const original = isMessage ? { route: "", input: null } : shown.input;
  const [input, setInput] = useState<Json | undefined>(original);
  const [reason, setReason] = useState("");
  const [byHand, setByHand] = useState(false);
  const schema = schemaOfInput(shown, letter.route, schemas.data);
  const canEdit = isMessage || (isEditable(shown, letter) && letter.hidden !== true && shown.input !== undefined);
  const isEdited = canEdit && !isSame(input, original);
  const problems = schema === undefined || !isEdited ? [] : problemsOf(input, schema);
  const edited = isEdited ? input : undefined;
  const acting = useActing(
    () =>
      page.post<Receipt>(`${API.letter(letter.id)}/redrive`, {
        ...(edited === undefined ? {} : { input: edited }),
        ...(reason === "" ? {} : { reason }),
        ...(byHand ? { undoneByHand: true } : {}),
      }),
    (receipt) => ((receipt.notReached ?? []).length === 0 ? page.go(TO.run(receipt.id)) : setRedriven(receipt)),
  );
  const blocked =
    canEdit && input === undefined
      ? "The input is not complete."
      : problems[0] !== undefined
        ? `${problems[0].path} ${problems[0].text}.`.trim()
        : shown.left.length > 0 && !byHand
          ? "Undo by hand first what was left standing."
          : isMessage && !isEdited
            ? "Give the corrected task."
            : undefined;
  return (
    <Box title={isEdited ? "Redrive with another input" : "Redrive"}>
      <ActForm
        name={isEdited ? "Redrive with this input" : "Redrive"}
        role="decide"
        acting={acting}
        blocked={blocked}
        note={undoneNote(shown.undone)}
        command={redriveCommand(letter.id, edited, reason, byHand)}
      >
        {canEdit ? (
          <InputEditor
            label={isMessage ? "The corrected task" : `Input of ${shown.target}`}
            schema={isMessage ? undefined : schema}
            value={input}
            onChange={setInput}
            original={original}
          />
        ) : (
          <p className="p-faint">Its input stays as it was.</p>
        )}
        {isEdited && shown.kind === "do" && shown.undone.length > 0 ? (
          <Note {...(shown.isWhole ? { tone: "warn" } : {})}>
            {shown.undone.join(", ")}: undone, so the run begins there again.{" "}
            {shown.isWhole
              ? "This input was handed off, so it is used exactly as written here, old outputs of these stops included."
              : "Only your changes are kept; the rest of this input comes from their new outputs."}
          </Note>
        ) : null}
        {shown.left.length === 0 ? null : (
          <label className="p-check">
            <input type="checkbox" checked={byHand} onChange={(event) => setByHand(event.target.checked)} /> What was left standing was
            undone by hand
          </label>
        )}
        <ReasonField value={reason} onChange={setReason} />
      </ActForm>
    </Box>
  );
}

/** What a redrive does again; undefined: nothing. */
function undoneNote(stops: readonly string[]): string | undefined {
  const [first, ...others] = stops;
  if (first === undefined) return undefined;
  return others.length === 0
    ? `${first} was undone: a redrive does it again.`
    : `${stops.join(", ")} were undone: a redrive does them again.`;
}

function Discard({ letter }: { readonly letter: Shown }): ReactNode {
  const page = usePage();
  const [reason, setReason] = useState("");
  const acting = useActing(
    () => page.post(`${API.letter(letter.id)}/discard`, { reason }),
    () => page.go(TO.deadLetters()),
  );
  return (
    <details className="p-box p-more">
      <summary>Discard it</summary>
      <ActForm
        name="Discard"
        role="decide"
        tone="danger"
        acting={acting}
        blocked={reason === "" ? "A discard needs a reason." : undefined}
        command={discardCommand(letter.id, reason)}
      >
        <ReasonField value={reason} onChange={setReason} isNeeded />
      </ActForm>
    </details>
  );
}
