/**
 * @module The records of earlier executions of a work item, as a new execution of its handler reaches them again.
 *
 * A handler runs from its start and receives recorded results instead of repeating effects. A call that is not recorded is made only
 * when the handler has reached all records. Otherwise a handler whose step was renamed would repeat the effect.
 */
import type { AgentWork, Call, Failure, Step, Wait } from "../../runtime/agent/state.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock } from "../engine/ports.ts";

const NONE: ReadonlySet<string> = new Set();

/** The records of one work item for one execution. */
export class Replay {
  readonly #work: AgentWork;
  readonly #clock: Clock;
  readonly #unreached: Set<string> | undefined;
  readonly #onMismatch: (fault: Fault) => void;
  #held: { readonly promise: Promise<void>; readonly release: () => void } | undefined;
  #cancelWatch = (): void => {};

  /** `onMismatch` is called once if calls wait and the handler reaches no further record. */
  constructor(work: AgentWork, clock: Clock, onMismatch: (fault: Fault) => void) {
    this.#work = work;
    this.#clock = clock;
    this.#onMismatch = onMismatch;
    const expected = expectedOf(work);
    this.#unreached = expected.size === 0 ? undefined : new Set(expected);
  }

  call(key: string): Call | undefined {
    this.#reach("call", key);
    return this.#work.calls.find((call) => call.key === key);
  }

  step(name: string): Step | undefined {
    this.#reach("step", name);
    return this.#work.steps.find((step) => step.name === name);
  }

  wait(key: string): Wait | undefined {
    this.#reach("wait", key);
    return this.#work.waits.find((wait) => wait.key === key);
  }

  /** Returns the recorded failure of something in this attempt. */
  failure(kind: Failure["kind"], key: string): Failure | undefined {
    const { attempt, failures } = this.#work;
    return failures?.find((one) => one.attempt === attempt && one.kind === kind && one.key === key);
  }

  /** Undefined if the handler has reached all records, else a promise that resolves when it has. */
  caughtUp(): Promise<void> | undefined {
    if (this.#unreached === undefined || this.#unreached.size === 0) return undefined;
    if (this.#held === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#held = { promise, release: resolve };
      this.#watch();
    }
    return this.#held.promise;
  }

  /** Returns the fault of a handler that has ended, or waits, without reaching all records. */
  get mismatch(): Fault | undefined {
    const [first] = this.#unreached ?? NONE;
    if (first === undefined) return undefined;
    return new Fault("step.mismatch", `${first} is recorded, but the handler did not reach it again`, { recorded: first });
  }

  /** Stops the watch over waiting calls. */
  end(): void {
    this.#cancelWatch();
  }

  #reach(kind: Failure["kind"], key: string): void {
    if (this.#unreached?.delete(idOf(kind, key)) !== true || this.#held === undefined) return;
    this.#cancelWatch();
    if (this.#unreached.size === 0) this.#held.release();
    else this.#watch();
  }

  /** Each record that the handler reaches gives it more time. */
  #watch(): void {
    this.#cancelWatch = this.#clock.after(LIMITS.recordsUnreachedMs, () => {
      const fault = this.mismatch;
      if (fault !== undefined) this.#onMismatch(fault);
    });
  }
}

/** Whether an execution of this attempt has to reach a record. */
function expectedOf({ attempt, calls, steps, waits, failures }: AgentWork): ReadonlySet<string> {
  if (calls.length === 0 && steps.length === 0 && waits.length === 0 && failures === undefined) return NONE;
  const counts = ({ onlyIn }: { readonly onlyIn?: number | undefined }): boolean => onlyIn === undefined || onlyIn === attempt;
  return new Set([
    ...calls.filter(counts).map(({ key }) => idOf("call", key)),
    ...steps.filter(counts).map(({ name }) => idOf("step", name)),
    ...waits.filter(counts).map(({ key }) => idOf("wait", key)),
    ...(failures ?? []).filter((failure) => failure.attempt === attempt).map(({ kind, key }) => idOf(kind, key)),
  ]);
}

function idOf(kind: Failure["kind"], key: string): string {
  return `${kind} ${key}`;
}
