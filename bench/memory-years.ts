/**
 * @module What a work item costs on one keyed model agent with memory after years: `node bench/memory-years.ts [--works 100000]`.
 *
 * Each work item recalls facts, is shown its conversation window, remembers a fact, and adds a turn; older turns become summaries. The
 * world is in memory, and ten minutes pass between two work items, so that journals are trimmed and ended processes purged. Prints
 * milliseconds and written bytes of a work item after 100 and at the end, and what the store holds. Fails above the bar.
 */
import { parseArgs } from "node:util";
import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import { SILENT } from "../actors/engine/log.ts";
import type { InsertResult, Models } from "../actors/engine/ports.ts";
import { Host } from "../actors/host/host.ts";
import { MemoryStore } from "../actors/memory/store.ts";
import { LocalWorld, SkippingClock } from "../actors/memory/world.ts";
import { SystemOperations } from "../actors/operations/system-operations.ts";
import { systemRandom } from "../actors/engine/system-clock.ts";
import { Retention } from "../actors/retention/retention.ts";
import { agent, contract, endpoint, model, route, system } from "../agents/index.ts";
import type { ModelReply, ModelRequest } from "../runtime/model/conversation.ts";
import { ANONYMOUS } from "../runtime/protocol/principal.ts";
import { whole } from "./options.ts";
import { rounded } from "./stats.ts";

/** The bar: time and bytes of a work item at the end against one after 100. */
const RATIO_MAX = 1.2;
const WORKS_MAX = 1_000_000;
const FIRST_MARK_WORKS = 100;
/** Work items of one measurement, in groups of which the median counts. */
const SPAN_WORKS = 500;
const GROUP_WORKS = 25;
const WARM_UP_WORKS = 300;
const KEYS = 40;
const TOKENS_MAX = 1_500;
const BETWEEN_MS = 600_000;
const RETENTION_MS = 3_600_000;
const SWEEP_EVERY_WORKS = 50;
const KEEP_QUIET_TURNS = 2;

/** Counts what is written, and what is there. */
class CountingStore extends MemoryStore {
  written = 0;

  override insert(key: string, text: string): Promise<InsertResult> {
    this.written += Buffer.byteLength(text);
    return super.insert(key, text);
  }

  override replace(key: string, text: string | undefined, tag: string): Promise<boolean> {
    this.written += text === undefined ? 0 : Buffer.byteLength(text);
    return super.replace(key, text, tag);
  }

  async held(): Promise<{ readonly keys: number; readonly bytes: number }> {
    const keys = this.keys();
    const contents = await this.read(keys);
    return { keys: keys.length, bytes: Buffer.byteLength(JSON.stringify([...contents.values()])) };
  }
}

const In = z.object({ customer: z.string(), text: z.string() });
const Support = contract("Support", 1, { input: In, output: z.string(), key: ({ customer }) => customer });
const support = agent(
  Support,
  model({ instructions: "Help the customer.", memory: { conversation: { tokensMax: TOKENS_MAX }, facts: { scope: "key" } } }),
);
const main = route("main", 1, In)
  .to("support", Support, ({ task }) => task)
  .output(({ support: said }) => said);
const placeholder = endpoint({
  name: "scripted",
  model: "scripted",
  provider: "scripted",
  price: { inputPerMillion: 0, outputPerMillion: 0 },
  connect: () => ({ chat: () => Promise.reject(new Error("not called")) }),
});
const years = system("years", { agents: [support], routes: [main], models: { default: placeholder } });

/** Remembers a fact in each task, and answers. A summary is a fixed text. */
function replyTo({ messages }: ModelRequest): ModelReply {
  const last = messages.at(-1);
  const reply = { text: "", calls: [], finish: "stop" as const, model: "scripted", endpoint: "scripted" };
  if (messages[0]?.text.startsWith("Summarize") === true) return { ...reply, text: `They spoke of orders. ${"It was long. ".repeat(20)}` };
  if (last?.role === "tool") return { ...reply, text: `Noted, and done. ${"Thank you for your order. ".repeat(4)}` };
  const number = Number(/order (\d+)/.exec(last?.text ?? "")?.[1] ?? 0);
  const given = JSON.stringify({ key: `order-${number % KEYS}`, text: `The customer asked about order ${number}.` });
  return { ...reply, finish: "calls", calls: [{ id: `call-${number}`, name: "remember", arguments: given }] };
}

const models: Models = {
  costMicrosMax: () => 0,
  costMicros: () => 0,
  attempt: async ({ request }) => replyTo(request),
};

/** One measurement: from after that many work items on. */
interface Measured {
  readonly works: number;
  readonly ms: number;
  readonly bytes: number;
  /** What the store holds after it. */
  readonly held: { readonly keys: number; readonly bytes: number };
}

