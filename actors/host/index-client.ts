/**
 * @module Writes and reads the index actors. Entries are written in batches; a full bucket is followed by the next.
 */
import { Fault, isFault } from "../../runtime/faults.ts";
import { bucketOf, entriesOf, INDEX_ROOT, indexMachine, nextBucket } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Address, actorType, type IndexName, type Message } from "../../runtime/protocol.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import type { Ports } from "../engine/ports.ts";
import { isBroken } from "../engine/quarantine.ts";
import { freshTrace } from "../telemetry/spans.ts";

interface Waiting {
  readonly entry: IndexEntry;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Line {
  waiting: Waiting[];
  flushing: boolean;
  /** When those that wait are written at the latest. */
  dueAtMs: number;
  /** Cancels the scheduled flush. */
  linger: (() => void) | undefined;
}

const NEVER = Number.POSITIVE_INFINITY;

/** Refusals of a batch that some of its entries cause. */
const ALONE: readonly string[] = ["index.full", "message.invalid", "turn.failed"];

/** Whether a bucket takes no more new entries: it is full or broken. */
function isClosed(error: unknown): boolean {
  return isBroken(error) || (isFault(error) && error.code === "index.full");
}

/** One index of a system (the directory or the dead letter queue), as this host writes and reads it. */
export class IndexClient {
  readonly #ports: Ports;
  readonly #type: string;
  readonly #lines = new Map<string, Line>();
  readonly #registered = new Map<string, Promise<void>>();
  #part = 0;
  #slice = "";

  constructor(ports: Ports, system: string, index: IndexName) {
    this.#ports = ports;
    this.#type = actorType(system, index);
  }

