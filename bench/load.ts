/**
 * @module The load generator, the same for all sides: N callers in a closed loop; each waits for its outcome before its
 * next call.
 *
 * A closed loop hides waiting time: a caller that is held up for a second makes no calls in that second, so the
 * percentiles of a system with rare long pauses look better than they are (coordinated omission, docs/bench.md).
 */
import { randomUUID } from "node:crypto";
import { Pool } from "undici";
import type { Round } from "./stats.ts";

/** One HTTP request of a side, and how to recognize the outcome in its answer. */
export interface Scenario {
  readonly origin: string;
  /** Path and body of one process; `id` is new each time. */
  readonly request: (
    id: string,
    input: number,
  ) => { readonly path: string; readonly body: string; readonly headers?: Readonly<Record<string, string>> };
  /** The output in an answer; undefined if the process did not complete. */
  readonly output: (status: number, text: string) => number | undefined;
}

/** Stops that each add one. */
const STOPS = 3;
/** Maximum time of a process; above, it counts as an error. */
const CALL_TIMEOUT_MS = 30_000;
/** A round with more errors than this is cancelled: its measurements would be meaningless. */
const ERRORS_MAX = 20;
const ERROR_CHARS_MAX = 300;
const INPUTS = 1_000;

export class Load {
  readonly #scenario: Scenario;
  readonly #pool: Pool;

  constructor(scenario: Scenario, callersMax: number) {
    this.#scenario = scenario;
    this.#pool = new Pool(scenario.origin, {
      connections: callersMax,
      pipelining: 1,
      headersTimeout: CALL_TIMEOUT_MS,
      bodyTimeout: CALL_TIMEOUT_MS,
      connectTimeout: CALL_TIMEOUT_MS,
    });
  }

  /** Runs N callers for the time; waits for and counts the calls that are in flight at its end. */
  async run(callers: number, seconds: number): Promise<Round> {
    const latenciesMs: number[] = [];
    const errors: string[] = [];
    const begin = performance.now();
    const end = begin + seconds * 1_000;
    const caller = async (): Promise<void> => {
      while (performance.now() < end && errors.length <= ERRORS_MAX) {
        const start = performance.now();
        const error = await this.#once();
        if (error === undefined) latenciesMs.push(performance.now() - start);
        else errors.push(error);
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    return { latenciesMs, errors, seconds: (performance.now() - begin) / 1_000 };
  }

  /** Runs one process; returns the text of an error, if there was one. */
  async #once(): Promise<string | undefined> {
    const input = Math.floor(Math.random() * INPUTS);
    const { path, body, headers } = this.#scenario.request(randomUUID(), input);
    try {
      const answer = await this.#pool.request({ method: "POST", path, body, headers: { "content-type": "application/json", ...headers } });
      const text = await answer.body.text();
      if (this.#scenario.output(answer.statusCode, text) === input + STOPS) return undefined;
      return `${answer.statusCode} ${text.slice(0, ERROR_CHARS_MAX)}`;
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