/** The result. */
interface Years {
  readonly measured: readonly Measured[];
  readonly ratios: { readonly ms: number; readonly bytes: number; readonly held: number };
}

class Bed {
  readonly store = new CountingStore();
  readonly #clock = new SkippingClock(Date.now());
  readonly #world = new LocalWorld({ clock: this.#clock, store: this.store, random: systemRandom, models });
  readonly #host = new Host({ system: years, ports: this.#world.ports, log: SILENT });
  readonly #operations: SystemOperations;
  readonly #retention: Retention;
  readonly #ended = new Set<string>();
  #works = 0;

  constructor() {
    this.#world.attach(this.#host);
    const { ports } = this.#world;
    this.#retention = new Retention({ system: years.name, host: this.#host, ports, log: SILENT, retentionMs: RETENTION_MS });
    this.#operations = new SystemOperations({
      system: years,
      ports,
      host: this.#host,
      newId: () => systemRandom.token(),
      retention: this.#retention,
    });
    this.#host.listen((_before, after) => {
      if (after.phase === "ended") this.#ended.add(after.id);
    });
  }

  /** Does one work item. Returns its milliseconds. */
  async work(customer: string): Promise<number> {
    this.#works += 1;
    const id = `w${this.#works}`;
    const input = { customer, text: `Where is order ${this.#works}? ${"I have waited for a while. ".repeat(4)}` };
    const beganAt = performance.now();
    await this.#operations.submit({ id, route: "main", input }, { principal: ANONYMOUS }, 0);
    while (!this.#ended.has(id)) await this.#turn();
    const ms = performance.now() - beganAt;
    this.#ended.delete(id);
    const { outcome } = await this.#operations.process(id);
    if (outcome?.status !== "completed") throw new Error(`work item ${this.#works} ended with ${JSON.stringify(outcome)}`);
    await this.#pass();
    if (this.#works % SWEEP_EVERY_WORKS === 0) await this.#retention.sweepWhole();
    return ms;
  }

  async #turn(): Promise<void> {
    await nextTurn();
    this.#clock.fireDue();
  }

  /** Lets the time between two work items pass. */
  async #pass(): Promise<void> {
    let isOver = false;
    this.#clock.after(BETWEEN_MS, () => (isOver = true));
    while (!isOver) {
      for (let turn = 0; turn < KEEP_QUIET_TURNS || this.#world.busy; turn += 1) await this.#turn();
      if (!isOver) this.#clock.leap();
    }
  }

  stop(): Promise<void> {
    return this.#host.stop(0);
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? 0;
}

/** Does that many work items on one key, and measures some of them. */
async function memoryYears(works: number): Promise<Years> {
  const bed = new Bed();
  for (let count = 0; count < WARM_UP_WORKS; count += 1) await bed.work("warm-up");
  const span = Math.min(SPAN_WORKS, Math.floor((works - FIRST_MARK_WORKS) / 2));
  const marks = [FIRST_MARK_WORKS, works - span];
  const measured: Measured[] = [];
  for (let done = 0; done < works;) {
    if (!marks.includes(done)) {
      await bed.work("ann");
      done += 1;
      continue;
    }
    const [from, groups]: [number, number[]] = [bed.store.written, []];
    for (let at = 0; at < span; at += GROUP_WORKS) {
      let sum = 0;
      for (let count = 0; count < Math.min(GROUP_WORKS, span - at); count += 1) sum += await bed.work("ann");
      groups.push(sum / Math.min(GROUP_WORKS, span - at));
    }
    measured.push({ works: done, ms: median(groups), bytes: (bed.store.written - from) / span, held: await bed.store.held() });
    done += span;
  }
  await bed.stop();
  const [first, last] = [measured[0], measured.at(-1)];
  if (first === undefined || last === undefined) throw new Error("nothing was measured");
  return { measured, ratios: { ms: last.ms / first.ms, bytes: last.bytes / first.bytes, held: last.held.bytes / first.held.bytes } };
}

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { works: { type: "string", default: "5000" } } });
  const works = whole(values.works, "--works", WORKS_MAX);
  if (works < FIRST_MARK_WORKS + 2) throw new Error(`--works is ${works}, but must be at least ${FIRST_MARK_WORKS + 2}`);
  const { measured, ratios } = await memoryYears(works);
  for (const { works: after, ms, bytes, held } of measured)
    console.log(
      `after ${after}: ${rounded(ms)} ms and ${rounded(bytes)} bytes of a work item; stored: ${held.keys} keys, ${held.bytes} bytes`,
    );
  console.log(`the end against the beginning: time ${rounded(ratios.ms)}, bytes ${rounded(ratios.bytes)}, held ${rounded(ratios.held)}`);
  if (Math.max(ratios.ms, ratios.bytes) > RATIO_MAX) throw new Error(`above the bar of ${RATIO_MAX}`);
}

if (import.meta.main) await run();
