/**
 * @module The process manager on a host: prepares acceptance, keeps the reminder, performs what the turns ordered.
 *
 * Invariants: M1 reminder and index entry stand before record 1. M2 a turn that leaves something unanswered brings the
 * reminder near before its record. M3 a reminder goes only when the state says so, the state is current, and the last
 * effects are performed.
 */
import type { System } from "../../agents/system.ts";
import { entryOf } from "../../runtime/entries.ts";
import { assertNever, Fault, faultFrom, isRetryable, type Json, type WireFault, wireFault } from "../../runtime/faults.ts";
import { refusalId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Address, type BodyOf, type Message, type TurnAnswer, traceId, type WorkStatus } from "../../runtime/protocol.ts";
import { type Doer, doerName } from "../../runtime/slip.ts";
import { decisionOn, nextRun } from "../../runtime/process/runs.ts";
import { decisionFault, failedWorkOf } from "../../runtime/process/dead-letter.ts";
import { reminderName, type ProcessInput, processMachine, runOf } from "../../runtime/process/machine.ts";
import { lineFacts } from "../../runtime/process/messages.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { ReminderKeeper } from "./reminder-keeper.ts";
import type { IndexClient } from "./index-client.ts";
import type { Logger } from "../engine/log.ts";
import { LruMap } from "../engine/lru.ts";
import type { HostMetrics } from "../telemetry/metrics.ts";
import type { Performer } from "./performer.ts";
import type { Ports } from "../engine/ports.ts";
import { TurnEngine, type TurnResult, type WriterIdentity } from "../engine/turn.ts";
import type { Values } from "../engine/values.ts";

/** What the process managers of a host are made of. `type` is their actor type, with the system's name. */
export interface ProcessActorParts {
  readonly system: System;
  readonly type: string;
  readonly ports: Ports;
  readonly values: Values;
  readonly writer: WriterIdentity;
  readonly reminders: ReminderKeeper;
  readonly directory: IndexClient;
  readonly performer: Performer;
  readonly log: Logger;
  readonly metrics: HostMetrics;
  /** Open processes of this host above which top-level tasks are refused. */
  readonly openMax: number;
  /** Called after each record, before its effects are performed. */
  readonly observe: (before: ProcessState, after: ProcessState) => void;
}

/** Whether a decision would be recorded: it can be taken, and was not yet. */
function isDecidable(state: ProcessState, body: BodyOf<"decision">): boolean {
  return decisionFault(state, body) === undefined && decisionOn(state, body.run) === undefined;
}

/**
 * Whether a decision stands and opened nothing. Who asks for one again may do so because the host that wrote it died before
 * the dead letter queue and the audit were told, so the process says again what it owes.
 */
function standsDecided(state: ProcessState, body: BodyOf<"decision">): boolean {
  return state.phase === "ended" && state.run === body.run && decisionOn(state, body.run) !== undefined;
}

function requireTarget<T>(found: T | undefined, code: "route.unknown" | "agent.unknown", name: string): T {
  if (found === undefined) throw new Fault(code, `the system has no longer ${JSON.stringify(name)}, whose input is to be replaced`);
  return found;
}

/** The work item, and its attempt, that a message asks an agent for. */
function requestOf({ body }: Message): { readonly workId: string; readonly attempt: number } | undefined {
  switch (body.kind) {
    case "work":
      return { workId: body.workId, attempt: body.attempt };
    case "undo":
      return { workId: body.undoId, attempt: body.attempt };
    default:
      return undefined;
  }
}

/** Throws where the content does not fit what an agent or a route takes, and where the system no longer has it. */
function checkDoer(system: System, doer: Doer, content: Json): void {
  switch (doer.kind) {
    case "route":
      requireTarget(system.routes.get(doer.route), "route.unknown", doer.route).checkTask(content);
      return;
    case "agent":
      requireTarget(system.agents.get(doer.agent) ?? system.remote.get(doer.agent), "agent.unknown", doer.agent).contract.checkInput(
        content,
      );
      return;
    default:
      assertNever(doer);
  }
}

/** All process managers in this host. */
export class ProcessActors {
  readonly engine: TurnEngine<ProcessState, ProcessInput, ProcessEvent>;
  readonly #parts: ProcessActorParts;
  readonly #open = new Set<string>();
  /** Processes that are being taken up: they count as open when a turn here has shown that they are. */
  readonly #takingUp = new Set<string>();
  /** Tasks on their way to record 1; they count as open, or a burst would pass the bound together. */
  #accepting = 0;
  readonly #timers = new Map<string, () => void>();
  readonly #made = new LruMap<string, true>(LIMITS.madeIdsMax);

