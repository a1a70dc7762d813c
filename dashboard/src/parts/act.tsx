/**
 * @module An act of the page: its fields, a reason, the same as a command, one button, and what came of it. It is not offered to callers
 * without its role. Ctrl+Enter in a field does it.
 */
import { type FormEvent, type KeyboardEvent, type ReactNode, useId, useState } from "react";
import { CommandLine, FaultNote, Mark } from "./blocks.tsx";
import { faultOf, type PageFault, usePage } from "./page.tsx";

/** How an act stands. */
export interface Acting<T> {
  readonly isBusy: boolean;
  readonly fault: PageFault | undefined;
  readonly done: T | undefined;
  run(): void;
}

/** Does one thing at a time and keeps what came of it. `after` is told the result. */
export function useActing<T>(perform: () => Promise<T>, after?: (result: T) => void, failed?: (fault: PageFault) => void): Acting<T> {
  const [state, setState] = useState<{ readonly isBusy: boolean; readonly fault?: PageFault; readonly done?: T }>({ isBusy: false });
  const run = (): void => {
    if (state.isBusy) return;
    setState({ isBusy: true });
    perform().then(
      (done) => {
        setState({ isBusy: false, done });
        after?.(done);
      },
      (error: unknown) => {
        const fault = faultOf(error);
        setState({ isBusy: false, fault });
        failed?.(fault);
      },
    );
  };
  return { isBusy: state.isBusy, fault: state.fault, done: state.done, run };
}

/** Parts of an {@link ActForm}. */
export interface ActFormProps<T> {
  /** The words on the button. */
  readonly name: string;
  readonly role: string;
  /** A second role that it needs. */
  readonly also?: string;
  readonly acting: Acting<T>;
  readonly command: string;
  readonly tone?: "main" | "danger" | "plain";
  /** Why the act cannot be done as the fields stand. */
  readonly blocked?: string | undefined;
  /** What must be known before the act; it stands beside the button. */
  readonly note?: string | undefined;
  readonly children?: ReactNode;
}

/** The form of an act. */
export function ActForm<T>({ name, role, also, acting, command, tone = "main", blocked, note, children }: ActFormProps<T>): ReactNode {
  const page = usePage();
  const whyId = useId();
  const missing = [role, also].find((one) => one !== undefined && !page.roles.has(one));
  if (missing !== undefined) return <RoleNote act={name} role={missing} />;
  const submit = (event: FormEvent | KeyboardEvent): void => {
    event.preventDefault();
    if (blocked === undefined) acting.run();
  };
  return (
    <form
      className="p-act"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.currentTarget.reportValidity()) submit(event);
      }}
    >
      {children}
      <div className="p-act-foot">
        {acting.fault === undefined ? null : <FaultNote fault={acting.fault} />}
        <button type="submit" className={`p-button-${tone}`} disabled={acting.isBusy || blocked !== undefined} aria-describedby={whyId}>
          {acting.isBusy ? "…" : name}
        </button>
        <span id={whyId} className="p-faint">
          {blocked ?? note ?? ""}
        </span>
      </div>
      <CommandLine text={command} />
    </form>
  );
}

/** What stands in the place of an act that the caller may not do. */
export function RoleNote({ act, role }: { readonly act: string; readonly role: string }): ReactNode {
  return (
    <p className="p-faint">
      <Mark>{role}</Mark> {act} needs this role, which your token does not have.
    </p>
  );
}

/** The reason of an act, for the audit. */
export function ReasonField({
  value,
  onChange,
  isNeeded = false,
  about,
}: {
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly isNeeded?: boolean;
  readonly about?: string;
}): ReactNode {
  return (
    <label className="p-field">
      <span className="p-label">Reason{isNeeded ? "" : " (optional)"}</span>
      <input type="text" value={value} maxLength={1_024} required={isNeeded} onChange={(event) => onChange(event.target.value)} />
      <span className="p-faint">{about ?? "It is recorded in the audit."}</span>
    </label>
  );
}
