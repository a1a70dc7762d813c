/**
 * @module Metrics of one host, made with `@opentelemetry/api`: nothing is counted unless the application installed an SDK
 * before the host was made. No ids and no payloads in their attributes.
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
import type { Outcome } from "../../runtime/protocol.ts";
import { ATTRIBUTE, METRIC } from "./names.ts";

const METER = "troupe";
const MS_PER_SECOND = 1_000;
/** Upper bounds of the buckets, in seconds: a turn is one write, a hop may wait for a person. */
const TURN_BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const HOP_BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];

/** What is read whenever an SDK collects. */
export interface Gauges {
  /** Open processes of the host. */
  open(): number;
  /** Work that waits for its turn, by agent. */
  queues(): Iterable<readonly [agent: string, length: number]>;
}

/** The instruments of one host; `on` is false when nobody would read them, and then every method does nothing. */
export class HostMetrics {
  readonly on: boolean;
  readonly #system: string;
  readonly #outcomes: Counter;
  readonly #deadLetters: Counter;
  readonly #attempts: Counter;
  readonly #turn: Histogram;
  readonly #hop: Histogram;
  readonly #open: ObservableGauge;
  readonly #queue: ObservableGauge;
  #unwatch = (): void => {};

  constructor(system: string, meter: Meter = metrics.getMeter(METER)) {
    this.#system = system;
    this.on = meter !== createNoopMeter();
    this.#outcomes = meter.createCounter(METRIC.outcomes, { description: "Processes that ended, by route and outcome", unit: "{process}" });
    this.#deadLetters = meter.createCounter(METRIC.deadLetters, {
      description: "Dead letters, by the code of their fault",
      unit: "{letter}",
    });
    this.#attempts = meter.createCounter(METRIC.attempts, {
      description: "Runs of handlers, by agent; further attempts and runs after a crash included",
      unit: "{run}",
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
    this.#open = meter.createObservableGauge(METRIC.open, { description: "Open processes of this host", unit: "{process}" });
    this.#queue = meter.createObservableGauge(METRIC.queue, {
      description: "Work that waits for its actor or for a free slot on this host, by agent",
      unit: "{work}",
    });
  }

  /** Has the gauges read from now on, until {@link end}. */
  watch(gauges: Gauges): void {
    if (!this.on) return;
    const open = (result: ObservableResult): void => result.observe(gauges.open(), { [ATTRIBUTE.system]: this.#system });
    const queue = (result: ObservableResult): void => {
      for (const [agent, length] of gauges.queues()) result.observe(length, { [ATTRIBUTE.system]: this.#system, [ATTRIBUTE.agent]: agent });
    };
    this.#open.addCallback(open);
    this.#queue.addCallback(queue);
    this.#unwatch = () => {
      this.#open.removeCallback(open);
      this.#queue.removeCallback(queue);
    };
  }

  /** The host stops: its gauges are read no more. */
  end(): void {
    this.#unwatch();
  }

  /** A process of this host ended. */
  ended(route: string, outcome: Outcome): void {
    if (!this.on) return;
    this.#outcomes.add(1, {
      [ATTRIBUTE.system]: this.#system,
      [ATTRIBUTE.route]: route,
      [ATTRIBUTE.status]: outcome.status,
      ...error(outcome.fault?.code),
    });
    if (outcome.deadLetter !== undefined) this.deadLetter(outcome.fault);
  }

  /** A dead letter was filed. */
  deadLetter(fault: WireFault | undefined): void {
    if (this.on) this.#deadLetters.add(1, { [ATTRIBUTE.system]: this.#system, ...error(fault?.code) });
  }

  /** A handler ran to its end. `code` is that of the fault it ended with. */
  attempted(agent: string, mode: "do" | "undo", code: string | undefined): void {
    if (this.on)
      this.#attempts.add(1, { [ATTRIBUTE.system]: this.#system, [ATTRIBUTE.agent]: agent, [ATTRIBUTE.mode]: mode, ...error(code) });
  }

  /** A request of a process was answered, this long after it was made. */
  hopped(target: string, mode: "do" | "ask" | "undo", ms: number): void {
    if (this.on)
      this.#hop.record(Math.max(0, ms) / MS_PER_SECOND, {
        [ATTRIBUTE.system]: this.#system,
        [ATTRIBUTE.agent]: target,
        [ATTRIBUTE.mode]: mode,
      });
  }

  /** Runs a turn and measures it. Where nobody counts this is the turn alone. */
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
