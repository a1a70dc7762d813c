/** @module Changes of lists, as followers are told them: what has changed, and no content of it. Pure. */
import type { IndexEntry } from "./protocol/bodies.ts";

/** A list whose changes are told. */
export type ChangeKind = "process" | "deadletter" | "request" | "release";

/** A change of one entry of a list. */
export interface Change {
  readonly kind: ChangeKind;
  readonly id: string;
  readonly route?: string;
  /** `open`, how it ended, or `removed`. */
  readonly status: string;
}

/** Changes that are told together. */
export interface ChangesNews {
  readonly changes: readonly Change[];
  /** There were more than are told: read the lists again. */
  readonly more?: true;
}

/** The facts that say how an entry ended, by kind. */
const ENDS: Readonly<Record<ChangeKind, string>> = { process: "status", deadletter: "decision", request: "state", release: "state" };

/** The change that an entry tells. */
export function changeOf(kind: ChangeKind, { id, open, facts }: IndexEntry): Change {
  const { route } = facts;
  const end = facts[ENDS[kind]];
  return {
    ...{ kind, id },
    ...(typeof route === "string" ? { route } : {}),
    status: open ? "open" : typeof end === "string" ? end : "ended",
  };
}
