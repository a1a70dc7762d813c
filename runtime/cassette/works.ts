/**
 * @module Reads from the events of an agent's actor what a replay of its work items needs. Pure.
 *
 * A settled work item loses its records in the actor's state, so each one is kept as it was right before its end.
 */
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
    if (event.e === "work-done") this.#end(before, event);
  }

  #end(before: AgentState, { workId, result, state: nextState }: Extract<AgentEvent, { e: "work-done" }>): void {
    const work = entryOf(before.works, workId);
    const { state, stateVersion = 0 } = this.#begun.get(workId) ?? {};
    if (work === undefined) return;
    const facts = this.#facts.get(workId);
    this.#works.set(workId, {
      agent: this.#agent,
      actor: this.#state.id,
      stateVersion,
      ...(state === undefined ? {} : { state }),
      work: { ...work, result },
      ...(facts === undefined ? {} : { facts }),
      ...(nextState === undefined ? {} : { nextState }),
    });
  }
}