  constructor(parts: ProcessActorParts) {
    this.#parts = parts;
    this.engine = new TurnEngine({
      type: parts.type,
      machine: processMachine,
      system: parts.system.name,
      ports: parts.ports,
      values: parts.values,
      writer: parts.writer,
      hooks: {
        beforeCommit: (id, next, before) => this.#beforeCommit(id, next, before),
        foreign: (id, sequence) => this.#parts.reminders.foreign(this.#address(id), sequence),
      },
    });
  }

  /** An id that this host has just made at random: nobody can have used it, and the insert of record 1 would find out. */
  noteMadeId(id: string): void {
    this.#made.set(id, true);
  }

  /** An id of {@link noteMadeId} that no task has come to yet. */
  isNew(id: string): boolean {
    return this.#made.has(id);
  }

  /** The actor moves away: another host may write its journal and move its reminder from now on, which rings when a timer would have. */
  deactivate(id: string): void {
    this.#parts.reminders.forget(this.#address(id));
    this.engine.forget(id);
    this.#open.delete(id);
    this.#timers.get(id)?.();
    this.#timers.delete(id);
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
    if (body.kind === "task") return this.#acceptTask(message, body);
    if (body.kind === "decision") return this.#decide(message, body);
    const result = await this.engine.turn(message.to.id, { kind: "message", message }, { inputId: message.id });
    if (body.kind === "result" && result.wrote) this.#measureHop(body.workId, result.before);
    return this.#answer(message, result, result.wrote ? "fresh" : "again");
  }

  /** M1. What is known already needs no preparation; what is new is refused while too much is open. */
  async #acceptTask(message: Message, body: BodyOf<"task">): Promise<TurnAnswer> {
    const id = message.to.id;
    const known = this.engine.peek(id) ?? (this.#made.has(id) ? processMachine.initial(id) : (await this.engine.fresh(id)).state);
    // A task that has expired is refused by its turn, and nothing is prepared for it.
    if ((known.phase !== "new" && known.phase !== "void") || message.expiresAtMs <= this.#parts.ports.clock.nowMs())
      return this.#turnTask(message, {});
    if (body.parent === undefined && this.#open.size + this.#accepting >= this.#parts.openMax) {
      return { refused: wireFault("system.overloaded", `${this.#open.size} processes are open on this host, which is its limit`) };
    }
    this.#accepting += 1;
    try {
      return await this.#openTask(message, body, known);
    } finally {
      this.#accepting -= 1;
    }
  }

  /**
   * The reminder is set whatever this host believes: one that an earlier attempt set may be lost with the scheduler's data, and
   * a host that started since read the index before this line stood in it.
   */
  async #openTask(message: Message, body: BodyOf<"task">, known: ProcessState): Promise<TurnAnswer> {
    const id = message.to.id;
    const fault = await this.#checkInput(body);
    if (fault !== undefined && body.parent === undefined) return { refused: fault };
    const atMs = this.#parts.ports.clock.nowMs();
    const facts = lineFacts(nextRun(known), {
      route: body.route,
      trace: message.trace,
      principal: message.principal,
      acceptedAtMs: atMs,
      parent: body.parent,
    });
    const [bucket] = await Promise.all([
      this.#parts.directory.open({ id, open: true, atMs, facts }),
      this.#parts.reminders.renew(this.#address(id), reminderName(nextRun(known))),
    ]);
    return this.#turnTask(message, { bucket, ...(fault === undefined ? {} : { fault }) });
  }

