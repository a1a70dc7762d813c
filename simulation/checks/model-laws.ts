/**
 * @module The laws of model calls, followed from the events of agents and from what their providers saw.
 *
 * It adds up what was reserved and spent by itself, and shares no code with the rules that it checks.
 */
import { idempotencyKey } from "../../runtime/ids.ts";
import { entryOf } from "../../runtime/entries.ts";
import { isRetryable } from "../../runtime/faults.ts";
import type { Grant, ModelSpent } from "../../runtime/budget.ts";
import type { AgentEvent } from "../../runtime/agent/events.ts";
import type { AgentState } from "../../runtime/agent/state.ts";
import { type AttemptMade, type BoughtLine, costOf } from "../world/models.ts";
import type { Find } from "./shadow.ts";

type EventOf<E extends AgentEvent["e"]> = Extract<AgentEvent, { readonly e: E }>;

/** What was reserved or spent on models. */
interface Sum {
  readonly tokens: number;
  readonly costMicros: number;
  readonly modelCalls: number;
}

const NO_SUM: Sum = { tokens: 0, costMicros: 0, modelCalls: 0 };
const SUMMED = ["tokens", "costMicros", "modelCalls"] as const satisfies readonly (keyof Sum & keyof Grant)[];

/** What one work item has reserved and spent, and its calls. */
interface Purse {
  readonly workId: string;
  grant: Grant | undefined;
  spent: Sum;
  /** The hash of the request of each call, by key. */
  readonly hashes: Map<string, string>;
  /** What the open try of a call reserves, by key. */
  readonly open: Map<string, Sum & { readonly isPriced: boolean }>;
  readonly replied: Set<string>;
  /** Requests that got a reply, and those that failed for good, with the attempt in which they did. */
  readonly answered: Set<string>;
  readonly refused: Map<string, number>;
}

/** Hears that a work item of a process is about to have reserved and spent this much. */
type Reserves = (processId: string, workId: string, sum: Sum) => void;

/** Follows the model calls of all agents. */
export class ModelLaws {
  readonly #find: Find;
  readonly #reserves: Reserves;
  readonly #purses = new Map<string, Purse>();
  /** How often each call was recorded as begun, and made, by idempotency key. */
  readonly #begun = new Map<string, number>();
  readonly #made = new Map<string, number>();
  /** The attempt of its work item in which each call last began, by idempotency key. */
  readonly #attempts = new Map<string, number>();
  /** The request that was sent for each idempotency key. */
  readonly #requests = new Map<string, string>();

  constructor(find: Find, reserves: Reserves) {
    this.#find = find;
    this.#reserves = reserves;
  }

  /** What a work item has spent on models, in all its attempts. Undefined: no agent has it. */
  spentOf(workId: string): Sum | undefined {
    return this.#purses.get(workId)?.spent;
  }

  /** The next event of an agent, with the state before it. */
  follow(event: AgentEvent, before: AgentState): void {
    switch (event.e) {
      case "work-accepted":
        this.#purseOf(event.work.id).grant = event.work.grant;
        return;
      case "attempt-asked":
        return this.#settle(event.workId, (purse) => void (purse.grant = event.grant));
      case "begun":
        return entryOf(before.works, event.workId)?.token === event.token ? undefined : this.#settle(event.workId);
      case "released":
      case "taken-over":
      case "work-done":
      case "undo-done":
        return this.#settle(event.workId);
      case "wait-answered":
        return this.#raised(event, before);
      case "model-begun":
        return this.#tryBegun(event, entryOf(before.works, event.workId)?.processId ?? "");
      case "model-dropped":
        this.#purseOf(event.workId).open.delete(event.key);
        return;
      case "model-tried":
      case "model-ended":
        return this.#tryEnded(event);
      default:
    }
  }

  /** An attempt reached its provider. Returns the attempt of its work item. */
  made({ key, request }: AttemptMade): number {
    const made = (this.#made.get(key) ?? 0) + 1;
    const begun = this.#begun.get(key) ?? 0;
    this.#made.set(key, made);
    if (made > begun)
      this.#find("an attempt of a model call is recorded before it is made", `${key} was made ${made} times, and recorded ${begun} times`);
    const known = this.#requests.get(key);
    if (known !== undefined && known !== request)
      this.#find("the same records give the same requests", `${key} was sent as ${known} and as ${request}`);
    this.#requests.set(key, request);
    return this.#attempts.get(key) ?? 1;
  }

  /** At the end: all that was bought was recorded as spent. */
  check(ledger: readonly BoughtLine[], find: Find): void {
    for (const [workId, lines] of Map.groupBy(
      ledger.filter(({ what }) => what !== "failed"),
      (line) => line.workId,
    )) {
      const bought = lines.map(sumOfLine).reduce(added, NO_SUM);
      const spent = this.spentOf(workId) ?? NO_SUM;
      const more = SUMMED.find((name) => bought[name] > spent[name]);
      if (more !== undefined)
        find("what is bought is recorded as spent", `${workId} bought ${bought[more]} ${more}, and ${spent[more]} are recorded`);
    }
  }

  #purseOf(workId: string): Purse {
    const known = this.#purses.get(workId);
    if (known !== undefined) return known;
    const made: Purse = {
      ...{ workId, grant: undefined, spent: NO_SUM },
      ...{ hashes: new Map(), open: new Map(), replied: new Set(), answered: new Set(), refused: new Map() },
    };
    this.#purses.set(workId, made);
    return made;
  }

