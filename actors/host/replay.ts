/**
 * @module The records of earlier executions of a work item, as a new execution of its handler reaches them again.
 *
 * A handler runs from its start and receives recorded results instead of repeating effects. A call that is not recorded is made only
 * when the handler has reached all records. Otherwise a handler whose step was renamed would repeat the effect.
 *
 * Results are handed over in the order of their records, each one when the handler has acted on the one before. So a race of several of
 * them has the same winner in each execution.
 */
import type { AgentWork, Call, Failure, ModelCall, Step, Wait } from "../../runtime/agent/state.ts";
import { Fault } from "../../runtime/faults.ts";
import { modelHash } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock } from "../engine/ports.ts";

interface Turn {
  readonly order: number;
  readonly take: () => void;
}

/** The records of one work item for one execution. */
export class Replay {
  readonly #work: AgentWork;
  readonly #clock: Clock;
  readonly #onMismatch: (fault: Fault) => void;
  readonly #unreached: Set<string>;
  /** Results that the handler has not received yet, in their order. */
  readonly #due: number[];
  /** Results that the handler has asked for before it was their turn. */
  readonly #turns = new Set<Turn>();
  /** Whether this attempt may be given results that only an earlier attempt has to reach. */
  readonly #hasOptional: boolean;
  /** The first model call that is not recorded. */
  #rebuilt: string | undefined;
  #isActing = false;
  #hasEnded = false;
  #held: { readonly promise: Promise<void>; readonly release: () => void } | undefined;
  #cancelWatch = (): void => {};

  /** `onMismatch` is called once if calls wait and the handler reaches no further record. */
  constructor(work: AgentWork, clock: Clock, onMismatch: (fault: Fault) => void) {
    this.#work = work;
    this.#clock = clock;
    this.#onMismatch = onMismatch;
    const expected = expectedOf(work);
    this.#unreached = new Set(expected.map(({ id }) => id));
    this.#due = expected.flatMap(({ order }) => order ?? []).sort((a, b) => a - b);
    this.#hasOptional = resultsOf(work).some((one) => !counts(work, one));
  }

  call(key: string): Call | undefined {
    this.#reach("call", key);
    return this.#work.calls.find((call) => call.key === key);
  }

