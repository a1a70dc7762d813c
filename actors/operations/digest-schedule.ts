/**
 * @module Writes a digest of each period by itself, once although several hosts run: as Markdown to a file, and as an event on the topic
 * of digests.
 *
 * The line of the audit about a digest is its lock. An index takes only the first line with an id, so the host whose name the line has
 * writes the digest, and closes the line. If that host dies before, another one takes the line over. A digest whose host dies between the
 * writing and the closing is written again: the file is the same one, and the event has the same id.
 */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { faultFrom } from "../../runtime/faults.ts";
import { bucketOf } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { topics } from "../../runtime/protocol.ts";
import { type DigestPeriod, lastPeriod } from "../../runtime/reports/digest.ts";
import { digestMarkdown } from "../../runtime/reports/digest-text.ts";
import type { Logger } from "../engine/log.ts";
import type { Ports } from "../engine/ports.ts";
import type { Host } from "../host/host.ts";
import type { Reports } from "./reports.ts";

/** When digests are written, and where to beside the topic `<system>.digests`. */
export interface DigestOptions {
  readonly period: DigestPeriod;
  /** Path of a file; `{system}`, `{date}` and `{time}` stand for the system and the end of the period in UTC. @default no file */
  readonly file?: string | undefined;
}

/** The parts of the schedule of one host. */
export interface DigestScheduleParts {
  readonly system: string;
  readonly options: DigestOptions;
  readonly ports: Pick<Ports, "clock" | "transport">;
  readonly host: Pick<Host, "incarnation" | "audit" | "watch">;
  readonly reports: Reports;
  readonly log: Logger;
}

interface Period {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** The schedule of the digests of one host. */
export class DigestSchedule {
  readonly #parts: DigestScheduleParts;
  /** End of the last period that is known to be done. */
  #doneMs = 0;
  #cancel = (): void => {};
  #isStopped = false;

  constructor(parts: DigestScheduleParts) {
    this.#parts = parts;
  }

  /** Looks again and again until {@link stop}. */
  start(): void {
    const again = (): void => {
      if (!this.#isStopped) this.#cancel = this.#parts.ports.clock.after(LIMITS.digestLookMs, () => void this.look().then(again));
    };
    void this.look().then(again);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** Writes the digest of the last period, unless it is written or another host does. Never throws; what fails is tried again. */
  async look(): Promise<void> {
    const { ports, options, log } = this.#parts;
    const period = lastPeriod(options.period, ports.clock.nowMs());
    if (period.untilMs <= this.#doneMs) return;
    try {
      const line = await this.#claimed(period);
      if (line?.open === true) await this.#write(period, line);
      if (line !== undefined) this.#doneMs = period.untilMs;
    } catch (error) {
      log.warn({ fault: faultFrom(error, "store.unavailable") }, "the digest could not be written; it is tried again");
    }
  }

  /** The line of a period if it is closed, or if this host may write the digest. */
  async #claimed(period: Period): Promise<IndexEntry | undefined> {
    const known = await this.#line(period);
    if (known !== undefined && (!known.open || this.#isOurs(known))) return known;
    // A line with a later `at` replaces the one of a dead host; of two with the same, the first one stays.
    const at = Number(known?.facts["at"] ?? 0) + 1;
    if (known !== undefined && this.#parts.host.watch.isAlive(String(known.facts["holder"]))) return undefined;
    await this.#file(period, { open: true, at });
    const line = await this.#line(period);
    return line !== undefined && (!line.open || this.#isOurs(line)) ? line : undefined;
  }

  #isOurs({ facts }: IndexEntry): boolean {
    return facts["holder"] === this.#parts.host.incarnation;
  }

  #line({ untilMs }: Period): Promise<IndexEntry | undefined> {
    return this.#parts.reports.auditLine(bucketOf(untilMs, 0), this.#id(untilMs));
  }

  #id(untilMs: number): string {
    return `digest-${this.#parts.options.period}-${untilMs}`;
  }

  #file({ sinceMs, untilMs }: Period, { open, at }: { readonly open: boolean; readonly at: number }): Promise<void> {
    const { host, system } = this.#parts;
    const why = `${new Date(sinceMs).toISOString()} to ${new Date(untilMs).toISOString()}`;
    const facts = { who: "schedule", what: "digest", target: system, why, holder: host.incarnation, at };
    return host.audit.file(bucketOf(untilMs, 0), { id: this.#id(untilMs), open, atMs: untilMs, facts });
  }

  async #write(period: Period, line: IndexEntry): Promise<void> {
    const { system, options, ports, reports, log } = this.#parts;
    const view = await reports.digest(period);
    const markdown = digestMarkdown(view);
    const file = options.file === undefined ? undefined : pathOf(options.file, system, period.untilMs);
    if (file !== undefined) await writeWhole(file, `${markdown}\n`);
    const event = { what: "digest" as const, atMs: period.untilMs, view, markdown };
    await ports.transport.notification(topics.digests(system), this.#id(period.untilMs), event);
    await this.#file(period, { open: false, at: Number(line.facts["at"] ?? 1) });
    log.info({ file, sinceMs: period.sinceMs }, "digest written");
  }
}

/** The path of a digest. Names of systems have no separators. */
function pathOf(pattern: string, system: string, untilMs: number): string {
  const [date = "", time = ""] = new Date(untilMs).toISOString().split("T");
  const minute = time.slice(0, 5).replace(":", "");
  return pattern.replaceAll("{system}", system).replaceAll("{date}", date).replaceAll("{time}", minute);
}

/** A reader sees the whole file or none. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, text, { mode: 0o640 });
  await rename(`${path}.part`, path);
}
