/**
 * @module Watches every record at the moment it is written. It keeps a shadow of every actor and hands what was written to
 * the laws of its kind.
 */
import { type AgentState, newAgent } from "../../runtime/agent/state.ts";
import { entryIn, type IndexEvent, indexMachine, type IndexState } from "../../runtime/index-actor.ts";
import { type MemoryState, newMemory } from "../../runtime/memory/state.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { type RulesState, rulesMachine } from "../../runtime/people/rules-actor.ts";
import { INDEXES } from "../../runtime/protocol.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { tombstoneOf } from "../../runtime/record.ts";
import { newProcess, type ProcessState } from "../../runtime/process/state.ts";
import type { Value } from "../../runtime/value.ts";
import type { Life } from "../world/life.ts";
import type { World } from "../world/world.ts";
import { AgentLaws } from "./agent-laws.ts";
import type { BudgetLaw } from "./budget-laws.ts";
import type { Finding } from "./check.ts";
import { DecisionLaws } from "./decision-laws.ts";
import type { MemoryLaws } from "./memory-laws.ts";
import { ModelLaws } from "./model-laws.ts";
import { ProcessLaws } from "./process-laws.ts";
import type { RulesLaws } from "./rules-laws.ts";
import { follow, newShadow, type Shadow, type WrittenKey } from "./shadow.ts";
import { TrimLaws } from "./trim-laws.ts";

const evolveIndex = indexMachine.evolve;

export class Watch {
  readonly findings: Finding[] = [];
  readonly processes = new Map<string, Shadow<ProcessState>>();
  readonly agents = new Map<string, Shadow<AgentState>>();
  readonly indexes = new Map<string, Shadow<IndexState>>();
  readonly memories = new Map<string, Shadow<MemoryState>>();
  readonly models: ModelLaws;
  memoryLaws: MemoryLaws | undefined;
  readonly rules = new Map<string, Shadow<RulesState>>();
  rulesLaws: RulesLaws | undefined;
  /** With which input each work item was asked. */
  readonly #asks = new Map<string, Value>();
  /** When each work item was last asked, or its handler last got an answer to what it had asked. */
  readonly resumedMs = new Map<string, number>();
  #nowMs = 0;
  /** Hears of each event of a process, with the state after it. */
  onProcess: (state: ProcessState, event: ProcessEvent) => void = () => {};
  /** Hears of new lines of the audit. */
  onAudited: (entries: readonly IndexEntry[]) => void = () => {};
  /** Called when a run has ended. */
  onEnded: (state: ProcessState) => void = () => {};
  readonly #purged = new Set<string>();
  /** Records of processes so far. With the number of receipts it tells whether `#ended` is still up to date. */
  #records = 0;
  #news = -1;
  #ended = false;
  readonly #lenient: boolean;
  readonly #processLaws: ProcessLaws;
  readonly #agentLaws: AgentLaws;
  readonly #decisionLaws: DecisionLaws;
  readonly #trimLaws: TrimLaws;

