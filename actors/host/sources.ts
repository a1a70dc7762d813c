/**
 * @module Keeps the memories of sources current: compares what each source lists with what its memory holds, and takes out what is gone.
 *
 * A comparison runs on the host on which the memory is placed, on its schedule, and on any host that is asked for one. Invariants:
 * S1 What changed or vanished is gone from its memory, and what was derived from it from all memories, before anything new is written and
 *    before the comparison is reported.
 * S2 Only a complete listing changes anything.
 * S3 A comparison that began later fences the earlier ones out: their writes are refused, so an old listing brings nothing back.
 */
import PQueue from "p-queue";
import type { SourceDefinition } from "../../agents/source.ts";
import type { System } from "../../agents/system.ts";
import { Fault, faultFrom, isFault, type WireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Difference, ListedDocument } from "../../runtime/memory/compare.ts";
import type { Fact } from "../../runtime/memory/fact.ts";
import type { Compared } from "../../runtime/memory/operations.ts";
import { sourceMemoryId } from "../../runtime/memory/scope.ts";
import { factsOf, type MemoryState } from "../../runtime/memory/state.ts";
import { actorType } from "../../runtime/protocol.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import type { Logger } from "../engine/log.ts";
import type { Ports } from "../engine/ports.ts";
import type { HostMetrics } from "../telemetry/metrics.ts";
import { droppedCount, type LostReader } from "./forgetting.ts";
import type { Memories, MemoryCaller } from "./memories.ts";
import { SourceReader } from "./source-reader.ts";

/** What a comparison has found and done. */
export interface SyncReport {
  readonly source: string;
  /** Its number: they count up over all hosts. */
  readonly comparison: number;
  readonly listed: number;
  readonly added: number;
  readonly changed: number;
  readonly vanished: number;
  /** Ids of documents that are listed and could not be read. They are read again by the next comparison. */
  readonly unread: readonly string[];
  /** Facts of other memories, and further ones of this, that were derived from what is gone. */
  readonly derived: number;
  /** Who had read what is gone. */
  readonly readers: readonly LostReader[];
  /** Readers that the memories no longer name. */
  readonly readersDropped: number;
}

/** A memory names who had read what is gone as long as it knows what is gone: less than that goes at once. */
const LOST_AT_ONCE = LIMITS.memoryPastMax / 2;

/** The parts of a host that its sources use. */
export interface SourcesParts {
  readonly system: System;
  readonly ports: Ports;
  readonly memories: Memories;
  readonly metrics: HostMetrics;
  readonly log: Logger;
}

/** What this host knows of one source. */
interface Standing {
  readonly source: SourceDefinition;
  readonly reader: SourceReader;
  running: Promise<SyncReport> | undefined;
  next: Promise<SyncReport> | undefined;
  /** When the last comparison here ended, and how many have failed since one succeeded. */
  endedAtMs: number | undefined;
  failures: number;
  cancel: () => void;
}

/** The sources of a system, as one host compares them. */
export class Sources {
  readonly #parts: SourcesParts;
  readonly #standing: ReadonlyMap<string, Standing>;
  readonly #abort = new AbortController();

  constructor(parts: SourcesParts) {
    this.#parts = parts;
    const { clock } = parts.ports;
    this.#standing = new Map(
      [...parts.system.sources].map(([name, source]) => {
        const reader = new SourceReader(source, clock, this.#abort.signal);
        return [name, { source, reader, running: undefined, next: undefined, endedAtMs: undefined, failures: 0, cancel: () => {} }];
      }),
    );
  }

