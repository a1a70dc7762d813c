/**
 * @module The releases of prompts and models: looks at them again and again, stops canaries that break their rules, and shows them.
 *
 * Each host looks for itself, so one that dies stops nothing from being stopped. Of several that find the same, the first one wins.
 */
import type { System } from "../../agents/system.ts";
import { faultFrom } from "../../runtime/faults.ts";
import { auditEntry, bucketOf } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Problem } from "../../runtime/overview.ts";
import {
  CANARY_STOPPED,
  type ReleaseView,
  type ReleasesView,
  STOP_COUNTS,
  type VersionCounts,
  versionText,
} from "../../runtime/release.ts";
import { versionOf } from "../../runtime/releases/choose.ts";
import { brokenRules, NO_TALLIES, type Tallies, type Tally } from "../../runtime/releases/judge.ts";
import type { Logger } from "../engine/log.ts";
import type { Ports } from "../engine/ports.ts";
import type { Host } from "../host/host.ts";
import { AUTOMATIC, type KnownRelease, unknownRelease } from "../host/releases.ts";
import type { Caller } from "./operations.ts";
import { Listing } from "./listing.ts";
import { ReleaseCounts } from "./release-counts.ts";

/** The parts of the releases of one host. */
export interface ReleaseOperationsParts {
  readonly system: System;
  readonly ports: Ports;
  readonly host: Host;
  readonly log: Logger;
  /** Writes an operator action to the audit. */
  readonly note: (act: { readonly what: string; readonly target: string; readonly why: string }, caller: Caller) => Promise<void>;
}

/** The releases of a system, as one host looks at them. */
export class ReleaseOperations {
  readonly #parts: ReleaseOperationsParts;
  readonly #listing: Listing;
  readonly #counts = new Map<string, ReleaseCounts>();
  readonly #tallies = new Map<string, Tallies>();
  #looking: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #isStopped = false;

  constructor(parts: ReleaseOperationsParts) {
    this.#parts = parts;
    this.#listing = new Listing(parts.ports, parts.system.name, "Directory", parts.host);
  }

