/**
 * @module A process with a `forEach` of many items, with or without the checks of the rig.
 */
import type { Json } from "../../runtime/faults.ts";
import { processMachine } from "../../runtime/process/machine.ts";
import type { Call, Stop } from "../../runtime/slip.ts";
import { packValue, type Value } from "../../runtime/value.ts";
import { sends } from "./machine-rig.ts";
import { call, ProcessRig, type SlipParts, slipOf } from "./process-rig.ts";

/** Items of a part in these tests. */
export const PART_SIZE = 4;
/** A mapping that gives the item, and the report of a compensation that had something to undo. */
export const EACH = { input: { from: ["item"] } };
export const DONE = { undone: 1, left: [], stands: [], stateStands: false };

export function pages(concurrency: number, more: Partial<Call> = {}): Stop {
  return { kind: "forEach", name: "pages", over: { from: ["task"] }, call: call("A", { ...EACH, ...more }), concurrency };
}

export function rigOf(count: number, stops: readonly Stop[], parts: SlipParts = { output: { from: ["pages"] } }): ProcessRig {
  const rig = new ProcessRig(slipOf(stops, { agents: { A: { stateful: false } }, ...parts }));
  rig.accept({ input: numbers(count) });
  return rig;
}

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Answers the open item works, the last one first, until none is open or `until` is reached. */
export function answerAll(rig: ProcessRig, output: (item: number) => Value = (item) => ({ json: item * 10 }), until = Infinity): void {
  for (let count = 0; count < until; count += 1) {
    const work = Object.values(rig.state.works)
      .filter(({ kind, stop }) => kind === "do" && stop === "pages[]")
      .at(-1);
    if (work === undefined) return;
    rig.result(work.id, { output: output(work.item) });
  }
}

export function contentOf(rig: ProcessRig, value: Value | undefined): Json | undefined {
  if (value === undefined) return undefined;
  return "json" in value ? value.json : rig.values.get(value.ref);
}

export function store(rig: ProcessRig, content: Json): Value {
  const { value, stored } = packValue(content, rig.actorId);
  if (stored !== undefined) rig.values.set(stored.ref, content);
  return value;
}

/** A process without the checks of the rig, for many items. */
export class Fold {
  readonly #rig: ProcessRig;
  state = processMachine.initial("p");
  events = 0;
  largestBytes = 0;
  readonly #asked: string[] = [];

  constructor(count: number) {
    this.#rig = new ProcessRig(slipOf([pages(64)], { agents: { A: { stateful: false } }, output: { from: ["pages"] } }));
    this.#give({ kind: "message", message: this.#rig.taskMessage({ input: numbers(count) }), bucket: "b" });
  }

  run(): void {
    for (let at = 0; at < this.#asked.length; at += 1) {
      const workId = this.#asked[at] ?? "";
      const body = { kind: "result", workId, attempt: 1, result: { output: { json: "x".repeat(20) } } } as const;
      this.#give({ kind: "message", message: this.#rig.message(`r${at}`, body) });
      if (at % 500 === 0) this.largestBytes = Math.max(this.largestBytes, JSON.stringify(this.state).length);
    }
  }

  #give(input: Parameters<typeof processMachine.decide>[1]): void {
    const { values } = this.#rig;
    const { events, stored, effects } = processMachine.decide(this.state, input, this.#rig.context());
    for (const { ref, text } of stored) values.set(ref, JSON.parse(text) as Json);
    for (const event of events) this.state = processMachine.evolve(this.state, event);
    this.events += events.length;
    this.#asked.push(...sends(effects).flatMap(({ body }) => (body.kind === "work" ? [body.workId] : [])));
  }
}
