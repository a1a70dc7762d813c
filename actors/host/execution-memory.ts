/**
 * @module The memory of one execution of a handler: each act is recorded once, by the ids and versions of facts, never by content.
 *
 * A further execution reads the contents again by version. What is gone since then ends the attempt with `memory.stale`, and so does a
 * model request that would be sent after that: nothing that was forgotten reaches a handler or a prompt again. The next attempt reads anew.
 */
import { z } from "zod";
import type { MemoryRules } from "../../agents/memory.ts";
import type { AgentLog } from "../../agents/context.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import { hashJson } from "../../runtime/canonical.ts";
import { holds } from "../../runtime/condition/condition.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { asSeenBy, isUntrusted, joined, type Label, labelField, principalOrigin } from "../../runtime/label.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Fact, FactRef, lowerTrust, type Trust, TRUSTS } from "../../runtime/memory/fact.ts";
import { type MemoryOpOf, type Reader, Withheld } from "../../runtime/memory/operations.ts";
import { factIdParts, outsideFactId, sourceMemoryId } from "../../runtime/memory/scope.ts";
import type { ConversationView, FactDraft, FactQuery, FactView, Recalled, RuntimeMemory, TurnView } from "../../runtime/memory/view.ts";
import { ANONYMOUS } from "../../runtime/protocol.ts";
import { requireCurrent, staleFault, whileThere } from "./current.ts";
import type { Memories, MemoryCaller } from "./memories.ts";

/** The parts of a memory of an execution. */
export interface ExecutionMemoryParts {
  readonly memories: Memories;
  readonly rules: MemoryRules;
  /** The id of the memory that the work item has. */
  readonly memory: string;
  readonly work: AgentWork;
  /** The agent is a model: it vouches for no more than a model. */
  readonly isModel: boolean;
  /** Of all that the handler has received so far. */
  readonly label: () => Label;
  readonly received: (label: Label) => void;
  /** Whether the handler has called a tool so far. */
  readonly hasCalled: () => boolean;
  /** Whether it has called a tool or asked an agent. */
  readonly hasActed: () => boolean;
  /** Records an act by its name, its output once. The call is the same in each execution. */
  readonly recorded: (name: string, act: (call: string) => Promise<Json>) => Promise<Json>;
  /** Counts facts that were not given. */
  readonly withheld: (why: "untrusted" | "scope", count: number) => void;
  readonly log: AgentLog;
}

/** What is recorded of facts that were read or written. */
const Seen = z.strictObject({ facts: z.array(FactRef), label: z.array(z.string()), trust: z.enum(TRUSTS), withheld: Withheld });
type Seen = z.infer<typeof Seen>;

const NONE: Withheld = { untrusted: 0, gone: 0 };

/** The memory of one execution. */
export class ExecutionMemory implements RuntimeMemory {
  readonly #parts: ExecutionMemoryParts;
  /** Facts that the handler has recalled, which its own derive from unless it says otherwise. */
  readonly #recalled = new Map<string, { readonly ref: FactRef; readonly trust: Trust }>();

  readonly #remembered: { readonly ref: FactRef; readonly trust: Trust }[] = [];

  constructor(parts: ExecutionMemoryParts) {
    this.#parts = parts;
  }

