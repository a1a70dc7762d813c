/** @module The laws of acts, labels and people of one run, and the people who decide in it. */
import { principalOrigin } from "../../runtime/label.ts";
import type { Principal } from "../../runtime/protocol/principal.ts";
import { entryOf } from "../../runtime/entries.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import { type PeopleMode, Persons } from "../people/persons.ts";
import type { World } from "../world/world.ts";
import { ActLaws } from "./act-laws.ts";
import { LabelLaws } from "./label-laws.ts";
import { MemoryLaws } from "./memory-laws.ts";
import { PeopleLaws } from "./people-laws.ts";
import { RulesLaws } from "./rules-laws.ts";
import type { Watch } from "./watch.ts";

/** Hears all that concerns people, acts and labels. */
export class TrustLaws {
  readonly persons: Persons | undefined;
  readonly #watch: Watch;
  readonly #memories: MemoryLaws;
  readonly #people: PeopleLaws;

  constructor(world: World, watch: Watch, people: PeopleMode | undefined) {
    this.#watch = watch;
    const find = (law: string, text: string): void => watch.find(law, text);
    this.persons = people === undefined ? undefined : new Persons(world, people);
    const labels = new LabelLaws(world, find);
    const rules = new RulesLaws(find, this.persons);
    watch.rulesLaws = rules;
    const acts = new ActLaws({
      find,
      world,
      principal: (processId) => this.#principalOf(processId),
      work: (workId) => this.#workOf(workId),
      isLet: (run) => rules.lets(run),
    });
    const memories = new MemoryLaws(world, find, labels);
    this.#memories = memories;
    watch.memoryLaws = memories;
    this.#people = new PeopleLaws({
      find,
      world,
      persons: this.persons,
      index: (name, bucket) => watch.indexes.get(`${name}/${bucket}`)?.state,
      asked: ({ input, label }, { task }, id) =>
        labels.requires(input, label, task === undefined ? undefined : principalOrigin(task.principal), `request ${id}`),
    });
    watch.onProcess = (state, event) => this.#people.follow(state, event);
    world.network.onSent = (message) => {
      labels.sent(message);
      memories.sent(message);
    };
    world.models.onRequest = (workId, request) => {
      labels.prompted(workId, request);
      memories.prompted(workId, request);
    };
    watch.onAudited = (entries) => acts.audited(entries);
    world.outside.onRun = (run) => acts.ran(run);
    world.outside.isEdited = (run) => acts.isEdited(run);
  }

  get settled(): boolean {
    return this.persons?.settled !== false;
  }

  /** When everything is quiet. */
  check(): void {
    this.#memories.check();
    this.#people.check();
  }

  #principalOf(processId: string): Principal | undefined {
    return this.#watch.processes.get(processId)?.state.task?.principal;
  }

  #workOf(workId: string): AgentWork | undefined {
    for (const { state } of this.#watch.agents.values()) {
      const work = entryOf(state.works, workId);
      if (work !== undefined) return work;
    }
    return undefined;
  }
}
