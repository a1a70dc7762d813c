/**
 * @module The releases of prompts and models as this host uses them: read from their file or key, and from the index of what was stopped.
 *
 * A release of an agent has an entry `<agent>/<hash>` in the index `Releases`: open when a first host has seen it, closed when its canary
 * was stopped. The first close wins. A canary is used only while this host knows that its entry is open.
 */
import type { AgentDefinition } from "../../agents/agent.ts";
import { endpointsOf } from "../../agents/model/models.ts";
import type { System } from "../../agents/system.ts";
import { entryOf } from "../../runtime/entries.ts";
import { Fault, faultFrom } from "../../runtime/faults.ts";
import { bucketOf, entriesOf, nextBucket } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { topics } from "../../runtime/protocol.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import type { AgentRelease, Releases, WorkRelease } from "../../runtime/release.ts";
import { type CheckedReleases, checkReleases, type KnownAgent, type KnownSystem } from "../../runtime/releases/check.ts";
import { chooseRelease, type CodeVersion, releaseHash } from "../../runtime/releases/choose.ts";
import type { IndexState } from "../../runtime/index-actor.ts";
import type { Logger } from "../engine/log.ts";
import type { Ports, ReleaseSource } from "../engine/ports.ts";
import type { HostMetrics } from "../telemetry/metrics.ts";
import type { IndexClient } from "./index-client.ts";

/** The parts of the releases of one host. */
export interface HostReleasesParts {
  readonly system: System;
  readonly incarnation: string;
  /** Absent: all agents use what their code says. */
  readonly source: ReleaseSource | undefined;
  readonly ports: Pick<Ports, "clock" | "transport">;
  readonly index: Pick<IndexClient, "file">;
  /** The present content of a bucket of the index `Releases`. */
  readonly bucket: (name: string) => Promise<IndexState>;
  readonly log: Logger;
  readonly metrics: Pick<HostMetrics, "releaseStopped">;
}

/** The release of one agent, and what is known of it. */
export interface KnownRelease {
  readonly agent: string;
  readonly hash: string;
  readonly release: AgentRelease;
  /** Its entry; absent: not read yet. */
  readonly entry: IndexEntry | undefined;
}

/** All entries stand in one bucket that is never purged, so that what was stopped stays stopped; a full one is followed by the next. */
const BUCKET = bucketOf(0, 0);

/** The releases of one host. */
export class HostReleases {
  readonly #parts: HostReleasesParts;
  readonly #known: KnownSystem;
  #text: string | undefined;
  #releases: ReadonlyMap<string, KnownRelease> = new Map();
  /** Why the file or key cannot be read, and why its content cannot be used. */
  #unread: string | undefined;
  #unfit: string | undefined;
  #broken: ReadonlyMap<string, readonly string[]> = new Map();
  /** When the index was last read, or its reading began. */
  #lookedAtMs: number | undefined;
  #isWatched = false;

  constructor(parts: HostReleasesParts) {
    this.#parts = parts;
    this.#known = knownSystem(parts.system);
  }

  /** Absent: there is no file or key. */
  get source(): ReleaseSource | undefined {
    return this.#parts.source;
  }

  /** Why the present content cannot be used. */
  get problem(): string | undefined {
    return this.#unread ?? this.#unfit;
  }

  /** The releases in force, by agent. */
  get all(): ReadonlyMap<string, KnownRelease> {
    return this.#releases;
  }

