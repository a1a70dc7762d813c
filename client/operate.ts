/** @module The part of the client for what operators do with open processes, and with many dead letters at once. */
import { LettersDecided, Receipt } from "../runtime/answers.ts";
import type { CallOptions, Connection } from "./connection.ts";

/** Options of a pause or its end. */
export interface PauseOptions extends CallOptions {
  readonly reason?: string | undefined;
  /** Its nested routes too. @default true */
  readonly tree?: boolean | undefined;
}

/** Options of an act that needs a reason. */
export interface ReasonOptions extends CallOptions {
  readonly reason: string;
}

/** Pauses, resumes and terminates processes, and decides on dead letters in bulk. */
export class OperateClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Pauses a process; resolves when that is recorded. Throws `process.ended`, `pause.spent`. */
  pause(id: string, options: PauseOptions = {}): Promise<Receipt> {
    return this.#act(id, "pause", options);
  }

  /** Resumes a paused process; resolves when that is recorded. Throws `process.ended`. */
  resume(id: string, options: PauseOptions = {}): Promise<Receipt> {
    return this.#act(id, "resume", options);
  }

  /** Ends a process and its nested routes at once, without compensation. Its outcome names what is not undone. */
  terminate(id: string, options: ReasonOptions): Promise<Receipt> {
    return this.#act(id, "terminate", options);
  }

  /** Redrives or discards many dead letters, each for itself; resolves with what became of each. */
  decideLetters(ids: readonly string[], what: "redrive" | "discard", { reason, ...rest }: ReasonOptions): Promise<LettersDecided> {
    const body = { ids: [...ids], what, reason };
    return this.#connection.call(LettersDecided, "the decisions", { ...rest, path: "/deadletters/decide", body });
  }

  #act(id: string, what: string, { reason, tree, ...rest }: PauseOptions): Promise<Receipt> {
    const path = `/processes/${encodeURIComponent(id)}/${what}`;
    return this.#connection.call(Receipt, "the receipt", { ...rest, path, body: { reason, tree } });
  }
}
