/**
 * @module Writes the lines of the audit about checks, and counts them.
 *
 * A line is written before the act that it is about. Lines that wait during a write go together in the next one. Where a line cannot be
 * written, the act is not made.
 */
import type { AgentDefinition } from "../../agents/agent.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import { callEntry, type CheckedCall, isAudited, madeEntry } from "../../runtime/checks.ts";
import { Fault, faultFrom, isRetryable } from "../../runtime/faults.ts";
import { bucketOf } from "../../runtime/index-actor.ts";
import { isUntrusted } from "../../runtime/label.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { pause } from "../engine/pause.ts";
import type { Clock } from "../engine/ports.ts";
import type { HostMetrics } from "../telemetry/metrics.ts";
import type { IndexClient } from "./index-client.ts";

/** The parts of the checks of a host. */
export interface ChecksParts {
  readonly audit: Pick<IndexClient, "file">;
  readonly clock: Clock;
  readonly metrics: Pick<HostMetrics, "checked">;
}

/** The checks of one host. */
export class Checks {
  readonly #parts: ChecksParts;

  constructor(parts: ChecksParts) {
    this.#parts = parts;
  }

  /** Notes the verdict about a call. @throws `audit.unavailable` */
  async call(work: AgentWork, checked: CheckedCall): Promise<void> {
    const { facts, judgement } = checked;
    if (!isAudited(facts)) return;
    const { name, effect } = facts.tool;
    this.#parts.metrics.checked({
      agent: work.agent,
      release: work.release,
      tool: name,
      effect,
      verdict: judgement.verdict,
      isUntrusted: isUntrusted(facts.label),
    });
    await this.#write(callEntry(work, checked, this.#parts.clock.nowMs()));
  }

  /** Notes that an agent begins a work item, and which tools it may use for it. @throws `audit.unavailable` */
  async made(work: AgentWork, { tools, permissions }: Pick<AgentDefinition, "tools" | "permissions">): Promise<void> {
    const entry = madeEntry(work, tools.values(), permissions, this.#parts.clock.nowMs());
    if (entry !== undefined) await this.#write(entry);
  }

  async #write(entry: IndexEntry): Promise<void> {
    const { audit, clock } = this.#parts;
    for (let tries = 1; ; tries += 1) {
      try {
        return await audit.file(bucketOf(entry.atMs, 0), entry);
      } catch (error) {
        const fault = faultFrom(error, "turn.failed");
        if (isRetryable(fault) && tries < LIMITS.auditTriesMax) await pause(clock, LIMITS.recordRetryMsMin * 2 ** tries);
        else throw new Fault("audit.unavailable", `a check could not be written to the audit: ${fault.code}: ${fault.message}`);
      }
    }
  }
}
