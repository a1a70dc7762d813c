/**
 * @module What is checked when a run is over: outcomes, the ledger of outside effects, reminders, the index, notifications.
 */
import { entryOf } from "../../runtime/entries.ts";
import { idempotencyKey } from "../../runtime/ids.ts";
import { entriesOf } from "../../runtime/index-actor.ts";
import { runId } from "../../runtime/ids.ts";
import { isSettled } from "../../runtime/agent/queue.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Clients } from "../people/client.ts";
import type { LedgerLine } from "../world/outside.ts";
import type { Scenario } from "../run.ts";
import type { Watch } from "./watch.ts";
import type { World } from "../world/world.ts";

/** A promise or law that does not hold, and how. */
export interface Finding {
  readonly law: string;
  readonly text: string;
}

/** All checks of a world that is quiet again. */
export function checkEnd(world: World, clients: Clients, watch: Watch, scenario: Scenario): Finding[] {
  const findings: Finding[] = [];
  const find = (law: string, text: string): void => void findings.push({ law, text });
  checkOutcomes(clients, watch, find);
  if (findings.length > 0) return findings;
  checkTerminated(clients, watch, find);
  checkReminders(world, find);
  checkIndex(watch, find);
  checkNotifications(world, watch, find);
  if (scenario.repeatsAllowed !== true) checkKeys(world, watch, find);
  if (scenario.strict) for (const shadow of watch.processes.values()) checkLedger(world, watch, shadow.state, find);
  for (const { law, text } of world.outside.complaints) find(law, text);
  if (scenario.strict) checkCalls(world, watch, find);
  watch.models.check(world.models.ledger, find);
  for (const id of watch.processes.keys()) watch.budgetOf(id).check((workId) => watch.models.spentOf(workId), find);
  const own = scenario.invariant?.(world);
  if (own !== undefined) findings.push(typeof own === "string" ? { law: "invariant", text: own } : own);
  return findings;
}

function isTerminated({ outcome }: ProcessState): boolean {
  return outcome?.fault?.code === "process.terminated";
}

/**
 * A termination with a receipt ends the process. Its work items are settled or dropped: the handler of a dropped one may have been on a
 * host that died, and the next message to the actor finds that.
 */
function checkTerminated(clients: Clients, watch: Watch, find: Find): void {
  for (const id of clients.terminated) {
    const state = watch.processes.get(id)?.state;
    if (state === undefined || !isTerminated(state))
      find(
        "a termination with a receipt is the end",
        `${id} ended ${state?.outcome?.status ?? "never"} of ${state?.outcome?.fault?.code ?? ""}`,
      );
  }
  for (const { state: agent } of watch.agents.values())
    for (const work of Object.values(agent.works)) {
      const state = watch.processes.get(work.processId)?.state;
      if (state !== undefined && isTerminated(state) && !isSettled(work) && work.undo?.dropped !== true)
        find("a termination cancels what is open", `${work.id} is ${work.status}`);
    }
}

type Find = (law: string, text: string) => void;

function checkOutcomes(clients: Clients, watch: Watch, find: Find): void {
  for (const { processId, signalId } of clients.signalled)
    if (!watch.knowsSignal(processId, signalId))
      find("a receipt of a signal means a record", `${signalId} of ${processId} has a receipt, and no record`);
  if (!clients.settled) find("a task is accepted or refused in the end", "a client still has no answer");
  for (const id of clients.accepted) {
    const state = watch.processes.get(id)?.state;
    if (state === undefined || state.task === undefined)
      find("a receipt means that the process exists", `${id} has a receipt and no record`);
    else if (state.phase !== "ended") find("every accepted task ends", `${id} is ${state.phase}: ${unanswered(state)}`);
  }
  for (const { id, state } of watch.processes.values()) {
    if (state.phase === "open" && !clients.accepted.has(id)) find("every accepted task ends", `${id} is open: ${unanswered(state)}`);
    if (state.outcome?.fault?.code === "step.mismatch" || state.outcome?.fault?.code === "model.mismatch")
      find("every execution of an attempt goes the same way", `${id}: ${state.outcome.fault.message}`);
    if (state.phase === "ended" && (state.outcome === undefined || Object.keys(state.works).length > 0))
      find("what was asked is answered before the end", `${id} ended and waits for ${Object.keys(state.works).join(", ")}`);
  }
}

function unanswered(state: ProcessState): string {
  return (
    Object.values(state.works)
      .map((work) => `${work.id} ${work.status}, attempt ${work.attempt}`)
      .join("; ") || "nothing is unanswered"
  );
}

function checkReminders(world: World, find: Find): void {
  for (const { actor, name } of world.reminders.all)
    find("reminders go when nothing needs them", `reminder ${name} of ${actor.id} still rings`);
}

function checkIndex(watch: Watch, find: Find): void {
  const root = watch.indexes.get("Directory/root")?.state;
  const buckets = new Set(root === undefined ? [] : entriesOf(root).map((entry) => entry.id));
  for (const { state } of watch.processes.values()) {
    const { task, outcome } = state;
    if (task === undefined || outcome === undefined) continue;
    const bucket = watch.indexes.get(`Directory/${task.bucket}`)?.state;
    const entry = bucket === undefined ? undefined : entriesOf(bucket).find((one) => one.id === state.id);
    if (!buckets.has(task.bucket))
      find("the index knows every bucket", `${task.bucket}, which holds ${state.id}, is not named by the root`);
    if (entry === undefined) find("the index agrees with the journals", `${state.id} is not in its bucket`);
    else if (entry.open) find("the index agrees with the journals", `${state.id} ended ${outcome.status} and stands as open`);
    if (outcome.deadLetter === undefined) continue;
    const desk = watch.indexes.get(`DeadLetterQueue/${task.bucket}`)?.state;
    const letter = desk === undefined ? undefined : entriesOf(desk).find((one) => one.id === runId(state.id, state.run));
    if (letter === undefined) find("a failed process has a dead letter", `${state.id} has none at the dead letter queue`);
  }
}