  /** What the handler has recalled so far. */
  get seen(): readonly FactRef[] {
    return [...this.#recalled.values()].map(({ ref }) => ref);
  }

  /** Looks whether all that the handler has recalled is still there. @throws `memory.stale` */
  requireCurrent(): Promise<void> {
    return requireCurrent(this.#parts.memories, this.seen, { newest: false, by: this.#caller });
  }

  /** The same at the end, with newer versions, for an agent that then begins again and has done nothing yet that would stand. */
  async requireNewest(): Promise<void> {
    const { memories, rules, hasActed } = this.#parts;
    if (rules.onStale === "again" && !hasActed()) await requireCurrent(memories, this.seen, { newest: true, by: this.#caller });
  }

  async recall(query: FactQuery): Promise<Recalled> {
    const { key, text, sinceMs, limit = LIMITS.factsRecalledDefault } = query;
    const asked = {
      ...(key === undefined ? {} : { key }),
      ...(text === undefined ? {} : { text }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
    };
    const isNewest = key === undefined && text === undefined;
    const { facts, withheld } = await this.#read(`recall/${this.#hash({ ...asked, limit })}`, [
      ...(this.#parts.rules.hasFacts ? [{ memory: this.#parts.memory, wanted: { ...asked, limit } }] : []),
      ...(isNewest ? [] : this.#ofSources({ ...asked, limit })),
    ]);
    if (key !== undefined && facts.length === 0 && withheld.untrusted > 0)
      throw new Fault("memory.untrusted", `the fact ${key} is untrusted and was written in another conversation`, { key });
    return { facts: facts.slice(0, limit), withheld };
  }

  async relevant(text: string): Promise<Recalled> {
    const words = text.slice(0, LIMITS.factTextCharsMax);
    const limit = LIMITS.factsRecalledDefault;
    const own = { text: words, limit, fill: true as const };
    return this.#read("relevant", [
      ...(this.#parts.rules.hasFacts ? [{ memory: this.#parts.memory, wanted: own }] : []),
      ...this.#ofSources({ text: words, limit }),
    ]);
  }

  async conversation(): Promise<ConversationView> {
    const kinds: ["turn", "summary"] = ["turn", "summary"];
    const wanted = { kinds, limit: LIMITS.conversationTurnsMax };
    const { facts, withheld } = await this.#read("conversation", [{ memory: this.#parts.memory, wanted }]);
    const turns = facts.map(turnOf).reverse();
    // A summary is younger than turns that came after what it stands for.
    return { turns: [...turns.filter(isSummary), ...turns.filter((turn) => !isSummary(turn))], withheld };
  }

  async remember(draft: FactDraft): Promise<FactView> {
    const { key, value, validMs } = draft;
    this.#requireFacts();
    if (key !== undefined && (key === "" || key.length > LIMITS.factKeyLengthMax))
      throw new Fault("memory.invalid", `a key has 1 to ${LIMITS.factKeyLengthMax} characters`);
    const valid = validMs === undefined ? {} : { validUntilMs: this.#parts.work.begunAtMs + validMs };
    const parents = draft.from === undefined ? [...this.#recalled.values()] : this.#named(draft.from);
    const name = `remember/${this.#hash({ key: key ?? null, value, validMs: validMs ?? null })}`;
    const fact = await this.#write(name, { kind: "fact", content: value, ...(key === undefined ? {} : { key }), ...valid }, parents);
    const { id, version, trust } = fact;
    this.#remembered.push({ ref: { memory: this.#parts.memory, id, version }, trust });
    return fact;
  }

  async summarize(turns: readonly TurnView[], summary: string, tokens: number): Promise<TurnView> {
    const ids = turns.map(({ fact }) => fact.id);
    const parents = [...this.#recalled.values()].filter(({ ref }) => ids.includes(ref.id));
    const draft = { kind: "summary" as const, content: { summary }, tokens, replaces: ids };
    const fact = await this.#write("summarize", draft, parents);
    const { memory } = this.#parts;
    // What follows was shown the summary and no longer the turns.
    for (const [name, { ref }] of this.#recalled) if (parents.some((one) => one.ref === ref)) this.#recalled.delete(name);
    this.#recalled.set(`${memory}/${fact.id}@${fact.version}`, { ref: { memory, id: fact.id, version: fact.version }, trust: fact.trust });
    return { fact, tokens, content: { summary } };
  }

  async addTurn(content: { readonly input: string; readonly output: string }, tokens: number): Promise<void> {
    // What the work item has remembered stands in what it was asked or has answered, so the turn goes with it.
    const parents = [...this.#recalled.values(), ...this.#remembered];
    await this.#write("turn", { kind: "turn", content: { ...content }, tokens }, parents);
  }

  async forget(id: string): Promise<void> {
    const { memories, memory, work } = this.#parts;
    const place = factIdParts(id, memory);
    this.#requireOwn(place.memory, `the fact ${id}`);
    await this.#parts.recorded(`forget/${this.#hash(id)}`, async () => {
      const lost = await memories.forget(memory, { ids: [place.id], why: "forgotten", by: work.agent }, this.#caller);
      return { facts: lost.facts.length };
    });
  }

  // ---- reading ---------------------------------------------------------------------------------------------------------

  #ofSources(wanted: Wanted): readonly Place[] {
    return this.#parts.rules.sources.map(({ name }) => ({ memory: sourceMemoryId(name), wanted: { ...wanted, kinds: ["document"] } }));
  }

  async #read(name: string, places: readonly Place[]): Promise<Recalled> {
    const { memories, recorded, received } = this.#parts;
    let fresh: readonly Found[] | undefined;
    const output = await recorded(name, async () => {
      const told = await Promise.all(
        places.map(({ memory, wanted }) => memories.read(memory, { ...wanted, reader: this.#reader }, this.#caller)),
      );
      fresh = told.flatMap(({ facts }, index) => facts.map((fact) => ({ memory: places[index]?.memory ?? "", fact })));
      const untrusted = told.reduce((sum, { withheld }) => sum + withheld.untrusted, 0);
      if (untrusted > 0) this.#parts.withheld("untrusted", untrusted);
      return this.#record(fresh, { untrusted, gone: 0 });
    });
    const seen = Seen.parse(output);
    received(seen.label);
    const found = fresh ?? (await this.#again(seen.facts));
    const facts = await this.#views(found);
    for (const { memory, fact } of found) {
      const ref = { memory, id: fact.id, version: fact.version };
      this.#recalled.set(`${memory}/${fact.id}@${fact.version}`, { ref, trust: fact.trust });
    }
    return { facts, withheld: seen.withheld };
  }

  /** The facts of an earlier execution, in the same versions. */
  async #again(refs: readonly FactRef[]): Promise<readonly Found[]> {
    const { memories } = this.#parts;
    const places = Map.groupBy(refs, ({ memory }) => memory);
    const read = await Promise.all(
      [...places].map(async ([memory, some]) => {
        const versions = some.map(({ id, version }) => ({ id, version }));
        const { facts } = await memories.read(memory, { refs: versions, reader: this.#reader }, this.#caller);
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

  async #views(found: readonly Found[]): Promise<readonly FactView[]> {
    const contents = await this.#parts.memories.contents(found.map(({ fact }) => fact));
    return found.map(({ memory, fact }, index) => {
      const value = contents[index];
      if (value === undefined) throw staleFault({ memory, ...fact });
      return this.#view(memory, fact, value);
    });
  }

  #view(memory: string, fact: Fact, value: Json): FactView {
    const { id, key, version, trust, atMs, validUntilMs, source, tokens } = fact;
    return {
      ...{ id: memory === this.#parts.memory ? id : outsideFactId(memory, id), version, value, trust, atMs, label: this.#seenLabel(fact) },
      ...(key === undefined ? {} : { key }),
      ...(validUntilMs === undefined ? {} : { validUntilMs }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(source === undefined ? {} : { source: { name: source.name, id: source.id } }),
    };
  }

  /** A fact's label as the task's principal sees it: what another principal wrote comes from a stranger. */
  #seenLabel({ label, writer }: Fact): Label {
    const { principal } = this.#parts.work;
    const isNamed = writer.subject !== ANONYMOUS.subject && writer.subject !== "";
    const origin = isNamed ? [principalOrigin({ tenant: principal.tenant, subject: writer.subject })] : undefined;
    return asSeenBy(joined(label, origin), principal);
  }

  // ---- writing ---------------------------------------------------------------------------------------------------------

  async #write(name: string, draft: Draft, parents: readonly { readonly ref: FactRef; readonly trust: Trust }[]): Promise<FactView> {
    const { memories, memory, work, recorded } = this.#parts;
    if (parents.length > LIMITS.factParentsMax)
      throw new Fault(
        "memory.invalid",
        `a fact is derived from ${parents.length} facts, at most ${LIMITS.factParentsMax} are noted; name them`,
      );
    const label = this.#parts.label();
    const trust = parents.reduce((low, parent) => lowerTrust(low, parent.trust), this.#ownTrust(label));
    let fresh: Fact | undefined;
    const output = await recorded(name, async (call) => {
      const refs = parents.map(({ ref }) => ref);
      const { agent, processId, id: workId, principal } = work;
      const writer = { agent, processId, workId, subject: principal.subject };
      const promoted = this.#promotion(draft, trust, label);
      const wanted = { ...draft, call, writer, trust, parents: refs, ...labelField(label), ...promoted };
      fresh = await whileThere(draft.kind, refs, async () => {
        await this.#link(refs);
        return memories.write(memory, wanted, this.#caller);
      });
      return this.#record([{ memory, fact: fresh }], NONE);
    });
    const [ref] = Seen.parse(output).facts;
    if (ref === undefined) throw new Fault("turn.failed", `the memory ${memory} has recorded no fact`);
    const { id, version } = ref;
    return {
      ...{ id, version, value: draft.content, trust, label, atMs: fresh?.atMs ?? work.begunAtMs },
      ...(draft.key === undefined ? {} : { key: draft.key }),
      ...(draft.validUntilMs === undefined ? {} : { validUntilMs: draft.validUntilMs }),
    };
  }

  /** Other memories must know that something was derived from theirs before it is. */
  async #link(refs: readonly FactRef[]): Promise<void> {
    const { memories, memory } = this.#parts;
    const others = Map.groupBy(
      refs.filter((ref) => ref.memory !== memory),
      (ref) => ref.memory,
    );
    for (const [other, some] of others)
      await memories.link(
        other,
        some.map(({ id, version }) => ({ id, version })),
        memory,
        this.#caller,
      );
  }

  #ownTrust(label: Label): Trust {
    if (isUntrusted(label)) return "untrusted";
    if (this.#parts.isModel) return "model";
    return this.#parts.hasCalled() ? "tool" : "principal";
  }

  /** A declared rule vouches for a fact that would be withheld. */
  #promotion(draft: Draft, trust: Trust, label: Label): Pick<Fact, "promoted"> {
    const { rules, work } = this.#parts;
    const { promote } = rules;
    if (promote === undefined || (trust !== "untrusted" && !isUntrusted(label))) return {};
    const fact = { key: draft.key ?? "", value: draft.content, trust, label: [...label] };
    if (!holds(promote, { fact })) return {};
    return { promoted: { by: `rule of ${work.agent}`, atMs: work.begunAtMs, reason: promote.slice(0, LIMITS.requestReasonCharsMax) } };
  }

  /** Facts that the handler names as origins: it must have recalled them. */
  #named(ids: readonly string[]): readonly { readonly ref: FactRef; readonly trust: Trust }[] {
    return ids.map((id) => {
      const place = factIdParts(id, this.#parts.memory);
      const known = [...this.#recalled.values()].findLast(({ ref }) => ref.memory === place.memory && ref.id === place.id);
      if (known !== undefined) return known;
      this.#requireOwn(place.memory, `the fact ${id}`);
      throw new Fault("memory.unknown", `the fact ${id} was not recalled by this work item`);
    });
  }

  // ---- what all acts share -----------------------------------------------------------------------------------------------

  #record(found: readonly Found[], withheld: Withheld): Json {
    const seen: Seen = {
      facts: found.map(({ memory, fact: { id, version } }) => ({ memory, id, version })),
      label: [...joined(...found.map(({ fact }) => this.#seenLabel(fact)))],
      trust: found.reduce<Trust>((low, { fact }) => lowerTrust(low, fact.trust), "principal"),
      withheld,
    };
    return seen;
  }

  #requireFacts(): void {
    const { rules, work } = this.#parts;
    if (!rules.hasFacts) throw new Fault("memory.invalid", `agent ${work.agent} declares no facts; give its option memory facts`);
  }

  #requireOwn(memory: string, what: string): void {
    if (memory === this.#parts.memory) return;
    this.#parts.withheld("scope", 1);
    throw new Fault("memory.scope", `${what} is of the memory ${memory}, and this work item has ${this.#parts.memory}`);
  }

  /** Not of the content alone: a reader of the record cannot try contents until one fits. */
  #hash(content: Json): string {
    return hashJson([this.#parts.work.id, content]).slice(0, HASH_DIGITS);
  }

  get #reader(): Reader {
    const { agent, processId, id } = this.#parts.work;
    return { agent, processId, workId: id };
  }

  get #caller(): MemoryCaller {
    const { principal, processId, trace } = this.#parts.work;
    return { principal, processId, trace };
  }
}

const HASH_DIGITS = 16;

type Wanted = Omit<MemoryOpOf<"read">, "op" | "reader">;

interface Place {
  readonly memory: string;
  readonly wanted: Wanted;
}

interface Found {
  readonly memory: string;
  readonly fact: Fact;
}

type Draft = Pick<MemoryOpOf<"write">, "kind" | "content" | "key" | "validUntilMs" | "tokens" | "replaces">;

const Turn = z.union([z.strictObject({ input: z.string(), output: z.string() }), z.strictObject({ summary: z.string() })]);

function turnOf(fact: FactView): TurnView {
  return { fact, tokens: fact.tokens ?? 0, content: Turn.parse(fact.value) };
}

function isSummary({ content }: TurnView): boolean {
  return "summary" in content;
}
