/** @module The form for a JSON Schema: one control for each place, groups and lists within each other. */
import { type ReactNode, useId, useState } from "react";
import type { Json } from "../../../runtime/faults.ts";
import { isList, isObject, parseJson, pathText, type Path, withItem, withKey } from "./json.ts";
import type { Problem } from "./schema-check.ts";
import { aboutOf, type Entry, type Field, fieldOf, initialOf, type Schema, variantOf } from "./schema-field.ts";

/** One place of a form. */
export interface PlaceProps {
  readonly schema: Schema;
  readonly root: Schema;
  readonly value: Json | undefined;
  readonly onChange: (value: Json | undefined) => void;
  readonly path: Path;
  readonly label: string;
  readonly required: boolean;
  readonly problems: readonly Problem[];
}

type Of<Kind extends Field["kind"]> = PlaceProps & { readonly field: Extract<Field, { readonly kind: Kind }> };

/** One place with its label, its control, what the schema says about it, and what is wrong there. */
export function Place(props: PlaceProps): ReactNode {
  const { schema, root, value, required, label, path } = props;
  const field = fieldOf(schema, root);
  const [isOpen, setOpen] = useState(value !== undefined);
  const isComposed = field.kind === "group" || field.kind === "list" || field.kind === "variants" || field.kind === "json";
  if (isComposed && !required && value === undefined && !isOpen) return <AbsentPlace {...props} open={() => setOpen(true)} />;
  switch (field.kind) {
    case "group":
      return <Group {...props} field={field} />;
    case "list":
      return <List {...props} field={field} />;
    case "variants":
      return <Variants {...props} field={field} />;
    case "constant":
      return path.length === 0 || label !== "" ? (
        <Labelled {...props}>{() => <code className="p-constant">{JSON.stringify(field.value)}</code>}</Labelled>
      ) : null;
    default:
      return <Labelled {...props}>{(ids) => <Control {...props} field={field} ids={ids} />}</Labelled>;
  }
}

interface Ids {
  readonly id: string;
  readonly "aria-describedby": string;
  readonly "aria-invalid": boolean;
}

function Labelled({ children, ...props }: PlaceProps & { readonly children: (ids: Ids) => ReactNode }): ReactNode {
  const id = useId();
  const { label, required, schema, root, path, problems } = props;
  const own = problems.filter((one) => one.path === pathText(path));
  const about = aboutOf(schema, root);
  return (
    <div className="p-field">
      <label className="p-label" htmlFor={id}>
        {label === "" ? "Value" : label}
        {required ? null : <span className="p-faint"> (optional)</span>}
      </label>
      {children({ id, "aria-describedby": `${id}-about`, "aria-invalid": own.length > 0 })}
      <span id={`${id}-about`}>
        {about === undefined ? null : <span className="p-faint">{about} </span>}
        {own.map(({ text }) => (
          <span key={text} className="p-problem">
            {label === "" ? "It" : label} {text}.
          </span>
        ))}
      </span>
    </div>
  );
}

/** An optional part that is not there. */
function AbsentPlace({ label, schema, root, onChange, path, open }: PlaceProps & { readonly open: () => void }): ReactNode {
  const name = label === "" ? pathText(path) : label;
  const add = (): void => {
    open();
    onChange(initialOf(schema, root) ?? null);
  };
  return (
    <div className="p-field">
      <button type="button" className="p-button-small" onClick={add}>
        Add {name}
      </button>
    </div>
  );
}

function Legend(props: PlaceProps): ReactNode {
  const { label, required, onChange, schema, root, problems, path } = props;
  const about = aboutOf(schema, root);
  return (
    <>
      {label === "" ? null : <legend className="p-label">{label}</legend>}
      {about === undefined ? null : <p className="p-faint">{about}</p>}
      {problems
        .filter((one) => one.path === pathText(path))
        .map(({ text }) => (
          <p key={text} className="p-problem">
            {label === "" ? "It" : label} {text}.
          </p>
        ))}
      {required ? null : (
        <button type="button" className="p-button-small" onClick={() => onChange(undefined)}>
          Remove {label}
        </button>
      )}
    </>
  );
}

function Group(props: Of<"group">): ReactNode {
  const { field, value, onChange, root, path, problems, label } = props;
  const held = isObject(value) ? value : {};
  const known = new Set(field.entries.map(({ key }) => key));
  const others = Object.keys(held).filter((key) => !known.has(key));
  const entries: readonly Entry[] = [...field.entries, ...others.map((key) => ({ key, schema: {}, required: false }))];
  const inner = entries.map(({ key, schema, required }) => (
    <Place
      key={key}
      {...{ schema, root, required, problems }}
      value={Object.hasOwn(held, key) ? held[key] : undefined}
      onChange={(content) => onChange(withKey(held, key, content))}
      path={[...path, key]}
      label={key}
    />
  ));
  if (path.length === 0 && label === "") return <div className="p-group-top">{inner}</div>;
  return (
    <fieldset className="p-group">
      <Legend {...props} />
      {inner}
    </fieldset>
  );
}

