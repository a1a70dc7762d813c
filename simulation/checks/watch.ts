/**
 * @module Watches every record at the moment it is written: chains, reminders, outcomes, who runs, whose token counts.
 *
 * The watch keeps a shadow of every actor, made from nothing but the records that the store took.
 */
import { entryOf } from "../../runtime/entries.ts";
import { evolveAgent } from "../../runtime/agent/evolve.ts";
import type { AgentInput } from "../../runtime/agent/inputs.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import { type AgentEvent, type AgentState, newAgent } from "../../runtime/agent/state.ts";
import { TurnEngine } from "../../actors/engine/turn.ts";
import { canonicalJson } from "../../runtime/canonical.ts";
import type { Json } from "../../runtime/faults.ts";
import { runId } from "../../runtime/ids.ts";
import { type IndexEvent, indexMachine, type IndexState } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { INDEXES } from "../../runtime/protocol.ts";
import {
  isTurnFailed,
  type JournalRecord,
  sameWriter,
  type Snapshot,
  tombstoneOf,
  type TurnFailed,
  type Writer,
} from "../../runtime/record.ts";
import { reminderName } from "../../runtime/process/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { evolveProcess } from "../../runtime/process/evolve.ts";
import { newProcess, type ProcessState } from "../../runtime/process/state.ts";
import type { Finding } from "./check.ts";
import type { Life } from "../world/life.ts";
import type { World } from "../world/world.ts";

interface Shadow<S> {
  readonly type: string;
  readonly id: string;
  state: S;
  sequence: number;
  writer: Writer | null;
  snapshots: number;
  snapshotSequence: number;
}

/** A clock may be wrong and a reminder late; beyond this a reminder is not near. */
const NEAR_MS = LIMITS.reminderNearMs * 1.1 + 100;

const pristine = { decideAgent: agentMachine.decide, evolveIndex: indexMachine.evolve };

export class Watch {
  readonly findings: Finding[] = [];
  readonly processes = new Map<string, Shadow<ProcessState>>();
  readonly agents = new Map<string, Shadow<AgentState>>();
  readonly indexes = new Map<string, Shadow<IndexState>>();
  /** Records of turns that threw. */
  readonly failedTurns: TurnFailed[] = [];
  readonly #purged = new Set<string>();
  /** Records of processes so far; with the receipts the moment at which `#ended` was true or not. */
  #records = 0;
  #news = -1;
  #ended = false;
  /** Called when a run has ended. */
  onEnded: (state: ProcessState) => void = () => {};
  readonly #runs = new Map<string, number>();
  readonly #strict: boolean;
  readonly #lenient: boolean;
  #decide = pristine.decideAgent;
  #turn = TurnEngine.prototype.turn;

  /** `lenient`: only follow, find nothing; for worlds in which the store itself breaks its word. */
  constructor(strict: boolean, lenient: boolean) {
    this.#strict = strict;
    this.#lenient = lenient;
  }

  get failed(): boolean {
    return this.findings.length > 0;
  }

