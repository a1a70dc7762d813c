/** @module The part of the client for requests to people. */
import { type DecisionContent, DecisionReceipt, InboxPage } from "../runtime/people/answers.ts";
import { RequestView } from "../runtime/people/view.ts";
import type { PageOptions } from "./options.ts";
import type { CallOptions, Connection } from "./connection.ts";

/** Which requests to list. */
export interface InboxListOptions extends PageOptions {
  /** @default open */
  readonly state?: "open" | "decided" | undefined;
  /** The person that is asked. */
  readonly person?: string | undefined;
  readonly route?: string | undefined;
  /** Only those of this process. */
  readonly process?: string | undefined;
}

/** Options of a decision. */
export interface DecideOptions extends CallOptions {
  /** A repeated request with the same id is the same decision. @default one derived from the request, the caller and the decision */
  readonly decisionId?: string | undefined;
}

/** The requests of a system to people. */
export class InboxClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Returns a page of the requests: escalated ones first, then the newest. */
  list({ state, person, route, process, cursor, limit, ...rest }: InboxListOptions = {}): Promise<InboxPage> {
    const query = { state, person, route, process, cursor, limit };
    return this.#connection.call(InboxPage, "the inbox", { ...rest, path: "/inbox", query });
  }

  /** Returns a request with all that it shows. */
  show(id: string, options: CallOptions = {}): Promise<RequestView> {
    return this.#connection.call(RequestView, "the request", { ...options, path: requestPath(id) });
  }

  /** Decides on a request as it was shown, whose `id` and `hash` it needs. Resolves when the decision is recorded. */
  decide(shown: Pick<RequestView, "id" | "hash">, decision: DecisionContent, options: DecideOptions = {}): Promise<DecisionReceipt> {
    const { decisionId, ...rest } = options;
    const body = { ...decision, hash: shown.hash, decisionId };
    return this.#connection.call(DecisionReceipt, "the receipt", { ...rest, path: `${requestPath(shown.id)}/decision`, body });
  }
}

function requestPath(id: string): string {
  return `/inbox/${encodeURIComponent(id)}`;
}
