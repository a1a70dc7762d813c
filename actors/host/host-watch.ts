/**
 * @module Which hosts live: renews the lease of this host and watches those of the others.
 *
 * It uses this host's clock only. Another host is dead when its lease has not changed for {@link LIMITS.hostDeadMs} and as many good reads,
 * while this host could renew its own: so neither a store that is away nor a pause of this host makes others look dead. A host that leaves
 * removes its lease and its name, and is gone at once. Being dead is a guess: a frozen host that goes on is alive again.
 */
import { faultFrom } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Logger } from "../engine/log.ts";
import { LruMap } from "../engine/lru.ts";
import type { Clock, Leases } from "../engine/ports.ts";
import { isGone } from "./listener-identity.ts";

/** The parts of a watch. */
export interface HostWatchParts {
  /** This host. */
  readonly incarnation: string;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What this host knows of another one. `sinceMs`, `reads`: how long the count has not changed. */
interface Standing {
  isDead: boolean;
  /** It was dead and out of the list. If it is listed again, it has come back, also if its lease says nothing new, and may die again. */
  isStruck: boolean;
  /** It was in the list, or its lease was there. */
  wasSeen: boolean;
  count: number | undefined;
  /** When a new count of its lease was read last. */
  renewedAtMs: number | undefined;
  sinceMs: number;
  reads: number;
}

/** Another host, as this one sees it. */
export interface OtherHost {
  readonly incarnation: string;
  readonly alive: boolean;
  /** When this host last saw that its lease was renewed. Epoch, milliseconds. */
  readonly renewedAtMs: number | undefined;
}

/** The leases of the hosts of a system, as one of them sees them. */
export class HostWatch {
  readonly incarnation: string;
  readonly #parts: HostWatchParts;
  readonly #others = new LruMap<string, Standing>(LIMITS.knownHostsMax);
  /** Hosts to look at: the listed ones, and those that were asked about. */
  readonly #watched = new Set<string>();
  readonly #deaths = new Set<(incarnation: string) => void>();
  readonly #returns = new Set<() => void>();
  #count = 0;
  #renewedAtMs: number | undefined;
  #lookedAtMs: number | undefined;
  #cancel: (() => void) | undefined;
  #isStarted = false;
  /** Number of the last start; the looks of an earlier one end. */
  #start = 0;
  #hasFailed = false;

  constructor(parts: HostWatchParts) {
    this.#parts = parts;
    this.incarnation = parts.incarnation;
  }

  /** Whether a host is not known to be dead. One that is not known at all is watched from now on. */
  isAlive(incarnation: string): boolean {
    if (incarnation === this.incarnation) return true;
    if (isGone(incarnation, this.incarnation)) return false;
    if (!this.#watched.has(incarnation) && this.#others.get(incarnation) === undefined) this.#watched.add(incarnation);
    return !this.#standing(incarnation).isDead;
  }

  /** The other hosts that are known. */
  get others(): readonly OtherHost[] {
    return [...this.#watched].map((incarnation) => ({
      ...{ incarnation, alive: this.isAlive(incarnation) },
      renewedAtMs: this.#others.get(incarnation)?.renewedAtMs,
    }));
  }

  /** When the lease of this host was renewed last; undefined before the first time. Epoch, milliseconds. */
  get renewedAtMs(): number | undefined {
    return this.#renewedAtMs;
  }

  /** Whether the lease of this host was renewed lately, so that the others see it alive. */
  get isHeld(): boolean {
    return this.#renewedAtMs !== undefined && this.#parts.clock.nowMs() - this.#renewedAtMs < LIMITS.hostDeadMs;
  }

