/** @module Measures drift again and again for the metrics of a host. Without an SDK it does nothing. */
import { faultFrom } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { DAY_MS } from "../../runtime/units.ts";
import type { Logger } from "../engine/log.ts";
import type { Clock } from "../engine/ports.ts";
import { DriftGauges } from "../telemetry/drift-gauges.ts";
import type { Reports } from "./reports.ts";

/** The drift of the last hour against the day before it, as gauges. */
export class DriftWatch {
  readonly #gauges: DriftGauges;
  readonly #reports: Pick<Reports, "drift">;
  readonly #clock: Clock;
  readonly #log: Logger;
  #cancel = (): void => {};
  #unwatch = (): void => {};
  #isStopped = false;

  constructor(system: string, reports: Pick<Reports, "drift">, clock: Clock, log: Logger) {
    this.#gauges = new DriftGauges(system);
    this.#reports = reports;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    if (!this.#gauges.on || this.#isStopped) return;
    this.#unwatch = this.#gauges.watch();
    const again = (): void => {
      if (!this.#isStopped) this.#cancel = this.#clock.after(LIMITS.driftGaugeMs, () => void this.look().then(again));
    };
    void this.look().then(again);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
    this.#unwatch();
  }

  /** Measures once. Never throws: the gauges keep their last values. */
  async look(): Promise<void> {
    const sinceMs = this.#clock.nowMs() - LIMITS.driftGaugeWindowMs;
    try {
      this.#gauges.note(await this.#reports.drift({ sinceMs, baselineMs: sinceMs - DAY_MS }));
    } catch (error) {
      this.#log.warn({ fault: faultFrom(error, "store.unavailable") }, "drift could not be measured; it is tried again");
    }
  }
}
