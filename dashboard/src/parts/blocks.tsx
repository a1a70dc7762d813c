/** @module The blocks that screens are made of: headings, notes, faults, marks, values, commands. */
import { type ReactNode, useId, useState } from "react";
import type { Json } from "../../../runtime/faults.ts";
import { momentText, whenText } from "./format.ts";
import type { Loaded, PageFault } from "./page.tsx";
import { usePage } from "./page.tsx";
import { useTick } from "./tick.ts";

/** How a mark looks. */
export type Tone = "good" | "bad" | "warn" | "info" | "plain";

/** A short mark: a state, a fault's code, a role. */
export function Mark({
  tone = "plain",
  children,
  title,
}: {
  readonly tone?: Tone;
  readonly children: ReactNode;
  readonly title?: string;
}): ReactNode {
  return (
    <span className={`p-mark p-${tone}`} title={title}>
      {children}
    </span>
  );
}

/** Parts of a {@link Head}. */
export interface HeadProps {
  readonly title: ReactNode;
  /** A link to where this screen belongs. */
  readonly from?: ReactNode;
  readonly about?: ReactNode;
  readonly children?: ReactNode;
}

/** The head of a screen. */
export function Head({ title, from, about, children }: HeadProps): ReactNode {
  return (
    <header className="p-head">
      <div>
        {from === undefined ? null : <p className="p-crumb">{from}</p>}
        <h1>{title}</h1>
        {about === undefined ? null : <p className="p-about">{about}</p>}
      </div>
      {children === undefined ? null : <div className="p-head-side">{children}</div>}
    </header>
  );
}

/** A titled box. */
export function Box({
  title,
  side,
  children,
  tone,
}: {
  readonly title?: ReactNode;
  readonly side?: ReactNode;
  readonly children: ReactNode;
  readonly tone?: Tone;
}): ReactNode {
  const id = useId();
  return (
    <section className={`p-box${tone === undefined ? "" : ` p-box-${tone}`}`} aria-labelledby={title === undefined ? undefined : id}>
      {title === undefined ? null : (
        <div className="p-box-head">
          <h2 id={id}>{title}</h2>
          {side}
        </div>
      )}
      {children}
    </section>
  );
}

/** A fault: what is wrong, and what to do. */
export function FaultNote({ fault, children }: { readonly fault: PageFault; readonly children?: ReactNode }): ReactNode {
  return (
    <div className="p-note p-note-bad" role="alert">
      <p className="p-note-head">
        <Mark tone="bad">{fault.code}</Mark> {fault.message}
      </p>
      <p>
        <strong>What to do:</strong> {fault.fix}
      </p>
      {fault.traceId === undefined ? null : <p className="p-faint">Trace {fault.traceId}</p>}
      {children}
    </div>
  );
}

/** A note. */
export function Note({ tone = "info", children }: { readonly tone?: Tone; readonly children: ReactNode }): ReactNode {
  return (
    <div className={`p-note p-note-${tone}`} role="status">
      {children}
    </div>
  );
}

/** What a screen says where there is nothing to show. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }): ReactNode {
  return (
    <div className="p-empty">
      <p className="p-empty-title">{title}</p>
      {children === undefined ? null : <div className="p-empty-text">{children}</div>}
    </div>
  );
}

/** What stands where content is hidden from the caller. */
export function HiddenNote({ what }: { readonly what: string }): ReactNode {
  return (
    <div className="p-note p-note-plain" role="note">
      <Mark>hidden</Mark> {what} is content: it is shown to tokens with the role <code>content</code>.
    </div>
  );
}

/** An answer: a place holder while it loads, its fault, or what is made of it. The last data stays on screen beside a fault. */
export function Answer<T>({ of, children }: { readonly of: Loaded<T>; readonly children: (data: T) => ReactNode }): ReactNode {
  return (
    <>
      {of.fault === undefined ? null : (
        <FaultNote fault={of.fault}>
          <button type="button" onClick={of.reload}>
            Try again
          </button>
        </FaultNote>
      )}
      {of.data === undefined ? of.fault === undefined ? <Skeleton /> : null : children(of.data)}
    </>
  );
}

function Skeleton(): ReactNode {
  return (
    <div className="p-skeleton" aria-busy="true">
      <span className="p-visually-hidden">Loading</span>
      <i />
      <i />
      <i />
    </div>
  );
}

/** A moment: how long ago, with the exact time on hover. */
export function When({ atMs }: { readonly atMs: number | undefined }): ReactNode {
  const page = usePage();
  useTick();
  if (atMs === undefined) return null;
  return (
    <time dateTime={new Date(atMs).toISOString()} title={momentText(atMs)}>
      {whenText(atMs, page.nowMs())}
    </time>
  );
}

/** A value as indented JSON. */
export function JsonBlock({ value, label }: { readonly value: Json | undefined; readonly label: string }): ReactNode {
  return (
    <pre className="p-json" tabIndex={0} aria-label={label}>
      {value === undefined ? "" : JSON.stringify(value, null, 2)}
    </pre>
  );
}

/** Names and values. Entries without a value are left out. */
export function Facts({ of }: { readonly of: readonly (readonly [string, ReactNode])[] }): ReactNode {
  return (
    <dl className="p-facts">
      {of
        .filter(([, value]) => value !== undefined && value !== null && value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** The command that does the same as an act of the page, with a button that copies it. */
export function CommandLine({ text }: { readonly text: string }): ReactNode {
  const [copied, setCopied] = useState(false);
  return (
    <div className="p-command">
      <code tabIndex={0} aria-label="The same as a command">
        {text}
      </code>
      <button
        type="button"
        onClick={() => {
          void navigator.clipboard?.writeText(text).then(() => setCopied(true));
        }}
      >
        {copied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}

/** What may be wider than its box, and is scrolled in it. */
export function Scrolled({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className="p-scroll" tabIndex={0} role="region" aria-label={label}>
      {children}
    </div>
  );
}

/** The origins of a content: trusted, or the untrusted ones by name. */
export function TrustMark({ label }: { readonly label: readonly string[] }): ReactNode {
  if (label.length === 0) return <Mark tone="good">trusted</Mark>;
  return (
    <Mark tone="warn" title="Text of strangers: it may hold instructions that no one of yours gave.">
      untrusted: {label.join(", ")}
    </Mark>
  );
}

/** A figure with its name. */
export function Figure({
  name,
  children,
  about,
}: {
  readonly name: string;
  readonly children: ReactNode;
  readonly about?: string;
}): ReactNode {
  return (
    <div className="p-figure">
      <span className="p-figure-name">{name}</span>
      <span className="p-figure-value">{children}</span>
      {about === undefined ? null : <span className="p-faint">{about}</span>}
    </div>
  );
}

/** A text as it is, with its line breaks. */
export function RawText({ text }: { readonly text: string }): ReactNode {
  return <div className="p-text">{text}</div>;
}