  /** Of each canary: its share here, and how many of its rules are broken. */
  canaries(): (readonly [agent: string, share: number, broken: number])[] {
    return [...this.#releases.values()].flatMap((known) => {
      const { agent, release } = known;
      if (release.canary === undefined) return [];
      return [[agent, this.isInForce(known) ? release.canary.share : 0, this.#broken.get(agent)?.length ?? 0] as const];
    });
  }

  /** Rules for stopping that are broken, by agent. */
  get broken(): ReadonlyMap<string, readonly string[]> {
    return this.#broken;
  }

  /** Notes which rules are broken now. What is new is logged. */
  noteBroken(agent: string, rules: readonly string[]): void {
    if (rules.join() !== (this.#broken.get(agent) ?? []).join() && rules.length > 0)
      this.#parts.log.warn({ agent, rules }, "a canary breaks its rules for stopping");
    this.#broken = new Map([...this.#broken, [agent, rules]]);
  }

  /** From now on, what was read is believed for a limited time only: {@link look} is called again and again. */
  watched(): void {
    this.#isWatched = true;
  }

  /** Chooses for a new work item; undefined for an agent without a model. `processId` is that of the task. */
  choose({ name, models, prompt }: AgentDefinition, processId: string): WorkRelease | undefined {
    const [model] = models;
    if (model === undefined) return undefined;
    const known = this.#releases.get(name);
    return chooseRelease(name, processId, { prompt, model }, known && { ...known, canary: this.isInForce(known) });
  }

  /** What the code of an agent uses. */
  codeOf(agent: string): CodeVersion | undefined {
    return this.#known.agents.get(agent)?.code;
  }

  /** Whether the canary of a release is used here. */
  isInForce({ release, entry }: KnownRelease): boolean {
    return release.canary !== undefined && entry?.open === true && !this.#isStale;
  }

  get #isStale(): boolean {
    if (this.#lookedAtMs === undefined) return true;
    return this.#isWatched && this.#parts.ports.clock.nowMs() - this.#lookedAtMs > LIMITS.releaseTrustMs;
  }

  /** Reads the file or key and the index. Never throws. */
  async look(): Promise<void> {
    const { source } = this.#parts;
    if (source === undefined) return;
    await this.#readSource(source);
    if (this.#releases.size > 0) await this.#readIndex();
  }

  /**
   * Stops the canary of an agent. The first stop wins; returns whether it was this one.
   * @throws `release.unknown`
   */
  async stop(agent: string, by: string, why: string): Promise<boolean> {
    const known = this.#releases.get(agent);
    if (known?.release.canary === undefined) throw unknownRelease(agent);
    const { index, ports, incarnation } = this.#parts;
    const { id, began } = { id: entryId(known), began: known.entry?.facts["beganAtMs"] ?? null };
    const token = `${incarnation} ${why}`;
    const facts = { agent, hash: known.hash, beganAtMs: began, by, why, token };
    await index.file(BUCKET, { id, open: false, atMs: ports.clock.nowMs(), facts });
    await this.#readIndex();
    const entry = this.#releases.get(agent)?.entry;
    const isOurs = entry?.open === false && entry.facts["token"] === token;
    if (isOurs) this.#announce(known, entry);
    return isOurs;
  }

  #announce({ agent, hash }: KnownRelease, { atMs, facts }: IndexEntry): void {
    const { system, ports, log, metrics } = this.#parts;
    const [by, why] = [String(facts["by"]), String(facts["why"])];
    metrics.releaseStopped(agent, by === AUTOMATIC);
    log.warn({ agent, release: hash, by, why }, "the canary of a release was stopped");
    const data = { agent, release: hash, what: "stopped", by, why, atMs } as const;
    ports.transport.notification(topics.releases(system.name), `release-${agent}-${hash}`, data).catch((error: unknown) => {
      log.debug({ agent, err: error }, "the stop of a canary was not published");
    });
  }

  async #readSource(source: ReleaseSource): Promise<void> {
    const before = this.problem;
    try {
      const text = await source.read();
      this.#unread = undefined;
      if (text !== this.#text) this.#readText(source, text);
    } catch (error) {
      this.#unread = `${source.place}: ${faultFrom(error, "release.invalid").message}`;
    }
    const { problem } = this;
    if (problem === undefined || problem === before) return;
    this.#parts.log.error({ code: "release.invalid", problem }, "the releases cannot be used; the last good ones stay in force");
  }

  #readText(source: ReleaseSource, text: string): void {
    this.#text = text;
    const checked = checkedText(source, text, this.#known);
    this.#unfit = "problems" in checked ? `${source.place}: ${checked.problems.join("; ")}` : undefined;
    if ("releases" in checked) this.#take(checked.releases);
  }

  #take(releases: Releases): void {
    const known = Object.keys(releases).flatMap((agent): KnownRelease[] => {
      const release = entryOf(releases, agent);
      if (release === undefined) return [];
      const hash = releaseHash(agent, release);
      const before = this.#releases.get(agent);
      return [{ agent, hash, release, entry: before?.hash === hash ? before.entry : undefined }];
    });
    this.#releases = new Map(known.map((one) => [one.agent, one]));
    this.#parts.log.info({ releases: known.map(({ agent, hash }) => `${agent}/${hash}`) }, "releases are in force");
  }

  async #readIndex(): Promise<void> {
    const atMs = this.#parts.ports.clock.nowMs();
    try {
      let entries = await this.#entries();
      const missing = [...this.#releases.values()].filter((one) => one.release.canary !== undefined && !entries.has(entryId(one)));
      await Promise.all(missing.map((one) => this.#begin(one)));
      if (missing.length > 0) entries = await this.#entries();
      this.#releases = new Map([...this.#releases].map(([agent, one]) => [agent, { ...one, entry: entries.get(entryId(one)) }]));
      this.#lookedAtMs = atMs;
    } catch (error) {
      this.#parts.log.debug({ fault: faultFrom(error, "store.unavailable") }, "the index of releases could not be read");
    }
  }

  async #begin(one: KnownRelease): Promise<void> {
    const atMs = this.#parts.ports.clock.nowMs();
    const facts = { agent: one.agent, hash: one.hash, beganAtMs: atMs };
    await this.#parts.index.file(BUCKET, { id: entryId(one), open: true, atMs, facts });
  }

  async #entries(): Promise<ReadonlyMap<string, IndexEntry>> {
    const found = new Map<string, IndexEntry>();
    let name = BUCKET;
    for (let part = 0; part < LIMITS.indexPartsMax; part += 1) {
      const state = await this.#parts.bucket(name);
      for (const entry of entriesOf(state)) found.set(entry.id, entry);
      if (state.size < LIMITS.indexBucketEntriesMax) break;
      name = nextBucket(name);
    }
    return found;
  }
}

/** Who stops a canary because its rule is broken. */
export const AUTOMATIC = "rule";

/** The fault of an agent without a canary. */
export function unknownRelease(agent: string): Fault {
  return new Fault("release.unknown", `the agent ${JSON.stringify(agent)} has no release with a canary`);
}

function entryId({ agent, hash }: KnownRelease): string {
  return `${agent}/${hash}`;
}

function checkedText(source: ReleaseSource, text: string, known: KnownSystem): CheckedReleases {
  if (Buffer.byteLength(text) > LIMITS.releaseBytesMax) return { problems: [`it has more than ${LIMITS.releaseBytesMax} bytes`] };
  try {
    return checkReleases(source.parse(text), known);
  } catch (error) {
    return { problems: [error instanceof Error ? error.message : String(error)] };
  }
}

function knownSystem({ agents, remote, models }: System): KnownSystem {
  const known = [...agents.values()].flatMap(({ name, models: [model], prompts, prompt }): [string, KnownAgent][] =>
    model === undefined ? [] : [[name, { prompts, code: { prompt, model } }]],
  );
  return {
    agents: new Map(known),
    remote: new Set(remote.keys()),
    models: [...models.keys()],
    hasModel: (name) => endpointsOf(models, name) !== undefined,
  };
}