  find(law: string, text: string): void {
    if (!this.#lenient) this.findings.push({ law, text });
  }

  /** From here every decision of an agent is watched for stale tokens. */
  begin(): void {
    const decide = agentMachine.decide;
    this.#decide = decide;
    const turn = TurnEngine.prototype.turn;
    this.#turn = turn;
    const watch = this;
    TurnEngine.prototype.turn = function (this: TurnEngine<unknown, unknown, unknown>, actorId, input, options) {
      const before = watch.#sequence(this.type, actorId);
      const turned = turn.call(this, actorId, input, options);
      if (before === 0) return turned;
      turned.then(
        ({ wrote, sequence }) => {
          if (!wrote && sequence < before && !watch.#purged.has(`${this.type}/${actorId}`))
            watch.find(
              "a decision that writes nothing is made on the newest state",
              `${this.type}/${actorId} answered from record ${sequence} when record ${before} was there`,
            );
        },
        () => {},
      );
      return turned;
    };
    agentMachine.decide = (state, input, context) => {
      const decision = decide(state, input, context);
      if (decision.events.length > 0 && "token" in input) this.#checkToken(state, input);
      return decision;
    };
  }

  end(): void {
    agentMachine.decide = this.#decide;
    TurnEngine.prototype.turn = this.#turn;
  }

  #sequence(type: string, id: string): number {
    const name = type.slice(type.indexOf(".") + 1);
    if (name === "ProcessManager") return this.processes.get(id)?.sequence ?? 0;
    return (this.indexes.get(`${name}/${id}`) ?? this.agents.get(`${name}/${id}`))?.sequence ?? 0;
  }

  #checkToken(state: AgentState, input: Exclude<AgentInput, { kind: "message" }>): void {
    const work = entryOf(state.works, input.workId);
    if (work?.token === input.token && (input.kind === "lost" || ["running", "parked", "ready"].includes(work.status))) return;
    this.find(
      "stale tokens are never believed",
      `${input.kind} of ${input.workId} came under token ${input.token}, but the work is ${work?.status ?? "unknown"} under ${work?.token ?? "none"}`,
    );
  }

  /** Every process whose receipt was given has ended, and nothing else is open. Asked after each event; only a record or a receipt changes the answer. */
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

  wrote(world: World, life: Life, key: string, text: string): void {
    const [, type, id, number, snapshotNumber] = key.split("/");
    if (type === "value" || type === undefined || id === undefined || number === undefined) return;
    const name = type.slice(type.indexOf(".") + 1);
    const content = world.store.content(key) ?? null;
    const actor = `${type}/${id}`;
    if (tombstoneOf(content, key) !== undefined) {
      this.#purged.add(actor);
      world.trace?.(`   purged: ${actor}`);
      return;
    }
    if (this.#purged.has(actor)) this.find("what was purged stays purged", `${key} was written after the tombstone of ${actor}`);
    if (name === "ProcessManager")
      this.#process(world, life, this.#shadow(this.processes, type, id, newProcess), number, snapshotNumber, content);
    else if (INDEXES.some((index) => index === name))
      this.#index(
        this.#shadow(this.indexes, type, id, (actor) => ({ id: actor, size: 0, shards: {} }), `${name}/${id}`),
        number,
        snapshotNumber,
        content,
      );
    else this.#agent(this.#shadow(this.agents, type, id, newAgent, `${name}/${id}`), number, snapshotNumber, content);
    if (world.trace !== undefined) world.trace(`   stored: ${name}/${id} ${number}${snapshotNumber ?? ""}: ${eventText(text)}`);
  }

