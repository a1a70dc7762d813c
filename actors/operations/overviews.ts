/**
 * @module What operators see of a whole system: sums over the entries of its indexes, its agents and its hosts. The entries are read from
 * the journals of the buckets, which this host caches.
 */
import type { System } from "../../agents/system.ts";
import type { ModelsAnswer } from "../../runtime/answers.ts";
import { isOfTenant } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { AgentsView, AgentView, CostView, OverviewView, Problem, SystemView } from "../../runtime/overview.ts";
import { counted } from "../../runtime/units.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { costsOf, countEntries } from "../../runtime/sums.ts";
import type { Clock, Ports } from "../engine/ports.ts";
import type { Host } from "../host/host.ts";
import { invalidSlice } from "./invalid-bytes.ts";
import type { Listing } from "./listing.ts";

/** The parts of overviews. */
export interface OverviewsParts {
  readonly system: System;
  readonly ports: Pick<Ports, "clock">;
  readonly host: Host;
  readonly directory: Listing;
  readonly letters: Listing;
  readonly inbox: Listing;
  readonly models: () => ModelsAnswer["models"];
  /** What others want an operator to look at. */
  readonly others: () => readonly Problem[];
}

interface Entries {
  readonly entries: readonly IndexEntry[];
  readonly atLeast: boolean;
}

/** Overviews of one system. */
export class Overviews {
  readonly #parts: OverviewsParts;
  readonly #clock: Clock;

  constructor(parts: OverviewsParts) {
    this.#parts = parts;
    this.#clock = parts.ports.clock;
  }

