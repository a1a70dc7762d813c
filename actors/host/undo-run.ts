/**
 * @module An undo: a handler is run again to show what it did, and what it showed is undone.
 *
 * A handler that was tried several times may have gone another way each time: a call failed that later succeeded, or it asked
 * for `ctx.attempt`. So it is shown each attempt in which a call failed, with the failures of that attempt, and the last one;
 * and where a recorded step has not been come to by then, the others too.
 */
import { Fault, faultFrom, isRetryable, type WireFault, wireFault } from "../../runtime/faults.ts";
import { type AgentWork, type Entry, isSameCall } from "../../runtime/agent/state.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { HandlerExecution, Undoable } from "./handler-execution.ts";
import { pause } from "../engine/pause.ts";
import type { Clock } from "../engine/ports.ts";

/** What an undo is made of. `run` is that of the last attempt; `handle` runs the handler. */
export interface UndoParts {
  readonly work: AgentWork;
  readonly run: HandlerExecution;
  readonly clock: Clock;
  readonly handle: (run: HandlerExecution) => Promise<unknown>;
}

/** A handler that shows one attempt. */
interface Show {
  readonly run: HandlerExecution;
  readonly settled: Promise<void>;
  gatesOpened: number;
  ended: boolean;
  thrown: WireFault | undefined;
}

/** One undo of one piece of work, under one token. */
export class UndoRun {
  readonly #parts: UndoParts;
  readonly #shows = new Map<number, Show>();

  constructor(parts: UndoParts) {
    this.#parts = parts;
  }

  /** Shows and undoes everything, newest first; each undo is recorded once. Throws what an undo throws, and when the handler may not have shown everything. */
  async perform(): Promise<void> {
    const { work, run } = this.#parts;
    for (const attempt of new Set(work.failures?.map((failure) => failure.attempt))) await this.#showEarlier(attempt);
    const last = await this.#show(work.attempt, run);
    for (let attempt = 1; attempt < work.attempt && this.#missed() !== undefined; attempt += 1) await this.#showEarlier(attempt);
    while (this.#letOnePass(last)) await this.#blocked(last);
    for (const undoable of [...this.#found().values()].toReversed()) await this.#undo(undoable);
    this.#requireShown();
  }

  async #undo(undoable: Undoable): Promise<void> {
    const { work, run } = this.#parts;
    const { name, occurrence, result, undo } = undoable;
    if (work.entries.some((one) => isSameCall(one, { kind: "undo", name, occurrence }))) return;
    await undo(result, run.tools(name, occurrence));
    await run.recordUndo(undoable);
  }

  async #showEarlier(attempt: number): Promise<void> {
    const { work, run } = this.#parts;
    if (attempt === work.attempt || this.#shows.has(attempt)) return;
    const earlier = run.asAttempt(attempt);
    await this.#show(attempt, earlier);
    earlier.stop(wireFault("work.cancelled", "this attempt has shown what it can"));
  }

  /** Runs the handler until it ends, or has shown all it can. */
  async #show(attempt: number, run: HandlerExecution): Promise<Show> {
    const handled = this.#parts.handle(run).then(
      () => undefined,
      (error: unknown) => faultFrom(error, "agent.failed"),
    );
    const show: Show = {
      run,
      gatesOpened: 0,
      ended: false,
      thrown: undefined,
      settled: handled.then((thrown) => {
        show.ended = true;
        show.thrown = thrown;
      }),
    };
    this.#shows.set(attempt, show);
    await this.#blocked(show);
    return show;
  }

  /** Resolves when a handler has ended, or shown all it can: it waits, or hangs, and asked for nothing new for a while. */
  #blocked(show: Show): Promise<void> {
    return Promise.race([show.settled, this.#quiet(show)]);
  }

  async #quiet(show: Show): Promise<void> {
    const { run } = show;
    const { clock } = this.#parts;
    while (!run.signal.aborted && !show.ended) {
      if (clock.nowMs() - run.touchedAtMs >= (run.waits ? LIMITS.undoQuietMs : LIMITS.undoSilenceMsMax)) return;
      await pause(clock, LIMITS.undoQuietMs / 4);
    }
  }

  /**
   * A handler that recorded a step after a call of which nothing is recorded did not wait for that call, as in a race with a
   * timer. It fails here, once everything else has been shown, and the handler comes to what it did then.
   */
  #letOnePass(show: Show): boolean {
    const { run } = show;
    if (show.ended || run.signal.aborted || !run.waits || this.#missed() === undefined || show.gatesOpened >= LIMITS.stepsPerWorkMax)
      return false;
    show.gatesOpened += 1;
    run.failOne(new Fault("agent.failed", "nothing is recorded of this call, and the handler went past it in the run that is undone"));
    return true;
  }

  /** What was shown so far, in the order of the attempts that came to it first. */
  #found(): ReadonlyMap<string, Undoable> {
    const found = new Map<string, Undoable>();
    for (const [, { run }] of [...this.#shows].toSorted(([a], [b]) => a - b)) {
      for (const undoable of run.undoables) {
        if (!found.has(keyOf(undoable))) found.set(keyOf(undoable), undoable);
      }
    }
    return found;
  }

  /** A recorded step that is to be undone, and that the handler has not come to. */
  #missed(): Entry | undefined {
    const found = this.#found();
    return this.#parts.work.entries.find((entry) => entry.kind === "step" && entry.undoable && !found.has(keyOf(entry)));
  }

  /**
   * Throws when the handler may not have shown everything, so that the undo is tried again: it did not come to a step that was
   * recorded, or it threw something that no recorded fault explains.
   */
  #requireShown(): void {
    const missed = this.#missed();
    if (missed !== undefined)
      throw new Fault(
        "agent.failed",
        `the handler did not come to step ${JSON.stringify(missed.name)}, which was recorded and is to be undone`,
      );
    for (const { thrown, gatesOpened } of this.#shows.values()) {
      // Where a call was made to fail, what the handler throws may be that failure: it has shown what it then went on to.
      if (thrown === undefined || gatesOpened > 0 || !isRetryable(thrown) || this.#explains(thrown)) continue;
      throw new Fault("agent.failed", `the handler threw while it showed what is to be undone: ${thrown.message}`);
    }
  }

  #explains(thrown: WireFault): boolean {
    const { result, asks, failures = [], faults = [] } = this.#parts.work;
    const ended = [result, ...asks.map((ask) => ask.result)].flatMap((one) => (one !== undefined && "fault" in one ? [one.fault] : []));
    return [...ended, ...faults, ...failures.map(({ fault }) => fault)].some(
      (fault) => fault.code === thrown.code && fault.message === thrown.message,
    );
  }
}

/** What a step is known by within its work. */
function keyOf({ name, occurrence }: Pick<Entry, "name" | "occurrence">): string {
  return `${occurrence} ${name}`;
}
