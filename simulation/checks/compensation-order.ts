/**
 * @module The order of compensation within a process, followed from its events alone.
 *
 * A work item that may still run is undone at once, but not before those of its asks that may still run. All others are undone
 * one at a time, in the reverse of the order in which they were asked, and only when no other undo is unanswered. Items of one
 * `forEach` have no order among themselves: as many as ran at a time may be undone at a time, but not two at one actor. The work
 * items of an agent that does not answer compensations are set aside: they have an order of their own.
 */
import { isItemsPath, itemsPath, stopWorkParts } from "../../runtime/ids.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { Find } from "./shadow.ts";

/** A work item that was asked and is not known to be undone. */
interface AskedWork {
  readonly id: string;
  /** Name of its agent. */
  readonly agent: string;
  readonly actor: string;
  /** Path of its stop, and its item in a `forEach`. */
  readonly stop: string;
  readonly item: number;
  /** Position in the order of asking. */
  readonly position: number;
  /** It has no answer. */
  open: boolean;
  /** It had no answer when it was to be undone, or its last attempt timed out. */
  mayRun: boolean;
  due: boolean;
}

/** Holds the order of the undos of one process. */
export class CompensationOrder {
  readonly #asked = new Map<string, AskedWork>();
  /** Undos without an answer, and the work items that they undo. */
  readonly #undos = new Map<string, string>();
  /** Agents that do not answer compensations. */
  readonly #aside = new Set<string>();
  /** How many items of a `forEach` may run at a time, by the path of its items. */
  readonly #widths = new Map<string, number>();
  #count = 0;

  /** The work items that were asked and are not known to be undone. */
  get asked(): readonly string[] {
    return [...this.#asked.keys()];
  }

  /** The next event of the process. */
  follow(event: ProcessEvent, find: Find): void {
    switch (event.e) {
      case "accepted":
      case "reopened":
      case "terminated":
        this.#asked.clear();
        this.#undos.clear();
        this.#aside.clear();
        return;
      case "stop-begun":
        this.#widths.set(itemsPath(event.stop), event.concurrency ?? 1);
        return;
      case "set-aside":
        this.#aside.add(event.agent);
        return;
      case "asked":
        if (event.work.undoes !== undefined) return this.#undo(event.work.id, event.work.undoes, find);
        this.#count += 1;
        return this.#ask(event.work);
      case "answered":
      case "handed-off":
        return this.#close(event.workId, false);
      case "failed":
        return this.#close(event.workId, event.fault.code === "stop.timeout");
      case "undo-due":
        for (const id of event.workIds) this.#makeDue(this.#asked.get(id));
        return;
      case "ending":
        for (const work of this.#asked.values()) this.#makeDue(work);
        return;
      case "undone":
      case "undo-failed":
        this.#asked.delete(this.#undos.get(event.workId) ?? "");
        this.#undos.delete(event.workId);
        return;
      default:
    }
  }

  #ask({ id, target, actor, stop }: Extract<ProcessEvent, { e: "asked" }>["work"]): void {
    const agent = target.kind === "agent" ? target.agent : "";
    this.#asked.set(id, {
      id,
      agent,
      actor,
      stop,
      item: stopWorkParts(id).item,
      position: this.#count,
      open: true,
      mayRun: false,
      due: false,
    });
  }

  #close(id: string, mayRun: boolean): void {
    const work = this.#asked.get(id);
    if (work === undefined) return;
    work.open = false;
    if (mayRun) work.mayRun = true;
  }

  #makeDue(work: AskedWork | undefined): void {
    if (work === undefined) return;
    work.due = true;
    if (work.open) work.mayRun = true;
    work.open = false;
  }

  #undo(undoId: string, targetId: string, find: Find): void {
    const law = "compensation goes in reverse order";
    const target = this.#asked.get(targetId);
    if (target === undefined || !target.due) return find(law, `${targetId} was not due, and its undo was ordered`);
    const others = [...this.#asked.values()].filter((other) => other.due && other !== target);
    if (target.mayRun) {
      const ask = others.find(({ id, mayRun }) => mayRun && id.startsWith(`${targetId}/ask`) && !this.#isOrdered(id));
      if (ask !== undefined) find(law, `${targetId} was to be undone before its ask ${ask.id}, which may still run`);
    } else {
      const lane = this.#laneOf(target);
      const newer = others.find((other) => other.position > target.position && this.#laneOf(other) === lane && !areItems(other, target));
      if (newer !== undefined) find(law, `${targetId} was to be undone before ${newer.id}, which was asked after it`);
      const open = [...this.#undos.values()].flatMap((id) => this.#asked.get(id) ?? []).filter((one) => this.#laneOf(one) === lane);
      const unanswered = open.find((one) => !areItems(one, target) || one.actor === target.actor);
      if (unanswered !== undefined) find(law, `${targetId} was to be undone while ${unanswered.id} was being undone`);
      if (open.length > 0 && open.length >= (this.#widths.get(target.stop) ?? 1))
        find(law, `${targetId} was to be undone while ${open.length} others of its forEach were`);
    }
    this.#undos.set(undoId, targetId);
  }

  /** The order that a work item belongs to: that of its agent when it was set aside, or that of all others. */
  #laneOf(work: AskedWork | undefined): string | undefined {
    return work !== undefined && this.#aside.has(work.agent) ? work.agent : undefined;
  }

  #isOrdered(id: string): boolean {
    return [...this.#undos.values()].includes(id);
  }
}

/** Whether two work items belong to different items of one `forEach`. */
function areItems(one: AskedWork, other: AskedWork): boolean {
  return isItemsPath(one.stop) && one.stop === other.stop && one.item !== other.item;
}