function List(props: Of<"list">): ReactNode {
  const { field, value, onChange, root, path, problems, label } = props;
  const items = isList(value) ? value : [];
  const isFull = field.itemsMax !== undefined && items.length >= field.itemsMax;
  return (
    <fieldset className="p-group">
      <Legend {...props} />
      {items.map((item, index) => (
        // An item has no name but its place.
        <div className="p-item" key={`${index} of ${items.length}`}>
          <Place
            {...{ root, problems }}
            schema={field.item}
            value={item}
            required
            onChange={(content) => onChange(withItem(items, index, content ?? null))}
            path={[...path, index]}
            label={`${label === "" ? "item" : label}, item ${index + 1}`}
          />
          <button type="button" className="p-button-small" onClick={() => onChange(withItem(items, index, undefined))}>
            Remove<span className="p-visually-hidden"> item {index + 1}</span>
          </button>
        </div>
      ))}
      <button
        type="button"
        className="p-button-small"
        disabled={isFull}
        onClick={() => onChange([...items, initialOf(field.item, root) ?? null])}
      >
        Add an item
      </button>
    </fieldset>
  );
}

function Variants(props: Of<"variants">): ReactNode {
  const { field, value, onChange, root, label, required } = props;
  const id = useId();
  const index = variantOf(value, field.variants, root);
  const chosen = field.variants[index];
  const isNone = chosen === undefined || fieldOf(chosen.schema, root).kind === "constant";
  return (
    <div className="p-variants">
      <div className="p-field">
        <label className="p-label" htmlFor={id}>
          {label === "" ? "Kind" : label}
          {required ? null : <span className="p-faint"> (optional)</span>}
        </label>
        <select
          id={id}
          value={index}
          onChange={(event) => onChange(initialOf(field.variants[Number(event.target.value)]?.schema ?? {}, root) ?? null)}
        >
          {field.variants.map(({ title }, at) => (
            <option key={`${title} ${at}`} value={at}>
              {title}
            </option>
          ))}
        </select>
      </div>
      {isNone ? null : <Place {...props} schema={chosen.schema} required label={props.path.length === 0 ? "" : label} />}
    </div>
  );
}

type Simple = Extract<Field, { readonly kind: "text" | "number" | "yes-no" | "choice" | "json" }>;

function Control({ field, value, onChange, required, ids }: PlaceProps & { readonly field: Simple; readonly ids: Ids }): ReactNode {
  switch (field.kind) {
    case "text": {
      const shown = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
      const change = (text: string): void => onChange(text === "" && !required ? undefined : text);
      if (field.isLong) return <textarea {...ids} rows={4} value={shown} onChange={(event) => change(event.target.value)} />;
      return <input {...ids} type={TYPES[field.format ?? ""] ?? "text"} value={shown} onChange={(event) => change(event.target.value)} />;
    }
    case "number":
      return (
        <input
          {...ids}
          type="number"
          step={field.isWhole ? 1 : "any"}
          min={field.min}
          max={field.max}
          value={typeof value === "number" ? value : ""}
          // The wheel scrolls the page; it must not change a number on the way.
          onWheel={(event) => event.currentTarget.blur()}
          // The first click chooses the number, so that what is typed replaces it; a further one sets the place.
          onFocus={(event) => event.currentTarget.setAttribute("data-first", "")}
          onClick={({ currentTarget }) => {
            if (currentTarget.hasAttribute("data-first")) currentTarget.select();
            currentTarget.removeAttribute("data-first");
          }}
          onChange={(event) => onChange(event.target.value === "" ? undefined : Number(event.target.value))}
        />
      );
    case "yes-no":
      return <Choice {...{ value, onChange, ids }} isNeeded={required} options={[true, false]} names={["yes", "no"]} />;
    case "choice":
      return (
        <Choice
          {...{ value, onChange, ids }}
          isNeeded={required}
          options={field.options}
          names={field.options.map((option) => (typeof option === "string" ? option : JSON.stringify(option)))}
        />
      );
    default:
      return <JsonText value={value} onChange={onChange} ids={ids} rows={5} />;
  }
}

const TYPES: Readonly<Record<string, string>> = { date: "date", email: "email", uri: "url", time: "time" };

interface ChoiceProps {
  readonly value: Json | undefined;
  readonly onChange: (value: Json | undefined) => void;
  readonly options: readonly Json[];
  readonly names: readonly string[];
  readonly ids: Ids;
  readonly isNeeded: boolean;
}

function Choice({ value, onChange, options, names, ids, isNeeded }: ChoiceProps): ReactNode {
  return (
    <select {...ids} value={options.indexOf(value as Json)} onChange={(event) => onChange(options[Number(event.target.value)])}>
      <option value={-1}>{isNeeded ? "choose" : "not given"}</option>
      {names.map((name, index) => (
        <option key={name} value={index}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** A value as text. While the text is no JSON, the value stays absent. */
export function JsonText({
  value,
  onChange,
  ids,
  rows,
}: {
  readonly value: Json | undefined;
  readonly onChange: (value: Json | undefined) => void;
  readonly ids: Ids;
  readonly rows: number;
}): ReactNode {
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const parsed = parseJson(text);
  const problem = "problem" in parsed ? parsed.problem : undefined;
  return (
    <>
      <textarea
        {...ids}
        // The browser does not submit a form with such a text.
        ref={(area) => area?.setCustomValidity(problem ?? "")}
        className="p-code"
        rows={rows}
        spellCheck={false}
        aria-invalid={problem !== undefined}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          const next = parseJson(event.target.value);
          onChange("value" in next ? next.value : undefined);
        }}
      />
      {problem === undefined ? null : <span className="p-problem">{problem}</span>}
    </>
  );
}
