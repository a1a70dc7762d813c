/** @module Reads facts for one work item: the same versions again, and with their contents, as its principal sees them. */
import type { AgentWork } from "../../runtime/agent/state.ts";
import { asSeenBy, joined, type Label, principalOrigin } from "../../runtime/label.ts";
import type { Fact, FactRef } from "../../runtime/memory/fact.ts";
import type { Reader } from "../../runtime/memory/operations.ts";
import { outsideFactId } from "../../runtime/memory/scope.ts";
import type { FactView } from "../../runtime/memory/view.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { staleFault } from "./current.ts";
import type { FactContent } from "./fact-contents.ts";
import type { Memories, MemoryCaller } from "./memories.ts";

/** A fact, and the memory that holds it. */
export interface Found {
  readonly memory: string;
  readonly fact: Fact;
}

/** Reads facts for one work item. Its methods throw `memory.stale` for what is gone. */
export class FactReader {
  readonly #memories: Memories;
  readonly #own: string;
  readonly #work: AgentWork;

  /** `own`: the memory that the work item has. */
  constructor(memories: Memories, own: string, work: AgentWork) {
    this.#memories = memories;
    this.#own = own;
    this.#work = work;
  }

  /** As whom the work item reads. */
  get reader(): Reader {
    const { agent, processId, id } = this.#work;
    return { agent, processId, workId: id };
  }

  /** For whom the work item does operations. */
  get caller(): MemoryCaller {
    const { principal, processId, trace } = this.#work;
    return { principal, processId, trace };
  }

  /** The facts of an earlier execution, in the same versions. */
  async again(refs: readonly FactRef[]): Promise<readonly Found[]> {
    const places = Map.groupBy(refs, ({ memory }) => memory);
    const read = await Promise.all(
      [...places].map(async ([memory, some]) => {
        const versions = some.map(({ id, version }) => ({ id, version }));
        const { facts } = await this.#memories.read(memory, { refs: versions, reader: this.reader }, this.caller);
        return facts.map((fact) => ({ memory, fact }));
      }),
    );
    const found = read.flat();
    return refs.map((ref) => {
      const there = found.find(({ memory, fact }) => memory === ref.memory && fact.id === ref.id && fact.version === ref.version);
      if (there === undefined) throw staleFault(ref);
      return there;
    });
  }

  async views(found: readonly Found[]): Promise<readonly FactView[]> {
    const contents = await this.#memories.contents(found.map(({ fact }) => fact));
    return found.map(({ memory, fact }, index) => {
      const content = contents[index];
      if (content === undefined) throw staleFault({ memory, ...fact });
      return this.#view(memory, fact, content);
    });
  }

  #view(memory: string, fact: Fact, { key, value }: FactContent): FactView {
    const { id, version, trust, atMs, validUntilMs, source, tokens } = fact;
    return {
      ...{ id: memory === this.#own ? id : outsideFactId(memory, id), version, value, trust, atMs, label: this.seenLabel(fact) },
      ...(key === undefined ? {} : { key }),
      ...(validUntilMs === undefined ? {} : { validUntilMs }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(source === undefined ? {} : { source: { name: source.name, id: source.id } }),
    };
  }

  /** A fact's label as the task's principal sees it: what another principal wrote comes from a stranger. */
  seenLabel({ label, writer }: Fact): Label {
    const { principal } = this.#work;
    const isNamed = writer.subject !== ANONYMOUS.subject && writer.subject !== "";
    const origin = isNamed ? [principalOrigin({ tenant: principal.tenant, subject: writer.subject })] : undefined;
    return asSeenBy(joined(label, origin), principal);
  }
}
