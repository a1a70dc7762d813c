/**
 * @module The process managers of a host: prepares their turns, runs them, and lets them be settled.
 *
 * Invariants: M1 an open index entry that names this host exists before record 1 of a run (runtime/process/preparation.ts). M2 a process is
 * held before a record that leaves it open is written (process-holder.ts). M3 the index entry is closed, and the run leaves its reminder,
 * only after the last effects are performed (runtime/process/settlement.ts).
 */
import type { System } from "../../agents/system.ts";
import { entryOf } from "../../runtime/entries.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { type ProcessInput, processMachine } from "../../runtime/process/machine.ts";
import {
  decisionPreparation,
  type HostLoad,
  isDecidedAndEnded,
  isFull,
  recordEntry,
  type RunPreparation,
  taskPreparation,
} from "../../runtime/process/preparation.ts";
import { tellsRequests } from "../../runtime/process/request-effects.ts";
import { processDueMs, reminderName } from "../../runtime/process/reminder.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { isUnanswered, type ToldInput } from "../../runtime/process/time.ts";
import { signalStatus } from "../../runtime/process/waits.ts";
import { type Address, type Message, type TurnAnswer, traceId } from "../../runtime/protocol.ts";
import type { BodyOf, IndexEntry } from "../../runtime/protocol/bodies.ts";
import { doerName } from "../../runtime/slip.ts";
import type { Logger } from "../engine/log.ts";
import { LruMap } from "../engine/lru.ts";
import type { Nudged, Ports } from "../engine/ports.ts";
import type { Quarantine } from "../engine/quarantine.ts";
import { TurnEngine } from "../engine/turn.ts";
import type { TurnResult, WriterIdentity } from "../engine/turn-parts.ts";
import type { Values } from "../engine/values.ts";
import type { HostMetrics } from "../telemetry/metrics.ts";
import { traceProcess } from "../telemetry/process-spans.ts";
import type { HostWatch } from "./host-watch.ts";
import type { IndexClient } from "./index-client.ts";
import type { Performer } from "./performer.ts";
import { ProcessHolder } from "./process-holder.ts";
import { decisionAnswer, isContended, requestAnswer } from "./process-answers.ts";
import { ProcessPreparer, type Refused } from "./process-preparer.ts";
import { ProcessRings, type Ticked } from "./process-rings.ts";
import { ReservedIds } from "./reserved-ids.ts";
import { ProcessSettler, type SettledAs } from "./process-settler.ts";

/** The parts of a host that its process managers use. `type` is their actor type, with the system's name. */
export interface ProcessActorParts {
  readonly system: System;
  readonly type: string;
  readonly ports: Ports;
  readonly values: Values;
  readonly writer: WriterIdentity;
  readonly watch: HostWatch;
  readonly directory: IndexClient;
  readonly quarantine: Quarantine;
  readonly performer: Performer;
  readonly log: Logger;
  readonly metrics: HostMetrics;
  /** Open processes of this host above which top-level tasks are refused. */
  readonly openMax: number;
  /** How late the host's event loop is; absent where it is not measured. */
  readonly lagMs?: (() => number) | undefined;
  /** Called after each record, before its effects are performed. */
  readonly observe: (before: ProcessState, after: ProcessState) => void;
}

type MessageInput = Extract<ProcessInput, { kind: "message" }>;

const RECEIVED = { kind: "received" } as const;

/** All process managers in this host. */
export class ProcessActors {
  readonly engine: TurnEngine<ProcessState, ProcessInput, ProcessEvent>;
  /** What the rings of their reminders do. */
  readonly rings: ProcessRings;
  /** Ids for tasks whose callers wait. */
  readonly reserved: ReservedIds;
  readonly #parts: ProcessActorParts;
  readonly #preparer: ProcessPreparer;
  readonly #settler: ProcessSettler;
  readonly #holder: ProcessHolder;
  /** Tasks that are admitted, not yet journaled. They count as open, or a burst would exceed the limit. */
  #admitted = 0;
  readonly #made = new LruMap<string, true>(LIMITS.madeIdsMax);

