/** @module One dead letter: why the work failed and what to do, what it was given, and the decision: redrive, mended or not, or discard. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Letter, Receipt, SchemasAnswer } from "../../../runtime/answers.ts";
import type { Json } from "../../../runtime/faults.ts";
import { FAULT_FIXES } from "../parts/fixes.ts";
import { ActForm, ReasonField, RoleNote, useActing } from "../parts/act.tsx";
import { Answer, Box, Facts, Head, HiddenNote, JsonBlock, Mark, Note, TrustMark, When } from "../parts/blocks.tsx";
import { discardCommand, redriveCommand } from "../parts/commands.ts";
import { InputEditor } from "../parts/input-editor.tsx";
import { isSame } from "../parts/json.ts";
import { isEditable, letterShown, type LetterShown, schemaOfInput } from "../parts/letter.ts";
import { Link, type Loaded, useLoad, usePage } from "../parts/page.tsx";
import { API, type ScreenProps, TO } from "../parts/paths.ts";
import { problemsOf } from "../parts/schema-check.ts";
import { spanText } from "../parts/format.ts";

type Shown = Letter & { readonly hidden?: true };

/** The screen. */
export function DeadLetterScreen({ params }: ScreenProps): ReactNode {
  const id = params["id"] ?? "";
  const letter = useLoad<Shown>(API.letter(id));
  const schemas = useLoad<SchemasAnswer>("/schemas");
  const place = useRef<HTMLDivElement>(null);
  const wasOpen = useRef(false);
  const isOpen = letter.data?.open === true;
  // The button of a long form is far below what says that it has worked.
  useEffect(() => {
    if (wasOpen.current && !isOpen) place.current?.scrollIntoView({ block: "nearest" });
    wasOpen.current = isOpen;
  }, [isOpen]);
  return (
    <Answer of={letter}>
      {(data) => {
        const shown = letterShown(data);
        return (
          <>
            <LetterHead letter={data} />
            <div className="p-letter">
              <div>
                <Why letter={data} shown={shown} />
                {data.hidden === true ? <HiddenNote what="What the work item was given and what it threw" /> : null}
              </div>
              <div ref={place}>
                {data.open ? <Decision key={data.id} letter={data} shown={shown} schemas={schemas} /> : <Decided letter={data} />}
              </div>
              <div>
                <Details shown={shown} letter={data} />
              </div>
            </div>
          </>
        );
      }}
    </Answer>
  );
}

function LetterHead({ letter }: { readonly letter: Shown }): ReactNode {
  const { processId, route, run } = letter;
  return (
    <Head
      from={<Link to={TO.deadLetters()}>Dead letters</Link>}
      title={letter.id}
      about={
        <>
          {route ?? letter.topic ?? "invalid message"}
          {run === undefined ? "" : `, run ${run}`}, <When atMs={letter.atMs} />
        </>
      }
    >
      {processId === undefined ? null : (
        <Link className="p-button" to={TO.run(processId)}>
          Open the run
        </Link>
      )}
    </Head>
  );
}

/** The fault in one place: what went wrong, where, what the handler threw, and what to do. */
function Why({ letter, shown }: { readonly letter: Shown; readonly shown: LetterShown }): ReactNode {
  const fix = shown.fix ?? FAULT_FIXES[shown.code];
  return (
    <Box title="Why it failed" tone="bad" side={<Mark tone="bad">{shown.code}</Mark>}>
      <p className="p-lead">{shown.message}</p>
      {shown.cause === undefined ? null : <pre className="p-json">{shown.cause}</pre>}
      {fix === undefined ? null : (
        <p>
          <strong>What to do:</strong> {fix}
        </p>
      )}
      <Facts
        of={[
          ["Stop", shown.stop],
          [shown.kind === "undo" ? "Undo of" : "Failed", shown.target],
          ["Path", shown.path.length > 1 ? shown.path.join(" → ") : undefined],
          ["Attempts", shown.attempts.length === 0 ? undefined : String(shown.attempts.length)],
          ["Submitted by", shown.principal],
          [
            "Trace",
            letter.traceId === undefined ? undefined : (
              <code key="trace" className="p-trace">
                {letter.traceId}
              </code>
            ),
          ],
        ]}
      />
      {shown.left.length === 0 ? null : (
        <Note tone="warn">
          Left standing, as its undo failed: <strong>{shown.left.join(", ")}</strong>. A redrive does this again, under new keys: undo it by
          hand first.
        </Note>
      )}
      {shown.stands.length === 0 ? null : <Note tone="warn">Stands, as its tool has no undo: {shown.stands.join(", ")}.</Note>}
    </Box>
  );
}

