/**
 * @module The tools of a forked run: each call has the result of the record, and nothing is ever called. A read is found by its tool and
 * arguments as often as it is made. Of what writes or sends, one recorded call stands for one call.
 */
import type { ToolDefinition } from "../../agents/tool.ts";
import { hashJson } from "../../runtime/canonical.ts";
import type { RecordedRun } from "../../runtime/cassette/recorded-run.ts";
import { Fault, type Json, type WireFault } from "../../runtime/faults.ts";
import { callPrefix, idempotencyKey } from "../../runtime/ids.ts";
import type { Value } from "../../runtime/value.ts";
import type { ForkEnd } from "./fork-end.ts";

type CallEnd = { readonly output: Value } | { readonly fault: WireFault };

interface RecordedCall {
  readonly key: string;
  readonly prefix: string;
  readonly end: CallEnd;
  readonly undone: boolean;
}

/** The recorded calls of a run. */
export class ForkCalls {
  readonly #recorded: RecordedRun;
  readonly #end: ForkEnd;
  readonly #exact = new Map<string, RecordedCall>();
  readonly #same = new Map<string, RecordedCall[]>();
  /** What writes and sends were given, by the keys of the calls of this run. */
  readonly #given = new Map<string, RecordedCall>();

  constructor(recorded: RecordedRun, end: ForkEnd) {
    this.#recorded = recorded;
    this.#end = end;
    for (const { id, handler } of recorded.works) {
      if (handler === undefined) continue;
      const { calls, failures = [], attempt } = handler.work;
      const undone = new Set(calls.filter((call) => call.undone === true).map(({ key }) => key));
      for (const { key, output } of calls) if (output !== undefined) this.#keep(id, key, { output }, undone.has(key));
      for (const { kind, key, fault, attempt: of } of failures)
        if (kind === "call" && of === attempt && !this.#exact.has(idempotencyKey(id, key))) this.#keep(id, key, { fault }, undone.has(key));
    }
  }

  #keep(work: string, key: string, end: CallEnd, undone: boolean): void {
    const call = { key: idempotencyKey(work, key), prefix: key.slice(0, key.lastIndexOf("/")), end, undone };
    this.#exact.set(call.key, call);
    this.#same.set(call.prefix, [...(this.#same.get(call.prefix) ?? []), call]);
  }

  /** Whether the record has a call with these arguments. */
  has(tool: string, input: Json): boolean {
    return this.#same.has(callPrefix(tool, hashJson(input)));
  }

  /** The tool in a forked run. */
  recorded(tool: ToolDefinition, agent: string): ToolDefinition {
    return {
      ...tool,
      unknown: "repeat",
      lookup: undefined,
      breaker: false,
      timeoutMs: undefined,
      run: (input, { idempotencyKey: key }) => this.#result(tool, agent, input, key),
      undo: tool.undo === undefined ? undefined : (input, _output, { idempotencyKey: key }) => this.#undo(tool, agent, input, key),
    };
  }

  async #result(tool: ToolDefinition, agent: string, input: Json, key: string): Promise<Json> {
    if (this.#end.isOver) return this.#end.never();
    const known = this.#find(tool, input, key);
    if (known === undefined) return this.#end.unknown({ agent, what: "tool", name: tool.name, input });
    if ("fault" in known.end) throw Fault.fromWire(known.end.fault);
    return this.#recorded.contents.read(known.end.output);
  }

  #find({ name, effect }: ToolDefinition, input: Json, key: string): RecordedCall | undefined {
    const prefix = callPrefix(name, hashJson(input));
    const exact = this.#exact.get(key);
    const same = this.#same.get(prefix) ?? [];
    if (effect === "read") return exact ?? same.at(-1);
    const before = this.#given.get(key);
    if (before !== undefined) return before;
    const taken = new Set(this.#given.values());
    const found = [exact, ...same].find((call) => call !== undefined && !taken.has(call));
    if (found !== undefined) this.#given.set(key, found);
    return found;
  }

  async #undo({ name }: ToolDefinition, agent: string, input: Json, key: string): Promise<void> {
    const known = this.#given.get(key) ?? this.#exact.get(key);
    if (known?.undone !== true) await this.#end.unknown({ agent, what: "undo", name, input });
  }

  /** Whether each call of a work item that has an undo was undone in the record. Returns the tool of one that was not. */
  standing(workId: string): string | undefined {
    return this.#recorded.work(workId)?.handler?.work.calls.find(({ undo, undone }) => undo && undone !== true)?.tool;
  }
}
