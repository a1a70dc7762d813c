/**
 * @module Reads from the events of an agent's actor what a replay of its work items needs. Pure.
 *
 * A settled work item loses its records in the actor's state, so each one is kept as it was right before its end.
 */
import { factsOfDone, withFacts } from "../agent/work-facts.ts";
import { evolveAgent } from "../agent/evolve.ts";
import type { AgentEvent } from "../agent/events.ts";
import { type AgentState, newAgent } from "../agent/state.ts";
import { entryOf } from "../entries.ts";
import type { ModelFacts } from "../model/conversation.ts";
import type { CassetteWork } from "./cassette.ts";

/** The work items of one actor. Events are given from the first record on. */
export class CassetteWorkReader {
  readonly #agent: string;
  readonly #wanted: ReadonlySet<string>;
  readonly #begun = new Map<string, Pick<AgentState, "state" | "stateVersion">>();
  readonly #facts = new Map<string, Record<string, ModelFacts>>();
  readonly #costs = new Map<string, Record<string, number>>();
  readonly #works = new Map<string, CassetteWork>();
  #state: AgentState;
  #isEmpty = true;

  /** `wanted`: the ids of the work items. */
  constructor(agent: string, actor: string, wanted: Iterable<string>) {
    this.#agent = agent;
    this.#wanted = new Set(wanted);
    this.#state = newAgent(actor);
  }

  /** The work items that have ended, by id. */
  get works(): ReadonlyMap<string, CassetteWork> {
    return this.#works;
  }

  /** Whether no event was taken. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** Takes the next event of the actor. */
  take(event: AgentEvent): void {
    const before = this.#state;
    this.#isEmpty = false;
    this.#state = evolveAgent(before, event);
    if (!("workId" in event) || !this.#wanted.has(event.workId)) return;
    if (event.e === "begun" || event.e === "taken-over") this.#begun.set(event.workId, before);
    if (event.e === "model-begun") this.#facts.set(event.workId, { ...this.#facts.get(event.workId), [event.key]: event.facts });
    if (event.e === "model-tried" || event.e === "model-ended") this.#paid(event);
    if (event.e === "work-done") {
      const { workId, result, state: nextState } = event;
      const ended = this.#read(before, workId);
      if (ended === undefined) return;
      const work = { ...withFacts(ended.work, factsOfDone(event)), result };
      this.#works.set(workId, { ...ended, work, ...(nextState === undefined ? {} : { nextState }) });
    }
    if (event.e === "call-undone" || event.e === "undo-done") this.#undone(event);
  }

  /** The work items that have begun and not ended, as they are now. */
  get open(): readonly CassetteWork[] {
    return [...this.#begun.keys()].flatMap((id) => (this.#works.has(id) ? [] : (this.#read(this.#state, id) ?? [])));
  }

  #paid({ workId, key, spent }: Extract<AgentEvent, { e: "model-tried" | "model-ended" }>): void {
    if (spent === undefined) return;
    const known = this.#costs.get(workId) ?? {};
    this.#costs.set(workId, { ...known, [key]: (entryOf(known, key) ?? 0) + spent.costMicros });
  }

  /** What of a work item that has ended was undone. */
  #undone(event: Extract<AgentEvent, { e: "call-undone" | "undo-done" }>): void {
    const known = this.#works.get(event.workId);
    if (known === undefined) return;
    const { work } = known;
    const changed =
      event.e === "call-undone"
        ? { ...work, calls: work.calls.map((call) => (call.key === event.key ? { ...call, undone: true as const } : call)) }
        : { ...work, agentUndid: event.agentUndid ?? work.agentUndid };
    this.#works.set(event.workId, { ...known, work: changed });
  }

  #read({ works }: AgentState, workId: string): CassetteWork | undefined {
    const work = entryOf(works, workId);
    if (work === undefined) return undefined;
    const { state, stateVersion = 0 } = this.#begun.get(workId) ?? {};
    const facts = this.#facts.get(workId);
    const costs = this.#costs.get(workId);
    return {
      agent: this.#agent,
      actor: this.#state.id,
      stateVersion,
      ...(state === undefined ? {} : { state }),
      work,
      ...(facts === undefined ? {} : { facts }),
      ...(costs === undefined ? {} : { costs }),
    };
  }
}
