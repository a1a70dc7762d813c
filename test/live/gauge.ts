/**
 * @module What a host was doing when it died: counters in a file, written by the app, read by the test.
 *
 * The file outlives `kill -9`, and one write of a few bytes costs microseconds.
 */
import { existsSync, openSync, readFileSync, writeSync } from "node:fs";

/** Calls in flight, by purpose. */
const GAUGES = ["turn", "effect", "reminder", "message"] as const;
export type Gauge = (typeof GAUGES)[number];
export type Phase = Gauge | "idle";

const BYTES_EACH = 4;

/** Counts up and down; every change is in the file before anything else happens. */
export class GaugeWriter {
  readonly #file: number;
  readonly #counts = new Int32Array(GAUGES.length);

  constructor(path: string) {
    this.#file = openSync(path, "w");
    writeSync(this.#file, new Uint8Array(this.#counts.buffer), 0, this.#counts.byteLength, 0);
  }

  change(gauge: Gauge, by: 1 | -1): void {
    const index = GAUGES.indexOf(gauge);
    this.#counts[index] = (this.#counts[index] ?? 0) + by;
    writeSync(this.#file, new Uint8Array(this.#counts.buffer), index * BYTES_EACH, BYTES_EACH, index * BYTES_EACH);
  }

  /** Counts for the duration of the action. */
  async during<T>(gauge: Gauge, action: () => Promise<T>): Promise<T> {
    this.change(gauge, 1);
    try {
      return await action();
    } finally {
      this.change(gauge, -1);
    }
  }
}

/** What was in flight at the last write of the file. */
export function readGauges(path: string): Readonly<Record<Gauge, number>> {
  const file = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  // An app that has not written yet has nothing in flight.
  const count = (gauge: Gauge): number =>
    file.length < GAUGES.length * BYTES_EACH ? 0 : file.readInt32LE(GAUGES.indexOf(gauge) * BYTES_EACH);
  return { turn: count("turn"), effect: count("effect"), reminder: count("reminder"), message: count("message") };
}

/** The phase that a kill is counted under: the one in which most could be lost. */
export function phaseOf(gauges: Readonly<Record<Gauge, number>>): Phase {
  return (["effect", "turn", "reminder", "message"] as const).find((gauge) => gauges[gauge] > 0) ?? "idle";
}
