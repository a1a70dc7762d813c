/** @module What can be done with a run: each act with its reason and its command. */
import { type ReactNode, useState } from "react";
import type { Receipt, SignalReceipt } from "../../../runtime/answers.ts";
import type { ProcessView } from "../../../runtime/process-view.ts";
import { ActForm, ReasonField, useActing } from "../parts/act.tsx";
import { Box, CommandLine, Note } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { parseJson } from "../parts/json.ts";
import { Link, usePage } from "../parts/page.tsx";
import { API, TO } from "../parts/paths.ts";

/** An act on an open run that takes only a reason. */
interface Act {
  readonly what: string;
  readonly name: string;
  readonly about: string;
  readonly tone: "main" | "danger" | "plain";
  readonly done: string;
  readonly needsReason?: boolean;
}

const PAUSE: Act = {
  what: "pause",
  name: "Pause",
  about: "Nothing new begins, here and in its nested routes. What runs already ends, and its answer is kept. Due times stand still.",
  tone: "main",
  done: "It is paused.",
};
const RESUME: Act = {
  what: "resume",
  name: "Resume",
  about: "It goes on where it was, with its nested routes.",
  tone: "main",
  done: "It goes on.",
};
const CANCEL: Act = {
  what: "cancel",
  name: "Cancel",
  about: "It stops, and what it did is compensated in the reverse order.",
  tone: "danger",
  done: "The cancellation is recorded.",
};
const TERMINATE: Act = {
  what: "terminate",
  name: "Terminate",
  about: "It ends at once, with its nested routes. Nothing is compensated: its outcome names what stands.",
  tone: "danger",
  done: "It has ended.",
  needsReason: true,
};

/** The acts. */
export function RunActs({ view }: { readonly view: ProcessView }): ReactNode {
  const [open, setOpen] = useState("");
  const isOpen = view.phase === "open";
  const acts = isOpen ? [view.paused === undefined ? PAUSE : RESUME, CANCEL, TERMINATE] : [];
  const names = [...acts.map(({ name }) => name), ...(isOpen ? ["Signal"] : []), "Export"];
  const chosen = acts.find(({ name }) => name === open);
  return (
    <Box
      title="What you can do"
      side={
        <span className="p-row">
          <Link to={TO.diff(view.id, "")}>Compare</Link>
          <Link to={TO.submit(view.route, view.id)}>Submit another</Link>
        </span>
      }
    >
      <div className="p-tabs" role="group" aria-label="Acts">
        {names.map((name) => (
          <button key={name} type="button" aria-pressed={open === name} onClick={() => setOpen(open === name ? "" : name)}>
            {name}
          </button>
        ))}
      </div>
      {chosen === undefined ? null : <Plain key={chosen.what} id={view.id} act={chosen} />}
      {open === "Signal" ? <Signal view={view} /> : null}
      {open === "Export" ? <Export id={view.id} /> : null}
    </Box>
  );
}

function Plain({ id, act: { what, name, about, tone, done, needsReason = false } }: { readonly id: string; readonly act: Act }): ReactNode {
  const page = usePage();
  const [reason, setReason] = useState("");
  const given = reason.trim();
  const acting = useActing(() => page.post<Receipt>(`${API.process(id)}/${what}`, given === "" ? {} : { reason: given }));
  return (
    <ActForm
      {...{ name, tone, acting }}
      role="operate"
      command={command([what, id], { reason: given })}
      blocked={needsReason && given === "" ? "A reason is needed." : undefined}
    >
      <p>{about}</p>
      <ReasonField value={reason} onChange={setReason} isNeeded={needsReason} />
      {acting.done === undefined ? null : <Note tone="good">{done}</Note>}
    </ActForm>
  );
}

function Signal({ view }: { readonly view: ProcessView }): ReactNode {
  const page = usePage();
  const awaited = (view.waits ?? []).flatMap(({ kind, name }) => (kind === "signal" && name !== undefined ? [name] : []));
  const [name, setName] = useState(awaited[0] ?? "");
  const [text, setText] = useState("null");
  const payload = parseJson(text);
  const acting = useActing(() =>
    page.post<SignalReceipt>(
      `${API.process(view.id)}/signals/${encodeURIComponent(name)}`,
      "value" in payload ? { payload: payload.value } : {},
    ),
  );
  return (
    <ActForm
      name="Give the signal"
      role="submit"
      acting={acting}
      command={command(["signal", view.id, name === "" ? "<name>" : name, text.trim()])}
      blocked={name.trim() === "" ? "A name is needed." : "problem" in payload ? payload.problem : undefined}
    >
      <p>{awaited.length === 0 ? "Nothing waits for a signal now: it is kept for a later wait." : `It waits for ${awaited.join(", ")}.`}</p>
      <div className="p-pair">
        <label className="p-field">
          <span className="p-label">Name</span>
          <input value={name} maxLength={128} required onChange={({ target }) => setName(target.value)} />
        </label>
        <label className="p-field">
          <span className="p-label">Payload (JSON)</span>
          <textarea className="p-code" rows={3} value={text} onChange={({ target }) => setText(target.value)} />
        </label>
      </div>
      {acting.done === undefined ? null : <Note tone="good">{`The signal is ${acting.done.state}.`}</Note>}
    </ActForm>
  );
}

function Export({ id }: { readonly id: string }): ReactNode {
  const canRead = usePage().roles.has("content");
  return (
    <>
      <p>
        The records of this run with their contents, as a file: <code>replayFrom(file)</code> runs it again in a test, and{" "}
        <code>troupe replay</code> with other code.
      </p>
      {canRead ? (
        <p>
          <a className="p-button" href={`${API.process(id)}/cassette?contents=true`} download={`${id}.cassette.json`}>
            Download the cassette
          </a>
        </p>
      ) : (
        <p className="p-faint">It needs the role content, which your token does not have.</p>
      )}
      <CommandLine text={command(["export", id], { contents: true, out: `${id}.cassette.json` })} />
    </>
  );
}
