/** @module Edits a JSON value by a form or as text, and shows what differs from the original. */
import { type ReactNode, useId, useState } from "react";
import type { Json } from "../../../runtime/faults.ts";
import { pluralText } from "./format.ts";
import { changesOf, diffRows } from "./json-diff.ts";
import { problemsOf } from "./schema-check.ts";
import { JsonText, Place } from "./schema-form.tsx";
import type { Schema } from "./schema-field.ts";

/** Parts of an {@link InputEditor}. Without a schema the value is edited as text. */
export interface InputEditorProps {
  readonly label: string;
  readonly schema: Schema | undefined;
  readonly value: Json | undefined;
  readonly onChange: (value: Json | undefined) => void;
  /** Shows the difference to it. */
  readonly original?: Json | undefined;
}

/** The editor. */
export function InputEditor({ label, schema, value, onChange, original }: InputEditorProps): ReactNode {
  const [wanted, setWanted] = useState<"form" | "json">("form");
  const id = useId();
  const way = schema === undefined ? "json" : wanted;
  // A form that is not filled in yet is not wrong yet.
  const [isTouched, setTouched] = useState(original !== undefined);
  const change = (next: Json | undefined): void => {
    setTouched(true);
    onChange(next);
  };
  const problems = schema === undefined || !isTouched ? [] : problemsOf(value, schema);
  return (
    <fieldset className="p-editor">
      <legend className="p-label">{label}</legend>
      {schema === undefined ? null : (
        <div className="p-tabs">
          {(["form", "json"] as const).map((one) => (
            <button key={one} type="button" aria-pressed={way === one} onClick={() => setWanted(one)}>
              {one === "form" ? "Form" : "JSON"}
            </button>
          ))}
        </div>
      )}
      {schema !== undefined && way === "form" ? (
        <Place {...{ schema, value, problems }} onChange={change} root={schema} path={[]} label="" required />
      ) : (
        <div className="p-field">
          <label className="p-visually-hidden" htmlFor={id}>
            {label} as JSON
          </label>
          <JsonText value={value} onChange={change} rows={12} ids={{ id, "aria-describedby": `${id}-p`, "aria-invalid": false }} />
          <span id={`${id}-p`}>
            {problems.map(({ path, text }) => (
              <span key={`${path} ${text}`} className="p-problem">
                {path === "" ? "It" : path} {text}.{" "}
              </span>
            ))}
          </span>
        </div>
      )}
      {original === undefined || value === undefined ? null : <Difference before={original} after={value} />}
    </fieldset>
  );
}

/** The difference of two values: what was removed and what was added, with the number of places that differ. */
function Difference({
  before,
  after,
  title = "Difference to the original",
}: {
  readonly before: Json | undefined;
  readonly after: Json | undefined;
  readonly title?: string;
}): ReactNode {
  const changes = changesOf(before, after);
  if (changes.length === 0) return <p className="p-faint">Nothing differs from the original.</p>;
  return (
    <div className="p-diff">
      <p className="p-diff-head">
        {title}: {pluralText(changes.length, "place")}
      </p>
      <DiffLines before={before} after={after} />
    </div>
  );
}

/** The lines of a difference. */
export function DiffLines({ before, after }: { readonly before: Json | undefined; readonly after: Json | undefined }): ReactNode {
  return (
    <pre className="p-diff-lines" tabIndex={0} aria-label="Difference">
      {diffRows(before, after).map(({ how, level, text }, index) => (
        // Rows have no name but their place.
        <span key={`${index} ${how}`} className={`p-diff-${how}`}>
          <span aria-hidden="true">{{ same: "  ", added: "+ ", removed: "- " }[how]}</span>
          {how === "same" ? null : <span className="p-visually-hidden">{how}: </span>}
          {"  ".repeat(level)}
          {text}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