  /** The names of the sources. */
  get names(): readonly string[] {
    return [...this.#standing.keys()];
  }

  /** Begins the schedules. The first comparisons begin at once. */
  start(): void {
    for (const one of this.#standing.values()) this.#plan(one, 0);
  }

  stop(): void {
    this.#abort.abort(new Fault("system.stopping", "the host shuts down"));
    for (const { cancel } of this.#standing.values()) cancel();
  }

  #plan(one: Standing, inMs: number): void {
    if (this.#abort.signal.aborted) return;
    one.cancel = this.#parts.ports.clock.after(inMs, () => {
      void this.#remind(one).finally(() => this.#plan(one, one.source.everyMs));
    });
  }

  /** Asks the host on which the memory is placed. If it does not have the source, or cannot be asked, this host compares. */
  async #remind(one: Standing): Promise<void> {
    const { transport } = this.#parts.ports;
    const type = actorType(this.#parts.system.name, "Memory");
    const asked = await transport.nudge({ type, id: sourceMemoryId(one.source.name) }, undefined).catch(() => ({ phase: "none" }));
    if (asked.phase === "none") this.#compareIfDue(one);
  }

  /** The memory of a source is placed here, and its time has come. False: this host does not have the source. */
  nudge(memory: string): boolean {
    const one = [...this.#standing.values()].find(({ source }) => sourceMemoryId(source.name) === memory);
    if (one === undefined) return false;
    this.#compareIfDue(one);
    return true;
  }

  /** Each host reminds the one that compares, so most reminders come too early. */
  #compareIfDue(one: Standing): void {
    const { source, endedAtMs, failures, running } = one;
    if (running !== undefined || this.#abort.signal.aborted) return;
    const pauseMs = Math.min(source.everyMs * 2 ** failures, Math.max(source.everyMs, LIMITS.sourceBackoffMsMax));
    if (endedAtMs !== undefined && this.#parts.ports.clock.nowMs() - endedAtMs < pauseMs * DUE_SHARE) return;
    // The fault is recorded, counted and logged.
    this.#begin(one, `schedule of ${source.name}`).catch(() => {});
  }

  /**
   * Compares a source now. A comparison that runs already may have listed too early, so another one follows it.
   * @throws `source.unknown`, `source.unavailable`, `memory.full`, `sidecar.unavailable`
   */
  async sync(name: string, by: string): Promise<SyncReport> {
    const one = this.#standing.get(name);
    if (one === undefined)
      throw new Fault("source.unknown", `there is no source ${JSON.stringify(name)}; the sources are ${this.names.join(", ") || "none"}`);
    if (one.running === undefined) return this.#begin(one, by);
    one.next ??= one.running.then(
      () => this.#begin(one, by),
      () => this.#begin(one, by),
    );
    return one.next;
  }

  #begin(one: Standing, by: string): Promise<SyncReport> {
    one.next = undefined;
    const running = this.#compare(one, by).finally(() => {
      one.running = undefined;
      one.endedAtMs = this.#parts.ports.clock.nowMs();
    });
    one.running = running;
    return running;
  }

