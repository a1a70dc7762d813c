/**
 * @module The laws of the process manager, checked at every record: outcomes, runs, bounds, compensation.
 */
import { entryOf } from "../../runtime/entries.ts";
import { runId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { evolveProcess } from "../../runtime/process/evolve.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { BudgetLaw } from "./budget-laws.ts";
import { CompensationOrder } from "./compensation-order.ts";
import { PauseLaw } from "./pause-laws.ts";
import { WaitsLaw } from "./waits-law.ts";
import { type Find, follow, type Shadow, type WrittenKey } from "./shadow.ts";

/** Follows the records of all processes. */
export class ProcessLaws {
  readonly #find: Find;
  readonly #ended: (state: ProcessState) => void;
  readonly #hears: (state: ProcessState, event: ProcessEvent) => void;
  /** The run that each dead letter opened. */
  readonly #runs = new Map<string, number>();
  readonly #orders = new Map<string, CompensationOrder>();
  readonly #waits = new Map<string, WaitsLaw>();
  readonly #pauses = new Map<string, PauseLaw>();
  readonly #budgets = new Map<string, BudgetLaw>();

  constructor(find: Find, ended: (state: ProcessState) => void, hears: (state: ProcessState, event: ProcessEvent) => void) {
    this.#find = find;
    this.#hears = hears;
    this.#ended = ended;
  }

  /** A record or snapshot of a process was written. */
  wrote(shadow: Shadow<ProcessState>, key: WrittenKey): void {
    const before = shadow.state;
    const order = this.#orderOf(shadow.id);
    this.budgetOf(shadow.id).recordBegins();
    follow<ProcessState, ProcessEvent>(shadow, key, evolveProcess, this.#find, (event) => {
      this.#outcome(shadow, before, event);
      order.follow(event, this.#find);
      this.waitsOf(shadow.id).follow(event, this.#find);
      this.#pauseOf(shadow.id).follow(event, shadow.state, this.#find);
      this.budgetOf(shadow.id).follow(event, shadow.state);
      this.#hears(shadow.state, event);
    });
    const { state } = shadow;
    if (state.outcome !== undefined && (before.outcome === undefined || before.run !== state.run)) this.#ended(state);
    if (state.hops > LIMITS.hopsMax) this.#find("hops are bounded", `${state.id} made ${state.hops}`);
    for (const work of Object.values(state.works)) {
      if (work.attempt > work.retry.attemptsMax)
        this.#find("attempts are bounded", `${work.id} is at attempt ${work.attempt} of ${work.retry.attemptsMax}`);
    }
  }

  /** The waits of a process. */
  waitsOf(id: string): WaitsLaw {
    const known = this.#waits.get(id);
    if (known !== undefined) return known;
    const made = new WaitsLaw();
    this.#waits.set(id, made);
    return made;
  }

  #pauseOf(id: string): PauseLaw {
    const known = this.#pauses.get(id);
    if (known !== undefined) return known;
    const made = new PauseLaw();
    this.#pauses.set(id, made);
    return made;
  }

  /** The budget of a process. */
  budgetOf(id: string): BudgetLaw {
    const known = this.#budgets.get(id);
    if (known !== undefined) return known;
    const made = new BudgetLaw(id, this.#find);
    this.#budgets.set(id, made);
    return made;
  }

  /** The work items of a process that were asked and are not known to be undone, from its events alone. */
  askedOf(id: string): readonly string[] {
    return this.#orderOf(id).asked;
  }

  #orderOf(id: string): CompensationOrder {
    const known = this.#orders.get(id);
    if (known !== undefined) return known;
    const made = new CompensationOrder();
    this.#orders.set(id, made);
    return made;
  }

  #outcome(shadow: Shadow<ProcessState>, before: ProcessState, event: ProcessEvent): void {
    if (event.e === "accepted" && before.phase === "open")
      this.#find("one outcome for each run", `${shadow.id} was accepted again while it was open`);
    if (event.e === "asked" && event.work.kind === "ask" && event.work.visit === 1) {
      const { work } = event;
      if (work.ancestors.some((one) => work.target.kind === "agent" && one.agent === work.target.agent && one.id === work.actor))
        this.#find("no ring of asks", `${work.id} asks an actor that waits for it`);
    }
    if (event.e === "reopened") this.#reopened(shadow.id, before, event);
    if (event.e === "undo-failed") this.#givenUp(before, event);
    if (event.e !== "ended" || before.outcome === undefined || before.run !== shadow.state.run) return;
    // A parent may have the whole process undone; its outcome stays.
    if (before.undo === undefined && shadow.state.undo === undefined)
      this.#find("one outcome for each run", `${shadow.id} ended ${event.outcome.status} after it had ended ${before.outcome.status}`);
    else if (before.outcome.status !== event.outcome.status)
      this.#find("one outcome for each run", `${shadow.id} ended ${before.outcome.status}, and then ${event.outcome.status}`);
  }

  /** Each decision opens one run, and each dead letter has one decision. */
  #reopened(id: string, before: ProcessState, { run, act }: Extract<ProcessEvent, { e: "reopened" }>): void {
    if (before.phase !== "ended" || before.outcome?.deadLetter === undefined)
      this.#find("only a failed process is opened again", `${id} was ${before.phase} when ${act.decisionId ?? ""} opened run ${run}`);
    if (run <= before.run || act.run !== before.run)
      this.#find(
        "a new run has its own number",
        `${id} was opened again as run ${run} after run ${before.run}, for the dead letter of run ${act.run}`,
      );
    const letter = runId(id, act.run);
    if (this.#runs.has(letter)) this.#find("one run for each decision", `${letter} opened runs ${this.#runs.get(letter) ?? 0} and ${run}`);
    this.#runs.set(letter, run);
  }

  /**
   * Neither the deadline nor the hops of a process bound its compensation. Only its own limits do. One of them is the number of hosts in a
   * row that die with the work item, or with its undo.
   */
  #givenUp(before: ProcessState, event: Extract<ProcessEvent, { e: "undo-failed" }>): void {
    if (event.fault.message.includes("work.crashed")) return;
    const work = entryOf(before.works, event.workId);
    const endMs = (before.task?.deadlineAtMs ?? 0) - (before.heldMs ?? 0) + LIMITS.compensationMsMax;
    if (event.atMs < endMs && (work?.attempt ?? 1) < (work?.retry.attemptsMax ?? LIMITS.undoAttemptsMax))
      this.#find("compensation has limits of its own", `${event.workId} was given up at attempt ${work?.attempt ?? 1}`);
  }
}
