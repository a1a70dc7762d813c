/** @module The part of the client for standing rules. */
import { RulesAnswer, RuleView } from "../runtime/people/rule-view.ts";
import type { CallOptions, Connection } from "./connection.ts";

/** Which standing rules to list. */
export interface RuleListOptions extends CallOptions {
  /** Lists those that have ended too. @default false */
  readonly all?: boolean | undefined;
}

/** Options of a revocation. */
export interface RevokeOptions extends CallOptions {
  readonly reason?: string | undefined;
}

/** The standing rules of the caller's tenant: what people have said "always" to. */
export class RulesClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Returns the rules, the newest first. */
  list({ all, ...rest }: RuleListOptions = {}): Promise<RulesAnswer> {
    return this.#connection.call(RulesAnswer, "the standing rules", { ...rest, path: "/rules", query: { all } });
  }

  /** Ends a rule; people are asked again. */
  revoke(id: string, { reason, ...rest }: RevokeOptions = {}): Promise<RuleView> {
    const path = `/rules/${encodeURIComponent(id)}/revoke`;
    return this.#connection.call(RuleView, "the rule", { ...rest, path, body: { reason } });
  }
}
