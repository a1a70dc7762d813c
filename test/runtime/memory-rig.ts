/** @module Drives one memory as its host does: operations in, answers out. */
import { memoryAnswer } from "../../runtime/memory/answer.ts";
import type { Fact } from "../../runtime/memory/fact.ts";
import { type MemoryInput, memoryMachine } from "../../runtime/memory/machine.ts";
import type { MemoryAnswer, MemoryOp, MemoryOpOf } from "../../runtime/memory/operations.ts";
import type { MemoryEvent, MemoryState } from "../../runtime/memory/state.ts";
import { carried, type Principal } from "../../runtime/protocol/principal.ts";
import { MachineRig, PRINCIPAL, TRACE } from "./machine-rig.ts";

/** What an operation led to: its answer, or the code of its refusal. */
export type Told = MemoryAnswer | { readonly code: string };

/** One memory. */
export class MemoryRig extends MachineRig<MemoryState, MemoryInput, MemoryEvent> {
  #calls = 0;

  constructor(id = "key.Desk.ann") {
    super(memoryMachine, id);
  }

  perform(op: MemoryOp, principal: Principal = PRINCIPAL, found?: readonly string[]): Told {
    const message = {
      v: 1 as const,
      id: `m${this.log.length}`,
      to: { type: "sys.Memory", id: this.actorId },
      from: "host",
      processId: "p",
      createdAtMs: this.nowMs,
      expiresAtMs: this.nowMs + 60_000,
      hop: 0,
      principal: carried(principal),
      trace: TRACE,
      body: { kind: "memory" as const, op },
    };
    const { verdict } = this.give({ kind: "message", message, found });
    if (verdict.kind === "refused") return { code: verdict.fault.code };
    return memoryAnswer(this.state, op, { principal, nowMs: this.nowMs, found });
  }

  /** Writes a fact with defaults, and gives it. */
  write(content: string, more: Partial<MemoryOpOf<"write">> = {}): Fact {
    this.#calls += 1;
    const told = this.perform({
      op: "write",
      call: `call-${this.#calls}`,
      kind: "fact",
      content,
      writer: { agent: "Desk", processId: "p", workId: "p:1:a:0:1", subject: PRINCIPAL.subject },
      trust: "principal",
      parents: [],
      ...more,
    });
    const [fact] = "facts" in told ? told.facts : [];
    if (fact === undefined) throw new Error(`nothing was written: ${JSON.stringify(told)}`);
    return fact;
  }

  read(wanted: Partial<MemoryOpOf<"read">> = {}, processId = "p"): MemoryAnswer {
    const told = this.perform({ op: "read", reader: { agent: "Desk", processId, workId: `${processId}:1:a:0:1` }, ...wanted });
    if ("code" in told) throw new Error(told.code);
    return told;
  }

  forget(...facts: readonly Fact[]): Told {
    return this.perform({ op: "forget", ids: facts.map(({ id }) => id), why: "forgotten", by: "ann" });
  }

  /** The contents that the memory still refers to. */
  contents(): readonly unknown[] {
    const held = [...Object.values(this.state.facts), ...this.state.past].flatMap(({ fact }) => fact.content ?? []);
    return held.flatMap((value) => ("ref" in value ? [(this.values.get(value.ref) as { readonly value: unknown }).value] : []));
  }
}

/** A fact of this memory as the parent of another. */
export function parent(memory: string, { id, version }: Fact): { memory: string; id: string; version: number } {
  return { memory, id, version };
}