  /** M1 holds for a new run as for the first. The run that was prepared may be void when its turn comes: then the next is. */
  async #decide(message: Message, body: BodyOf<"decision">): Promise<TurnAnswer> {
    const id = message.to.id;
    let isPrepared = false;
    for (let attempt = 1; ; attempt += 1) {
      const { state } = await this.engine.fresh(id);
      const prepared = isDecidable(state, body) ? await this.#prepareRun(state, body) : undefined;
      if (prepared !== undefined && "refused" in prepared) return prepared;
      isPrepared ||= prepared !== undefined;
      const result = await this.engine.turn(id, { kind: "message", message, prepared: prepared?.run }, { inputId: message.id });
      const again =
        result.verdict.kind === "refused" && result.verdict.fault.code === "journal.contended" && attempt < LIMITS.commitAttemptsMax;
      if (!again) {
        // Not before: a nudge makes the next run void, which would be the one that the next attempt prepares.
        if (!result.wrote && (isPrepared || standsDecided(result.state, body)))
          this.nudge(id).catch((error: unknown) =>
            this.#parts.log.debug(
              { err: error, processId: id },
              "a needless line, or a decision that was not told, may stand until the next start or the next who asks",
            ),
          );
        return this.#answerDecision(message, body, result);
      }
      this.#after(id, result, true);
    }
  }

  async #prepareRun(state: ProcessState, body: BodyOf<"decision">): Promise<{ readonly run: number } | { readonly refused: WireFault }> {
    const { id, task } = state;
    if (body.what === "redrive" && this.#open.size + this.#accepting >= this.#parts.openMax)
      return { refused: wireFault("system.overloaded", `${this.#open.size} processes are open on this host, which is its limit`) };
    const fault = await this.#checkReplaced(state, body);
    if (fault !== undefined) return { refused: fault };
    const run = nextRun(state);
    if (task === undefined) return { run };
    await Promise.all([
      this.#parts.directory.enter(task.bucket, { id, open: true, atMs: this.#parts.ports.clock.nowMs(), facts: lineFacts(run, task) }),
      this.#parts.reminders.renew(this.#address(id), reminderName(run)),
    ]);
    return { run };
  }

  /** What a person puts in the place of an input passes the gate that the input would have passed. */
  async #checkReplaced(state: ProcessState, { input }: BodyOf<"decision">): Promise<WireFault | undefined> {
    if (input === undefined || state.task === undefined) return undefined;
    const { system, values } = this.#parts;
    const target: Doer = failedWorkOf(state)?.target ?? { kind: "route", route: state.task.route };
    try {
      checkDoer(system, target, await values.read(input));
      return undefined;
    } catch (error) {
      const fault = faultFrom(error, "schema.input");
      if (isRetryable(fault)) throw error;
      return fault;
    }
  }

  /** The receipt of a decision is that of the record in which it stands, however often it is asked for. */
  #answerDecision(message: Message, body: BodyOf<"decision">, result: TurnResult<ProcessState>): TurnAnswer {
    const answer = this.#answer(message, result, result.wrote ? "fresh" : "again");
    const act = decisionOn(result.state, body.run);
    if ("refused" in answer || act === undefined) return answer;
    return {
      ...answer,
      receipt: { ...answer.receipt, sequence: act.sequence },
      run: act.opened ?? act.run,
      ...(act.notReached === undefined ? {} : { notReached: act.notReached }),
    };
  }

  async #turnTask(message: Message, found: { readonly bucket?: string; readonly fault?: WireFault }): Promise<TurnAnswer> {
    const id = message.to.id;
    const result = await this.engine.turn(
      id,
      { kind: "message", message, ...found },
      { inputId: message.id, expectNew: this.#made.has(id) },
    );
    this.#made.delete(id);
    // The preparation was for a process that another host had accepted: its line and reminder may stand where nothing needs them.
    if (found.bucket !== undefined && !result.wrote)
      this.nudge(id).catch((error: unknown) =>
        this.#parts.log.debug({ err: error, processId: id }, "a needless line may stand until the next start"),
      );
    return this.#answer(message, result, result.wrote ? "fresh" : "again");
  }

  async #checkInput(body: BodyOf<"task">): Promise<WireFault | undefined> {
    const route = this.#parts.system.routes.get(body.route);
    // A route of another version of this system is pinned in the slip and was checked where the task came in.
    if (route === undefined) return undefined;
    try {
      route.checkTask(await this.#parts.values.read(body.input));
      return undefined;
    } catch (error) {
      const fault = faultFrom(error, "schema.task");
      if (isRetryable(fault)) throw error;
      return fault;
    }
  }

  #answer(message: Message, result: TurnResult<ProcessState>, mode: "fresh" | "again"): TurnAnswer {
    this.#after(message.to.id, result, mode === "again");
    if (result.verdict.kind === "refused") return { refused: result.verdict.fault };
    this.#parts.performer.noteReceipt(message.id);
    const trace = result.state.task?.trace;
    return {
      receipt: { messageId: message.id, sequence: result.sequence },
      ...(trace === undefined ? {} : { traceId: traceId(trace), run: result.state.run }),
    };
  }

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
   * A tick after which the reminder stands for sure (this host may believe in a reminder that is gone), also that of a process
   * which has ended and owes its last effects. Whoever was asked may have died with a host, so everybody is asked again.
   */
  async nudge(id: string): Promise<void> {
    const state = (await this.engine.fresh(id)).state;
    const wish = processMachine.reminder(state, this.#parts.ports.clock.nowMs());
    if (wish.kind !== "none") await this.#parts.reminders.renew(this.#address(id), wish.name);
    await this.tick(id, undefined, true);
  }

  /**
   * Somebody looked here for an open process which this host has not in hand: placement has moved it. Its next tick would
   * find that out too, but Dapr's scheduler can keep ticks back for a minute when an app freezes (docs/chaos.md).
   */
  takeUp(id: string): void {
    if (this.#open.has(id) || this.#takingUp.has(id)) return;
    this.#takingUp.add(id);
    this.nudge(id)
      .catch((error: unknown) =>
        this.#parts.log.debug(
          { err: error, processId: id },
          "a process was not taken up; its reminder will see to it, or the next who looks",
        ),
      )
      .finally(() => this.#takingUp.delete(id));
  }

  /** M2. Most records of an open process find its reminder near, as this host has set it. */
  #beforeCommit(id: string, next: ProcessState, before: ProcessState): Promise<void> | undefined {
    if (before.phase !== "open" || next.phase !== "open") return this.#prepareCommit(id, next, before);
    const wish = processMachine.reminder(next, this.#parts.ports.clock.nowMs());
    return wish.kind !== "near" && wish.kind !== "away" ? undefined : this.#parts.reminders.near(this.#address(id), wish.name);
  }

  async #prepareCommit(id: string, next: ProcessState, before: ProcessState): Promise<void> {
    // What is left of a task that never was can only be purged by a line that leads to it. It stands as open, because a task may still come.
    if (before.phase === "new" && (next.phase === "void" || next.phase === "refused")) await this.#enterVoid(id, next);
    const wish = processMachine.reminder(next, this.#parts.ports.clock.nowMs());
    // A process that had ended opens again for its parent's undo: whichever host ended it has removed the reminder.
    if (before.phase === "ended" && wish.kind !== "none") this.#parts.reminders.forget(this.#address(id));
    // What an ended process still owes after a decision, its reminder sees to.
    if (before.phase === "ended" && next.phase === "ended" && (next.acts !== before.acts || next.voidedRun !== before.voidedRun))
      await this.#parts.reminders.near(this.#address(id), reminderName(next.run));
    // The run that was prepared may have become void meanwhile; the one that ends with its first record owes its effects under a reminder of its own.
    const endsAtOnce = next.phase === "ended" && before.phase !== "ended" && before.phase !== "open";
    if (wish.kind === "near" || wish.kind === "away" || endsAtOnce)
      await this.#parts.reminders.near(this.#address(id), reminderName(next.run));
  }

  async #enterVoid(id: string, next: ProcessState): Promise<void> {
    const atMs = this.#parts.ports.clock.nowMs();
    await this.#parts.directory.open({ id, open: true, atMs, facts: { status: next.phase } });
  }

  /** After the answer: timers, effects, and where the reminder belongs now; `rang` when it is the reminder that asked. Never throws. */
  #after(id: string, result: TurnResult<ProcessState>, direct: boolean, rang = false): void {
    const { state, before } = result;
    if (state.phase === "open") this.#open.add(id);
    else this.#open.delete(id);
    // After a failed turn the same moment would come at once, for ever: its reminder comes in its own time.
    if (result.failed !== true) this.#setTimer(id, state);
    if (result.wrote) this.#tell(before, state);
    // Nothing is ordered, and its reminder is near and stays so.
    if (result.effects.length === 0 && processMachine.reminder(state, this.#parts.ports.clock.nowMs()).kind === "near") return;
    void this.#settle(id, result, direct || state.phase === "ended" || state.phase === "refused", rang).catch((error: unknown) => {
      this.#parts.log.debug({ err: error, processId: id }, "effects were not settled; the reminder will see to it");
    });
  }

  /** Both moments are of the manager's clock, also where the agent is on another host. */
  #measureHop(workId: string, before: ProcessState): void {
    const work = entryOf(before.works, workId);
    if (work?.status === "asked")
      this.#parts.metrics.hopped(doerName(work.target), work.kind, this.#parts.ports.clock.nowMs() - work.askedAtMs);
  }

  /** One line when a process opens and one when it ends: never what it is about, always its trace id. */
  #tell(before: ProcessState, after: ProcessState): void {
    this.#parts.observe(before, after);
    if (before.phase === after.phase || after.task === undefined) return;
    const facts = { processId: after.id, traceId: traceId(after.task.trace), route: after.task.route, run: after.run };
    if (after.phase === "open")
      this.#parts.log.info(facts, before.phase === "ended" ? "a process was opened again" : "a task was accepted");
    if (after.phase === "ended" && after.outcome !== undefined && (before.outcome === undefined || before.run !== after.run))
      this.#parts.metrics.ended(after.task.route, after.outcome);
    if (after.phase === "ended")
      this.#parts.log.info({ ...facts, status: after.outcome?.status, code: after.outcome?.fault?.code }, "a process ended");
  }

  async #settle(id: string, result: TurnResult<ProcessState>, direct: boolean, rang: boolean): Promise<void> {
    const { reminders, performer, ports } = this.#parts;
    const options = {
      direct,
      local: () => {},
      refused: (message: Message, fault: WireFault) => this.#takeRefusal(id, message, fault),
      received: (message: Message, work: WorkStatus | undefined) => this.#takeReceipt(id, message, work),
    };
    // The line in the index closes last: where reminders are lost it alone leads back to what was not told yet.
    const closing = result.effects.filter((effect) => effect.kind === "index" && effect.index === "Directory");
    const others = result.effects.filter((effect) => !closing.includes(effect));
    const performed =
      (others.length === 0 || (await performer.perform(others, options))) &&
      (closing.length === 0 || (await performer.perform(closing, options)));
    const wish = processMachine.reminder(result.state, ports.clock.nowMs());
    if (wish.kind === "done" && performed && this.#saidAll(result))
      await reminders.remove(this.#address(id), wish.name, () => this.#isOver(id, result));
    if (wish.kind === "away")
      await reminders.away(this.#address(id), wish.name, wish.atMs, () => this.#isCurrent(id, result.sequence), rang);
  }

  /** M3. A turn that ended nothing orders nothing; only the turn that ended it, or a tick that repeats its last effects, may remove the reminder. */
  #saidAll(result: TurnResult<ProcessState>): boolean {
    const { state, effects } = result;
    if (state.phase !== "ended") return state.phase === "void" || state.phase === "purged" || effects.length > 0;
    // An ended child also answers its parent alone; all is said by the turn that closes the line in the index.
    return effects.some((effect) => effect.kind === "index" && effect.index === "Directory");
  }

  /** Under the same run only a child can be opened again, by its parent's undo, and only a dead letter can be decided on. */
  async #isOver(id: string, { state, sequence }: TurnResult<ProcessState>): Promise<boolean> {
    return (state.task?.parent === undefined && state.outcome?.deadLetter === undefined) || this.#isCurrent(id, sequence);
  }

  async #isCurrent(id: string, sequence: number): Promise<boolean> {
    return (await this.engine.fresh(id)).sequence === sequence;
  }

  /** An agent refused a request for good, which is its result. The agent of a compensation may only be gone for a while. */
  #takeRefusal(id: string, message: Message, fault: WireFault): void {
    const request = requestOf(message);
    if (request === undefined || fault.code === "message.expired" || fault.code === "work.undone") return;
    if (message.body.kind === "undo" && fault.code !== "agent.unknown") return;
    const reply: Message = {
      ...message,
      id: refusalId(message.id),
      to: this.#address(id),
      from: message.to.type,
      body: { kind: "result", ...request, result: { fault } },
    };
    this.receive(reply).catch((error: unknown) =>
      this.#parts.log.debug({ err: error, processId: id }, "a refusal was not recorded; it will be asked again"),
    );
  }

  /** What a receipt says of a work item is recorded where it is news: most turns write nothing. */
  #takeReceipt(id: string, message: Message, work: WorkStatus | undefined): void {
    const request = requestOf(message);
    if (request === undefined) return;
    this.engine
      .turn(id, { kind: "told", ...request, work }, { inputId: `receipt of ${message.id}` })
      .then((result) => this.#after(id, result, false))
      .catch((error: unknown) =>
        this.#parts.log.debug({ err: error, processId: id }, "what a receipt said was not recorded; the next one says it again"),
      );
  }

  /** Moments nearer than the reminder are met by a timer of this host; the reminder stands behind it. */
  #setTimer(id: string, state: ProcessState): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
    const dueMs = processMachine.nextDueMs(state, this.#parts.ports.clock.nowMs());
    if (dueMs === undefined) return;
    const {
      log,
      ports: { clock },
    } = this.#parts;
    const delayMs = Math.max(0, dueMs - clock.nowMs());
    if (delayMs > LIMITS.reminderAwayMsMax) return;
    this.#timers.set(
      id,
      clock.after(delayMs, () => {
        this.#timers.delete(id);
        this.tick(id).catch((error: unknown) =>
          log.debug({ err: error, processId: id }, "a timer's tick failed; the reminder stands behind it"),
        );
      }),
    );
  }

  #address(id: string): Address {
    return { type: this.#parts.type, id };
  }

  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }
}