  async #compare(one: Standing, by: string): Promise<SyncReport> {
    const { source, reader } = one;
    const { memories, metrics, log } = this.#parts;
    const memory = sourceMemoryId(source.name);
    let begun: number | undefined;
    try {
      const comparison = await memories.compare(memory, CALLER);
      begun = comparison;
      const known = documentsOf(await memories.state(memory));
      const found = await reader.compare(new Map([...known].map(([id, fact]) => [id, fact.source?.hash ?? ""])));
      const run: Comparing = { one, memory, comparison, by, found };
      const lost = await this.#takeOut(run, known);
      const unread = await this.#write(run);
      const counts = countsOf(found, unread.length);
      await memories.compared(memory, { comparison, end: { counts } }, CALLER);
      one.failures = 0;
      metrics.compared(source.name, undefined);
      if (counts.added + counts.changed + counts.vanished > 0)
        log.info({ source: source.name, comparison, ...counts, derived: lost.derived }, "a source has changed");
      const { listed, added, changed, vanished } = counts;
      return { source: source.name, comparison, listed, added, changed, vanished, unread, ...lost };
    } catch (error) {
      await this.#failed(one, begun, error);
      throw error;
    }
  }

  /** S1. What the listing proves is taken out, also if the reads that follow fail. */
  async #takeOut(run: Comparing, known: ReadonlyMap<string, Fact>): Promise<Pick<SyncReport, "derived" | "readers" | "readersDropped">> {
    const { found, memory, comparison, by } = run;
    const readers = new Map<string, LostReader>();
    const dropped = new Map<string, number>();
    let derived = 0;
    const parts = [
      ["vanished", found.vanished],
      ["changed", found.changed.map(({ id }) => id)],
    ] as const;
    for (const [why, documents] of parts) {
      const ids = documents.flatMap((id) => known.get(id)?.id ?? []);
      for (let at = 0; at < ids.length; at += LOST_AT_ONCE) {
        const some = ids.slice(at, at + LOST_AT_ONCE);
        const lost = await this.#parts.memories.forget(memory, { ids: some, why, by, comparison }, CALLER);
        derived += lost.facts.filter(({ fact }) => fact.gone?.why === "derived").length;
        for (const read of lost.readers) readers.set(`${read.memory} ${read.workId} ${read.atMs}`, read);
        for (const [of, count] of lost.dropped) dropped.set(of, count);
      }
    }
    return { derived, readers: [...readers.values()], readersDropped: droppedCount(dropped) };
  }

  /** Reads and writes what is new. Returns the documents that could not be read. */
  async #write(run: Comparing): Promise<readonly string[]> {
    const { added, changed } = run.found;
    const queue = new PQueue({ concurrency: LIMITS.sourceReadsAtOnce });
    const unread: string[] = [];
    await queue.addAll(
      [...added, ...changed].map((document) => async () => {
        if (!(await this.#writeOne(run, document))) unread.push(document.id);
      }),
    );
    return unread.sort();
  }

  /** A document that vanished since it was listed counts as one that could not be read: the next listing decides. */
  async #writeOne({ one: { source, reader }, memory, comparison }: Comparing, { id, version }: ListedDocument): Promise<boolean> {
    const { memories, log } = this.#parts;
    try {
      const content = await reader.read(id);
      if (content === undefined) return false;
      const { name, untrusted } = source;
      await memories.write(
        memory,
        {
          ...{ call: `${memory} ${comparison} ${id}`, key: id, kind: "document", content, parents: [], comparison },
          writer: { agent: memory, processId: memory, workId: `${memory}:${comparison}`, subject: "" },
          source: { name, id, hash: version },
          trust: untrusted ? "untrusted" : "tool",
          ...(untrusted ? { label: [`source:${name}`] } : {}),
        },
        CALLER,
      );
      return true;
    } catch (error) {
      if (!isFault(error) || !OF_DOCUMENT.has(error.code)) throw error;
      log.warn({ source: source.name, document: id, fault: error.toWire() }, "a document of a source could not be read");
      return false;
    }
  }

  async #failed(one: Standing, comparison: number | undefined, error: unknown): Promise<void> {
    const { memories, metrics, log } = this.#parts;
    const fault = faultFrom(error, "source.unavailable");
    // Another host has begun a later one, and its listing counts; or this host shuts down.
    if (fault.code === "work.superseded" || fault.code === "system.stopping") return;
    one.failures += 1;
    metrics.compared(one.source.name, fault.code);
    log.warn({ source: one.source.name, failures: one.failures, fault }, "a source could not be compared; nothing new was taken from it");
    if (comparison === undefined) return;
    await memories
      .compared(sourceMemoryId(one.source.name), { comparison, end: { fault: { code: fault.code, message: fault.message } } }, CALLER)
      .catch(() => undefined);
  }
}

/** One comparison. */
interface Comparing {
  readonly one: Standing;
  readonly memory: string;
  readonly comparison: number;
  readonly by: string;
  readonly found: Difference;
}

/** A reminder that comes a little early counts. */
const DUE_SHARE = 0.9;
/** What the system does for itself. */
const CALLER: MemoryCaller = { principal: { ...ANONYMOUS, subject: "system", permissions: [] } };
/** Faults of one document, after which the others are still written. */
const OF_DOCUMENT: ReadonlySet<WireFault["code"]> = new Set(["source.unavailable", "memory.invalid", "value.too-large"]);

/** The documents of a source's memory by their ids. */
function documentsOf(state: MemoryState): ReadonlyMap<string, Fact> {
  return new Map(factsOf(state).flatMap(({ fact }) => (fact.source === undefined ? [] : [[fact.source.id, fact] as const])));
}

function countsOf({ listed, added, changed, vanished }: Difference, unread: number): Compared {
  return { listed, added: added.length, changed: changed.length, vanished: vanished.length, unread };
}
