/**
 * @module What one execution of a handler may spend: grant and spending as of the results that it has received, and how it asks for more.
 *
 * The decision is the actor's: it refuses what the grant does not allow. What the handler sees is taken from the records of its results,
 * so each execution sees the same.
 */
import type { RuntimeContext } from "../../agents/context.ts";
import type { WaitContent } from "../../runtime/agent/inputs.ts";
import type { AgentState, AgentWork } from "../../runtime/agent/state.ts";
import { Grant, isWithin, laterSpent, maxGrant, NOTHING_SPENT, type Spent } from "../../runtime/budget.ts";
import { plainJson } from "../../runtime/canonical.ts";
import { entryOf } from "../../runtime/entries.ts";
import { Fault, isFault, type Json } from "../../runtime/faults.ts";
import type { HeldInput } from "./run-link.ts";

/** The parts of a handler's budget. */
export interface HandlerBudgetParts {
  readonly work: AgentWork;
  /** Waits as a handler does. */
  readonly wait: (key: string, content: WaitContent) => Promise<Json>;
}

/** A call was not begun, because the grant does not allow it. */
class GrantNeeded extends Error {
  readonly need: Grant;

  constructor(need: Grant) {
    super("a larger grant is needed");
    this.need = need;
  }
}

/** Whether a call was not begun because the grant does not allow it: it is made when more was granted. */
export function isGrantNeeded(error: unknown): boolean {
  return error instanceof GrantNeeded;
}

/** Returns the reason why a call was not begun: the refusal, or that a larger grant is needed. */
export function whyNotBegun(refusal: unknown): unknown {
  if (!isFault(refusal) || refusal.code !== "budget.exhausted") return refusal;
  const need = Grant.safeParse(refusal.details?.["need"]);
  return need.success ? new GrantNeeded(need.data) : refusal;
}

/** The budget of one execution. */
export class HandlerBudget {
  readonly #parts: HandlerBudgetParts;
  #grant: Grant | undefined;
  #spent: Spent;

  constructor(parts: HandlerBudgetParts) {
    this.#parts = parts;
    this.#grant = parts.work.grant;
    this.#spent = parts.work.spentBefore ?? NOTHING_SPENT;
  }

  /** Grant and spending as of the results that the handler has received. */
  get view(): RuntimeContext["budget"] {
    return { grant: this.#grant, spent: this.#spent };
  }

  /** The handler receives a result, at which so much had been spent. */
  note(spent: Spent | undefined): void {
    if (spent !== undefined) this.#spent = laterSpent(this.#spent, spent);
  }

  /** The handler receives the result of a tool call, at which so many had been made. */
  noteToolCalls(toolCalls: number | undefined): void {
    if (toolCalls !== undefined) this.note({ toolCalls, models: {} });
  }

  /** The handler receives the result that a report has just recorded. */
  noteEnd(told: HeldInput, state: AgentState): void {
    if (told.kind !== "model-ended" && told.kind !== "call-ended") return;
    const { key, end } = told.call;
    const work = entryOf(state.works, this.#parts.work.id);
    const kind = told.kind === "model-ended" ? "model" : "call";
    const failure = work?.failures?.find((one) => one.kind === kind && one.key === key && one.attempt === work.attempt);
    if ("fault" in end) this.note(failure?.spent);
    else if (kind === "model") this.note(work?.modelCalls?.find((call) => call.key === key)?.spent);
    else this.noteToolCalls(work?.calls.find((call) => call.key === key)?.toolCalls);
  }

  /**
   * Makes a call. If the grant does not allow it, asks the process for a larger one and makes it then. The handler may be parked meanwhile.
   * Waits that an earlier execution recorded came before the call.
   */
  async within<T>(key: string, make: () => Promise<T>): Promise<T> {
    const { attempt, waits } = this.#parts.work;
    for (let count = 0; ; count += 1) {
      const wait = `budget ${attempt}/${key}/${count}`;
      const recorded = waits.find((one) => one.key === wait)?.for;
      if (recorded?.kind === "budget") {
        await this.#askFor(recorded.need, wait);
        continue;
      }
      try {
        return await make();
      } catch (error) {
        if (!(error instanceof GrantNeeded)) throw error;
        await this.#askFor(error.need, wait);
      }
    }
  }

  async #askFor(need: Grant, wait: string): Promise<void> {
    const answer = Grant.safeParse(await this.#parts.wait(wait, { kind: "budget", need }));
    if (!answer.success || !isWithin(need, answer.data))
      throw new Fault("budget.exhausted", "the process did not grant what the next call needs", { need: plainJson(need) });
    this.#grant = maxGrant(this.#grant ?? {}, answer.data);
  }
}
