/**
 * @module The laws of memories, followed from the events of memory actors and from what is sent to models: what is gone is gone with all
 * that was derived from it, in the store, in prompts and in listings; and nothing invalid or untrusted is recalled.
 *
 * The derivations are followed here again, over all memories, from the parents that facts were written with.
 */
import { isUntrusted, joined, principalOrigin } from "../../runtime/label.ts";
import { type Fact, lowerTrust, TRUSTS } from "../../runtime/memory/fact.ts";
import { evolveMemory, type MemoryEvent, type MemoryState, versionOf } from "../../runtime/memory/state.ts";
import type { ModelRequest } from "../../runtime/model/conversation.ts";
import { actorType, type Message } from "../../runtime/protocol.ts";
import { place } from "../world/life.ts";
import type { World } from "../world/world.ts";
import { contentOf } from "./contents.ts";
import type { LabelLaws } from "./label-laws.ts";
import { type Find, follow, type Shadow, type WrittenKey } from "./shadow.ts";

type EventOf<E extends MemoryEvent["e"]> = Extract<MemoryEvent, { readonly e: E }>;

/** One version of a fact in one memory. */
interface Known {
  readonly memory: string;
  readonly fact: Fact;
  readonly marks: readonly string[];
  /** In virtual time. Absent: it is not gone. */
  goneMs: number | undefined;
  why: string;
}

const PROMPT = "no prompt holds what was gone when it was built";
const RECALL = "nothing invalid is recalled";

/** Follows all memories of a run. */
export class MemoryLaws {
  readonly #world: World;
  readonly #find: Find;
  readonly #labels: LabelLaws;
  readonly #known = new Map<string, Known>();
  /** When each mark of a fact was last gone, if no fact that is there has it. */
  readonly #byMark = new Map<string, Known[]>();
  /** Values that a record has referred to. */
  readonly #refs = new Set<string>();
  /** When the host of a work item last asked a memory for it. */
  readonly #readMs = new Map<string, number>();

  constructor(world: World, find: Find, labels: LabelLaws) {
    this.#world = world;
    this.#find = find;
    this.#labels = labels;
  }

  /** How many facts there were. */
  get count(): number {
    return this.#known.size;
  }

