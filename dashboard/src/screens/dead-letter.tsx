/** @module One dead letter: why the work failed and what to do, what it was given, and how it came to that. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Receipt, SchemasAnswer } from "../../../runtime/answers.ts";
import type { ProcessView } from "../../../runtime/process-view.ts";
import { FAULT_FIXES } from "../parts/fixes.ts";
import { Answer, Box, Facts, Head, HiddenNote, JsonBlock, Mark, Note, TrustMark, When } from "../parts/blocks.tsx";
import { isEditable, letterShown, type LetterShown } from "../parts/letter.ts";
import { Link, useLoad, usePage } from "../parts/page.tsx";
import { API, type ScreenProps, TO } from "../parts/paths.ts";
import { toneOf } from "../parts/status.tsx";
import { spanText } from "../parts/format.ts";
import { Decision, type Shown } from "./redrive.tsx";

/** The screen. */
export function DeadLetterScreen({ params }: ScreenProps): ReactNode {
  const id = params["id"] ?? "";
  const letter = useLoad<Shown>(API.letter(id));
  const schemas = useLoad<SchemasAnswer>("/schemas");
  const place = useRef<HTMLDivElement>(null);
  const [redriven, setRedriven] = useState<Receipt>();
  const wasOpen = useRef(false);
  // The entry of the queue is closed a moment after the receipt.
  const isOpen = letter.data?.open === true && redriven === undefined;
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
                <Why letter={data} shown={shown} isRedriven={redriven !== undefined} />
                {data.hidden === true ? <HiddenNote what="What the work item was given and what it threw" /> : null}
              </div>
              <div ref={place}>
                {redriven === undefined ? null : <Redriven receipt={redriven} />}
                {isOpen ? <Decision key={data.id} {...{ letter: data, shown, schemas, setRedriven }} /> : null}
                {data.open || redriven !== undefined ? null : <Decided letter={data} />}
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
function Why({
  letter,
  shown,
  isRedriven,
}: {
  readonly letter: Shown;
  readonly shown: LetterShown;
  readonly isRedriven: boolean;
}): ReactNode {
  const fix = shown.fix ?? FAULT_FIXES[shown.code];
  return (
    <Box
      title={letter.run === undefined ? "Why it failed" : `Why run ${letter.run} failed`}
      tone="bad"
      side={<Mark tone="bad">{shown.code}</Mark>}
    >
      <p className="p-lead">{shown.message}</p>
      {fix === undefined || !letter.open || isRedriven ? null : (
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
        ]}
      />
      <details className="p-more">
        <summary>More</summary>
        <Facts
          of={[
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
        {shown.cause === undefined ? null : (
          <pre className="p-json" tabIndex={0} aria-label="What the handler threw">
            {shown.cause}
          </pre>
        )}
      </details>
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

/** The receipt of a redrive that has something to tell: what its edit does not reach; and how its run stands. */
function Redriven({ receipt: { id, run, notReached = [] } }: { readonly receipt: Receipt }): ReactNode {
  const { data } = useLoad<ProcessView>(API.process(id));
  const status = data?.run === run ? (data.outcome?.status ?? data.phase) : "open";
  return (
    <>
      <Note>
        <Link to={TO.run(id)}>Run {run}</Link>: <Mark tone={toneOf(status)}>{status}</Mark>
      </Note>
      <p className="p-faint">
        The edit does not reach {notReached.join(", ")}: they still use the values from before it. To change them everywhere, submit a new
        task.
      </p>
    </>
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
  const isInForm = usePage().roles.has("decide") && isEditable(shown, letter);
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
      {shown.input === undefined ? null : isInForm ? (
        <details className="p-box p-more">
          <summary>
            What {shown.target} was given <TrustMark label={shown.label} />
          </summary>
          <JsonBlock value={shown.input} label="Input" />
        </details>
      ) : (
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