  #shadow<S>(map: Map<string, Shadow<S>>, type: string, id: string, initial: (id: string) => S, key: string = id): Shadow<S> {
    const known = map.get(key);
    if (known !== undefined) return known;
    const made = { type, id, state: initial(id), sequence: 0, writer: null, snapshots: 0, snapshotSequence: 0 };
    map.set(key, made);
    return made;
  }

  /** The chain: each record under the next sequence, after the writer of the one before. Snapshots only go forward. */
  #follow<S, E>(
    shadow: Shadow<S>,
    number: string,
    snapshotNumber: string | undefined,
    content: Json,
    evolve: (state: S, event: E) => S,
  ): readonly E[] {
    if (number === "snapshot") {
      this.#snapshot(shadow, Number(snapshotNumber), content as unknown as Snapshot<S>);
      return [];
    }
    const record = content as unknown as JournalRecord<E | TurnFailed>;
    const name = `${shadow.type}/${shadow.id}/${number}`;
    if (record.sequence !== shadow.sequence + 1)
      this.find("no record is overwritten or left out", `${name} was written when record ${shadow.sequence} was the last`);
    if (!sameWriter(record.previous, shadow.writer))
      this.find("the chain is intact", `${name} follows a writer that is not that of the record before it`);
    shadow.sequence = record.sequence;
    shadow.writer = record.writer;
    const events: E[] = [];
    for (const event of record.events) {
      if (isTurnFailed(event)) {
        this.failedTurns.push(event);
        this.find("no turn fails", `${name}: ${event.code}: ${event.message}`);
        continue;
      }
      events.push(event);
      shadow.state = evolve(shadow.state, event);
    }
    return events;
  }

  #snapshot<S>(shadow: Shadow<S>, number: number, snapshot: Snapshot<S>): void {
    const name = `${shadow.type}/${shadow.id}/snapshot/${number}`;
    if (number !== shadow.snapshots + 1) this.find("snapshots have no gaps", `${name} was written after snapshot ${shadow.snapshots}`);
    if (snapshot.sequence <= shadow.snapshotSequence)
      this.find(
        "snapshots never go backwards",
        `${name} is of record ${snapshot.sequence}, but the one before was of ${shadow.snapshotSequence}`,
      );
    if (snapshot.sequence === shadow.sequence && canonicalJson(snapshot.state as Json) !== canonicalJson(shadow.state as Json))
      this.find("a snapshot is the state", `${name} is not what the records say`);
    shadow.snapshots = number;
    shadow.snapshotSequence = snapshot.sequence;
  }

  #process(
    world: World,
    life: Life,
    shadow: Shadow<ProcessState>,
    number: string,
    snapshotNumber: string | undefined,
    content: Json,
  ): void {
    const before = shadow.state;
    this.#records += 1;
    for (const event of this.#follow<ProcessState, ProcessEvent>(shadow, number, snapshotNumber, content, evolveProcess))
      this.#outcome(shadow, before, event);
    const { state } = shadow;
    if (state.outcome !== undefined && (before.outcome === undefined || before.run !== state.run)) this.onEnded(state);
    if (state.phase === "open" && number !== "snapshot") this.#reminder(world, life, shadow);
    if (state.hops > LIMITS.hopsMax) this.find("hops are bounded", `${state.id} made ${state.hops}`);
    for (const work of Object.values(state.works)) {
      if (work.attempt > work.retry.attemptsMax)
        this.find("attempts are bounded", `${work.id} is at attempt ${work.attempt} of ${work.retry.attemptsMax}`);
    }
  }

  #outcome(shadow: Shadow<ProcessState>, before: ProcessState, event: ProcessEvent): void {
    if (event.e === "accepted" && before.phase === "open")
      this.find("one outcome for each run", `${shadow.id} was accepted again while it was open`);
    if (event.e === "asked" && event.work.kind === "ask" && event.work.visit === 1) {
      const { work } = event;
      if (work.ancestors.some((one) => work.target.kind === "agent" && one.agent === work.target.agent && one.id === work.actor))
        this.find("no ring of asks", `${work.id} asks an actor that waits for it`);
    }
    if (event.e === "reopened") this.#reopened(shadow.id, before, event);
    if (event.e === "undo-failed") this.#givenUp(before, event);
    if (event.e !== "ended" || before.outcome === undefined || before.run !== shadow.state.run) return;
    // A parent may have the whole process undone; its outcome stays.
    if (before.undo === undefined && shadow.state.undo === undefined)
      this.find("one outcome for each run", `${shadow.id} ended ${event.outcome.status} after it had ended ${before.outcome.status}`);
    else if (before.outcome.status !== event.outcome.status)
      this.find("one outcome for each run", `${shadow.id} ended ${before.outcome.status}, and then ${event.outcome.status}`);
  }

  /** One run for each decision, and one decision for each letter. */
  #reopened(id: string, before: ProcessState, { run, act }: Extract<ProcessEvent, { e: "reopened" }>): void {
    if (before.phase !== "ended" || before.outcome?.deadLetter === undefined)
      this.find("only a failed process is opened again", `${id} was ${before.phase} when ${act.decisionId ?? ""} opened run ${run}`);
    if (run <= before.run || act.run !== before.run)
      this.find(
        "a new run has its own number",
        `${id} was opened again as run ${run} after run ${before.run}, for the letter of run ${act.run}`,
      );
    const letter = runId(id, act.run);
    if (this.#runs.has(letter)) this.find("one run for each decision", `${letter} opened runs ${this.#runs.get(letter) ?? 0} and ${run}`);
    this.#runs.set(letter, run);
  }

  /** Compensation knows neither deadline nor hops: it is given up by its own limits only. */
  #givenUp(before: ProcessState, event: Extract<ProcessEvent, { e: "undo-failed" }>): void {
    const work = entryOf(before.works, event.workId);
    const endMs = (before.task?.deadlineAtMs ?? 0) + LIMITS.compensationMsMax;
    if (event.atMs < endMs && (work?.attempt ?? 1) < (work?.retry.attemptsMax ?? LIMITS.undoAttemptsMax))
      this.find("compensation has limits of its own", `${event.workId} was given up at attempt ${work?.attempt ?? 1}`);
  }

  #reminder(world: World, life: Life, shadow: Shadow<ProcessState>): void {
    if (world.faults.fired.some((fired) => fired.kind === "remindersLost" || fired.kind === "writeLate")) return;
    const { state } = shadow;
    const dueMs = world.reminders.dueMs({ type: shadow.type, id: shadow.id }, reminderName(state.run));
    if (dueMs === undefined)
      return this.find(
        "an open process has a reminder",
        `record ${shadow.sequence} of ${shadow.id}, written by ${life.name}, leaves it open in run ${state.run}, and no reminder of that run is set`,
      );
    const unanswered = Object.values(state.works).some((work) => work.status === "asked");
    const delayMs = dueMs - world.timeline.nowMs;
    if (unanswered && delayMs > NEAR_MS)
      this.find(
        "the reminder is near before effects",
        `record ${shadow.sequence} of ${shadow.id}, written by ${life.name}, orders work, and the reminder is ${Math.round(delayMs)} ms away`,
      );
  }

  #index(shadow: Shadow<IndexState>, number: string, snapshotNumber: string | undefined, content: Json): void {
    this.#follow<IndexState, IndexEvent>(shadow, number, snapshotNumber, content, pristine.evolveIndex);
  }

  #agent(shadow: Shadow<AgentState>, number: string, snapshotNumber: string | undefined, content: Json): void {
    const before = shadow.state;
    for (const event of this.#follow<AgentState, AgentEvent>(shadow, number, snapshotNumber, content, evolveAgent))
      this.#work(before, shadow, event);
    const running = Object.values(shadow.state.works).filter((work) => work.status === "running");
    if (running.length > 1)
      this.find("one running work for each actor", `${shadow.type}/${shadow.id} runs ${running.map((work) => work.id).join(" and ")}`);
  }

  #work(before: AgentState, shadow: Shadow<AgentState>, event: AgentEvent): void {
    if (event.e === "begun") {
      const was = entryOf(before.works, event.workId);
      const settled = was?.status === "tombstone" || was?.status === "undone";
      if (settled && entryOf(shadow.state.works, event.workId)?.mode === "do")
        this.find("work never runs after it was undone", `${event.workId} was ${was.status} and began`);
    }
    if (event.e === "work-accepted" && entryOf(before.works, event.work.id) !== undefined)
      this.find("work is accepted once", `${event.work.id} was accepted again`);
    if (event.e === "forgotten" && this.#strict) {
      for (const id of event.workIds)
        if ((entryOf(before.works, id)?.retainUntilMs ?? 0) > 0 && !this.#mayForget(before, id))
          this.find("a deduplication entry leaves only after its message", `${id} was forgotten too early`);
    }
  }

  #mayForget(before: AgentState, id: string): boolean {
    const work = entryOf(before.works, id);
    if (work === undefined) return true;
    const process = this.processes.get(work.processId)?.state;
    return process?.task === undefined || work.retainUntilMs >= process.task.deadlineAtMs;
  }
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
