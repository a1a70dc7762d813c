/**
 * @module The process managers of a host: prepares their turns, runs them, and lets them be settled.
 *
 * Invariants: M1 reminder and index entry exist before record 1 of a run (runtime/process/preparation.ts). M2 a turn that leaves something
 * unanswered makes the reminder fire soon, before its record is written. M3 a reminder is removed only if the state says so, the state is
 * current, and the last effects are performed (runtime/process/settlement.ts).
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
  recordPreparation,
  type RecordPreparation,
  taskPreparation,
} from "../../runtime/process/preparation.ts";
import { runOf } from "../../runtime/process/reminder.ts";
import { decisionOn } from "../../runtime/process/runs.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { ToldInput } from "../../runtime/process/time.ts";
import { signalStatus } from "../../runtime/process/waits.ts";
import { type Address, type BodyOf, type Message, type TurnAnswer, traceId } from "../../runtime/protocol.ts";
import { doerName } from "../../runtime/slip.ts";
import type { Logger } from "../engine/log.ts";
import { LruMap } from "../engine/lru.ts";
import type { Ports } from "../engine/ports.ts";
import type { Quarantine } from "../engine/quarantine.ts";
import { TurnEngine, type TurnResult, type WriterIdentity } from "../engine/turn.ts";
import type { Values } from "../engine/values.ts";
import type { HostMetrics } from "../telemetry/metrics.ts";
import type { IndexClient } from "./index-client.ts";
import type { Performer } from "./performer.ts";
import { type Prepared, ProcessPreparer } from "./process-preparer.ts";
import { ProcessSettler } from "./process-settler.ts";
import type { ReminderKeeper } from "./reminder-keeper.ts";

/** The parts of a host that its process managers use. `type` is their actor type, with the system's name. */
export interface ProcessActorParts {
  readonly system: System;
  readonly type: string;
  readonly ports: Ports;
  readonly values: Values;
  readonly writer: WriterIdentity;
  readonly reminders: ReminderKeeper;
  readonly directory: IndexClient;
  readonly quarantine: Quarantine;
  readonly performer: Performer;
  readonly log: Logger;
  readonly metrics: HostMetrics;
  /** Open processes of this host above which top-level tasks are refused. */
  readonly openMax: number;
  /** Called after each record, before its effects are performed. */
  readonly observe: (before: ProcessState, after: ProcessState) => void;
}

/** All process managers in this host. */
export class ProcessActors {
  readonly engine: TurnEngine<ProcessState, ProcessInput, ProcessEvent>;
  readonly #parts: ProcessActorParts;
  readonly #preparer: ProcessPreparer;
  readonly #settler: ProcessSettler;
  readonly #open = new Set<string>();
  /** Processes that {@link takeUp} is nudging. They count as open once a turn here has shown that they are. */
  readonly #takingUp = new Set<string>();
  /** Tasks that are admitted, not yet journaled. They count as open, or a burst would exceed the limit. */
  #admitted = 0;
  readonly #made = new LruMap<string, true>(LIMITS.madeIdsMax);