  constructor(parts: ProcessActorParts) {
    this.#parts = parts;
    this.reserved = new ReservedIds({ ...parts, clock: parts.ports.clock });
    this.#preparer = new ProcessPreparer({ ...parts, reserved: this.reserved });
    this.engine = new TurnEngine({
      type: parts.type,
      machine: processMachine,
      system: parts.system.name,
      ports: parts.ports,
      values: parts.values,
      writer: parts.writer,
      quarantine: parts.quarantine,
      hooks: {
        beforeCommit: (id, next, before) => this.#beforeCommit(id, next, before),
      },
    });
    this.#holder = new ProcessHolder({ ...parts, tick: (id, asks) => this.#tick(id, { asks }) });
    this.rings = new ProcessRings({
      ...parts,
      holder: this.#holder,
      endingAt: (lasts) => this.engine.endingAt(lasts),
      tick: ({ id, run }) => this.#tick(id, { run }),
    });
    this.#settler = new ProcessSettler({
      ...parts,
      holder: this.#holder,
      sequence: async (id) => (await this.engine.fresh(id)).sequence,
      refused: (result) => this.receive(result),
      received: (id, input, receiptId) => this.#takeReceipt(id, input, receiptId),
    });
  }

  /** An id for a task. It may be one of the reserve, if the host accepts tasks and has one; else `make` makes it. */
  newId(make: () => string, isReservable: boolean): string {
    const id = (isReservable && !isFull(this.#load) ? this.reserved.take(make) : undefined) ?? make();
    this.noteMadeId(id);
    return id;
  }

  /** Notes an id that this host has just made at random. It is most likely unused, and the insert of record 1 fails if it is not. */
  noteMadeId(id: string): void {
    this.#made.set(id, true);
  }

  /** Whether an id was noted by {@link noteMadeId} and no task with it has arrived yet. */
  isNew(id: string): boolean {
    return this.#made.has(id);
  }

  /** Drops the cache of an actor that moves to another host. A process that is held here stays so until that host has written to it. */
  deactivate(id: string): void {
    this.engine.forget(id);
  }

  /** Open processes that this host holds. */
  get openCount(): number {
    return this.#holder.openCount;
  }

  /** Whether the process is held here, and was open after its last turn here. */
  isOpen(id: string): boolean {
    return this.#holder.isOpen(id);
  }

  /** Sends all unanswered requests again: another host died, or (`wasAway`) this one was cut off, and the others may think it dead. */
  askAll(wasAway: boolean): void {
    this.#holder.askAll();
    if (wasAway) void this.reserved.giveUpAll();
  }

  /** Returns the processes that a dead host held, as far as this host knows. */
  takeFrom(incarnation: string): readonly string[] {
    return this.#holder.takeFrom(incarnation);
  }

  async receive(message: Message): Promise<TurnAnswer> {
    const { body } = message;
    if (body.kind === "task") return this.#takeTask(message, body);
    if (body.kind === "decision") return this.#decide(message, body);
    const result = await this.engine.turn(message.to.id, { kind: "message", message }, { inputId: message.id });
    if (body.kind === "result" && result.wrote) this.#measureHop(body, result.before);
    const answer = this.#answer(message, result);
    if ("refused" in answer) return answer;
    if (body.kind === "signal") return { ...answer, signal: signalStatus(result.state, body.signalId) };
    return body.kind === "decide" ? requestAnswer(answer, result.state, body.requestId) : answer;
  }

  get #load(): HostLoad {
    const { openMax, lagMs } = this.#parts;
    const late = lagMs === undefined ? 0 : Math.max(lagMs(), this.#holder.lagMs);
    return { open: this.#holder.openCount, admitted: this.#admitted, openMax, lagMs: late };
  }

  /** M1. The prepared run may be void when its turn comes; then the next run is prepared. */
  async #takeTask(message: Message, body: BodyOf<"task">): Promise<TurnAnswer> {
    const id = message.to.id;
    for (let attempt = 1; ; attempt += 1) {
      const known = this.engine.peek(id) ?? (this.#made.has(id) ? processMachine.initial(id) : (await this.engine.fresh(id)).state);
      const plan = taskPreparation(known, message, body, this.#load, this.#parts.ports.clock.nowMs());
      if (plan.kind === "refuse") return { refused: plan.fault };
      const result = plan.kind === "none" ? await this.#turnTask(message) : await this.#takePrepared(message, plan);
      if ("refused" in result) return result;
      if (isContended(result) && attempt < LIMITS.commitAttemptsMax) {
        void this.#after(id, result, { repeats: true });
        continue;
      }
      // Another host had accepted the task already, so the entry may be unnecessary. Not earlier: a nudge makes the next run void.
      if (plan.kind === "run" && !result.wrote)
        this.#nudgeLater(id, "an unnecessary index entry is cleaned up at the next start of a host");
      return this.#answer(message, result);
    }
  }

  async #takePrepared(message: Message, plan: RunPreparation): Promise<TurnResult<ProcessState> | Refused> {
    this.#admitted += 1;
    try {
      const prepared = await this.#preparer.prepare(message.to, plan);
      if ("refused" in prepared) return prepared;
      this.#holder.prepared(message.to.id, plan.run, prepared);
      const { bucket, fault } = prepared;
      return await this.#turnTask(message, { bucket, ...(fault === undefined ? {} : { fault }), prepared: plan.run });
    } finally {
      this.#admitted -= 1;
    }
  }

  async #turnTask(message: Message, made: Pick<MessageInput, "bucket" | "fault" | "prepared"> = {}): Promise<TurnResult<ProcessState>> {
    const { id } = message.to;
    const options = { inputId: message.id, expectNew: this.#made.has(id) };
    const result = await this.engine.turn(id, { kind: "message", message, ...made }, options);
    this.#made.delete(id);
    this.reserved.used(id);
    return result;
  }

  /** M1, also for a new run. The prepared run may be void when its turn comes; then the next run is prepared. */
  async #decide(message: Message, body: BodyOf<"decision">): Promise<TurnAnswer> {
    const id = message.to.id;
    let isPrepared = false;
    for (let attempt = 1; ; attempt += 1) {
      const plan = decisionPreparation((await this.engine.fresh(id)).state, body, this.#load);
      if (plan.kind === "refuse") return { refused: plan.fault };
      if (plan.kind === "run") {
        const prepared = await this.#preparer.prepare(message.to, plan);
        if ("refused" in prepared) return prepared;
        this.#holder.prepared(id, plan.run, prepared);
        isPrepared = true;
      }
      const prepared = plan.kind === "run" ? plan.run : undefined;
      const result = await this.engine.turn(id, { kind: "message", message, prepared }, { inputId: message.id });
      if (isContended(result) && attempt < LIMITS.commitAttemptsMax) {
        void this.#after(id, result, { repeats: true });
        continue;
      }
      // Only after the last attempt: a nudge makes the next run void, and that is the run that a further attempt prepares.
      if (!result.wrote && (isPrepared || isDecidedAndEnded(result.state, body)))
        this.#nudgeLater(id, "an unnecessary index entry, or a decision that the audit lacks, is repaired at the next start of a host");
      return decisionAnswer(this.#answer(message, result), result.state, body.run);
    }
  }

  #answer(message: Message, result: TurnResult<ProcessState>): TurnAnswer {
    void this.#after(message.to.id, result, { repeats: !result.wrote });
    if (result.verdict.kind === "refused") return { refused: result.verdict.fault };
    this.#parts.performer.noteReceipt(message.id);
    const trace = result.state.task?.trace;
    return {
      receipt: { messageId: message.id, sequence: result.sequence },
      ...(trace === undefined ? {} : { traceId: traceId(trace), run: result.state.run }),
    };
  }

  async #tick(id: string, input: Omit<Extract<ProcessInput, { kind: "tick" }>, "kind">): Promise<Ticked> {
    const why = input.run === undefined ? "timer" : reminderName(input.run);
    const result = await this.engine.turn(id, { kind: "tick", ...input }, { inputId: `tick ${why}` });
    const distrusts = input.nudged === true || input.asks === "all";
    return { result, settled: this.#after(id, result, { repeats: true, isTick: true, distrusts }) };
  }

  /**
   * Ticks, unless another living host holds the process. All unanswered requests are sent again, as their receivers may have stopped; a
   * process that has ended performs its last effects again.
   */
  async nudge(id: string): Promise<Nudged> {
    const { state, sequence, writer } = await this.engine.fresh(id);
    const isElsewhere = state.phase === "open" && this.#holder.isElsewhere(id, writer?.incarnation);
    const known = { state, before: state, sequence, writer: writer?.incarnation, effects: [], verdict: RECEIVED, wrote: false };
    const isQuiet = isElsewhere || this.#holdsQuietly(id, known);
    const { phase, task } = isQuiet ? state : (await this.#tick(id, { nudged: true })).result.state;
    return { phase, ...(task === undefined ? {} : { bucket: task.bucket }) };
  }

  /** Holds a process that only waits for a later moment; most open processes do, and a starting host has many of them to hold. */
  #holdsQuietly(id: string, known: TurnResult<ProcessState>): boolean {
    const nowMs = this.#parts.ports.clock.nowMs();
    const { state } = known;
    if (state.phase !== "open" || state.acts !== undefined || isUnanswered(state, nowMs) || tellsRequests(state, nowMs)) return false;
    return (processDueMs(state, nowMs) ?? 0) > nowMs && this.#holder.took(id, known, { isTick: true });
  }

  #nudgeLater(id: string, otherwise: string): void {
    this.nudge(id).catch((error: unknown) =>
      this.#parts.log.debug({ err: error, processId: id }, `a process was not nudged; ${otherwise}`),
    );
  }

  /** M2. */
  #beforeCommit(id: string, next: ProcessState, before: ProcessState): Promise<void> | undefined {
    if (next.phase === "open" || next.phase === "ended") this.#holder.expect(id);
    const facts = recordEntry(before, next);
    return facts === undefined ? undefined : this.#openEntry(id, facts);
  }

  async #openEntry(id: string, facts: IndexEntry["facts"]): Promise<void> {
    await this.#parts.directory.open({ id, open: true, atMs: this.#parts.ports.clock.nowMs(), facts });
  }

  async #takeReceipt(id: string, input: ToldInput, receiptId: string): Promise<void> {
    const result = await this.engine.turn(id, input, { inputId: `receipt of ${receiptId}` });
    void this.#after(id, result, { repeats: false });
  }

  /** Follows each turn. Never throws, and never rejects. True if the run is known to need no reminder. */
  #after(id: string, result: TurnResult<ProcessState>, as: SettledAs): Promise<boolean> {
    if (result.wrote) this.#report(result.before, result.state);
    return this.#settler.settle(this.#address(id), result, as);
  }

  /** Both times are of the manager's clock, also if the agent is on another host. */
  #measureHop({ workId, facts }: Pick<BodyOf<"result">, "workId" | "facts">, before: ProcessState): void {
    const work = entryOf(before.works, workId);
    if (work?.status === "asked")
      this.#parts.metrics.hopped(doerName(work.target), work.kind, facts?.version, this.#parts.ports.clock.nowMs() - work.askedAtMs);
  }

  /** Logs when a process opens and when it ends: never its content, always its trace id. */
  #report(before: ProcessState, after: ProcessState): void {
    const { observe, log, metrics } = this.#parts;
    observe(before, after);
    traceProcess(before, after, this.#parts.ports.clock.nowMs());
    metrics.coordinated(before, after);
    if (before.phase === after.phase || after.task === undefined) return;
    const facts = { processId: after.id, traceId: traceId(after.task.trace), route: after.task.route, run: after.run };
    if (after.phase === "open") log.info(facts, before.phase === "ended" ? "a process was opened again" : "a task was accepted");
    if (after.phase !== "ended") return;
    if (after.outcome !== undefined && (before.outcome === undefined || before.run !== after.run))
      metrics.ended(after.task.route, after.outcome, after.counts?.versions);
    log.info({ ...facts, status: after.outcome?.status, code: after.outcome?.fault?.code }, "a process ended");
  }

  #address(id: string): Address {
    return { type: this.#parts.type, id };
  }

  /** Cancels all timers, and gives up the reserve. */
  stop(graceMs: number): Promise<void> {
    this.#holder.stop();
    return this.reserved.stop(graceMs);
  }
}