  /** Writes a new open entry to the current bucket, as {@link enter}; returns the bucket. Throws `sidecar.unavailable`, `index.full`. */
  async open(entry: IndexEntry, lingerMs = 0): Promise<string> {
    for (;;) {
      const bucket = this.#currentBucket();
      try {
        await Promise.all([this.#register(bucket), this.enter(bucket, entry, lingerMs)]);
        return bucket;
      } catch (error) {
        if (!isClosed(error) || this.#part >= LIMITS.indexBucketsMax) throw error;
        if (bucket === this.#currentBucket()) this.#part += 1;
      }
    }
  }

  #currentBucket(): string {
    const slice = bucketOf(this.#ports.clock.nowMs(), 0);
    if (slice !== this.#slice) {
      this.#slice = slice;
      this.#part = 0;
    }
    return bucketOf(this.#ports.clock.nowMs(), this.#part);
  }

  /** The root must name a bucket before its entries can be found. */
  #register(bucket: string): Promise<void> {
    const known = this.#registered.get(bucket);
    if (known !== undefined) return known;
    const made = this.enter(INDEX_ROOT, { id: bucket, open: true, atMs: this.#ports.clock.nowMs(), facts: {} });
    this.#registered.set(bucket, made);
    made.catch(() => this.#registered.delete(bucket));
    if (this.#registered.size > LIMITS.pageEntriesMax) this.#registered.delete(this.#registered.keys().next().value ?? "");
    return made;
  }

  /**
   * Writes an entry to the bucket that it names, or to the first later bucket with room. An existing entry is found in the
   * same way, because a full bucket stays full. A broken bucket counts as full. Throws `sidecar.unavailable`, `index.full`.
   */
  async file(bucket: string, entry: IndexEntry): Promise<void> {
    let at = bucket;
    for (let part = 0; part < LIMITS.indexPartsMax; part += 1) {
      try {
        await Promise.all([this.#register(at), this.enter(at, entry)]);
        return;
      } catch (error) {
        if (!isClosed(error)) throw error;
        at = nextBucket(at);
      }
    }
    throw new Fault("index.full", `no bucket from ${bucket} on has room; shorten the retention or decide on dead letters`);
  }

  /** Writes an entry that stands in a bucket already. If that is broken, it is written to the next one. Throws as {@link file} does. */
  async update(bucket: string, entry: IndexEntry, lingerMs = 0): Promise<void> {
    try {
      await this.enter(bucket, entry, lingerMs);
    } catch (error) {
      if (!isBroken(error)) throw error;
      await this.file(nextBucket(bucket), entry);
    }
  }

  /**
   * Writes an entry; resolves on the index's receipt. Entries that wait during a write go together in the next.
   * With `lingerMs` the entry waits that long for others, unless one that waits less is written earlier.
   */
  enter(bucket: string, entry: IndexEntry, lingerMs = 0): Promise<void> {
    const line = this.#lines.get(bucket) ?? { waiting: [], flushing: false, dueAtMs: NEVER, linger: undefined };
    this.#lines.set(bucket, line);
    const entered = new Promise<void>((resolve, reject) => {
      line.waiting.push({ entry, resolve, reject });
    });
    const dueAtMs = this.#ports.clock.nowMs() + lingerMs;
    const isFirst = dueAtMs < line.dueAtMs;
    if (isFirst) line.dueAtMs = dueAtMs;
    if (line.flushing) return entered;
    if (lingerMs === 0) void this.#flush(bucket, line);
    else if (isFirst) this.#flushLater(bucket, line);
    return entered;
  }

  #flushLater(bucket: string, line: Line): void {
    const { clock } = this.#ports;
    line.linger?.();
    line.linger = clock.after(Math.max(0, line.dueAtMs - clock.nowMs()), () => void this.#flush(bucket, line));
  }

  async #flush(bucket: string, line: Line): Promise<void> {
    line.flushing = true;
    line.linger?.();
    line.linger = undefined;
    do {
      const batch = line.waiting.splice(0, LIMITS.indexBatchMax);
      if (line.waiting.length === 0) line.dueAtMs = NEVER;
      try {
        await this.#send(
          bucket,
          batch.map((one) => one.entry),
        );
        for (const one of batch) one.resolve();
      } catch (error) {
        if (batch.length > 1 && isFault(error) && ALONE.includes(error.code)) await this.#sendSingly(bucket, batch);
        else for (const one of batch) one.reject(error);
      }
    } while (line.dueAtMs <= this.#ports.clock.nowMs());
    line.flushing = false;
    if (line.waiting.length > 0) this.#flushLater(bucket, line);
    else this.#lines.delete(bucket);
  }

  /**
   * Splits a refused batch. A full bucket refuses new entries but has older ones, which must not be written to the next bucket too. An
   * entry that the bucket cannot take must not fail the others.
   */
  async #sendSingly(bucket: string, batch: readonly Waiting[]): Promise<void> {
    await Promise.all(batch.map((one) => this.#send(bucket, [one.entry]).then(one.resolve, one.reject)));
  }

  async #send(bucket: string, entries: IndexEntry[]): Promise<void> {
    const { clock, random, transport } = this.#ports;
    const nowMs = clock.nowMs();
    const message: Message = {
      v: 1,
      id: `entries-${random.token()}`,
      to: { type: this.#type, id: bucket },
      from: "host",
      processId: "index",
      createdAtMs: nowMs,
      expiresAtMs: nowMs + LIMITS.messageLifetimeMsDefault,
      hop: 0,
      principal: { ...ANONYMOUS, permissions: [] },
      trace: freshTrace(random),
      body: { kind: "entries", entries },
    };
    const answer = await transport.deliver(message);
    if ("refused" in answer) throw Fault.fromWire(answer.refused);
  }

  /** Returns the entries of one bucket. Throws `sidecar.unavailable`, and the faults of the bucket. */
  async read(bucket: string): Promise<readonly IndexEntry[]> {
    const shown = await this.#ports.transport.inspect(this.#address(bucket));
    const parsed = indexMachine.states.safeParse(shown);
    if (!parsed.success) throw new Fault("sidecar.unavailable", `bucket ${bucket} of ${this.#type} showed no index`);
    return entriesOf(parsed.data);
  }

  /** Returns the buckets, oldest first. */
  async buckets(): Promise<readonly string[]> {
    const entries = await this.read(INDEX_ROOT);
    return entries.map((entry) => entry.id).sort();
  }

  #address(bucket: string): Address {
    return { type: this.#type, id: bucket };
  }
}
