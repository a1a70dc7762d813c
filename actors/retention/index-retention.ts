/** @module Retention of the indexes: removes entries and requests whose process is purged, decided invalid messages, and empty buckets. */
import { plainJson } from "../../runtime/canonical.ts";
import { bucketBeginsAtMs, entriesOf, INDEX_ROOT, type IndexState } from "../../runtime/index-actor.ts";
import { requestParts, runParts } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Address, actorType, type IndexName } from "../../runtime/protocol.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import type { JournalPurge } from "./journal-purge.ts";
import type { Host } from "../host/host.ts";
import type { Ports } from "../engine/ports.ts";
import { isBroken } from "../engine/quarantine.ts";

/** The system whose indexes are purged, and the ports. */
export interface IndexRetentionParts {
  readonly system: string;
  readonly host: Host;
  readonly ports: Ports;
  readonly purge: JournalPurge;
}

/** Removes entries and buckets from the indexes. All methods throw `store.unavailable`. */
export class IndexRetention {
  readonly #parts: IndexRetentionParts;

  constructor(parts: IndexRetentionParts) {
    this.#parts = parts;
  }

  /** The buckets of an index, oldest first. */
  async names(index: IndexName): Promise<readonly string[]> {
    return entriesOf(await this.state(index, INDEX_ROOT))
      .map((entry) => entry.id)
      .sort();
  }

  /** The current content of a bucket. */
  async state(index: IndexName, bucket: string): Promise<IndexState> {
    return (await this.#parts.host.indexEngine(index).fresh(bucket)).state;
  }

  /** The current content of a bucket; undefined if it is broken. It stays, and so do the subjects of its entries, until it is set aside. */
  async readable(index: IndexName, bucket: string): Promise<IndexState | undefined> {
    try {
      return await this.state(index, bucket);
    } catch (error) {
      if (!isBroken(error)) throw error;
      return undefined;
    }
  }

  /** Removes entries; drops the bucket when none is left and none can follow. Returns when to check again, if that is known. */
  async tidy(index: IndexName, bucket: string, gone: readonly string[], isNeeded = false): Promise<number | undefined> {
    const engine = this.#parts.host.indexEngine(index);
    const nowMs = this.#parts.ports.clock.nowMs();
    const closesAtMs = bucketBeginsAtMs(bucket) + LIMITS.indexBucketMs + LIMITS.messageLifetimeMsDefault + LIMITS.clockDriftMsMax;
    const drop = closesAtMs <= nowMs && !isNeeded;
    let state = await this.state(index, bucket);
    if (state.dropped !== true && (gone.length > 0 || (drop && entriesOf(state).length === 0))) {
      state = (await engine.turn(bucket, { kind: "remove", ids: gone, drop }, { inputId: "purge" })).state;
    }
    const isGone = state.size === 0 && drop;
    if (state.dropped !== true && !isGone) return entriesOf(state).length === 0 ? closesAtMs : undefined;
    engine.forget(bucket);
    return this.#drop(index, bucket);
  }

  /** Drops a bucket that takes no more entries: first its journal, then its tombstone, finally its entry in the root. */
  async #drop(index: IndexName, bucket: string): Promise<number | undefined> {
    const { purge, host, ports, system } = this.#parts;
    const actor = { type: actorType(system, index), id: bucket };
    const tombstone = await purge.writeTombstone(actor, { outcome: "dropped", agents: [] });
    if (tombstone !== undefined) {
      await purge.clear(actor, tombstone);
      if (tombstone.untilMs > ports.clock.nowMs()) return tombstone.untilMs;
      await this.level(actor);
    }
    await host.indexEngine(index).turn(INDEX_ROOT, { kind: "remove", ids: [bucket], drop: false }, { inputId: "purge" });
    return undefined;
  }

  /** Removes a tombstone whose time is over. */
  async level(actor: Address): Promise<void> {
    const tombstone = await this.#parts.purge.look(actor);
    if (tombstone.kind === "tombstone") await this.#parts.purge.level(actor, tombstone);
  }

  /** Purges the dead letter queue. `directory`: the buckets of processes; dead letters are filed under the same names. */
  async sweepDeadLetters(retentionMs: number, directory: readonly string[]): Promise<void> {
    const slices = new Set(directory.map((bucket) => bucket.split(".")[0]));
    const names = await this.names("DeadLetterQueue");
    for (const [index, bucket] of names.entries()) {
      const slice = bucket.split(".")[0] ?? "";
      // Dead letters of a slice are searched from its first bucket on, so the first one is dropped last.
      await this.#purgeLetters(bucket, retentionMs, slices.has(slice) || names[index + 1]?.startsWith(`${slice}.`) === true);
    }
  }

  /** Purges the audit: operator actions older than the retention. */
  async sweepAudit(retentionMs: number): Promise<void> {
    const nowMs = this.#parts.ports.clock.nowMs();
    for (const bucket of await this.names("Audit")) {
      if (bucketBeginsAtMs(bucket) + retentionMs > nowMs) continue;
      const state = await this.readable("Audit", bucket);
      if (state === undefined) continue;
      const gone = entriesOf(state).filter((entry) => entry.atMs + retentionMs <= nowMs);
      await this.tidy(
        "Audit",
        bucket,
        gone.map((entry) => entry.id),
      );
    }
  }

  /** Purges the requests to people: they go with their process. Those of a slice are searched from its first bucket on. */
  async sweepInbox(retentionMs: number): Promise<void> {
    const nowMs = this.#parts.ports.clock.nowMs();
    const names = await this.names("Inbox");
    for (const [index, bucket] of names.entries()) {
      if (bucketBeginsAtMs(bucket) + retentionMs > nowMs) continue;
      const state = await this.readable("Inbox", bucket);
      if (state === undefined) continue;
      const gone: string[] = [];
      for (const { id } of entriesOf(state)) if (await this.#isPurged(requestParts(id)?.process ?? "")) gone.push(id);
      await this.tidy("Inbox", bucket, gone, names[index + 1]?.startsWith(`${bucket.split(".")[0] ?? ""}.`) === true);
    }
  }

  /** Purges one bucket. Decided dead letters go with their process, decided invalid messages after the retention. */
  async #purgeLetters(bucket: string, retentionMs: number, isNeeded: boolean): Promise<void> {
    const nowMs = this.#parts.ports.clock.nowMs();
    if (bucketBeginsAtMs(bucket) + retentionMs > nowMs) return;
    const state = await this.readable("DeadLetterQueue", bucket);
    if (state === undefined) return;
    const decided = entriesOf(state).filter((entry) => !entry.open && entry.atMs + retentionMs <= nowMs);
    const gone: string[] = [];
    for (const entry of decided) if (await this.#mayGo(entry)) gone.push(entry.id);
    await this.tidy("DeadLetterQueue", bucket, gone, isNeeded);
  }

  async #mayGo(entry: IndexEntry): Promise<boolean> {
    const { purge } = this.#parts;
    const run = runParts(entry.id);
    if (run !== undefined) return this.#isPurged(run.process);
    if (entry.content !== undefined) await purge.forgetValues(entry.id, plainJson(entry.content));
    return true;
  }

  async #isPurged(process: string): Promise<boolean> {
    const { purge, system } = this.#parts;
    return (await purge.look({ type: actorType(system, "ProcessManager"), id: process })).kind !== "alive";
  }
}