  /** Looks again and again until {@link end}. Without a file or key it does nothing. */
  start(): void {
    const { host, ports } = this.#parts;
    if (host.releases.source === undefined || this.#isStopped) return;
    host.releases.watched();
    const again = (): void => {
      if (!this.#isStopped) this.#cancel = ports.clock.after(LIMITS.releaseLookMs, () => void this.look().then(again));
    };
    void this.look().then(again);
  }

  end(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  /** Reads the releases, and judges their canaries by the processes that have ended. Never throws. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { host } = this.#parts;
    await host.releases.look();
    const counted = [...host.releases.all.values()].filter((one) => one.release.canary !== undefined);
    await Promise.all(counted.map((one) => this.#judge(one)));
  }

  async #judge(known: KnownRelease): Promise<void> {
    const { host, log } = this.#parts;
    const { agent, release, entry } = known;
    try {
      const tallies = await this.#countsOf(known)?.sum();
      if (tallies === undefined) return;
      this.#tallies.set(agent, tallies);
      const broken = brokenRules(release, tallies);
      host.releases.noteBroken(agent, broken);
      if (broken.length > 0 && entry?.open === true && release.canary?.automatic === true) await this.#stopByRule(known, broken.join("; "));
    } catch (error) {
      log.warn({ agent, fault: faultFrom(error, "store.unavailable") }, "the canary of a release could not be judged; it is tried again");
    }
  }

  /** The counts of a release; undefined before it has begun, and for an agent whose code is not here. */
  #countsOf({ agent, hash, release, entry }: KnownRelease): ReleaseCounts | undefined {
    const known = this.#counts.get(agent);
    if (known?.hash === hash) return known;
    this.#tallies.delete(agent);
    const code = this.#parts.host.releases.codeOf(agent);
    const sinceMs = entry?.facts["beganAtMs"];
    if (code === undefined || typeof sinceMs !== "number" || release.canary === undefined) return undefined;
    const [stable, canary] = [versionText(versionOf(code, release.stable)), versionText(versionOf(code, release.canary.version))];
    const made = new ReleaseCounts(hash, { agent, stable, canary, sinceMs }, this.#listing, this.#parts.ports.clock);
    this.#counts.set(agent, made);
    return made;
  }

  /** The line of the audit is written first; that of the host that comes second has the same id. */
  async #stopByRule({ agent, hash }: KnownRelease, why: string): Promise<void> {
    const { host, ports } = this.#parts;
    const atMs = ports.clock.nowMs();
    const act = { id: `release-${agent}-${hash}`, atMs, who: AUTOMATIC, what: CANARY_STOPPED, target: agent, why };
    await host.audit.file(bucketOf(atMs, 0), auditEntry(act));
    await host.releases.stop(agent, AUTOMATIC, why);
  }

  /** Stops the canary of an agent; one that is stopped already stays as it is. @throws `release.unknown` */
  async stop(agent: string, reason: string, caller: Caller): Promise<ReleaseView> {
    const { host, note } = this.#parts;
    const known = host.releases.all.get(agent);
    if (known?.release.canary === undefined) throw unknownRelease(agent);
    if (known.entry?.open !== false) {
      await note({ what: CANARY_STOPPED, target: agent, why: reason }, caller);
      await host.releases.stop(agent, caller.principal.subject, reason);
    }
    return this.#viewOf(agent);
  }

  /** The releases of all model agents of this app. */
  list(): ReleasesView {
    const { system, host } = this.#parts;
    const { problem } = host.releases;
    const agents = [...system.agents.values()].filter(({ models }) => models.length > 0).map(({ name }) => name);
    return { releases: agents.map((agent) => this.#viewOf(agent)), ...(problem === undefined ? {} : { problem }) };
  }

  /** What needs attention. */
  problems(): Problem[] {
    const { releases } = this.#parts.host;
    const invalid = releases.problem === undefined ? [] : [alarmOf("release.invalid", releases.problem, "Correct the content.")];
    const broken = [...releases.all.values()].filter((one) => releases.isInForce(one) && (releases.broken.get(one.agent)?.length ?? 0) > 0);
    return [...invalid, ...broken.map(({ agent }) => brokenAlarm(agent, releases.broken.get(agent) ?? []))];
  }

  #viewOf(agent: string): ReleaseView {
    const { system, host } = this.#parts;
    const { releases } = host;
    const known = releases.all.get(agent);
    const prompts = [...(system.agents.get(agent)?.prompts ?? [])];
    const code = releases.codeOf(agent);
    if (known === undefined || code === undefined)
      return { agent, prompts, release: { stable: code ?? {} }, from: "code", canary: "none", broken: [], counts: [] };
    const { release, hash, entry } = known;
    const sinceMs = entry?.facts["beganAtMs"];
    return {
      ...{ agent, prompts, release, hash },
      from: releases.source?.from ?? "code",
      ...(typeof sinceMs === "number" ? { sinceMs } : {}),
      canary: this.#stateOf(known),
      ...(entry?.open === false ? { stopped: { atMs: entry.atMs, by: String(entry.facts["by"]), why: String(entry.facts["why"]) } } : {}),
      broken: [...(releases.broken.get(agent) ?? [])],
      counts: release.canary === undefined ? [] : countsOf(known, code, this.#tallies.get(agent) ?? NO_TALLIES),
    };
  }

  #stateOf(known: KnownRelease): ReleaseView["canary"] {
    if (known.release.canary === undefined) return "none";
    if (known.entry?.open === false) return "stopped";
    return this.#parts.host.releases.isInForce(known) ? "in force" : "waiting";
  }
}

function countsOf({ release }: KnownRelease, code: Parameters<typeof versionOf>[0], tallies: Tallies): VersionCounts[] {
  const canary = release.canary?.version ?? {};
  return [
    { part: "stable", version: versionText(versionOf(code, release.stable)), ...shown(tallies.stable) },
    { part: "canary", version: versionText(versionOf(code, canary)), ...shown(tallies.canary) },
  ];
}

function shown({ processes, sums }: Tally): Pick<VersionCounts, "processes" | "of"> {
  const of = STOP_COUNTS.flatMap((count) => {
    const sum = sums[count];
    return sum === 0 ? [] : [[count, sum] as const];
  });
  return { processes, of: Object.fromEntries(of) };
}

function brokenAlarm(agent: string, rules: readonly string[]): Problem {
  const command = `troupe releases stop ${agent} --reason "..."`;
  return { ...alarmOf("release.broken", `${agent}: ${rules.join("; ")}`, "Stop the canary, or change the release."), command };
}

function alarmOf(code: string, message: string, fix: string): Problem {
  return { code, message, fix };
}