  constructor(parts: ProcessActorParts) {
    this.#parts = parts;
    this.#preparer = new ProcessPreparer(parts);
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
        foreign: (id, sequence) => this.#parts.reminders.foreign(this.#address(id), sequence),
      },
    });
    this.#settler = new ProcessSettler({
      ...parts,
      sequence: async (id) => (await this.engine.fresh(id)).sequence,
      due: (id) => this.tick(id),
      refused: (result) => this.receive(result),
      received: (id, input, receiptId) => this.#takeReceipt(id, input, receiptId),
    });
  }

  /** Notes an id that this host has just made at random. It is most likely unused, and the insert of record 1 fails if it is not. */
  noteMadeId(id: string): void {
    this.#made.set(id, true);
  }

  /** Whether an id was noted by {@link noteMadeId} and no task with it has arrived yet. */
  isNew(id: string): boolean {
    return this.#made.has(id);
  }

  /**
   * Forgets an actor that moves to another host, which may write its journal and move its reminder from now on. The reminder fires when a
   * timer here would have.
   */
  deactivate(id: string): void {
    this.#parts.reminders.forget(this.#address(id));
    this.engine.forget(id);
    this.#open.delete(id);
    this.#settler.forget(id);
  }

  /** Whether the process was open after its last turn here. */
  isOpen(id: string): boolean {
    return this.#open.has(id);
  }

  get openCount(): number {
    return this.#open.size;
  }

  async receive(message: Message): Promise<TurnAnswer> {
    const { body } = message;
    if (body.kind === "task") return this.#takeTask(message, body);
    if (body.kind === "decision") return this.#decide(message, body);
    const result = await this.engine.turn(message.to.id, { kind: "message", message }, { inputId: message.id });
    if (body.kind === "result" && result.wrote) this.#measureHop(body.workId, result.before);
    const answer = this.#answer(message, result);
    return body.kind === "signal" && "receipt" in answer ? { ...answer, signal: signalStatus(result.state, body.signalId) } : answer;
  }

  get #load(): HostLoad {
    return { open: this.#open.size, admitted: this.#admitted, openMax: this.#parts.openMax };
  }

  /** M1. */
  async #takeTask(message: Message, body: BodyOf<"task">): Promise<TurnAnswer> {
    const id = message.to.id;
    const known = this.engine.peek(id) ?? (this.#made.has(id) ? processMachine.initial(id) : (await this.engine.fresh(id)).state);
    const plan = taskPreparation(known, message, body, this.#load, this.#parts.ports.clock.nowMs());
    if (plan.kind === "none") return this.#turnTask(message, undefined);
    if (plan.kind === "refuse") return { refused: plan.fault };
    this.#admitted += 1;
    try {
      const prepared = await this.#preparer.prepare(message.to, plan);
      return "refused" in prepared ? prepared : await this.#turnTask(message, prepared);
    } finally {
      this.#admitted -= 1;
    }
  }

  async #turnTask(message: Message, prepared: Exclude<Prepared, { readonly refused: unknown }> | undefined): Promise<TurnAnswer> {
    const id = message.to.id;
    const options = { inputId: message.id, expectNew: this.#made.has(id) };
    const result = await this.engine.turn(id, { kind: "message", message, ...prepared }, options);
    this.#made.delete(id);
    // Another host had accepted the task already, so the entry and the reminder may be unnecessary.
    if (prepared !== undefined && !result.wrote)
      this.#nudgeLater(id, "an unnecessary index entry is cleaned up at the next start of a host");
    return this.#answer(message, result);
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
        isPrepared = true;
      }
      const prepared = plan.kind === "run" ? plan.run : undefined;
      const result = await this.engine.turn(id, { kind: "message", message, prepared }, { inputId: message.id });
      if (isContended(result) && attempt < LIMITS.commitAttemptsMax) {
        this.#after(id, result, true);
        continue;
      }
      // Only after the last attempt: a nudge makes the next run void, and that is the run that a further attempt prepares.
      if (!result.wrote && (isPrepared || isDecidedAndEnded(result.state, body)))
        this.#nudgeLater(id, "an unnecessary index entry, or a decision that the audit lacks, is repaired at the next start of a host");
      return this.#answerDecision(message, body, result);
    }
  }

  /** The receipt of a decision names the record that contains it, also if the decision is repeated. */
  #answerDecision(message: Message, body: BodyOf<"decision">, result: TurnResult<ProcessState>): TurnAnswer {
    const answer = this.#answer(message, result);
    const act = decisionOn(result.state, body.run);
    if ("refused" in answer || act === undefined) return answer;
    return {
      ...answer,
      receipt: { ...answer.receipt, sequence: act.sequence },
      run: act.opened ?? act.run,
      ...(act.notReached === undefined ? {} : { notReached: act.notReached }),
    };
  }

  #answer(message: Message, result: TurnResult<ProcessState>): TurnAnswer {
    this.#after(message.to.id, result, !result.wrote);
    if (result.verdict.kind === "refused") return { refused: result.verdict.fault };
    this.#parts.performer.noteReceipt(message.id);
    const trace = result.state.task?.trace;
    return {
      receipt: { messageId: message.id, sequence: result.sequence },
      ...(trace === undefined ? {} : { traceId: traceId(trace), run: result.state.run }),
    };
  }

  /** A reminder or a timer has fired. `name` is the reminder's. */
  async tick(id: string, name?: string, nudged = false): Promise<void> {
    if (name !== undefined) this.#parts.reminders.rang(this.#address(id), name);
    const result = await this.engine.turn(
      id,
      { kind: "tick", nudged, run: name === undefined ? undefined : runOf(name) },
      { inputId: `tick ${name ?? "timer"}` },
    );
    const wish = processMachine.reminder(result.state, this.#parts.ports.clock.nowMs());
    if (name !== undefined && wish.kind !== "none" && name !== wish.name)
      await this.#parts.reminders.remove(this.#address(id), name, async () => true);
    this.#after(id, result, true, name !== undefined);
  }

  /**
   * Sets the reminder, even if this host remembers it as set, and ticks. All unanswered requests are sent again, as their receivers may
   * have stopped; a process that has ended performs its last effects again.
   */
  async nudge(id: string): Promise<void> {
    const state = (await this.engine.fresh(id)).state;
    const wish = processMachine.reminder(state, this.#parts.ports.clock.nowMs());
    if (wish.kind !== "none") await this.#parts.reminders.renew(this.#address(id), wish.name);
    await this.tick(id, undefined, true);
  }

  #nudgeLater(id: string, otherwise: string): void {
    this.nudge(id).catch((error: unknown) =>
      this.#parts.log.debug({ err: error, processId: id }, `a process was not nudged; ${otherwise}`),
    );
  }

  /**
   * Continues an open process that placement has moved to this host, when a request about it arrives. Its next tick would do so too, but
   * Dapr's scheduler can hold ticks back for a minute when an app freezes (docs/chaos.md).
   */
  takeUp(id: string): void {
    if (this.#open.has(id) || this.#takingUp.has(id)) return;
    this.#takingUp.add(id);
    this.nudge(id)
      .catch((error: unknown) =>
        this.#parts.log.debug(
          { err: error, processId: id },
          "an open process was not continued here; its reminder or the next request continues it",
        ),
      )
      .finally(() => this.#takingUp.delete(id));
  }

  /** M2. For most records of an open process there is nothing to wait for: this host has its reminder near. */
  #beforeCommit(id: string, next: ProcessState, before: ProcessState): Promise<void> | undefined {
    const plan = recordPreparation(before, next, this.#parts.ports.clock.nowMs());
    if (plan.entry !== undefined) return this.#openEntry(id, plan.entry);
    if (plan.forget === true) this.#parts.reminders.forget(this.#address(id));
    return plan.near === undefined ? undefined : this.#parts.reminders.near(this.#address(id), plan.near);
  }

  async #openEntry(id: string, facts: NonNullable<RecordPreparation["entry"]>): Promise<void> {
    await this.#parts.directory.open({ id, open: true, atMs: this.#parts.ports.clock.nowMs(), facts });
  }

  async #takeReceipt(id: string, input: ToldInput, receiptId: string): Promise<void> {
    const result = await this.engine.turn(id, input, { inputId: `receipt of ${receiptId}` });
    this.#after(id, result, false);
  }

  /** Follows each turn. Never throws. `repeats` and `rang` as in {@link ProcessSettler.settle}. */
  #after(id: string, result: TurnResult<ProcessState>, repeats: boolean, rang = false): void {
    if (result.state.phase === "open") this.#open.add(id);
    else this.#open.delete(id);
    if (result.wrote) this.#report(result.before, result.state);
    this.#settler.settle(this.#address(id), result, repeats, rang);
  }

  /** Both times are of the manager's clock, also if the agent is on another host. */
  #measureHop(workId: string, before: ProcessState): void {
    const work = entryOf(before.works, workId);
    if (work?.status === "asked")
      this.#parts.metrics.hopped(doerName(work.target), work.kind, this.#parts.ports.clock.nowMs() - work.askedAtMs);
  }

  /** Logs when a process opens and when it ends: never its content, always its trace id. */
  #report(before: ProcessState, after: ProcessState): void {
    const { observe, log, metrics } = this.#parts;
    observe(before, after);
    if (before.phase === after.phase || after.task === undefined) return;
    const facts = { processId: after.id, traceId: traceId(after.task.trace), route: after.task.route, run: after.run };
    if (after.phase === "open") log.info(facts, before.phase === "ended" ? "a process was opened again" : "a task was accepted");
    if (after.phase !== "ended") return;
    if (after.outcome !== undefined && (before.outcome === undefined || before.run !== after.run))
      metrics.ended(after.task.route, after.outcome);
    log.info({ ...facts, status: after.outcome?.status, code: after.outcome?.fault?.code }, "a process ended");
  }

  #address(id: string): Address {
    return { type: this.#parts.type, id };
  }

  /** Cancels all timers. */
  stop(): void {
    this.#settler.stop();
  }
}

/** The run that a decision needs was not the one that was prepared. */
function isContended({ verdict }: TurnResult<ProcessState>): boolean {
  return verdict.kind === "refused" && verdict.fault.code === "journal.contended";
}
