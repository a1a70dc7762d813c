/**
 * @module Metrics of one host, recorded with `@opentelemetry/api`. Nothing is recorded unless the application installed an SDK before the
 * host was created. Attributes contain no ids and no payloads.
 */
import {
  type Attributes,
  type Counter,
  createNoopMeter,
  type Histogram,
  type Meter,
  metrics,
  type ObservableGauge,
  type ObservableResult,
} from "@opentelemetry/api";
import type { WireFault } from "../../runtime/faults.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Outcome } from "../../runtime/protocol.ts";
import type { WorkRelease } from "../../runtime/release.ts";
import { ATTRIBUTE, CHAT, METRIC } from "./names.ts";
import { promptAttributes, versionAttributes } from "./version.ts";

const METER = "troupe";
const MS_PER_SECOND = 1_000;
/** Upper bounds of the histogram buckets, in seconds: a turn is one write; a hop may wait for a person. */
const TURN_BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const HOP_BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];

/** Bounds by the conventions for generative AI: powers of four, and powers of two from 10 ms. */
const TOKEN_BOUNDS_COUNT = Array.from({ length: 14 }, (_, power) => 4 ** power);
const MODEL_BOUNDS_SECONDS = Array.from({ length: 14 }, (_, power) => 0.01 * 2 ** power);

/** What is counted of how agents work together. */
const COORDINATION_KINDS = [
  ...(["retries", "takeovers", "waits", "requests", "repairs", "fallbacks", "refusals", "claims", "ungrounded", "compensated"] as const),
] as const;

/** One try of a model call that has ended. Undefined parts are not known. */
export interface ModelTried {
  readonly agent: string;
  readonly model: string;
  readonly release: WorkRelease | undefined;
  readonly provider: string | undefined;
  /** The model as the provider names it. */
  readonly answered: string | undefined;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | undefined;
  readonly ms: number;
  /** The code of the fault that it ended with. */
  readonly code: string | undefined;
}

/** A call of a tool that was judged. */
export interface CheckedTool {
  readonly agent: string;
  readonly release: WorkRelease | undefined;
  readonly tool: string;
  readonly effect: string;
  /** `allowed`, `refused` or `asks`. */
  readonly verdict: string;
  /** Its input may come from untrusted text. */
  readonly isUntrusted: boolean;
}

/** Values that are read whenever an SDK collects. */
export interface Gauges {
  /** Number of open processes of the host. */
  open(): number;
  /** Queued work items by agent. */
  queues(): Iterable<readonly [agent: string, length: number]>;
  /** Canaries of releases: the share that is in force here, and the number of broken rules. */
  canaries(): Iterable<readonly [agent: string, share: number, broken: number]>;
}

/** The instruments of one host. `on` is false if no SDK is installed; then every method does nothing. */
export class HostMetrics {
  readonly on: boolean;
  readonly #system: string;
  readonly #outcomes: Counter;
  readonly #deadLetters: Counter;
  readonly #attempts: Counter;
  readonly #checks: Counter;
  readonly #comparisons: Counter;
  readonly #coordination: Counter;
  readonly #withheld: Counter;
  readonly #turn: Histogram;
  readonly #hop: Histogram;
  readonly #modelTokens: Histogram;
  readonly #modelCall: Histogram;
  readonly #open: ObservableGauge;
  readonly #queue: ObservableGauge;
  readonly #releaseStops: Counter;
  readonly #share: ObservableGauge;
  readonly #broken: ObservableGauge;
  #unwatch = (): void => {};

  /** Instruments that count nothing: of a host that is none of the system, such as that of a fork. */
  static unobserved(system: string): HostMetrics {
    return new HostMetrics(system, createNoopMeter());
  }