  /** A record or snapshot of a memory was written. */
  wrote(shadow: Shadow<MemoryState>, key: WrittenKey): void {
    follow<MemoryState, MemoryEvent>(shadow, key, evolveMemory, this.#find, (event, before) => {
      if (event.e === "fact-written") this.#written(shadow.id, event.held.fact, before);
      if (event.e === "facts-gone") this.#gone(shadow.id, event, before);
      if (event.e === "facts-read") this.#read(shadow.id, event, before);
    });
  }

  #written(memory: string, fact: Fact, before: MemoryState): void {
    const { content, parents, label } = fact;
    const value = content === undefined ? undefined : contentOf(this.#world, content);
    const text = JSON.stringify(value ?? null);
    if (content !== undefined && "ref" in content) this.#refs.add(content.ref);
    const known: Known = { memory, fact, marks: this.#world.outside.marks.in(text), goneMs: undefined, why: "" };
    const name = nameOf(memory, fact);
    if (this.#known.has(name)) this.#find("a version of a fact is written once", `${name} was written twice`);
    this.#known.set(name, known);
    for (const mark of known.marks) this.#byMark.set(mark, [...(this.#byMark.get(mark) ?? []), known]);
    this.#labels.requires(value, label, principalOrigin({ tenant: "default", subject: fact.writer.subject }), `fact ${name}`);
    for (const parent of parents) {
      const from = this.#known.get(nameOf(parent.memory, parent));
      if (from === undefined) continue;
      if (lowerTrust(from.fact.trust, fact.trust) !== fact.trust)
        this.#find("trust is the minimum over a derivation", `${name} is ${fact.trust}, and its parent ${parent.id} is ${from.fact.trust}`);
      if (joined(label, from.fact.label).length > joined(label).length && !isPromoted(from, before))
        this.#find(
          "labels never shrink",
          `${name} has the label ${label?.join(", ") ?? "empty"}, and its parent ${parent.id} ${String(from.fact.label)}`,
        );
    }
    if (!TRUSTS.includes(fact.trust)) this.#find("trust is known", name);
  }

  #gone(memory: string, { versions, why }: EventOf<"facts-gone">, before: MemoryState): void {
    for (const version of versions) {
      const known = this.#known.get(nameOf(memory, version));
      if (known === undefined || versionOf(before, version) === undefined) {
        this.#find("only what was there goes", `${nameOf(memory, version)} went, and was not there`);
        continue;
      }
      known.goneMs = this.#world.timeline.nowMs;
      known.why = why;
    }
  }

  #read(memory: string, { read }: EventOf<"facts-read">, before: MemoryState): void {
    for (const ref of read.facts) {
      const held = versionOf(before, ref);
      if (held?.fact.content === undefined) {
        this.#find(RECALL, `${read.workId} recalled ${nameOf(memory, ref)}, which is gone`);
        continue;
      }
      const { trust, label, writer, kind, promoted, validUntilMs } = held.fact;
      if (validUntilMs !== undefined && validUntilMs <= read.atMs) this.#find(RECALL, `${read.workId} recalled ${ref.id} after its time`);
      const isStrange = trust === "untrusted" && kind !== "document" && promoted === undefined && isUntrusted(label);
      if (isStrange && writer.processId !== read.processId)
        this.#find(
          "no untrusted fact reaches another conversation",
          `${read.workId} recalled ${nameOf(memory, ref)} of ${writer.processId}`,
        );
    }
  }

  /** A host sends a message. */
  sent({ body }: Message): void {
    const workId = body.kind === "memory" ? place.getStore()?.workId : undefined;
    if (workId !== undefined && body.kind === "memory" && (body.op.op === "read" || body.op.op === "check"))
      this.#readMs.set(workId, this.#world.timeline.nowMs);
  }

  /** A request reaches the provider of a model. Its prompt was built after its work item had last asked a memory. */
  prompted(workId: string, request: ModelRequest): void {
    if (this.#byMark.size === 0) return;
    const checkedMs = this.#readMs.get(workId) ?? -1;
    for (const mark of this.#world.outside.marks.in(JSON.stringify(request.messages))) {
      const known = this.#byMark.get(mark);
      if (known === undefined || known.some(({ goneMs }) => goneMs === undefined || goneMs >= checkedMs)) continue;
      const [{ memory, fact, why, goneMs = 0 } = nothing()] = known;
      const times = `at ${Math.round(goneMs)} ms, and it asked at ${Math.round(checkedMs)} ms`;
      this.#find(PROMPT, `a prompt of ${workId} holds ${nameOf(memory, fact)}, which was ${why} ${times}`);
    }
  }

  /** When everything is quiet: what was derived from what is gone is gone too, and nothing of it is in the store of its memory. */
  check(): void {
    const gone = [...this.#known.values()].filter(({ goneMs, why }) => goneMs !== undefined && why !== "replaced");
    for (const { memory, fact, goneMs } of this.#known.values()) {
      if (goneMs !== undefined) continue;
      const lost = fact.parents.find((parent) =>
        gone.some((one) => one.memory === parent.memory && one.fact.id === parent.id && one.fact.version === parent.version),
      );
      if (lost !== undefined)
        this.#find(
          "what was derived from what is gone goes too",
          `${nameOf(memory, fact)} is there, and its parent ${nameOf(lost.memory, lost)} is gone`,
        );
    }
    const marks = new Set(
      gone.flatMap((known) => known.marks.filter((mark) => this.#byMark.get(mark)?.every((one) => one.goneMs !== undefined) === true)),
    );
    if (marks.size === 0) return;
    for (const key of this.#world.store.keys) {
      if (!this.#isOfMemory(key) || this.#isUnrung(key)) continue;
      const left = this.#world.outside.marks.in(this.#world.store.text(key) ?? "").find((mark) => marks.has(mark));
      if (left !== undefined) this.#find("nothing of what is gone is in the store of its memory", `${left} stands in ${key}`);
    }
  }

  /** A late write to a memory whose reminder to remove again was lost: the next operation of that memory does it. */
  #isUnrung(key: string): boolean {
    const [scope = ""] = key.split("/").slice(-2);
    const actor = { type: actorType(this.#world.options.system.name, "Memory"), id: scope.slice(scope.indexOf("~") + 1) };
    return this.#world.store.wasLate(key) && this.#world.reminders.wasLost(actor, "again");
  }

  /** A record of a memory, or a value that one has referred to. A value whose record was never made is known to no actor. */
  #isOfMemory(key: string): boolean {
    return key.includes(".Memory/") || (key.includes("/value/Memory~") && this.#refs.has(key.slice(key.lastIndexOf("/") + 1)));
  }
}

function nothing(): Known {
  throw new Error("invariant: a mark has a fact");
}

function isPromoted({ fact }: Known, state: MemoryState): boolean {
  return versionOf(state, fact)?.fact.promoted !== undefined;
}

function nameOf(memory: string, { id, version }: { readonly id: string; readonly version: number }): string {
  return `${memory}/${id}@${version}`;
}