  /** `lenient`: only follow, find nothing; for worlds in which the store itself loses what it took. */
  constructor(strict: boolean, lenient: boolean, recordedEach: ReadonlySet<string> = new Set()) {
    this.#lenient = lenient;
    const find = (law: string, text: string): void => this.find(law, text);
    this.#trimLaws = new TrimLaws(find);
    this.#processLaws = new ProcessLaws(
      find,
      (state) => this.onEnded(state),
      (state, event) => this.#heard(state, event),
    );
    this.models = new ModelLaws(find, (processId, workId, sum) => this.#processLaws.budgetOf(processId).mayReserve(workId, sum));
    this.#agentLaws = new AgentLaws({
      find,
      strict,
      process: (id) => this.processes.get(id)?.state,
      asked: (workId) => this.#asks.get(workId),
      recordedEach: (tool) => recordedEach.has(tool),
      models: this.models,
    });
    this.#decisionLaws = new DecisionLaws({
      find,
      agents: this.#agentLaws,
      sequence: (type, id) => this.#sequence(type, id),
      isPurged: (type, id) => this.#purged.has(`${type}/${id}`),
    });
  }

  /** Calls that were recorded as begun, by work item. */
  get begunCalls(): AgentLaws["begunCalls"] {
    return this.#agentLaws.begunCalls;
  }

  /** Settled work items that are not in the state of their actor, by id. */
  get settled(): AgentLaws["settled"] {
    return this.#agentLaws.settled;
  }

  /** The process of each work item that ever left the state of its actor. */
  get left(): AgentLaws["left"] {
    return this.#agentLaws.left;
  }

  /** Whether a record of the process has this signal. */
  knowsSignal(processId: string, signalId: string): boolean {
    return this.#processLaws.waitsOf(processId).knows(signalId);
  }

  /** What is known of the budget of a process. */
  budgetOf(processId: string): BudgetLaw {
    return this.#processLaws.budgetOf(processId);
  }

  /** The work items of a process that were asked and are not known to be undone. */
  askedOf(processId: string): readonly string[] {
    return this.#processLaws.askedOf(processId);
  }

  get failed(): boolean {
    return this.findings.length > 0;
  }

  find(law: string, text: string): void {
    if (!this.#lenient) this.findings.push({ law, text });
  }

  /** From here on every decision is watched too. */
  begin(): void {
    this.#decisionLaws.begin();
  }

  end(): void {
    this.#decisionLaws.end();
  }

  #sequence(type: string, id: string): number {
    const name = nameOf(type);
    if (name === "ProcessManager") return this.processes.get(id)?.sequence ?? 0;
    return (this.indexes.get(`${name}/${id}`) ?? this.agents.get(`${name}/${id}`))?.sequence ?? 0;
  }

  /** Whether each process with a receipt has ended and no other is open. Only a new record or receipt changes the answer. */
  allEnded(ids: ReadonlySet<string>): boolean {
    const news = this.#records + ids.size;
    if (news !== this.#news) this.#ended = this.#areEnded(ids);
    this.#news = news;
    return this.#ended;
  }

  #areEnded(ids: ReadonlySet<string>): boolean {
    for (const id of ids) if (this.processes.get(id)?.state.phase !== "ended") return false;
    for (const shadow of this.processes.values()) if (shadow.state.phase === "open") return false;
    return true;
  }

  /** Whether the index entry of each ended process is closed: it stays open until its last effects are performed. */
  allClosed(): boolean {
    for (const { id, state } of this.processes.values()) {
      const bucket = state.phase === "ended" && state.task !== undefined ? this.indexes.get(`Directory/${state.task.bucket}`) : undefined;
      if (bucket !== undefined && entryIn(bucket.state, id)?.open === true) return false;
    }
    return true;
  }

  #heard(state: ProcessState, event: ProcessEvent): void {
    if (event.e === "asked") this.#asks.set(event.work.id, event.work.input);
    const ended = event.e === "wait-ended" ? event.waitId : event.e === "answered" || event.e === "failed" ? event.workId : "";
    const at = ended.lastIndexOf("/ask");
    const asked = event.e === "asked" ? event.work.id : event.e === "asked-again" ? event.workId : ended.slice(0, Math.max(0, at));
    if (asked !== "") this.resumedMs.set(asked, this.#nowMs);
    this.onProcess(state, event);
  }

  wrote(world: World, life: Life, key: string, text: string): void {
    this.#nowMs = world.timeline.nowMs;
    const [, type, id, number, snapshotNumber] = key.split("/");
    if (type === "value" || type === undefined || id === undefined || number === undefined) return;
    const name = nameOf(type);
    const content = world.store.content(key) ?? null;
    const actor = `${type}/${id}`;
    if (tombstoneOf(content, key) !== undefined) {
      this.#purged.add(actor);
      world.trace?.(`   purged: ${actor}`);
      return;
    }
    if (this.#purged.has(actor)) this.find("what was purged stays purged", `${key} was written after the tombstone of ${actor}`);
    if (this.#trimLaws.wrote(world, life, key, content, number, snapshotNumber)) return;
    const written: WrittenKey = { number, snapshotNumber, content };
    if (name === "ProcessManager") {
      this.#records += 1;
      this.#processLaws.wrote(shadowOf(this.processes, id, type, id, newProcess), written);
    } else if (name === "Memory") this.memoryLaws?.wrote(shadowOf(this.memories, id, type, id, newMemory), written);
    else if (name === "Rules") this.rulesLaws?.wrote(shadowOf(this.rules, id, type, id, rulesMachine.initial), written);
    else if (INDEXES.some((index) => index === name))
      follow<IndexState, IndexEvent>(
        shadowOf(this.indexes, `${name}/${id}`, type, id, (made) => ({ id: made, size: 0, shards: {} })),
        written,
        evolveIndex,
        (law, why) => this.find(law, why),
        (event) => (name === "Audit" && event.e === "entered" ? this.onAudited(event.entries) : undefined),
      );
    else this.#agentLaws.wrote(shadowOf(this.agents, `${name}/${id}`, type, id, newAgent), written);
    if (world.trace !== undefined) world.trace(`   stored: ${name}/${id} ${number}${snapshotNumber ?? ""}: ${eventText(text)}`);
  }

  /** A key was removed. */
  removed(world: World, key: string): void {
    const [, type, id, number] = key.split("/");
    if (type === "value" || number === undefined || this.#purged.has(`${type ?? ""}/${id ?? ""}`)) return;
    this.#trimLaws.removed(world, key, number);
  }

  /** Reads everything that was trimmed. */
  checkTrimmed(world: World): Promise<void> {
    return this.#trimLaws.check(world, { agents: this.agents.values(), indexes: this.indexes.values() });
  }

  /** Journals that were trimmed. */
  get trimmed(): number {
    return this.#trimLaws.stones.size;
  }
}

function nameOf(type: string): string {
  return type.slice(type.indexOf(".") + 1);
}

function shadowOf<S>(map: Map<string, Shadow<S>>, key: string, type: string, id: string, initial: (id: string) => S): Shadow<S> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = newShadow(type, id, initial(id));
  map.set(key, made);
  return made;
}

function eventText(text: string): string {
  const record = JSON.parse(text) as {
    readonly events?: readonly {
      readonly e: string;
      readonly workId?: string;
      readonly work?: { readonly id: string };
      readonly outcome?: { readonly status: string };
    }[];
  };
  return (record.events ?? [])
    .map((event) => [event.e, event.workId ?? event.work?.id ?? event.outcome?.status ?? ""].join(" ").trim())
    .join(", ");
}
