/**
 * @module Performs what a message needs before its turn: the check of its input, and the index entry of its run.
 *
 * What is needed is decided in runtime/process/preparation.ts.
 */
import type { System } from "../../agents/system.ts";
import { assertNever, Fault, faultFrom, isRetryable, type Json, type WireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { REMINDER_UNHELD_MS, type ReminderContent, reminderName } from "../../runtime/process/reminder.ts";
import { type InputGate, preparedEntry, type RunPreparation } from "../../runtime/process/preparation.ts";
import type { Address } from "../../runtime/protocol.ts";
import type { Doer } from "../../runtime/slip.ts";
import type { Ports } from "../engine/ports.ts";
import type { Values } from "../engine/values.ts";
import type { HostWatch } from "./host-watch.ts";
import type { IndexClient } from "./index-client.ts";
import type { ReservedIds } from "./reserved-ids.ts";

/** The parts of a host that preparation uses. */
export interface PreparerParts {
  readonly system: System;
  readonly ports: Ports;
  readonly values: Values;
  readonly watch: HostWatch;
  readonly directory: IndexClient;
  readonly reserved: ReservedIds;
}

/** The refusal of a message that no turn takes. */
export interface Refused {
  readonly refused: WireFault;
}

/** A run that is prepared, or the refusal of its message. */
export type Prepared =
  | Refused
  | {
      /** Bucket of the index entry. */
      readonly bucket: string;
      /** What the check of the input found, if the turn is to record it. */
      readonly fault?: WireFault;
      /** The run has a reminder already. */
      readonly isReminded?: true;
      /** The index entry shows no process yet. */
      readonly isReserved?: true;
    };

/** Prepares runs. */
export class ProcessPreparer {
  readonly #parts: PreparerParts;

  constructor(parts: PreparerParts) {
    this.#parts = parts;
  }

  /**
   * Prepares a run: its index entry names this host, which is watched. No other host knows of a host without a lease, so its runs get
   * their reminders at once. Throws `sidecar.unavailable`.
   */
  async prepare(actor: Address, plan: RunPreparation): Promise<Prepared> {
    const { directory, reserved, watch, ports } = this.#parts;
    const fault = plan.gate === undefined ? undefined : await this.#check(plan.gate);
    if (fault !== undefined && plan.gate?.misfit === "refuse") return { refused: fault };
    const entry = preparedEntry(actor.id, plan, watch.incarnation, ports.clock.nowMs());
    const known = plan.bucket;
    if (known !== undefined) await directory.update(known, entry);
    const bucketInReserve = plan.run === 1 ? reserved.bucketOf(actor.id) : undefined;
    const bucket = known ?? bucketInReserve ?? (await directory.open(entry));
    const isReserved = bucketInReserve !== undefined;
    const made = { bucket, ...(fault === undefined ? {} : { fault }), ...(isReserved ? { isReserved } : {}) };
    if (watch.isHeld) return made;
    const content: ReminderContent = { atMs: ports.clock.nowMs(), near: true, runs: [{ id: actor.id, run: plan.run }] };
    await ports.reminders.set(actor, reminderName(plan.run), LIMITS.reminderAfterMs, REMINDER_UNHELD_MS, content);
    return { ...made, isReminded: true };
  }

  async #check({ doer, content, code, absent }: InputGate): Promise<WireFault | undefined> {
    const { system, values } = this.#parts;
    if (absent === "pass" && !isKnown(system, doer)) return undefined;
    try {
      checkInput(system, doer, await values.read(content));
      return undefined;
    } catch (error) {
      const fault = faultFrom(error, code);
      if (isRetryable(fault)) throw error;
      return fault;
    }
  }
}

function isKnown(system: System, doer: Doer): boolean {
  return doer.kind === "route"
    ? system.routes.has(doer.route) || system.planned.has(doer.route)
    : system.agents.has(doer.agent) || system.remote.has(doer.agent);
}

/** Throws if the content does not match the input schema of an agent or a route, or if the system does not have it. */
function checkInput(system: System, doer: Doer, content: Json): void {
  switch (doer.kind) {
    case "route":
      requireKnown(system.routes.get(doer.route) ?? system.planned.get(doer.route), "route.unknown", doer.route).checkTask(content);
      return;
    case "agent": {
      const known = system.agents.get(doer.agent) ?? system.remote.get(doer.agent);
      requireKnown(known, "agent.unknown", doer.agent).contract.checkInput(content);
      return;
    }
    default:
      assertNever(doer);
  }
}

function requireKnown<T>(found: T | undefined, code: "route.unknown" | "agent.unknown", name: string): T {
  if (found === undefined) throw new Fault(code, `the system no longer has ${JSON.stringify(name)}, whose input is to be replaced`);
  return found;
}
