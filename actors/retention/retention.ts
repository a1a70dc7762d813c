/**
 * @module Retention: finds what has ended and is no longer needed, and purges it: processes, index entries, buckets.
 *
 * Every host runs passes of its own. A pass continues what it finds half done by itself or by another host. So two
 * passes at once, and a kill between any two steps, change only the time it takes. The process itself decides what is
 * due (runtime/process/purge.ts); actors/retention/journal-purge.ts owns the order in which keys are removed.
 */
import { faultFrom, isFault } from "../../runtime/faults.ts";
import { bucketBeginsAtMs, entriesOf, entryIn } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { isProcess } from "../../runtime/process-filter.ts";
import { purgeDueMs } from "../../runtime/process/purge.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { type Address, actorType } from "../../runtime/protocol.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import type { Tombstone } from "../../runtime/record.ts";
import { isPerWork, Slip } from "../../runtime/slip.ts";
import { JournalPurge } from "./journal-purge.ts";
import { WorkActors } from "./work-actors.ts";
import { IndexRetention } from "./index-retention.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../engine/log.ts";
import type { Ports } from "../engine/ports.ts";

/** The host and ports of a retention. */
export interface RetentionParts {
  readonly system: string;
  readonly host: Host;
  readonly ports: Ports;
  readonly log: Logger;
  /**
   * How long ended processes are kept, in milliseconds.
   * @default LIMITS.retentionMsDefault
   */
  readonly retentionMs?: number | undefined;
}

/** Options of one pass. */
export interface SweepOptions {
  /** Replaces the host's own retention. Never purges a process while others may still refer to it. */
  readonly retentionMs?: number | undefined;
  /** Only counts, without purging. */
  readonly dryRun?: boolean | undefined;
  /** Reads every bucket, including those in which nothing can be due. */
  readonly whole?: boolean | undefined;
  /**
   * The bucket to begin at.
   * @default the oldest
   */
  readonly from?: string | undefined;
}

/** The result of a pass. `more`: it stopped at its limit, and there may be more to do. */
export interface SweepResult {
  /** Processes that were purged, or would be. */
  readonly purged: number;
  /** Processes that ended and must stay for now. */
  readonly waiting: number;
  readonly more: boolean;
  /** The bucket at which it stopped. */
  readonly next?: string;
}

/** The result for one entry of the directory: it may be removed, or it is checked again at that time. */
type Seen = { readonly kind: "gone" } | { readonly kind: "later"; readonly atMs: number; readonly isWaiting: boolean };

interface Pass {
  readonly retentionMs: number;
  readonly dryRun: boolean;
  /** A person requested the pass: every bucket is read. */
  readonly whole: boolean;
  looked: number;
  purged: number;
  waiting: number;
}

