/**
 * @module The models of a forked run: calls that were made before have their recorded replies; the others are really made, within the
 * budget of the fork.
 */
import type { RecordedRun } from "../../runtime/cassette/recorded-run.ts";
import { MICROS_PER_USD } from "../../runtime/budget.ts";
import { Fault, faultFrom, type WireFault } from "../../runtime/faults.ts";
import { idempotencyKey } from "../../runtime/ids.ts";
import { ModelReply, type ModelUsage } from "../../runtime/model/conversation.ts";
import type { ModelAttempt, Models } from "../engine/ports.ts";
import type { HostMetrics } from "../telemetry/metrics.ts";
import type { ForkEnd } from "./fork-end.ts";

/** The agent of the model calls of forks in metrics. No agent can have this name. */
const FORK_AGENT = "(fork)";

/** What a fork may spend. */
export interface ForkBudget {
  readonly modelCalls: number;
  readonly usd: number;
  /** Real time. */
  readonly timeMs: number;
}

/** The parts of the models of a fork. */
export interface ForkModelsParts {
  readonly recorded: RecordedRun;
  /** Absent: no model can be asked. */
  readonly models: Models | undefined;
  readonly budget: ForkBudget;
  readonly end: ForkEnd;
  /** No time is skipped meanwhile. */
  readonly during: <T>(action: Promise<T>) => Promise<T>;
  readonly metrics: HostMetrics;
}

/** The models of one forked run. */
export class ForkModels implements Models {
  readonly #parts: ForkModelsParts;
  readonly #known = new Map<string, ModelReply | WireFault>();
  #made = 0;
  #costMicros = 0;
  /** Upper bounds of what open calls cost. */
  #reserved = 0;

  constructor(parts: ForkModelsParts) {
    this.#parts = parts;
    const { recorded } = parts;
    for (const work of recorded.works) {
      const { modelCalls = [], failures = [], attempt } = work.handler?.work ?? {};
      for (const { key, reply, order, first } of modelCalls) {
        if (!recorded.isAsked(work, { key, order, atMs: first.atMs })) continue;
        const failed = failures.find((one) => one.kind === "model" && one.key === key && one.attempt === attempt);
        const found = reply === undefined ? failed?.fault : ModelReply.safeParse(recorded.contents.read(reply)).data;
        if (found !== undefined) this.#known.set(idempotencyKey(work.id, key), found);
      }
    }
  }

  /** Calls that were really made. */
  get made(): number {
    return this.#made;
  }

  /** What they cost. */
  get usd(): number {
    return this.#costMicros / MICROS_PER_USD;
  }

  /** Whether a call has its recorded reply. */
  isKnown(work: string, key: string): boolean {
    return this.#known.has(idempotencyKey(work, key));
  }

  costMicrosMax(model: string, inputTokens: number, outputTokens: number): number | undefined {
    return this.#parts.models?.costMicrosMax(model, inputTokens, outputTokens);
  }

  costMicros(endpoint: string, usage: ModelUsage): number | undefined {
    return this.#parts.models?.costMicros(endpoint, usage);
  }

  async attempt(attempt: ModelAttempt): Promise<ModelReply> {
    const { end, models, during } = this.#parts;
    if (end.isOver) return end.never();
    const known = this.#known.get(attempt.idempotencyKey);
    if (known !== undefined) {
      if ("code" in known) throw Fault.fromWire(known);
      return known;
    }
    if (models === undefined) throw new Fault("model.unknown", `there is no model ${attempt.model} here`, { sent: false });
    const bound = models.costMicrosMax(attempt.model, attempt.inputTokensMax, attempt.request.outputTokensMax) ?? 0;
    const why = this.#whyNot(bound);
    if (why !== undefined) return end.with(new Fault("fork.budget", why));
    this.#made += 1;
    this.#reserved += bound;
    try {
      const signal = AbortSignal.any([attempt.signal, end.signal]);
      const reply = await during(this.#measured(attempt.model, models, models.attempt({ ...attempt, signal })));
      this.#costMicros += (reply.usage === undefined ? undefined : models.costMicros(reply.endpoint, reply.usage)) ?? bound;
      return reply;
    } finally {
      this.#reserved -= bound;
    }
  }

  /** What a fork spends is spent: it counts in the metrics of model calls, under a name that no agent has. */
  async #measured(model: string, models: Models, attempt: Promise<ModelReply>): Promise<ModelReply> {
    const began = performance.now();
    const tried = (reply: ModelReply | undefined, code: string | undefined): void =>
      this.#parts.metrics.modelTried({
        ...{ agent: FORK_AGENT, model, release: undefined, code, ms: performance.now() - began },
        ...{ provider: models.providerOf?.(reply?.endpoint ?? model), answered: reply?.model, usage: reply?.usage },
      });
    try {
      const reply = await attempt;
      tried(reply, undefined);
      return reply;
    } catch (error) {
      // A try that the end of the fork has stopped says nothing of the model.
      if (!this.#parts.end.isOver) tried(undefined, faultFrom(error, "model.unavailable").code);
      throw error;
    }
  }

  #whyNot(bound: number): string | undefined {
    const { modelCalls, usd } = this.#parts.budget;
    if (this.#made >= modelCalls) return `the fork has made ${this.#made} model calls, which is its limit`;
    if (this.#costMicros + this.#reserved + bound <= usd * MICROS_PER_USD) return undefined;
    return `a further model call could cost more than the ${usd} US dollars of the fork; it has spent ${this.usd}`;
  }
}