  /** No one will say how the open tries ended, so they count in full. */
  #settle(workId: string, then: (purse: Purse) => void = () => {}): void {
    const purse = this.#purseOf(workId);
    purse.spent = [...purse.open.values()].reduce(added, purse.spent);
    purse.open.clear();
    then(purse);
  }

  #raised({ workId, index, result }: EventOf<"wait-answered">, before: AgentState): void {
    const wait = entryOf(before.works, workId)?.waits.find((one) => one.index === index);
    if (wait?.for.kind === "budget" && "output" in result && "json" in result.output)
      this.#purseOf(workId).grant = result.output.json as Grant;
  }

  #tryBegun({ workId, key, model, hash, attempt, reserved }: EventOf<"model-begun">, processId: string): void {
    const purse = this.#purseOf(workId);
    const name = `${key} of ${workId}`;
    if (purse.replied.has(key)) this.#find("a recorded model call is never bought again", `${name} has a recorded reply, and began again`);
    else if (purse.open.has(key)) this.#find("one try of a model call at a time", `${name} began while it was open`);
    const request = `${model} ${hash}`;
    if (purse.answered.has(request) || purse.refused.get(request) === attempt)
      this.#find("no request is sent again after its answer", `${name} has the request ${hash.slice(0, 8)}, which was answered before`);
    purse.hashes.set(key, request);
    const sum: Sum = { tokens: reserved.inputTokens + reserved.outputTokens, costMicros: reserved.costMicros ?? 0, modelCalls: 1 };
    const all = [...purse.open.values(), sum].reduce(added, purse.spent);
    const above = SUMMED.find((limit) => all[limit] > (purse.grant?.[limit] ?? Number.POSITIVE_INFINITY));
    if (above !== undefined)
      this.#find(
        "nothing is reserved beyond the grant",
        `${name} brings ${above} to ${all[above]}; granted are ${purse.grant?.[above] ?? 0}`,
      );
    if (purse.grant?.costMicros !== undefined && reserved.costMicros === undefined)
      this.#find("nothing is reserved beyond the grant", `${name} has no price, and money is budgeted`);
    this.#reserves(processId, workId, all);
    purse.open.set(key, { ...sum, isPriced: reserved.costMicros !== undefined });
    const id = idempotencyKey(workId, key);
    this.#begun.set(id, (this.#begun.get(id) ?? 0) + 1);
    this.#attempts.set(id, attempt);
  }

  #tryEnded(event: EventOf<"model-tried" | "model-ended">): void {
    const { workId, key, attempt, spent, overrun, fault } = event;
    // The grant did not allow the call, so it did not begin.
    if (fault?.code.startsWith("budget.") === true) return;
    const purse = this.#purseOf(workId);
    const reserved = purse.open.get(key);
    const sum = spent === undefined ? NO_SUM : sumOf(spent);
    if (reserved === undefined) this.#find("a model call ends once", `${key} of ${workId} ended, and was not open`);
    else if (overrun !== true && isMore(sum, reserved))
      this.#find("what costs more than its reservation is an overrun", `${key} of ${workId} cost ${JSON.stringify(sum)}`);
    purse.open.delete(key);
    purse.spent = added(purse.spent, sum);
    const request = purse.hashes.get(key) ?? "";
    if (event.e === "model-tried") {
      if (!isRetryable(event.fault))
        this.#find("only what is transient is sent again", `${key} of ${workId} is to be made again after ${event.fault.code}`);
    } else if (event.fault === undefined) {
      purse.replied.add(key);
      purse.answered.add(request);
    } else if (!isRetryable(event.fault)) purse.refused.set(request, attempt);
  }
}

function isMore(sum: Sum, { tokens, costMicros, isPriced }: Sum & { readonly isPriced: boolean }): boolean {
  return sum.tokens > tokens || (isPriced && sum.costMicros > costMicros);
}

/** The sum of two. */
function added(left: Sum, right: Sum): Sum {
  return {
    tokens: left.tokens + right.tokens,
    costMicros: left.costMicros + right.costMicros,
    modelCalls: left.modelCalls + right.modelCalls,
  };
}

/** What was spent on one model. */
function sumOf({ inputTokens, outputTokens, costMicros, modelCalls }: ModelSpent): Sum {
  return { tokens: inputTokens + outputTokens, costMicros, modelCalls };
}

/** What a line of the ledger cost, up to its reservation: an overrun that is not reported, or not recorded, is not known. */
function sumOfLine({ inputTokens, outputTokens, costMicros, reserved }: BoughtLine): Sum {
  const tokens = Math.min(inputTokens + outputTokens, reserved.inputTokens + reserved.outputTokens);
  return { tokens, costMicros: Math.min(costMicros, costOf(reserved)), modelCalls: 1 };
}
