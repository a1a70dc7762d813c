/**
 * @module The laws of standing rules, followed from the events of their actors: each is made from an approval that chose it, and lets
 * through only the calls that it covers, at most as often as it says and not after its end.
 */
import { holds } from "../../runtime/condition/condition.ts";
import { entryOf } from "../../runtime/entries.ts";
import { idempotencyKey } from "../../runtime/ids.ts";
import { callMark } from "../../runtime/people/rule.ts";
import { type RulesEvent, type RulesState, rulesMachine } from "../../runtime/people/rules-actor.ts";
import type { Persons } from "../people/persons.ts";
import type { ToolRun } from "../world/outside.ts";
import { type Find, follow, type Shadow, type WrittenKey } from "./shadow.ts";

const LAW = "a standing rule lets through what its maker chose";

/** Follows all standing rules of a run. */
export class RulesLaws {
  readonly #find: Find;
  readonly #persons: Persons | undefined;
  /** The rule that each call used. */
  readonly #used = new Map<string, RulesState["rules"][string]>();

  constructor(find: Find, persons: Persons | undefined) {
    this.#find = find;
    this.#persons = persons;
  }

  /** A record or snapshot of the rules of a tenant was written. */
  wrote(shadow: Shadow<RulesState>, key: WrittenKey): void {
    follow<RulesState, RulesEvent>(shadow, key, rulesMachine.evolve, this.#find, (event, before) => {
      if (event.e === "rule-made") this.#made(event, before);
      if (event.e === "rule-used") this.#use(event, before);
    });
  }

  #made({ rule }: Extract<RulesEvent, { e: "rule-made" }>, before: RulesState): void {
    if (entryOf(before.rules, rule.id) !== undefined) this.#find("a standing rule is made once", `${rule.id} was made again`);
    if (this.#persons === undefined) return;
    const chosen = this.#persons.made.find(
      ({ request, principal, decision, wrong }) =>
        request.id === rule.requestId &&
        principal.subject === rule.by &&
        decision.do === "approve" &&
        decision.always !== undefined &&
        wrong === undefined,
    );
    const draft = chosen?.decision.do === "approve" ? chosen.request.content.always?.[chosen.decision.always?.rule ?? -1] : undefined;
    if (chosen === undefined || draft?.when !== rule.when)
      return this.#find(LAW, `${rule.id} of ${rule.requestId} has the condition ${rule.when}, which ${rule.by} has not chosen`);
    const origins = rule.label?.filter((origin) => chosen.request.content.label?.includes(origin) !== true) ?? [];
    if (origins.length > 0) this.#find(LAW, `${rule.id} lets through ${origins.join(", ")}, and its request was not about that`);
  }

  #use({ id, call }: Extract<RulesEvent, { e: "rule-used" }>, before: RulesState): void {
    const rule = entryOf(before.rules, id);
    if (rule === undefined) return this.#find(LAW, `${id} was used, and is unknown`);
    if (rule.uses.length >= rule.usesMax) this.#find(LAW, `${id} was used ${rule.uses.length + 1} times, and may be ${rule.usesMax} times`);
    if (rule.revoked !== undefined) this.#find(LAW, `${id} was used after it was revoked`);
    this.#used.set(call, rule);
  }

  /** Whether a standing rule has let this call through. */
  lets({ agent, tool, input, workId, key }: ToolRun): boolean {
    const rule = this.#used.get(callMark(idempotencyKey(workId, key)));
    return rule !== undefined && rule.agent === agent.name && rule.tool === tool.name && holds(rule.when, { input });
  }
}