  /** The system in numbers. Throws `store.unavailable`. */
  async overview(sinceMs = Math.max(0, this.#clock.nowMs() - LIMITS.overviewMs), tenant?: string): Promise<OverviewView> {
    const [all, dead, waiting] = await Promise.all([
      this.#entries(this.#parts.directory, tenant),
      this.#openIn(this.#parts.letters, tenant),
      this.#openIn(this.#parts.inbox, tenant),
    ]);
    return {
      ...{ system: this.#parts.system.name, atMs: this.#clock.nowMs(), sinceMs },
      ...countEntries(all.entries, sinceMs),
      ...{ waitingForPeople: waiting.length, dead: dead.length },
      problems: tenant === undefined ? this.#problems(dead.length, waiting) : [],
      atLeast: all.atLeast,
    };
  }

  /** What was spent. Throws `store.unavailable`. */
  async costs(sinceMs = Math.max(0, this.#clock.nowMs() - LIMITS.overviewMs), tenant?: string): Promise<CostView> {
    // A process that ended since then may have been accepted long before: its bucket is that of its acceptance.
    const { entries, atLeast } = await this.#entries(this.#parts.directory, tenant);
    return { ...costsOf(entries, sinceMs), atLeast };
  }

  /** The agents as this host sees them. */
  agents(): AgentsView {
    const { system, host } = this.#parts;
    const { use } = host;
    const agents = [...system.agents.values()].map((definition): AgentView => {
      const { name, version, contract, models, prompts, tools, concurrency } = definition;
      const { running, waiting } = use.get(name) ?? { running: 0, waiting: 0 };
      return {
        ...{ name, version, kind: models.length > 0 ? "model" : "code", keyed: contract.key !== undefined },
        ...(contract.about === undefined ? {} : { about: contract.about }),
        tools: [...tools.values()].map(({ name: tool, effect, undo, permission }) => ({
          ...{ name: tool, effect, undo: undo !== undefined },
          ...(permission === undefined ? {} : { permission }),
        })),
        ...{ models: [...models], prompts: [...prompts], running, queued: waiting, slots: concurrency },
      };
    });
    const people = [...system.people.values()].map((person): AgentView => {
      const { name, version, about } = person;
      const nothing = { keyed: false, tools: [], models: [], prompts: [], running: 0, queued: 0 };
      return { ...{ name, version, kind: "person", ...nothing }, ...(about === undefined ? {} : { about }) };
    });
    return { host: host.incarnation, agents: [...agents, ...people] };
  }

  /** Hosts, and what an operator should look at. Throws `store.unavailable`. */
  async system(): Promise<SystemView> {
    const { system, host } = this.#parts;
    const [dead, waiting] = await Promise.all([this.#openIn(this.#parts.letters), this.#openIn(this.#parts.inbox)]);
    const { incarnation, processes, watch } = host;
    const self = { incarnation, open: processes.openCount, self: true, alive: true, ...leaseOf(watch.renewedAtMs) };
    const others = watch.others.map((other) => ({
      ...{ incarnation: other.incarnation, self: false, alive: other.alive },
      ...leaseOf(other.renewedAtMs),
    }));
    return { system: system.name, hosts: [self, ...others], problems: this.#problems(dead.length, waiting) };
  }

  /** The processes that wait for a person. Throws `store.unavailable`. */
  async waiting(tenant?: string): Promise<ReadonlySet<unknown>> {
    return new Set((await this.#openIn(this.#parts.inbox, tenant, 0)).map(({ facts }) => facts["processId"]));
  }

  async #entries(listing: Listing, tenant: string | undefined, ageMs: number = LIMITS.overviewAgeMs): Promise<Entries> {
    const found = await listing.from("", undefined, ageMs);
    const entries: IndexEntry[] = [];
    for (const bucket of [...found.keys()].sort().toReversed()) {
      for (const entry of found.get(bucket) ?? []) {
        if (tenant !== undefined && (invalidSlice(entry.id) !== undefined || !isOfTenant(entry.id, tenant))) continue;
        if (entries.length >= LIMITS.countedEntriesMax) return { entries, atLeast: true };
        entries.push(entry);
      }
    }
    return { entries, atLeast: false };
  }

  async #openIn(listing: Listing, tenant?: string, ageMs?: number): Promise<readonly IndexEntry[]> {
    return (await this.#entries(listing, tenant, ageMs)).entries.filter(({ open }) => open);
  }

  #problems(dead: number, waiting: readonly IndexEntry[]): Problem[] {
    const { host, models, others } = this.#parts;
    const nowMs = this.#clock.nowMs();
    const problems: Problem[] = [...others()];
    if (dead > 0)
      problems.push({
        code: "deadletter.open",
        message: `${counted(dead, "dead letter")} to decide`,
        fix: "Look at the cause of each, then redrive or discard it.",
        command: "troupe dead list",
      });
    const pressing = waiting.filter(({ atMs, facts }) => typeof facts["dueAtMs"] === "number" && nowMs > (atMs + facts["dueAtMs"]) / 2);
    if (pressing.length > 0)
      problems.push({
        code: "person.late",
        message: `${counted(pressing.length, "request")} to people past half the time`,
        fix: "Decide on them, or ask who should.",
        command: "troupe inbox",
      });
    for (const { actor, code } of host.quarantine.list())
      problems.push({
        code,
        message: `the journal of ${actor.type}/${actor.id} is broken`,
        fix: "Nothing else stops. Look at it before you set it aside.",
        command: "troupe doctor",
      });
    for (const { name, endpoints } of models())
      for (const endpoint of endpoints)
        if (endpoint.breaker !== "closed" || endpoint.connection !== "connected")
          problems.push({
            code: "model.unavailable",
            message: `endpoint ${endpoint.name} of ${name}: ${endpoint.breaker === "closed" ? endpoint.connection : "its breaker is open"}`,
            fix: "Look at the provider. Other endpoints of the model take its calls.",
          });
    for (const { incarnation, alive } of host.watch.others)
      if (!alive)
        problems.push({
          code: "host.dead",
          message: `host ${incarnation} does not renew its lease`,
          fix: "Its work goes on at other hosts. Look why it died.",
        });
    return problems;
  }
}

function leaseOf(leaseAtMs: number | undefined): { readonly leaseAtMs?: number } {
  return leaseAtMs === undefined ? {} : { leaseAtMs };
}