  model(key: string): ModelCall | undefined {
    this.#reach("model", key);
    const known = this.#work.modelCalls?.find((call) => call.key === key);
    if (known === undefined) this.#rebuilt ??= key;
    return known;
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

  /** Resolves when a recorded result may be handed over. */
  turn({ order = 0 }: { readonly order?: number | undefined }): Promise<void> {
    return new Promise((resolve) => {
      if (this.#hasEnded) return resolve();
      this.#turns.add({ order, take: resolve });
      // An earlier result that is not known to be due may be asked for in microtasks.
      if (this.#hasOptional && !this.#isActing) return this.#act();
      this.#handOver();
    });
  }

  /**
   * Returns the content of a recorded result when it is its turn. The content is read before, so that the handler acts on it before the
   * next result is handed over. What only an earlier attempt had to reach has its turn too, once this one has reached it.
   */
  async handed<T>(result: { readonly order?: number | undefined }, content: Promise<T>): Promise<T> {
    if (result.order !== undefined && !this.#due.includes(result.order)) {
      this.#due.push(result.order);
      this.#due.sort((a, b) => a - b);
    }
    await Promise.allSettled([content]);
    await this.turn(result);
    return content;
  }

  /** Undefined if the handler has received all records and acted on them, else a promise that resolves when it has. */
  caughtUp(): Promise<void> | undefined {
    if (this.#isCaughtUp) return undefined;
    if (this.#held === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#held = { promise, release: resolve };
      this.#watch();
    }
    return this.#held.promise;
  }

  get #isCaughtUp(): boolean {
    return this.#hasEnded || (this.#unreached.size === 0 && this.#due.length === 0 && this.#turns.size === 0 && !this.#isActing);
  }

  /** Returns the fault of a handler that has ended, or waits, without reaching all records. */
  get mismatch(): Fault | undefined {
    const [first] = this.#unreached;
    if (first === undefined) return undefined;
    const recorded = this.#work.modelCalls?.find(({ key }) => this.#unreached.has(idOf("model", key)));
    if (recorded !== undefined && this.#rebuilt !== undefined) return modelMismatch(recorded, this.#rebuilt);
    return new Fault("step.mismatch", `${first} is recorded, but the handler did not reach it again`, { recorded: first });
  }

  /** Holds nothing any longer: the execution has ended. */
  end(): void {
    this.#hasEnded = true;
    this.#cancelWatch();
    for (const { take } of this.#turns) take();
    this.#turns.clear();
    this.#held?.release();
  }

  #reach(kind: Failure["kind"], key: string): void {
    if (!this.#unreached.delete(idOf(kind, key)) || this.#held === undefined) return;
    this.#watch();
    if (this.#isCaughtUp) this.#release();
  }

  #release(): void {
    this.#cancelWatch();
    this.#held?.release();
    this.#held = undefined;
  }

  #handOver(): void {
    if (this.#isActing) return;
    const next = [...this.#turns].reduce<Turn | undefined>(
      (first, one) => (first !== undefined && first.order <= one.order ? first : one),
      undefined,
    );
    if (next === undefined) return this.#isCaughtUp ? this.#release() : undefined;
    const [due = next.order] = this.#due;
    if (due < next.order) return this.#watch();
    if (due === next.order) this.#due.shift();
    this.#turns.delete(next);
    next.take();
    this.#act();
  }

  /** The handler acts on a result in microtasks, so it has acted when the clock calls back. */
  #act(): void {
    this.#isActing = true;
    this.#clock.after(0, () => {
      this.#isActing = false;
      this.#handOver();
    });
  }

  /** Each record that the handler reaches gives it more time. */
  #watch(): void {
    this.#cancelWatch();
    this.#cancelWatch = this.#clock.after(LIMITS.recordsUnreachedMs, () => {
      const fault = this.mismatch;
      if (fault !== undefined) this.#onMismatch(fault);
    });
  }
}

interface Expected {
  readonly id: string;
  /** Absent if there is no result yet. */
  readonly order: number | undefined;
}

interface Optional {
  /** The only attempt that has to reach the record. Absent: each one. */
  readonly onlyIn?: number | undefined;
}

/** The records that an execution of this attempt has to reach. */
function expectedOf(work: AgentWork): readonly Expected[] {
  const { attempt, failures = [] } = work;
  return [
    ...resultsOf(work).filter((one) => counts(work, one)),
    ...failures.filter((one) => one.attempt === attempt).map(({ kind, key, order }) => ({ id: idOf(kind, key), order })),
  ];
}

/** The records of all attempts, without failures. */
function resultsOf({ calls, modelCalls = [], steps, waits }: AgentWork): readonly (Expected & Optional)[] {
  return [
    ...calls.map(({ key, order, onlyIn }) => ({ id: idOf("call", key), order, onlyIn })),
    ...modelCalls.map(({ key, order, onlyIn }) => ({ id: idOf("model", key), order, onlyIn })),
    ...steps.map(({ name, order, onlyIn }) => ({ id: idOf("step", name), order, onlyIn })),
    ...waits.map(({ key, order, onlyIn }) => ({ id: idOf("wait", key), order, onlyIn })),
  ];
}

function counts({ attempt }: AgentWork, { onlyIn }: Optional): boolean {
  return onlyIn === undefined || onlyIn === attempt;
}

/** The handler makes another model call in the place of a recorded one. */
function modelMismatch({ key, model }: ModelCall, made: string): Fault {
  const [recorded, rebuilt] = [modelHash(key), modelHash(made)];
  return new Fault(
    "model.mismatch",
    `a call of model ${model} is recorded with the request ${recorded}, but the handler now builds the request ${rebuilt}`,
    { model, recorded, rebuilt },
  );
}

function idOf(kind: Failure["kind"], key: string): string {
  return `${kind} ${key}`;
}