  constructor(system: string, meter: Meter = metrics.getMeter(METER)) {
    this.#system = system;
    this.on = meter !== createNoopMeter();
    this.#outcomes = meter.createCounter(METRIC.outcomes, { description: "Processes that ended, by route and outcome", unit: "{process}" });
    this.#deadLetters = meter.createCounter(METRIC.deadLetters, {
      description: "Dead letters, by the code of their fault",
      unit: "{letter}",
    });
    this.#attempts = meter.createCounter(METRIC.attempts, {
      description: "Executions of handlers, by agent; including further attempts and executions after a crash",
      unit: "{run}",
    });
    this.#checks = meter.createCounter(METRIC.checks, {
      description: "Calls of tools that were judged, by verdict: those with a permission, a rule or an input from untrusted text",
      unit: "{call}",
    });
    this.#comparisons = meter.createCounter(METRIC.comparisons, {
      description: "Comparisons of sources with their memories, by source; with the fault of those that failed",
      unit: "{comparison}",
    });
    this.#coordination = meter.createCounter(METRIC.coordination, {
      description: "Retries, takeovers, waits, requests to people, repairs, fallbacks, refused outputs, claims, compensations",
      unit: "{event}",
    });
    this.#withheld = meter.createCounter(METRIC.withheld, {
      description: "Facts that were not given to a reader, by agent and reason",
      unit: "{fact}",
    });
    this.#releaseStops = meter.createCounter(METRIC.releaseStops, {
      description: "Canaries that were stopped, by agent: by their rules, or by a person",
      unit: "{stop}",
    });
    this.#turn = meter.createHistogram(METRIC.turn, {
      description: "One turn of an actor: from its message to its receipt",
      unit: "s",
      advice: { explicitBucketBoundaries: TURN_BOUNDS_SECONDS },
    });
    this.#hop = meter.createHistogram(METRIC.hop, {
      description: "One hop of a process: from the request of an attempt to its recorded answer",
      unit: "s",
      advice: { explicitBucketBoundaries: HOP_BOUNDS_SECONDS },
    });
    this.#modelTokens = meter.createHistogram(METRIC.modelTokens, {
      description: "Input and output tokens of one try of a model call, as the provider reported them",
      unit: "{token}",
      advice: { explicitBucketBoundaries: TOKEN_BOUNDS_COUNT },
    });
    this.#modelCall = meter.createHistogram(METRIC.modelCall, {
      description: "One try of a model call: from the request to the complete reply or the fault",
      unit: "s",
      advice: { explicitBucketBoundaries: MODEL_BOUNDS_SECONDS },
    });
    this.#open = meter.createObservableGauge(METRIC.open, { description: "Open processes of this host", unit: "{process}" });
    this.#queue = meter.createObservableGauge(METRIC.queue, {
      description: "Work items that wait for their actor or for a free slot on this host, by agent",
      unit: "{work}",
    });
    this.#share = meter.createObservableGauge(METRIC.releaseShare, {
      description: "Share of the processes that get the canary of a release on this host, by agent; 0 once it is stopped",
      unit: "1",
    });
    this.#broken = meter.createObservableGauge(METRIC.releaseBroken, {
      description: "Broken rules for stopping of the canary of a release, by agent",
      unit: "{rule}",
    });
  }

  /** Observes the gauges until {@link end}. */
  watch(gauges: Gauges): void {
    if (!this.on) return;
    const open = (result: ObservableResult): void => result.observe(gauges.open(), { [ATTRIBUTE.system]: this.#system });
    const queue = (result: ObservableResult): void => {
      for (const [agent, length] of gauges.queues()) result.observe(length, { [ATTRIBUTE.system]: this.#system, [ATTRIBUTE.agent]: agent });
    };
    const canary =
      (of: 1 | 2) =>
      (result: ObservableResult): void => {
        for (const one of gauges.canaries()) result.observe(one[of], { [ATTRIBUTE.system]: this.#system, [ATTRIBUTE.agent]: one[0] });
      };
    const [share, broken] = [canary(1), canary(2)];
    this.#open.addCallback(open);
    this.#queue.addCallback(queue);
    this.#share.addCallback(share);
    this.#broken.addCallback(broken);
    this.#unwatch = () => {
      this.#share.removeCallback(share);
      this.#broken.removeCallback(broken);
      this.#open.removeCallback(open);
      this.#queue.removeCallback(queue);
    };
  }

  /** Stops observing the gauges when the host stops. */
  end(): void {
    this.#unwatch();
  }

  /** Counts a process of this host that ended. */
  ended(route: string, outcome: Outcome, versions: readonly string[] = []): void {
    if (!this.on) return;
    this.#outcomes.add(1, {
      [ATTRIBUTE.system]: this.#system,
      [ATTRIBUTE.route]: route,
      [ATTRIBUTE.status]: outcome.status,
      ...(versions.length === 0 ? {} : { [ATTRIBUTE.versions]: versions.join(" ") }),
      ...error(outcome.fault?.code),
    });
    if (outcome.deadLetter !== undefined) this.deadLetter(outcome.fault);
  }

  /** Counts a dead letter that was filed. */
  deadLetter(fault: WireFault | undefined): void {
    if (this.on) this.#deadLetters.add(1, { [ATTRIBUTE.system]: this.#system, ...error(fault?.code) });
  }

  /** Counts an execution of a handler. `code` is the code of the fault that it ended with. */
  attempted(agent: string, mode: "do" | "undo", release: WorkRelease | undefined, code: string | undefined): void {
    if (!this.on) return;
    this.#attempts.add(1, {
      [ATTRIBUTE.system]: this.#system,
      [ATTRIBUTE.agent]: agent,
      [ATTRIBUTE.mode]: mode,
      ...versionAttributes(release),
      ...error(code),
    });
  }

  /** Counts a call of a tool that was judged. */
  checked({ agent, release, tool, effect, verdict, isUntrusted }: CheckedTool): void {
    if (!this.on) return;
    this.#checks.add(1, {
      [ATTRIBUTE.system]: this.#system,
      [ATTRIBUTE.agent]: agent,
      [ATTRIBUTE.tool]: tool,
      [ATTRIBUTE.toolEffect]: effect,
      [ATTRIBUTE.verdict]: verdict,
      [ATTRIBUTE.untrusted]: isUntrusted,
      ...versionAttributes(release),
    });
  }

  /** Counts a comparison of a source. `code` is the code of the fault that it ended with. */
  compared(source: string, code: string | undefined): void {
    if (this.on) this.#comparisons.add(1, { [ATTRIBUTE.system]: this.#system, [ATTRIBUTE.source]: source, ...error(code) });
  }

  /** Counts facts that were not given. */
  withheld(agent: string, release: WorkRelease | undefined, why: "untrusted" | "scope", count: number): void {
    if (!this.on) return;
    this.#withheld.add(count, {
      [ATTRIBUTE.system]: this.#system,
      [ATTRIBUTE.agent]: agent,
      [ATTRIBUTE.withheldWhy]: why,
      ...versionAttributes(release),
    });
  }

  /** Counts a stop of a canary. */
  releaseStopped(agent: string, isAutomatic: boolean): void {
    if (this.on)
      this.#releaseStops.add(1, { [ATTRIBUTE.system]: this.#system, [ATTRIBUTE.agent]: agent, [ATTRIBUTE.automatic]: isAutomatic });
  }

  /** Counts how agents work together: what a record of a process adds to the counts of its run. */
  coordinated(before: ProcessState, after: ProcessState): void {
    const route = after.task?.route;
    if (!this.on || route === undefined || before.counts === after.counts || after.counts === undefined) return;
    const known = before.run === after.run ? (before.counts ?? {}) : {};
    for (const kind of COORDINATION_KINDS) {
      const more = (after.counts[kind] ?? 0) - (known[kind] ?? 0);
      if (more > 0)
        this.#coordination.add(more, { [ATTRIBUTE.system]: this.#system, [ATTRIBUTE.route]: route, [ATTRIBUTE.driftKind]: kind });
    }
  }

  /** Records the time from a request of a process to its answer. */
  hopped(target: string, mode: "do" | "ask" | "check" | "undo", version: string | undefined, ms: number): void {
    if (this.on)
      this.#hop.record(Math.max(0, ms) / MS_PER_SECOND, {
        [ATTRIBUTE.system]: this.#system,
        [ATTRIBUTE.agent]: target,
        [ATTRIBUTE.mode]: mode,
        ...(version === undefined ? {} : { [ATTRIBUTE.version]: version }),
      });
  }

  /** Records a try of a model call. */
  modelTried({ agent, model, release, provider, answered, usage, ms, code }: ModelTried): void {
    if (!this.on) return;
    const attributes = {
      [ATTRIBUTE.system]: this.#system,
      [ATTRIBUTE.agent]: agent,
      [ATTRIBUTE.operation]: CHAT,
      [ATTRIBUTE.requestModel]: model,
      ...promptAttributes(release),
      ...(provider === undefined ? {} : { [ATTRIBUTE.provider]: provider }),
      ...(answered === undefined ? {} : { [ATTRIBUTE.responseModel]: answered }),
    };
    this.#modelCall.record(ms / MS_PER_SECOND, { ...attributes, ...error(code) });
    if (usage === undefined) return;
    this.#modelTokens.record(usage.inputTokens, { ...attributes, [ATTRIBUTE.tokenType]: "input" });
    this.#modelTokens.record(usage.outputTokens, { ...attributes, [ATTRIBUTE.tokenType]: "output" });
  }

  /** Runs a turn and measures it. Without an SDK it only runs the turn. */
  turn<T>(actor: string, kind: string, action: () => Promise<T>): Promise<T> {
    return this.on ? this.#measuredTurn(actor, kind, action) : action();
  }

  async #measuredTurn<T>(actor: string, kind: string, action: () => Promise<T>): Promise<T> {
    const startedAtMs = performance.now();
    try {
      return await action();
    } finally {
      this.#turn.record((performance.now() - startedAtMs) / MS_PER_SECOND, {
        [ATTRIBUTE.system]: this.#system,
        [ATTRIBUTE.actor]: actor,
        [ATTRIBUTE.kind]: kind,
      });
    }
  }
}

function error(code: string | undefined): Attributes {
  return code === undefined ? {} : { [ATTRIBUTE.fault]: code };
}
