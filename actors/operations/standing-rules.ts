/** @module The standing rules of a tenant: the listing, and their end by a person. */
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ruleView, type RulesAnswer, type RuleView } from "../../runtime/people/rule-view.ts";
import type { StandingRule } from "../../runtime/people/rule.ts";
import type { Ports } from "../engine/ports.ts";
import { rulesAddress, rulesIn } from "../host/standing-rules.ts";
import type { AuditNote } from "./invalid-messages.ts";
import type { Caller } from "./operations.ts";
import type { Requests } from "./requests.ts";

/** The parts that the standing rules work on. */
export interface RuleOperationsParts {
  readonly system: string;
  readonly ports: Ports;
  readonly requests: Requests;
  /** Writes a line of the audit. */
  readonly note: (note: AuditNote, caller: Caller) => Promise<void>;
}

/** The standing rules of the tenants of one system. */
export class RuleOperations {
  readonly #parts: RuleOperationsParts;

  constructor(parts: RuleOperationsParts) {
    this.#parts = parts;
  }

  /** The rules that stand, the newest first; with `all` also those that have ended. */
  async list(all: boolean, { principal }: Caller): Promise<RulesAnswer> {
    const views = (await this.#rules(principal.tenant)).map((rule) => ruleView(rule, this.#parts.ports.clock.nowMs()));
    return { entries: views.filter(({ state }) => all || state === "stands").sort((one, other) => other.atMs - one.atMs) };
  }

  /** Ends a rule. The call that it has let through already is not affected. Throws `rule.unknown`. */
  async revoke(id: string, reason: string, caller: Caller): Promise<RuleView> {
    const { system, ports, requests, note } = this.#parts;
    const known = await this.#rule(id, caller);
    await note({ what: "rule revoked", target: known.requestId, why: `${id}: ${reason}` }, caller);
    const expiresAtMs = ports.clock.nowMs() + LIMITS.messageLifetimeMsDefault;
    const message = requests.message("rules", { kind: "rule", act: { do: "revoke", id, reason } }, caller, expiresAtMs);
    const answer = await requests.insist({ ...message, to: rulesAddress(system, caller.principal.tenant) });
    if ("refused" in answer) throw Fault.fromWire(answer.refused);
    return ruleView(await this.#rule(id, caller), ports.clock.nowMs());
  }

  async #rule(id: string, { principal }: Caller): Promise<StandingRule> {
    const known = (await this.#rules(principal.tenant)).find((rule) => rule.id === id);
    if (known === undefined) throw new Fault("rule.unknown", `there is no standing rule ${JSON.stringify(id)}`);
    return known;
  }

  async #rules(tenant: string): Promise<readonly StandingRule[]> {
    const { system, ports } = this.#parts;
    return rulesIn(await ports.transport.inspect(rulesAddress(system, tenant)));
  }
}
