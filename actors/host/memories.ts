/**
 * @module Reads and changes memories, on any host: sends operations to memory actors and reads the contents of facts.
 *
 * Each operation concerns one memory. Forgetting goes on to the memories that hold what was derived from the facts that went.
 */
import { Fault, invariant } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Fact } from "../../runtime/memory/fact.ts";
import { memoryMachine } from "../../runtime/memory/machine.ts";
import type { MemoryAnswer, MemoryOp, MemoryOpOf, VersionRef } from "../../runtime/memory/operations.ts";
import type { MemoryState } from "../../runtime/memory/state.ts";
import { type Address, actorType, type Message, type Trace } from "../../runtime/protocol.ts";
import { carried, type Principal } from "../../runtime/protocol/principal.ts";
import type { Ports } from "../engine/ports.ts";
import type { Values } from "../engine/values.ts";
import { freshTrace } from "../telemetry/spans.ts";
import { NO_ANSWER } from "../../runtime/memory/answer.ts";
import { contentsOf, type FactContent } from "./fact-contents.ts";
import { follow, type Lost } from "./forgetting.ts";
import type { IndexClient } from "./index-client.ts";

/** For whom an operation is done. */
export interface MemoryCaller {
  readonly principal: Principal;
  /** The process to which it belongs. Absent: it is done for an operator, or for the system itself. */
  readonly processId?: string | undefined;
  readonly trace?: Trace | undefined;
}

/** The parts of a host that its memories' clients use. */
export interface MemoriesParts {
  readonly system: string;
  readonly ports: Ports;
  readonly values: Values;
  /** The index of memories. */
  readonly catalog: IndexClient;
}

/** The memories of a system. All methods throw `sidecar.unavailable`, and the coded faults of the memory. */
export class Memories {
  readonly #parts: MemoriesParts;

  constructor(parts: MemoriesParts) {
    this.#parts = parts;
  }

  /** Writes a fact, or a version of one. The same call writes once. */
  async write(memory: string, draft: Omit<MemoryOpOf<"write">, "op">, by: MemoryCaller): Promise<Fact> {
    const { facts } = await this.perform(memory, { op: "write", ...draft }, by);
    const [written] = facts;
    invariant(written !== undefined, "a write is answered with its fact");
    return written;
  }

  /** Reads facts, and notes their reader if one is named. Facts that the reader may not have are only counted. */
  read(memory: string, wanted: Omit<MemoryOpOf<"read">, "op">, by: MemoryCaller): Promise<MemoryAnswer> {
    return this.perform(memory, { op: "read", ...wanted }, by);
  }

  /** Which of these versions are no longer the newest; those that the memory no longer names are counted as gone. */
  check(memory: string, refs: readonly VersionRef[], by: MemoryCaller): Promise<MemoryAnswer> {
    return this.perform(memory, { op: "check", refs: [...refs] }, by);
  }

  /** Forgets facts of this memory in all their versions, and what was derived from them in any memory. */
  async forget(memory: string, lost: Omit<MemoryOpOf<"forget">, "op">, by: MemoryCaller): Promise<Lost> {
    return follow(this, memory, await this.perform(memory, { op: "forget", ...lost }, by), by);
  }

  /** Tells other memories what is gone from this one, as far as they were not told yet. */
  async finish(memory: string, { toTell }: MemoryState, by: MemoryCaller): Promise<void> {
    if (toTell.length > 0) await follow(this, memory, { ...NO_ANSWER, derivedIn: toTell }, by);
  }

  /** Begins a comparison of a source with this memory. Returns its number. */
  async compare(memory: string, by: MemoryCaller): Promise<number> {
    const { comparison } = await this.perform(memory, { op: "compare" }, by);
    invariant(comparison !== undefined, "a comparison that has begun has a number");
    return comparison;
  }

  /** Ends a comparison. */
  async compared(memory: string, ended: Omit<MemoryOpOf<"compared">, "op">, by: MemoryCaller): Promise<void> {
    await this.perform(memory, { op: "compared", ...ended }, by);
  }

  /** Vouches for a fact, so that other conversations may read it although it is untrusted. */
  promote(memory: string, promoted: Omit<MemoryOpOf<"promote">, "op">, by: MemoryCaller): Promise<MemoryAnswer> {
    return this.perform(memory, { op: "promote", ...promoted }, by);
  }

  /** Notes that another memory is about to hold a fact derived from these. */
  link(memory: string, refs: readonly VersionRef[], other: string, by: MemoryCaller): Promise<MemoryAnswer> {
    return this.perform(memory, { op: "link", refs: [...refs], memory: other }, by);
  }

  /** The contents of facts, in their order; undefined for what is gone. */
  contents(facts: readonly Fact[]): Promise<readonly (FactContent | undefined)[]> {
    return contentsOf(this.#parts.values, facts);
  }

  /** All that a memory holds, without contents. One that does not exist is empty. */
  async state(memory: string): Promise<MemoryState> {
    const shown = await this.#parts.ports.transport.inspect(this.#address(memory));
    const parsed = memoryMachine.states.safeParse(shown);
    if (!parsed.success) throw new Fault("sidecar.unavailable", `the memory ${memory} showed no state`);
    return parsed.data;
  }

  /** The ids of all memories. */
  async list(): Promise<readonly string[]> {
    const { catalog } = this.#parts;
    const ids = new Set<string>();
    for (const bucket of await catalog.buckets()) for (const { id } of await catalog.read(bucket)) ids.add(id);
    return [...ids].sort();
  }

  /** Performs one operation. The message goes straight to the actor: it may hold the content of a fact. */
  async perform(memory: string, op: MemoryOp, { principal, processId = "memory", trace }: MemoryCaller): Promise<MemoryAnswer> {
    const { clock, random, transport } = this.#parts.ports;
    const nowMs = clock.nowMs();
    const message: Message = {
      v: 1,
      id: `memory-${op.op}-${random.token()}`,
      to: this.#address(memory),
      from: "host",
      processId,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + LIMITS.messageLifetimeMsDefault,
      hop: 0,
      principal: carried(principal),
      trace: trace ?? freshTrace(random),
      body: { kind: "memory", op },
    };
    const answer = await transport.deliver(message);
    if ("refused" in answer) throw Fault.fromWire(answer.refused);
    if (answer.memory === undefined) throw new Fault("sidecar.unavailable", `the memory ${memory} answered without what was asked for`);
    return answer.memory;
  }

  #address(memory: string): Address {
    return { type: actorType(this.#parts.system, "Memory"), id: memory };
  }
}