/** The retention of one host. */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #purge: JournalPurge;
  readonly #works: WorkActors;
  readonly #buckets: IndexRetention;
  readonly #retentionMs: number;
  /** When a bucket of the directory has to be read again, as far as this host knows. */
  readonly #dueAtMs = new Map<string, number>();
  /** Broken buckets of the directory. The entries of their processes stand in later ones. */
  readonly #broken = new Set<string>();
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#retentionMs = parts.retentionMs ?? LIMITS.retentionMsDefault;
    this.#purge = new JournalPurge(parts.ports.store, parts.ports.clock, parts.system);
    this.#works = new WorkActors(this.#purge, parts.host, parts.system);
    this.#buckets = new IndexRetention({ ...parts, purge: this.#purge });
  }

  /** Runs passes about every LIMITS.sweepMs until `stop`. Never throws. */
  run(): void {
    const { ports, log } = this.#parts;
    const delayMs = LIMITS.sweepMs * (1 - ports.random.jitter01() / 2);
    this.#cancel = ports.clock.after(delayMs, () => {
      void this.#sweepAll()
        .catch((error: unknown) =>
          log.debug({ fault: faultFrom(error, "store.unavailable") }, "a retention pass failed; the next one continues"),
        )
        .then(() => {
          if (!this.#stopped) this.run();
        });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #sweepAll(): Promise<void> {
    for (let isMore = true; isMore && !this.#stopped;) {
      const { purged, waiting, more } = await this.sweep();
      if (purged > 0) this.#parts.log.info({ purged, waiting }, "processes were purged");
      isMore = more;
    }
  }

  /**
   * Runs one pass of limited work.
   * @throws `store.unavailable`; what was done until then stays done
   */
  async sweep(options: SweepOptions = {}): Promise<SweepResult> {
    const pass: Pass = {
      retentionMs: options.retentionMs ?? this.#retentionMs,
      dryRun: options.dryRun === true,
      whole: options.whole === true,
      looked: 0,
      purged: 0,
      waiting: 0,
    };
    const buckets = await this.#buckets.names("Directory");
    let next: string | undefined;
    for (const bucket of buckets.filter((one) => options.from === undefined || one >= options.from)) {
      if (pass.looked >= LIMITS.sweepProcessesMax) {
        next = bucket;
        break;
      }
      if (this.#isWorthALook(bucket, pass)) await this.#bucket(bucket, pass);
    }
    for (const known of [this.#dueAtMs, this.#broken])
      for (const bucket of known.keys()) if (!buckets.includes(bucket)) known.delete(bucket);
    if (!pass.dryRun) {
      await this.#buckets.sweepDeadLetters(pass.retentionMs, buckets);
      await this.#buckets.sweepInbox(pass.retentionMs);
      await this.#buckets.sweepAudit(Math.max(pass.retentionMs, LIMITS.auditMsMin));
    }
    return { purged: pass.purged, waiting: pass.waiting, more: next !== undefined, ...(next === undefined ? {} : { next }) };
  }

  /** Reads every bucket once, in as many passes as that takes. Throws as {@link sweep} does. */
  async sweepWhole(options: Pick<SweepOptions, "retentionMs" | "dryRun"> = {}): Promise<Pick<SweepResult, "purged" | "waiting">> {
    let [purged, waiting] = [0, 0];
    let from: string | undefined;
    do {
      const swept = await this.sweep({ ...options, whole: true, from });
      purged += swept.purged;
      waiting += swept.waiting;
      from = swept.next;
    } while (from !== undefined && !this.#stopped);
    return { purged, waiting };
  }

  /**
   * Purges one ended process, unless others may still refer to it (`waiting`). `none`: there is no such process, or it is purged already.
   * @throws `store.unavailable`, `sidecar.unavailable`
   */
  async purgeProcess(id: string): Promise<"purged" | "waiting" | "none"> {
    const { state } = await this.#parts.host.processes.engine.fresh(id);
    const bucket = state.task?.bucket;
    const index = bucket === undefined ? undefined : await this.#buckets.readable("Directory", bucket);
    const line = index === undefined ? undefined : entryIn(index, id);
    if (bucket === undefined || line === undefined) return "none";
    const pass: Pass = { retentionMs: 0, dryRun: false, whole: true, looked: 0, purged: 0, waiting: 0 };
    await this.#line(bucket, line, pass);
    return pass.purged > 0 ? "purged" : "waiting";
  }

  #isWorthALook(bucket: string, pass: Pass): boolean {
    const nowMs = this.#parts.ports.clock.nowMs();
    return pass.whole || (bucketBeginsAtMs(bucket) + pass.retentionMs <= nowMs && (this.#dueAtMs.get(bucket) ?? 0) <= nowMs);
  }

  /** Handles all entries of one bucket of the directory. */
  async #bucket(bucket: string, pass: Pass): Promise<void> {
    const state = await this.#buckets.readable("Directory", bucket);
    if (state === undefined) {
      this.#broken.add(bucket);
      return;
    }
    this.#broken.delete(bucket);
    const lines = entriesOf(state);
    const gone: string[] = [];
    let dueMs = Number.POSITIVE_INFINITY;
    for (let at = 0; at < lines.length; at += LIMITS.sweepConcurrency) {
      const some = lines.slice(at, at + LIMITS.sweepConcurrency);
      const seen = await Promise.all(some.map((line) => this.#line(bucket, line, pass)));
      for (const [index, one] of seen.entries()) {
        if (one.kind === "gone") gone.push(some[index]?.id ?? "");
        else dueMs = Math.min(dueMs, one.atMs);
      }
    }
    if (pass.dryRun) return;
    const atMs = await this.#buckets.tidy("Directory", bucket, gone);
    this.#dueAtMs.set(bucket, Math.min(dueMs, atMs ?? Number.POSITIVE_INFINITY));
  }

  /** Handles one entry. A process that cannot be purged now does not delay the others. */
  async #line(bucket: string, line: IndexEntry, pass: Pass): Promise<Seen> {
    const { clock } = this.#parts.ports;
    try {
      const seen = line.atMs + pass.retentionMs > clock.nowMs() ? later(line.atMs + pass.retentionMs) : await this.#old(bucket, line, pass);
      if (seen.kind === "later" && seen.isWaiting && !line.open && isProcess(line)) pass.waiting += 1;
      return seen;
    } catch (error) {
      if (isFault(error) && (error.code === "store.unavailable" || error.code === "sidecar.unavailable")) throw error;
      this.#parts.log.warn({ processId: line.id, fault: faultFrom(error, "turn.failed") }, "a process could not be purged");
      return later(clock.nowMs() + LIMITS.tombstoneMs);
    }
  }

  async #old(bucket: string, line: IndexEntry, pass: Pass): Promise<Seen> {
    pass.looked += 1;
    const nowMs = this.#parts.ports.clock.nowMs();
    const actor = this.#process(line.id);
    const tombstone = await this.#purge.look(actor);
    switch (tombstone.kind) {
      case "empty": {
        // An entry is filed before its process begins. A host that dies in between leaves an entry alone.
        const atMs = line.atMs + LIMITS.messageLifetimeMsDefault + LIMITS.clockDriftMsMax;
        return atMs <= nowMs ? GONE : later(atMs);
      }
      case "alive":
        return this.#alive(bucket, line, actor, pass);
      default:
        if (pass.dryRun) return done(tombstone.tombstone.untilMs);
        await this.#clear(actor, tombstone.tombstone);
        if (tombstone.tombstone.untilMs > nowMs) return done(tombstone.tombstone.untilMs);
        for (const agent of tombstone.tombstone.agents)
          await this.#buckets.level({ type: actorType(this.#parts.system, agent), id: line.id });
        await this.#works.level(actor, tombstone.tombstone);
        await this.#purge.level(actor, tombstone);
        return GONE;
    }
  }

  async #alive(bucket: string, line: IndexEntry, actor: Address, pass: Pass): Promise<Seen> {
    const { host, ports } = this.#parts;
    const { engine } = host.processes;
    const { state } = await engine.fresh(line.id);
    const soonMs = ports.clock.nowMs() + LIMITS.sweepMs;
    try {
      if (state.task !== undefined && state.task.bucket !== bucket && !this.#broken.has(state.task.bucket)) return GONE;
      if (state.phase !== "purged") {
        if (line.open && state.phase === "ended") {
          await ports.transport.nudge(actor, undefined);
          return later(soonMs);
        }
        const dueMs =
          purgeDueMs(state, { retentionMs: pass.retentionMs, entryAtMs: line.atMs }) ?? ports.clock.nowMs() + undecidedMs(pass.retentionMs);
        if (dueMs > ports.clock.nowMs()) return later(dueMs);
        if (await this.#parentNeeds(state)) return later(soonMs);
        if (pass.dryRun) return this.#counted(pass, soonMs);
        const fenced = await engine.turn(
          line.id,
          { kind: "purge", retentionMs: pass.retentionMs, entryAtMs: line.atMs },
          { inputId: "purge" },
        );
        if (fenced.state.phase !== "purged") return later(soonMs);
      }
      if (pass.dryRun) return this.#counted(pass, soonMs);
      const tombstone = await this.#purge.writeTombstone(actor, {
        outcome: state.outcome?.status ?? state.phase,
        agents: await this.#agentsOf(state),
        works: () => this.#works.list(actor),
      });
      if (tombstone === undefined) return later(soonMs);
      await this.#clear(actor, tombstone);
      return this.#counted(pass, tombstone.untilMs);
    } finally {
      engine.forget(line.id);
    }
  }

  #counted(pass: Pass, atMs: number): Seen {
    pass.purged += 1;
    return done(atMs);
  }

  /**
   * Whether the parent still needs the process. A parent reads its child's output from the child's journal, so the parent is purged
   * first.
   */
  async #parentNeeds(state: ProcessState): Promise<boolean> {
    const parent = state.task?.parent;
    return parent !== undefined && (await this.#purge.look(this.#process(parent.processId))).kind === "alive";
  }

  /** The agents with state whose actors lived for this process alone, whether it asked them or not. */
  async #agentsOf(state: ProcessState): Promise<string[]> {
    if (state.task === undefined) return [];
    const slip = Slip.parse(await this.#parts.host.values.read(state.task.slip));
    return Object.entries(slip.agents)
      .filter(([, agent]) => agent.key === undefined && !isPerWork(agent))
      .map(([name]) => name);
  }

  /** Removes everything of a process except its tombstones. */
  async #clear(actor: Address, tombstone: Tombstone): Promise<void> {
    for (const agent of tombstone.agents) {
      const own = { type: actorType(this.#parts.system, agent), id: actor.id };
      const found = await this.#purge.writeTombstone(own, { outcome: tombstone.outcome, agents: [] });
      if (found !== undefined) await this.#purge.clear(own, found);
    }
    await this.#works.clear(actor, tombstone);
    await this.#purge.clear(actor, tombstone);
  }

  #process(id: string): Address {
    return { type: actorType(this.#parts.system, "ProcessManager"), id };
  }
}

/**
 * The time until an open or undecided process is checked again. Its retention starts after its end, and is exceeded by at most this time.
 */
function undecidedMs(retentionMs: number): number {
  return Math.max(LIMITS.sweepMs, Math.floor(retentionMs / RETENTION_PARTS));
}

const RETENTION_PARTS = 8;
const GONE: Seen = { kind: "gone" };

/** It must stay for now. */
function later(atMs: number): Seen {
  return { kind: "later", atMs, isWaiting: true };
}

/** Its tombstone stays until then. */
function done(atMs: number): Seen {
  return { kind: "later", atMs, isWaiting: false };
}
