/**
 * @module A circuit breaker on the clock of its host: for an endpoint of a model, a tool or an MCP server.
 *
 * The states and the count of failures are cockatiel's. It opens when more than half of the last calls failed. After a pause it lets one
 * call through; the pause doubles while that call fails.
 */
import { circuitBreaker, type CircuitBreakerPolicy, CircuitState, CountBreaker, handleWhen, type IBackoffFactory } from "cockatiel";
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock } from "./ports.ts";

/** The state of a breaker, as it is shown. */
export type BreakerState = "closed" | "open" | "half-open";

/** The parts of a breaker. */
export interface BreakerParts {
  readonly clock: Pick<Clock, "nowMs">;
  /** Called when it opens or closes. */
  readonly onChange?: ((state: BreakerState) => void) | undefined;
}

/**
 * What an error says of the other side: it `failed`; it `answered`, although the call did not succeed; or the call was given up before
 * either, and it is `unknown`. Only failures open a breaker. The one call that is let through must be answered to close it.
 */
export type Verdict = "failed" | "answered" | "unknown";

/** An error with its verdict, on its way through the circuit. */
class Judged extends Error {
  readonly verdict: Verdict;
  readonly error: unknown;

  constructor(verdict: Verdict, error: unknown) {
    super(verdict);
    this.verdict = verdict;
    this.error = error;
  }
}

const FAILED_SHARE_MAX = 0.5;

/** One breaker. Ask {@link Breaker.freeAtMs} first; `run` throws if it is open. */
export class Breaker {
  readonly #clock: BreakerParts["clock"];
  readonly #circuit: CircuitBreakerPolicy;
  #openUntilMs = 0;

  constructor({ clock, onChange }: BreakerParts) {
    this.#clock = clock;
    const policy = handleWhen(
      (error) => error instanceof Judged && (error.verdict === "failed" || (error.verdict === "unknown" && this.state === "half-open")),
    );
    const breaker = new CountBreaker({
      threshold: FAILED_SHARE_MAX,
      size: LIMITS.breakerCalls,
      minimumNumberOfCalls: LIMITS.breakerCallsMin,
    });
    this.#circuit = circuitBreaker(policy, { breaker, halfOpenAfter: this.#pauses(LIMITS.breakerPauseMs) });
    if (onChange !== undefined) this.#circuit.onStateChange(() => onChange(this.state));
  }

  /** `open` also when the pause is over and no call was let through yet. */
  get state(): BreakerState {
    const { state } = this.#circuit;
    return state === CircuitState.Closed ? "closed" : state === CircuitState.HalfOpen ? "half-open" : "open";
  }

  /** From when on a call may be made; infinite while the one call that was let through is under way. */
  get freeAtMs(): number {
    const { state } = this;
    return state === "closed" ? 0 : state === "half-open" ? Number.POSITIVE_INFINITY : this.#openUntilMs;
  }

  /** Makes a call and notes how it ended. */
  async run<T>(action: () => Promise<T>, judge: (error: unknown) => Verdict): Promise<T> {
    const judged = async (): Promise<T> => {
      try {
        return await action();
      } catch (error) {
        throw new Judged(judge(error), error);
      }
    };
    try {
      return await this.#circuit.execute(judged);
    } catch (error) {
      throw error instanceof Judged ? error.error : error;
    }
  }

  /** cockatiel asks the system clock; this pause ends by the clock of the host, which a test drives. */
  #pauses(ms: number): IBackoffFactory<unknown> {
    return {
      next: () => {
        const untilMs = this.#clock.nowMs() + ms;
        this.#openUntilMs = untilMs;
        const isOver = (): boolean => this.#clock.nowMs() >= untilMs;
        return {
          get duration() {
            return isOver() ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
          },
          next: (context) => this.#pauses(Math.min(ms * 2, LIMITS.breakerPauseMsMax)).next(context),
        };
      },
    };
  }
}
