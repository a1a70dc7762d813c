/**
 * @module What earlier executions of a work item recorded, as a further execution of its handler comes to it again.
 *
 * A handler runs from its start and gets what is recorded instead of doing it again. A call that is not recorded is made only
 * when the handler has come to everything that is: one whose step was renamed would else do it a second time.
 */
import type { AgentWork, Call, Failure, Step, Wait } from "../../runtime/agent/state.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock } from "../engine/ports.ts";

const NONE: ReadonlySet<string> = new Set();

/** The records of one work item, for one execution. */
export class Replay {
  readonly #work: AgentWork;
  readonly #clock: Clock;
  readonly #unreached: Set<string> | undefined;
  readonly #onMismatch: (fault: Fault) => void;
  #held: { readonly promise: Promise<void>; readonly release: () => void } | undefined;
  #cancelWatch = (): void => {};

  /** `onMismatch` is told once when calls wait and the handler comes to nothing recorded any more. */
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

  /** How something failed in this attempt. */
  failure(kind: Failure["kind"], key: string): Failure | undefined {
    const { attempt, failures } = this.#work;
    return failures?.find((one) => one.attempt === attempt && one.kind === kind && one.key === key);
  }

  /** Undefined when the handler has come to everything that is recorded, else what resolves when it has. */
  caughtUp(): Promise<void> | undefined {
    if (this.#unreached === undefined || this.#unreached.size === 0) return undefined;
    if (this.#held === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#held = { promise, release: resolve };
      this.#watch();
    }
    return this.#held.promise;
  }

  /** The fault of a handler that has ended, or waits, without having come to everything that is recorded. */
  get mismatch(): Fault | undefined {
    const [first] = this.#unreached ?? NONE;
    if (first === undefined) return undefined;
    return new Fault("step.mismatch", `${first} is recorded, and the handler did not come to it again`, { recorded: first });
  }

  /** Ends the watch over calls that wait. */
  end(): void {
    this.#cancelWatch();
  }

  #reach(kind: Failure["kind"], key: string): void {
    if (this.#unreached?.delete(idOf(kind, key)) !== true || this.#held === undefined) return;
    this.#cancelWatch();
    if (this.#unreached.size === 0) this.#held.release();
    else this.#watch();
  }

  /** Each record that the handler comes to gives it more time. */
  #watch(): void {
    this.#cancelWatch = this.#clock.after(LIMITS.recordsUnreachedMs, () => {
      const fault = this.mismatch;
      if (fault !== undefined) this.#onMismatch(fault);
    });
  }
}

/** What an execution of this attempt has to come to. */
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