interface DecisionProps {
  readonly letter: Shown;
  readonly shown: LetterShown;
  readonly schemas: Loaded<SchemasAnswer>;
}

function Decision({ letter, shown, schemas }: DecisionProps): ReactNode {
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
      <Redrive {...{ letter, shown, schemas }} />
      <Discard letter={letter} />
    </>
  );
}

function Redrive({ letter, shown, schemas }: DecisionProps): ReactNode {
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
    (receipt) => {
      if ((receipt.notReached ?? []).length === 0) page.go(TO.run(receipt.id));
    },
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
    <Box title={canEdit ? `Redrive ${isEdited ? "with another input" : "as it is"}` : "Redrive"}>
      {acting.done === undefined ? (
        <ActForm
          name={isEdited ? "Redrive with this input" : "Redrive"}
          role="decide"
          acting={acting}
          blocked={blocked}
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
          {shown.left.length === 0 ? null : (
            <label className="p-check">
              <input type="checkbox" checked={byHand} onChange={(event) => setByHand(event.target.checked)} /> What was left standing was
              undone by hand
            </label>
          )}
          <ReasonField value={reason} onChange={setReason} />
        </ActForm>
      ) : (
        <Note tone="warn">
          Run {acting.done.run} is accepted. The edit does not reach {(acting.done.notReached ?? []).join(", ")}: they read what it
          replaces, as it was. <Link to={TO.run(acting.done.id)}>Open the run</Link>
        </Note>
      )}
    </Box>
  );
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

function Decided({ letter }: { readonly letter: Shown }): ReactNode {
  return (
    <Note>
      It was {letter.decision ?? "decided"} by {letter.by ?? "an operator"} <When atMs={letter.decidedAtMs} />
      {letter.reason === undefined || letter.reason === "" ? "" : `: ${letter.reason}`}.{" "}
      {letter.processId === undefined || letter.opened === undefined ? null : (
        <Link to={TO.run(letter.processId)}>Open run {letter.opened}</Link>
      )}
    </Note>
  );
}

/** What it was given, and how it came to the end. */
function Details({ shown, letter }: { readonly shown: LetterShown; readonly letter: Shown }): ReactNode {
  const start = shown.steps[0]?.atMs ?? 0;
  return (
    <>
      {shown.attempts.length === 0 ? null : (
        <Box title="Attempts">
          <ol className="p-list">
            {shown.attempts.map(({ attempt, code, message }) => (
              <li key={attempt}>
                Attempt {attempt}: <Mark tone="bad">{code}</Mark> {message}
              </li>
            ))}
          </ol>
        </Box>
      )}
      {shown.input === undefined ? null : (
        <Box title={`What ${shown.target} was given`} side={<TrustMark label={shown.label} />}>
          <JsonBlock value={shown.input} label="Input" />
        </Box>
      )}
      {shown.kind === "other" && letter.hidden !== true ? (
        <Box title="Content">
          <JsonBlock value={letter.letter} label="Content" />
        </Box>
      ) : null}
      {shown.steps.length === 0 ? null : (
        <details className="p-box p-more">
          <summary>History</summary>
          <ol className="p-steps">
            {shown.steps.map((step, index) => (
              <li key={`${step.atMs} ${index}`}>
                <span className="p-faint">+{spanText(step.atMs - start)}</span> {step.what} {step.stop}{" "}
                {step.agent === "" ? "" : `(${step.agent})`} {step.code === undefined ? null : <Mark tone="bad">{step.code}</Mark>}
              </li>
            ))}
          </ol>
        </details>
      )}
    </>
  );
}
