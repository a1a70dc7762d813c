/** @module The part of the client for reports over ended processes. */
import { DigestView, DriftView } from "../runtime/overview.ts";
import type { CallOptions, Connection } from "./connection.ts";

/** Which time a digest is of. */
export interface DigestOptions extends CallOptions {
  /** Epoch, milliseconds. @default a day ago */
  readonly sinceMs?: number | undefined;
}

/** Which times are compared. Epoch, milliseconds. */
export interface DriftOptions extends CallOptions {
  /** Beginning of the window. @default a day ago */
  readonly sinceMs?: number | undefined;
  /** Beginning of the baseline, which ends where the window begins. @default seven windows before that */
  readonly baselineMs?: number | undefined;
}

/** Reports over ended processes of the caller's tenant. Both throw `body.invalid` for times in the wrong order. */
export class ReportsClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Returns how agents work together in a window, against the baseline before it. */
  drift({ sinceMs, baselineMs, ...rest }: DriftOptions = {}): Promise<DriftView> {
    return this.#connection.call(DriftView, "the drift", { ...rest, path: "/drift", query: { sinceMs, baselineMs } });
  }

  /** Returns what happened since a time, and what there is to do. */
  digest({ sinceMs, ...rest }: DigestOptions = {}): Promise<DigestView> {
    return this.#connection.call(DigestView, "the digest", { ...rest, path: "/digest", query: { sinceMs } });
  }
}