function checkNotifications(world: World, watch: Watch, find: Find): void {
  const told = new Map(
    world.network.notifications
      .filter((notification) => notification.topic.endsWith(".results"))
      .map((notification) => [notification.id, notification.data.status]),
  );
  for (const { state } of watch.processes.values()) {
    if (state.outcome === undefined) continue;
    const status = told.get(runId(state.id, state.run));
    if (status !== state.outcome.status)
      find("the outcome is told", `${state.id} ended ${state.outcome.status}, and the topic says ${status ?? "nothing"}`);
  }
}

/** One effect, one key; one key, one effect; and it happens once. */
function checkKeys(world: World, watch: Watch, find: Find): void {
  const byAbout = new Map<string, LedgerLine>();
  const byKey = new Map<string, LedgerLine>();
  for (const line of world.outside.ledger) {
    // A later run may repeat an effect that the compensation of an earlier run has undone.
    if (line.what === "undone" && watch.processes.get(line.processId)?.state.runs !== undefined) byAbout.delete(line.about);
    if (line.what !== "applied") continue;
    const first = byAbout.get(line.about);
    if (first !== undefined)
      find(
        "nothing is applied twice",
        `${line.name} of ${line.about} happened twice: under ${first.key ?? "no key"} and under ${line.key ?? "no key"}`,
      );
    byAbout.set(line.about, line);
  }
  for (const line of world.outside.ledger) {
    if (line.key === undefined) continue;
    const first = byKey.get(line.key);
    if (first !== undefined && first.about !== line.about)
      find("one key means one effect", `${line.key} stands for ${first.about} and for ${line.about}`);
    byKey.set(line.key, line);
  }
}

/** Undos of one work item go newest first, and a call whose end must not stay unknown is recorded before each time it is made. */
function checkCalls(world: World, watch: Watch, find: Find): void {
  const { undoing, performed, lookUps } = world.outside;
  for (const [workId, calls] of watch.begunCalls) {
    let last = -1;
    for (const { key, times, recordedEach } of [...calls.values()].toReversed()) {
      const id = idempotencyKey(workId, key);
      const position = undoing.get(id);
      if (position !== undefined && position < last)
        find("undos of a work item go newest first", `${id} was undone before a call that began after it`);
      last = Math.max(last, position ?? -1);
      const made = performed.get(id) ?? 0;
      if (recordedEach && made > times + (lookUps.get(id) ?? 0))
        find("a call whose end is unknown is not repeated", `${id} was made ${made} times and recorded as begun ${times} times`);
    }
  }
}

/** The effects of a process that stand are those of its outcome. */
function checkLedger(world: World, watch: Watch, state: ProcessState, find: Find): void {
  const { outcome } = state;
  if (outcome === undefined || state.undoFault !== undefined || isTerminated(state)) return;
  const keys = new Map(
    world.outside.ledger
      .filter((line) => line.processId === state.id && line.key !== undefined && line.what === "applied")
      .map((line) => [line.key ?? "", line]),
  );
  const goes = (outcome.status === "completed" || outcome.status === "partial") && state.undo === undefined;
  const counted = new Set(goes ? watch.askedOf(state.id) : []);
  for (const [key, line] of keys) {
    const work = workOf(watch, line);
    const succeeded = work?.result !== undefined && !("fault" in work.result);
    const should = counted.has(line.workId) && succeeded;
    const stands = world.outside.stands(key);
    if (should && !stands) find("completed means that every effect stands", `${key} was undone, and ${state.id} ended ${outcome.status}`);
    const standing = work === undefined ? "is unknown" : `is ${work.status}${succeeded ? "" : " without a success"}`;
    if (!should && stands)
      find(
        "what does not count is undone",
        `${key} stands, but ${state.id} ended ${outcome.status} ` +
          `and its work item ${standing}${counted.has(line.workId) ? "" : ", which no longer counts"}`,
      );
  }
  if (!goes) return;
  for (const id of watch.askedOf(state.id)) {
    const work = allWorks(watch).get(id);
    for (const call of work?.calls ?? []) {
      if (call.undo && call.output !== undefined && !world.outside.stands(idempotencyKey(id, call.key)))
        find("completed means that every effect stands", `call ${call.key} of ${id} was recorded, and its effect is not there`);
    }
  }
}

function allWorks(watch: Watch): Map<string, import("../../runtime/agent/state.ts").AgentWork> {
  return new Map([...watch.settled, ...[...watch.agents.values()].flatMap((shadow) => Object.entries(shadow.state.works))]);
}

function workOf(watch: Watch, line: LedgerLine): import("../../runtime/agent/state.ts").AgentWork | undefined {
  for (const shadow of watch.agents.values()) {
    const work = entryOf(shadow.state.works, line.workId);
    if (work !== undefined) return work;
  }
  return watch.settled.get(line.workId);
}
