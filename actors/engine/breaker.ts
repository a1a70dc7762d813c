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
  /** Whether an error says that the other side is failing. Other errors are answers: they neither open nor close it. */
  readonly counts: (error: unknown) => boolean;
  /** Called when it opens or closes. */
  readonly onChange?: ((state: BreakerState) => void) | undefined;
}

const FAILED_SHARE_MAX = 0.5;

/** One breaker. Ask {@link Breaker.freeAtMs} first; `run` throws if it is open. */
export class Breaker {
  readonly #clock: BreakerParts["clock"];
  readonly #circuit: CircuitBreakerPolicy;
  #openUntilMs = 0;

  constructor({ clock, counts, onChange }: BreakerParts) {
    this.#clock = clock;
    // While one call is let through, anything but a success says that the other side still fails.
    const policy = handleWhen((error) => counts(error) || this.state === "half-open");
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
  run<T>(action: () => Promise<T>): Promise<T> {
    return this.#circuit.execute(action);
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