  /** Whether this host lives, as its own lease says, and no other one does. False before the first look. */
  get isAlone(): boolean {
    if (!this.isHeld) return false;
    for (const one of this.#watched) if (this.isAlive(one)) return false;
    return true;
  }

  /** Calls back with each host that is found dead or has left. The returned function ends that. */
  onDeath(callback: (incarnation: string) => void): () => void {
    this.#deaths.add(callback);
    return () => this.#deaths.delete(callback);
  }

  /** Calls back when the lease of this host is renewed after it could not be: the sidecar, the store or this host was away. */
  onReturn(callback: () => void): () => void {
    this.#returns.add(callback);
    return () => this.#returns.delete(callback);
  }

  /** Joins the list, and looks at the leases again and again until {@link stop}. Resolves after the first look. Never throws. */
  start(): Promise<void> {
    if (this.#isStarted) return Promise.resolve();
    this.#isStarted = true;
    this.#start += 1;
    return this.#run(this.#start);
  }

  async #run(start: number): Promise<void> {
    await this.look();
    if (this.#isStarted && start === this.#start) this.#cancel = this.#parts.clock.after(LIMITS.hostLeaseMs, () => void this.#run(start));
  }

  /** Ends the watch; the lease runs out. */
  stop(): void {
    this.#isStarted = false;
    this.#cancel?.();
  }

  /** Ends the watch and leaves the list, so that others go on with the work of this host at once. Never throws. */
  async leave(): Promise<void> {
    const wasStarted = this.#isStarted;
    this.stop();
    if (!wasStarted) return;
    try {
      await this.#parts.leases.change([], [this.incarnation]);
    } catch (error) {
      this.#note(error, "the host could not leave the list of hosts; its lease runs out");
    }
  }

  /** Renews the own lease and looks at the others once. Never throws. */
  async look(): Promise<void> {
    const { leases, clock } = this.#parts;
    // After a pause of this host nothing is known of the time in between.
    if (this.#lookedAtMs === undefined || clock.nowMs() - this.#lookedAtMs > 2 * LIMITS.hostLeaseMs) this.#beginAnew();
    try {
      this.#count += 1;
      await leases.renew(this.incarnation, this.#count);
      const members = await leases.members();
      if (!members.includes(this.incarnation)) await leases.change([this.incarnation], []);
      for (const one of members) if (one !== this.incarnation) this.#watched.add(one);
      const watched = [...this.#watched];
      const counts = watched.length === 0 ? new Map<string, number>() : await leases.read(watched);
      this.#renewed();
      this.#judge(members, counts, watched);
    } catch (error) {
      this.#beginAnew();
      this.#hasFailed = true;
      this.#note(error, "the leases of the hosts could not be renewed or read");
    }
    this.#lookedAtMs = clock.nowMs();
  }

  #renewed(): void {
    const nowMs = this.#parts.clock.nowMs();
    const wasAway = this.#renewedAtMs !== undefined && (this.#hasFailed || nowMs - this.#renewedAtMs >= LIMITS.hostDeadMs);
    this.#renewedAtMs = nowMs;
    this.#hasFailed = false;
    if (wasAway) for (const callback of this.#returns) callback();
  }

  #judge(members: readonly string[], counts: ReadonlyMap<string, number>, watched: readonly string[]): void {
    const dead = watched.filter((one) => this.#isFoundDead(one, counts.get(one), members.includes(one)));
    for (const one of dead) {
      this.#parts.log.info({ host: one }, "a host is dead or has left");
      for (const callback of this.#deaths) callback(one);
    }
    const removed = members.filter((one) => one !== this.incarnation && this.#standing(one).isDead);
    if (removed.length > 0)
      this.#parts.leases.change([], removed).catch((error: unknown) => this.#note(error, "a dead host is still in the list of hosts"));
    for (const one of watched) if (this.#standing(one).isDead && !members.includes(one)) this.#watched.delete(one);
  }

  /** Takes what was read of a host; true when it is found dead by that. */
  #isFoundDead(incarnation: string, count: number | undefined, isListed: boolean): boolean {
    const standing = this.#standing(incarnation);
    if (isListed && standing.isStruck)
      Object.assign(standing, { isDead: false, isStruck: false, sinceMs: this.#parts.clock.nowMs(), reads: 0 });
    standing.isStruck = standing.isDead && !isListed;
    const isThere = isListed || count !== undefined;
    const hasLeft = (standing.wasSeen && !isThere) || isGone(incarnation, this.incarnation);
    if (count !== undefined && count !== standing.count) {
      const nowMs = this.#parts.clock.nowMs();
      Object.assign(standing, { isDead: false, wasSeen: true, count, renewedAtMs: nowMs, sinceMs: nowMs, reads: 0 });
      if (!hasLeft) return false;
    }
    standing.wasSeen ||= isThere;
    standing.reads += 1;
    const isSilent = standing.reads >= LIMITS.hostDeadReads && this.#parts.clock.nowMs() - standing.sinceMs >= LIMITS.hostDeadMs;
    if (standing.isDead || (!hasLeft && !isSilent)) return false;
    standing.isDead = true;
    return true;
  }

  #standing(incarnation: string): Standing {
    const known = this.#others.get(incarnation);
    if (known !== undefined) return known;
    const sinceMs = this.#parts.clock.nowMs();
    const made: Standing = { isDead: false, isStruck: false, wasSeen: false, count: undefined, renewedAtMs: undefined, sinceMs, reads: 0 };
    this.#others.set(incarnation, made);
    return made;
  }

  /** Counts the silence of all hosts from now on. */
  #beginAnew(): void {
    for (const one of this.#watched) Object.assign(this.#standing(one), { sinceMs: this.#parts.clock.nowMs(), reads: 0 });
  }

  #note(error: unknown, what: string): void {
    this.#parts.log.debug({ fault: faultFrom(error, "store.unavailable") }, what);
  }
}
