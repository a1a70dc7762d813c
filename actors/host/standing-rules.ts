/**
 * @module Asks the standing rules of a tenant before a person is asked, and makes those that a person has chosen.
 *
 * Both are repeated after a crash and have their effect once: a use is counted by its call, and a rule is named by its request. The journal
 * of the actor `Rules/<tenant>` is the record. A call of which it is not known whether a rule let it through must not be put to a person,
 * so an actor that does not answer is asked until it does.
 */
import type { AgentWork } from "../../runtime/agent/state.ts";
import { Fault, isFault } from "../../runtime/faults.ts";
import { encodeActorId } from "../../runtime/ids.ts";
import { auditEntry, bucketOf } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type CoveredCall, coveringRules, type RuleAct, type RuleTerms, type StandingRule } from "../../runtime/people/rule.ts";
import { rulesMachine } from "../../runtime/people/rules-actor.ts";
import { type Address, actorType, type Message } from "../../runtime/protocol.ts";
import { carried } from "../../runtime/protocol/principal.ts";
import { insist } from "../engine/insist.ts";
import type { Logger } from "../engine/log.ts";
import type { Ports } from "../engine/ports.ts";
import { isBroken } from "../engine/quarantine.ts";
import type { IndexClient } from "./index-client.ts";

/** The parts of the standing rules of one host. */
export interface StandingRulesParts {
  readonly system: string;
  readonly ports: Pick<Ports, "transport" | "clock">;
  readonly audit: Pick<IndexClient, "file">;
  readonly log: Logger;
}

/** A work item for which rules are asked or made. */
export type RulesFor = Pick<AgentWork, "id" | "processId" | "principal" | "trace" | "hop">;

/** The address of the standing rules of a tenant. */
export function rulesAddress(system: string, tenant: string): Address {
  return { type: actorType(system, "Rules"), id: encodeActorId(tenant) };
}

/** Returns the standing rules as their actor shows them. */
export function rulesIn(shown: unknown): readonly StandingRule[] {
  const parsed = rulesMachine.states.safeParse(shown);
  if (!parsed.success) throw new Fault("sidecar.unavailable", "the actor of the standing rules showed none");
  return Object.values(parsed.data.rules);
}

/** The standing rules, as the executions of one host use them. */
export class StandingRules {
  readonly #parts: StandingRulesParts;

  constructor(parts: StandingRulesParts) {
    this.#parts = parts;
  }

  /** Returns the id of the rule that lets a call through; undefined if a person must be asked. */
  async letting(work: RulesFor, call: CoveredCall, signal: AbortSignal): Promise<string | undefined> {
    const { system, ports, log } = this.#parts;
    try {
      const rules = await this.#insist(signal, async () => {
        const shown = await ports.transport.inspect(rulesAddress(system, work.principal.tenant));
        return coveringRules(rulesIn(shown), call, ports.clock.nowMs());
      });
      for (const { id } of rules) if (await this.#uses(work, id, call.mark, signal)) return id;
    } catch (error) {
      if (!isBroken(error)) throw error;
      log.error({ err: error, tenant: work.principal.tenant }, "the standing rules cannot be read, so people are asked");
    }
    return undefined;
  }

  /** Makes a rule that a person has chosen, with a line of the audit. */
  async make(work: RulesFor, rule: RuleTerms, signal: AbortSignal): Promise<void> {
    const { audit, log } = this.#parts;
    const { id, by, tool, agent, about, requestId, atMs } = rule;
    const why = `${id}, tool ${tool} of agent ${agent}: ${about}`;
    const entry = auditEntry({ id: `${id}-made`, atMs, who: by, what: "rule made", target: requestId, why });
    try {
      await this.#insist(signal, () => audit.file(bucketOf(atMs, 0), entry));
      await this.#send(work, { do: "make", rule }, `${id}/make`, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      log.error({ err: error, rule: id }, "a standing rule could not be made; people are asked again");
    }
  }

  /** Whether a rule lets a call through: it has not ended meanwhile. */
  async #uses(work: RulesFor, id: string, mark: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#send(work, { do: "use", id, call: mark }, `${id}/use/${mark}`, signal);
      return true;
    } catch (error) {
      if (isFault(error) && error.code === "rule.unknown") return false;
      throw error;
    }
  }

  async #send(work: RulesFor, act: RuleAct, messageId: string, signal: AbortSignal): Promise<void> {
    const { system, ports } = this.#parts;
    await this.#insist(signal, async () => {
      const nowMs = ports.clock.nowMs();
      const message: Message = {
        v: 1,
        id: messageId,
        to: rulesAddress(system, work.principal.tenant),
        from: work.id,
        processId: work.processId,
        createdAtMs: nowMs,
        expiresAtMs: nowMs + LIMITS.messageLifetimeMsDefault,
        hop: work.hop,
        principal: carried(work.principal),
        trace: work.trace,
        body: { kind: "rule", act },
      };
      const answer = await ports.transport.deliver(message);
      if ("refused" in answer) throw Fault.fromWire(answer.refused);
    });
  }

  #insist<T>(signal: AbortSignal, action: () => Promise<T>): Promise<T> {
    const { ports, log } = this.#parts;
    const failed = (error: unknown): void => log.warn({ err: error }, "the standing rules do not answer; asking again");
    return insist({ clock: ports.clock, signal, failed }, action);
  }
}
