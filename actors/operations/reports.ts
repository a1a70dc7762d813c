/** @module Reports over ended processes: drift and digests. Each is read from the indexes when it is asked for; nothing is kept. */
import { Fault } from "../../runtime/faults.ts";
import { isOfTenant } from "../../runtime/ids.ts";
import { bucketOf } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { DigestView, DriftView } from "../../runtime/overview.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { CANARY_STOPPED } from "../../runtime/release.ts";
import { digestOf } from "../../runtime/reports/digest.ts";
import { driftOf, type DriftTimes } from "../../runtime/reports/drift.ts";
import { type EndedRun, endedRun } from "../../runtime/reports/runs.ts";
import type { Clock } from "../engine/ports.ts";
import { invalidSlice } from "./invalid-bytes.ts";
import type { Listing } from "./listing.ts";
import type { DigestFilter, DriftFilter } from "./operations.ts";

/** The indexes that reports are read from. */
export interface ReportsParts {
  readonly system: string;
  readonly clock: Clock;
  readonly directory: Listing;
  readonly letters: Listing;
  readonly audit: Listing;
  readonly inbox: Listing;
}

interface Some<T> {
  readonly all: readonly T[];
  /** There are more. */
  readonly isCut: boolean;
}

/** The reports of one system. All methods throw `store.unavailable`. */
export class Reports {
  readonly #parts: ReportsParts;

  constructor(parts: ReportsParts) {
    this.#parts = parts;
  }

  /** @throws `body.invalid` for times in the wrong order */
  async drift({ tenant, ...given }: DriftFilter): Promise<DriftView> {
    const times = driftTimes(given, this.#parts.clock.nowMs());
    const { all, isCut } = await this.#runs(times.baselineMs, tenant);
    return driftOf(all, times, isCut);
  }

  /** @throws `body.invalid` for times in the wrong order */
  async digest({ sinceMs: since, untilMs: until, tenant }: DigestFilter): Promise<DigestView> {
    const { system, clock, letters, inbox, audit } = this.#parts;
    const nowMs = clock.nowMs();
    const untilMs = until ?? nowMs;
    const { sinceMs, baselineMs } = driftTimes({ sinceMs: since }, untilMs);
    const isOpen = ({ id, open }: IndexEntry): boolean =>
      open && (tenant === undefined || (invalidSlice(id) === undefined && isOfTenant(id, tenant)));
    const [runs, dead, requests, stopped] = await Promise.all([
      this.#runs(baselineMs, tenant),
      some(letters, isOpen, LIMITS.reportEntriesMax),
      some(inbox, isOpen, LIMITS.reportEntriesMax),
      // Releases are of all tenants.
      tenant === undefined
        ? some(audit, ({ facts }) => facts["what"] === CANARY_STOPPED, LIMITS.digestLinesMax, bucketOf(sinceMs, 0))
        : { all: [], isCut: false },
    ]);
    return digestOf({
      ...{ system, sinceMs, untilMs, baselineMs },
      ...{ runs: runs.all, letters: dead.all, requests: requests.all, stopped: stopped.all },
      atLeast: runs.isCut || dead.isCut || requests.isCut,
    });
  }

  /** A line of the audit. */
  auditLine(bucket: string, id: string): Promise<IndexEntry | undefined> {
    return this.#parts.audit.find(bucket, id);
  }

  /** Processes that ended since a time, the last accepted ones first. */
  async #runs(sinceMs: number, tenant: string | undefined): Promise<Some<EndedRun>> {
    const all: EndedRun[] = [];
    const oldest = bucketOf(Math.max(0, sinceMs - LIMITS.reportLookBackMs), 0);
    for await (const entries of this.#parts.directory.newest(oldest))
      for (const entry of entries) {
        if (entry.open || entry.atMs < sinceMs || (tenant !== undefined && !isOfTenant(entry.id, tenant))) continue;
        const run = endedRun(entry);
        if (run === undefined) continue;
        if (all.length >= LIMITS.reportProcessesMax) return { all, isCut: true };
        all.push(run);
      }
    return { all, isCut: false };
  }
}

/** The times of drift, with their defaults. */
function driftTimes({ sinceMs: since, baselineMs: baseline }: Omit<DriftFilter, "tenant">, untilMs: number): DriftTimes {
  const sinceMs = since ?? untilMs - LIMITS.driftWindowMs;
  const windowMs = untilMs - sinceMs;
  const baselineMs = baseline ?? Math.max(0, sinceMs - LIMITS.driftBaselineWindows * windowMs);
  if (windowMs <= 0) throw new Fault("body.invalid", "sinceMs is not in the past", { path: "sinceMs" });
  if (baselineMs >= sinceMs)
    throw new Fault("body.invalid", "the baseline begins before the window: baselineMs < sinceMs", { path: "baselineMs" });
  if (untilMs - baselineMs > LIMITS.reportWindowMsMax)
    throw new Fault("body.invalid", `at most ${LIMITS.reportWindowMsMax} ms are looked at`, {
      path: baseline === undefined ? "sinceMs" : "baselineMs",
    });
  return { sinceMs, baselineMs };
}

async function some(listing: Listing, wanted: (entry: IndexEntry) => boolean, max: number, oldest = ""): Promise<Some<IndexEntry>> {
  const all: IndexEntry[] = [];
  for await (const entries of listing.newest(oldest)) {
    all.push(...entries.filter(wanted));
    if (all.length > max) return { all: all.slice(0, max), isCut: true };
  }
  return { all, isCut: false };
}
