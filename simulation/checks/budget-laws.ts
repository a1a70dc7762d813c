/**
 * @module The laws of budgets, followed from the events of processes: what is given, told and given back.
 *
 * It keeps an account of its own for each process and holds the account of the process against it.
 */
import type { Grant, Spent } from "../../runtime/budget.ts";
import { stopWorkParts } from "../../runtime/ids.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Find } from "./shadow.ts";

const LIMITED = ["tokens", "costMicros", "modelCalls", "toolCalls"] as const satisfies readonly (keyof Grant)[];

/** What was spent, in the limits of a grant. */
type Amounts = Readonly<Record<(typeof LIMITED)[number], number>>;

const NOTHING: Amounts = { tokens: 0, costMicros: 0, modelCalls: 0, toolCalls: 0 };

/** What one work item may spend in all, and what it told. */
interface Holding {
  /** Absent: it holds nothing. */
  grant: Grant | undefined;
  told: Amounts;
  /** It has told all. */
  isOver: boolean;
}

/** Follows the budget of one process. */
export class BudgetLaw {
  readonly #id: string;
  readonly #find: Find;
  readonly #holdings = new Map<string, Holding>();
  /** The work items that undos undo. */
  readonly #undoes = new Map<string, string>();
  /** Work items that told in the record that is being followed. */
  readonly #heard = new Set<string>();
  #own: Grant | undefined;
  #parents: Grant | undefined;
  #spent: Amounts = NOTHING;
  #run = 1;
  #overran = false;

  constructor(id: string, find: Find) {
    this.#id = id;
    this.#find = find;
  }

  /** At the end: what each work item told is what its agent recorded. `spentOf`: absent for a nested route. */
  check(spentOf: (workId: string) => Partial<Amounts> | undefined, find: Find): void {
    for (const [workId, { told, isOver, grant }] of this.#holdings) {
      const spent = spentOf(workId);
      if (spent === undefined || (!isOver && grant === undefined)) continue;
      const off = LIMITED.find((name) => spent[name] !== undefined && (isOver ? spent[name] !== told[name] : spent[name] > told[name]));
      if (off !== undefined)
        find("a process hears all that was spent", `${workId} has spent ${spent[off] ?? 0} ${off}, and ${this.#id} counts ${told[off]}`);
    }
  }

  /** A work item is about to have reserved and spent this much. */
  mayReserve(workId: string, sum: Partial<Amounts>): void {
    const holding = this.#holdings.get(workId);
    if (stopWorkParts(workId).run !== this.#run || holding === undefined) return;
    const limit = this.#limit();
    if (holding.grant === undefined) {
      if (limit !== undefined)
        this.#find("nothing is spent after it was given back", `${workId} reserves, and holds nothing of the budget of ${this.#id}`);
      return;
    }
    const above = LIMITED.find((name) => (sum[name] ?? 0) > (holding.grant?.[name] ?? Number.POSITIVE_INFINITY));
    if (above !== undefined)
      this.#find(
        "nothing is reserved beyond what the process gave",
        `${workId} brings ${above} to ${sum[above] ?? 0}, and ${this.#id} has given it ${holding.grant[above] ?? 0}`,
      );
  }

  /** A record of the process begins. */
  recordBegins(): void {
    this.#heard.clear();
  }

