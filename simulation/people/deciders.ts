/**
 * @module People who decide on dead letters in the simulated world: several at once, again and again, with edited inputs.
 */
import type { TaskReceipt } from "../../actors/operations/operations.ts";
import { bucketOf, entriesOf } from "../../runtime/index-actor.ts";
import { faultFrom, isRetryable, type Json } from "../../runtime/faults.ts";
import { runId, runParts } from "../../runtime/ids.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Finding } from "../checks/check.ts";
import type { Random } from "../world/random.ts";
import type { Watch } from "../checks/watch.ts";
import type { World } from "../world/world.ts";

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 1_500;
const PATIENCE_MS = 6_000;
const LATER_MS_MAX = 3_000;
/** A process that failed so often is discarded. */
export const RUNS_MAX = 3;
const DECIDERS_MAX = 3;
const REDRIVE_SHARE = 0.85;
const HALF_SHARE = 0.5;

interface Decision {
  readonly letter: string;
  readonly what: "redrive" | "discard";
  readonly decisionId: string;
  readonly input: Json | undefined;
}

/** Codes with which a decision may be refused because another one stands. */
const REFUSED: readonly string[] = ["deadletter.decided"];

/** All people who decide. Each decision is tried until it is taken or refused for good. */
export class Deciders {
  /** Receipts of redrives, by dead letter and decision. */
  readonly #receipts = new Map<string, TaskReceipt[]>();
  /** The decisions that were taken, by dead letter. */
  readonly #taken = new Map<string, Set<string>>();
  readonly #wrong: Finding[] = [];
  readonly #world: World;
  readonly #random: Random;
  #open = 0;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  get settled(): boolean {
    return this.#open === 0;
  }

  /** A process has ended. */
  ended(state: ProcessState): void {
    if (state.outcome?.deadLetter === undefined || state.task?.parent !== undefined) return;
    const letter = runId(state.id, state.run);
    this.#taken.set(letter, new Set());
    const count = this.#random.int(1, DECIDERS_MAX);
    for (let index = 0; index < count; index += 1) {
      const what = (state.runs?.length ?? 0) + 1 < RUNS_MAX && this.#random.chance(REDRIVE_SHARE) ? "redrive" : "discard";
      const decision: Decision = {
        letter,
        what,
        decisionId: `d${index}`,
        input: what === "redrive" && this.#random.chance(HALF_SHARE) ? fixed(state) : undefined,
      };
      for (let again = this.#random.chance(HALF_SHARE) ? 2 : 1; again > 0; again -= 1) {
        this.#open += 1;
        this.#world.timeline.after(this.#random.int(1, LATER_MS_MAX), () => this.#decide(decision));
      }
    }
  }

  #decide(decision: Decision): void {
    const { letter, what, decisionId, input } = decision;
    const life = this.#world.anyUp(this.#random);
    let over = false;
    const end = (then: () => void): void => {
      if (over) return;
      over = true;
      then();
    };
    const again = (): void => this.#world.timeline.after(this.#random.int(RETRY_MS_MIN, RETRY_MS_MAX), () => this.#decide(decision));
    if (life?.operations === undefined) return again();
    this.#world.timeline.after(PATIENCE_MS, () => end(again));
    this.#world.trace?.(
      `${decisionId} asks ${life.name} for a ${what} of ${letter}${input === undefined ? "" : ` with ${JSON.stringify(input)}`}`,
    );
    const caller = { principal: { ...ANONYMOUS, subject: decisionId } };
    const asked: Promise<TaskReceipt | undefined> =
      what === "redrive"
        ? life.operations.redrive(letter, { decisionId, input, reason: "again", undoneByHand: true }, caller)
        : life.operations.discard(letter, decisionId, caller).then(() => undefined);
    asked.then(
      (receipt) => end(() => (life.state === "dead" ? again() : this.#took(decision, receipt))),
      (error: unknown) =>
        end(() => {
          const fault = faultFrom(error, "turn.failed");
          if (isRetryable(fault)) return again();
          this.#world.trace?.(`${decisionId} is refused the ${what} of ${letter}: ${fault.code}`);
          if (!REFUSED.includes(fault.code))
            this.#wrong.push({
              law: "a decision is taken or another one stands",
              text: `${what} of ${letter} was refused with ${fault.code}: ${fault.message}`,
            });
          this.#open -= 1;
        }),
    );
  }

  #took({ letter, what, decisionId }: Decision, receipt: TaskReceipt | undefined): void {
    this.#world.trace?.(`${decisionId} has the ${what} of ${letter}: run ${receipt?.run ?? "none"}`);
    this.#open -= 1;
    this.#taken.get(letter)?.add(`${what} ${decisionId}`);
    if (receipt !== undefined)
      this.#receipts.set(`${letter} ${decisionId}`, [...(this.#receipts.get(`${letter} ${decisionId}`) ?? []), receipt]);
  }

  /** Broken laws when everything is quiet: one decision for each dead letter, one run for each redrive, each in queue and audit. */
  check(watch: Watch): Finding[] {
    const findings = [...this.#wrong];
    const find = (law: string, text: string): void => void findings.push({ law, text });
    if (!this.settled) find("a decision is taken or refused in the end", "a decider still has no answer");
    for (const [letter, taken] of this.#taken) {
      if (taken.size !== 1) find("a dead letter is decided once", `${letter} was decided ${taken.size} times: ${[...taken].join(", ")}`);
      const { process: id = "", run = 0 } = runParts(letter) ?? {};
      const state = watch.processes.get(id)?.state;
      const act = state?.acts?.find((one) => (one.what === "redrive" || one.what === "discard") && one.run === run);
      if (state === undefined || act === undefined)
        find("a decision stands in the journal", `${letter} was decided, and ${id} knows nothing of it`);
      else checkTold(watch, state, letter, act.what, act.atMs, find);
    }
    for (const [decision, receipts] of this.#receipts) {
      if (new Set(receipts.map(({ run, sequence }) => `${run} ${sequence}`)).size > 1)
        find(
          "the same decision has the same receipt",
          `${decision}: ${receipts.map(({ run, sequence }) => `run ${run} at ${sequence}`).join(", ")}`,
        );
    }
    return findings;
  }
}

function checkTold(
  watch: Watch,
  state: ProcessState,
  letter: string,
  what: string,
  atMs: number,
  find: (law: string, text: string) => void,
): void {
  const line = watch.indexes.get(`DeadLetterQueue/${state.task?.bucket ?? ""}`)?.state;
  const entry = line === undefined ? undefined : entriesOf(line).find((one) => one.id === letter);
  if (entry === undefined || entry.open || entry.facts["decision"] === undefined || entry.content === undefined)
    find("a decided dead letter waits no longer", `the entry of ${letter} is ${JSON.stringify(entry)}`);
  const audit = watch.indexes.get(`Audit/${bucketOf(atMs, 0)}`)?.state;
  if (audit === undefined || !entriesOf(audit).some((one) => one.id === `${letter}:${what}`))
    find("every operator action is in the audit", `the ${what} of ${letter} is not`);
}

/** A fixed input: the price is no longer too high. */
function fixed(state: ProcessState): Json | undefined {
  const input = state.ending?.work?.input;
  if (input === undefined || !("json" in input) || typeof input.json !== "object" || input.json === null || !("trip" in input.json))
    return undefined;
  const { trip } = input.json as { readonly trip: Readonly<Record<string, Json>> };
  return { ...(input.json as Readonly<Record<string, Json>>), trip: { ...trip, budget: 100_000 } };
}
