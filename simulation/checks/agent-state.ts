/**
 * @module No update of an agent's state is lost. Agents of the scenarios count: each counting handler adds one to
 * `state.count` and returns the new count as `counted`, and the undo of an agent takes one away. So the count is always the
 * number of work items that counted and are not undone, and each committed state is the state before it plus or minus one.
 */
import type { AgentEvent } from "../../runtime/agent/events.ts";
import type { AgentState } from "../../runtime/agent/state.ts";
import type { Json } from "../../runtime/faults.ts";
import type { Value } from "../../runtime/value.ts";
import type { Find } from "./shadow.ts";

const LAW = "no update of agent state is lost";

type EventOf<E extends AgentEvent["e"]> = Extract<AgentEvent, { readonly e: E }>;

/** The count of one actor, followed from its events. */
export class CountLaw {
  readonly #actor: string;
  readonly #find: Find;
  /** Work items whose count is in the state. */
  readonly #counted = new Set<string>();

  constructor(actor: string, find: Find) {
    this.#actor = actor;
    this.#find = find;
  }

  /** A work item or its compensation has ended. */
  ended(before: AgentState, event: EventOf<"work-done" | "undo-done">): void {
    const counted = event.e === "work-done" && "output" in event.result ? numberOf(event.result.output, "counted") : undefined;
    if (event.state === undefined) {
      if (counted !== undefined) this.#find(LAW, `${event.workId} counted to ${counted}, and its state was not committed`);
      return;
    }
    const was = before.state === undefined ? 0 : numberOf(before.state, "count");
    const now = numberOf(event.state, "count");
    if (was === undefined || now === undefined) return;
    const step = event.e === "work-done" ? 1 : -1;
    if (now !== was + step) this.#find(LAW, `${this.#actor} had counted ${was}, and ${event.e} of ${event.workId} left ${now}`);
    if (counted !== undefined && counted !== now) this.#find(LAW, `${event.workId} counted to ${counted}, and ${this.#actor} has ${now}`);
    this.#tally(event, now);
  }

  #tally(event: EventOf<"work-done" | "undo-done">, now: number): void {
    const isIn = this.#counted.has(event.workId);
    if (event.e === "work-done") this.#counted.add(event.workId);
    else this.#counted.delete(event.workId);
    if (isIn !== (event.e === "undo-done")) this.#find(LAW, `${event.e} of ${event.workId} changed the count for the second time`);
    if (now !== this.#counted.size) this.#find(LAW, `${this.#actor} has ${now}, and ${this.#counted.size} work items count`);
  }
}

function numberOf(value: Value, name: string): number | undefined {
  const content: Json | undefined = "json" in value ? value.json : undefined;
  if (typeof content !== "object" || content === null || Array.isArray(content)) return undefined;
  const found = (content as { readonly [key: string]: Json | undefined })[name];
  return typeof found === "number" ? found : undefined;
}