  /** The next event of the process, with the state after it. */
  follow(event: ProcessEvent, state: ProcessState): void {
    switch (event.e) {
      case "accepted":
        [this.#own, this.#parents, this.#run] = [state.task?.budget, state.task?.grant, event.run];
        return;
      case "reopened":
        this.#spent = NOTHING;
        this.#overran = false;
        this.#run = event.run;
        this.#parents = state.task?.grant;
        return;
      case "asked":
        if (event.work.undoes === undefined) this.#give(event.work.id, event.work.grant);
        else this.#undoes.set(event.work.id, event.work.undoes);
        return this.#compare(state);
      case "asked-again":
        if (!this.#undoes.has(event.workId)) this.#give(event.workId, event.grant);
        return this.#compare(state);
      case "granted":
        this.#give(event.workId, event.grant);
        return this.#compare(state);
      case "more-answered":
        this.#parents = event.grant ?? this.#parents;
        return;
      case "spent":
        this.#tell(event.workId, event.spent, event.ends);
        return this.#compare(state);
      case "failed":
        return this.#failed(event, state);
      case "answered":
      case "handed-off":
        this.#giveBack(event.workId);
        return this.#compare(state);
      case "undone":
        this.#giveBack(this.#undoes.get(event.workId) ?? "");
        return this.#compare(state);
      case "undo-failed":
        if (event.report !== undefined) this.#giveBack(this.#undoes.get(event.workId) ?? "");
        return this.#compare(state);
      case "ended":
        return this.#end(state);
      default:
    }
  }

  /** A work item that told what it spent, and is not tried again, holds nothing. */
  #failed({ workId, told }: Extract<ProcessEvent, { e: "failed" }>, state: ProcessState): void {
    if (told === true) this.#giveBack(workId);
    else if (this.#heard.has(workId) && this.#holdings.get(workId)?.grant !== undefined)
      this.#find("what is not spent comes back", `${workId} has failed and told what it spent, and it still holds its grant`);
    this.#compare(state);
  }

  #limit(): Grant | undefined {
    if (this.#own === undefined || this.#parents === undefined) return this.#own ?? this.#parents;
    const [own, parents] = [this.#own, this.#parents];
    const limits = LIMITED.map((name): [string, number | undefined] => [
      name,
      own[name] === undefined ? parents[name] : Math.min(own[name], parents[name] ?? Number.POSITIVE_INFINITY),
    ]);
    return Object.fromEntries(limits);
  }

  #give(workId: string, grant: Grant | undefined): void {
    const told = this.#holdings.get(workId)?.told ?? NOTHING;
    this.#holdings.set(workId, { grant, told, isOver: false });
    const limit = this.#limit();
    if (limit === undefined) return;
    const held = this.#held();
    for (const name of LIMITED) {
      const all = this.#spent[name] + held[name];
      if (limit[name] === undefined || all <= limit[name] || this.#overran) continue;
      this.#find(
        "what is spent and given never exceeds the budget",
        `${this.#id} gave ${workId} ${JSON.stringify(grant)}: ${all} ${name} where ${limit[name]} are budgeted`,
      );
    }
    const open = LIMITED.find((name) => limit[name] !== undefined && grant?.[name] === undefined);
    if (open !== undefined)
      this.#find("what is spent and given never exceeds the budget", `${this.#id} gave ${workId} ${open} without a limit`);
  }

  #tell(workId: string, spent: Spent | undefined, ends: boolean): void {
    this.#heard.add(workId);
    const holding = this.#holdings.get(workId) ?? { grant: undefined, told: NOTHING, isOver: false };
    this.#holdings.set(workId, holding);
    const told = amountsOf(spent);
    const now = Object.fromEntries(LIMITED.map((name) => [name, Math.max(holding.told[name], told[name])])) as unknown as Amounts;
    this.#spent = plus(this.#spent, now, holding.told);
    holding.told = now;
    if (LIMITED.some((name) => now[name] > (holding.grant?.[name] ?? Number.POSITIVE_INFINITY))) this.#overran = true;
    if (ends) this.#giveBack(workId);
  }

  #giveBack(workId: string): void {
    const holding = this.#holdings.get(workId);
    if (holding === undefined) return;
    holding.grant = undefined;
    holding.isOver = true;
  }

  /** Of the current run. */
  get #current(): readonly Holding[] {
    return [...this.#holdings].filter(([workId]) => stopWorkParts(workId).run === this.#run).map(([, holding]) => holding);
  }

  /** What is held and not told as spent. */
  #held(): Amounts {
    return this.#current.reduce((sum, { grant, told }) => plus(sum, restOf(grant, told)), NOTHING);
  }

  /** What never came back counts as spent. */
  #end(state: ProcessState): void {
    this.#spent = plus(this.#spent, this.#held());
    const limit = this.#limit();
    const above = LIMITED.find((name) => this.#spent[name] > (limit?.[name] ?? Number.POSITIVE_INFINITY));
    if (above !== undefined && !this.#overran)
      this.#find("a run never spends more than its budget", `${this.#id} has spent ${this.#spent[above]} ${above}`);
    for (const holding of this.#current) holding.told = plus(holding.told, restOf(holding.grant, holding.told));
    this.#compare(state);
  }

  #compare({ account, outcome }: ProcessState): void {
    const spent = Object.values(account?.spent ?? {}).reduce((sum, one) => plus(sum, amountsOf(one)), NOTHING);
    const wrong = LIMITED.find((name) => spent[name] !== this.#spent[name]);
    if (wrong !== undefined)
      this.#find(
        "what a work item tells counts once",
        `${this.#id} has spent ${spent[wrong]} ${wrong}, and its work items told ${this.#spent[wrong]}`,
      );
    if (outcome !== undefined) return;
    const held = this.#held();
    const kept = Object.values(account?.holdings ?? {}).reduce((sum, one) => plus(sum, restOf(one.grant, amountsOf(one.spent))), NOTHING);
    const off = LIMITED.find((name) => kept[name] !== held[name]);
    if (off !== undefined)
      this.#find("what is not spent comes back", `${this.#id} keeps ${kept[off]} ${off} for its work items, and they hold ${held[off]}`);
  }
}

function restOf(grant: Grant | undefined, told: Amounts): Amounts {
  return Object.fromEntries(LIMITED.map((name) => [name, Math.max(0, (grant?.[name] ?? 0) - told[name])])) as unknown as Amounts;
}

/** Adds two amounts, and takes away a third. */
function plus(left: Amounts, right: Amounts, less: Amounts = NOTHING): Amounts {
  return Object.fromEntries(LIMITED.map((name) => [name, left[name] + right[name] - less[name]])) as unknown as Amounts;
}

/** What a report adds up to, over all models. */
function amountsOf(spent: Spent | undefined): Amounts {
  if (spent === undefined) return NOTHING;
  const models = Object.values(spent.models);
  return {
    tokens: models.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0),
    costMicros: models.reduce((sum, { costMicros }) => sum + costMicros, 0),
    modelCalls: models.reduce((sum, { modelCalls }) => sum + modelCalls, 0),
    toolCalls: spent.toolCalls,
  };
}
