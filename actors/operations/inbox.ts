/** @module Requests to people: the listing, one with its content, and the decisions on them. */
import { plainJson } from "../../runtime/canonical.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { isId, isOfTenant, requireId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { DecisionReceipt, RequestEntry, RequestView } from "../../runtime/people/answers.ts";
import { type PersonDecision, RequestContent } from "../../runtime/people/request.ts";
import type { IndexEntry } from "../../runtime/protocol.ts";
import { amountsView } from "../../runtime/process/budget-view.ts";
import { usedOf } from "../../runtime/budget.ts";
import { requireJson } from "../../runtime/schema.ts";
import { requireValue, type Value } from "../../runtime/value.ts";
import type { Ports } from "../engine/ports.ts";
import type { Host } from "../host/host.ts";
import { traceWithin } from "../telemetry/spans.ts";
import { decisionOf } from "./dead-letter-entry.ts";
import { type EntryPage, Listing } from "./listing.ts";
import type { Caller, Decision, InboxFilter, Page } from "./operations.ts";
import type { Requests } from "./requests.ts";

/** The parts that the inbox works on. */
export interface InboxParts {
  readonly system: string;
  readonly ports: Ports;
  readonly host: Host;
  readonly requests: Requests;
}

const REQUEST_ID = /^(.+)\.r\d{1,9}$/;
/** What the cursor of a page of overdue requests begins with, and that of the others. */
const OVERDUE = "overdue:";
const OTHERS = "others:";

/** The requests of one system to people. */
export class Inbox {
  readonly #parts: InboxParts;
  readonly #listing: Listing;

  constructor(parts: InboxParts) {
    this.#parts = parts;
    this.#listing = new Listing(parts.ports, parts.system, "Inbox", parts.host);
  }

  /** Notes every broken bucket in the quarantine of the host. */
  findBroken(): Promise<void> {
    return this.#listing.findBroken();
  }

  async list(filter: InboxFilter, cursor: string | undefined, limit: number): Promise<Page> {
    const nowMs = this.#parts.ports.clock.nowMs();
    const wanted = matcher(filter);
    const pageOf = (isWanted: (entry: IndexEntry) => boolean, from: string | undefined, max: number): Promise<EntryPage> =>
      this.#listing.page((entry) => wanted(entry) && isWanted(entry), from === "" ? undefined : from, max);
    const shown = ({ entries, ...rest }: EntryPage): Page => ({
      entries: entries.map((entry) => plainJson(entryView(entry, nowMs))),
      ...rest,
    });
    if (filter.state === "decided") return shown(await pageOf(() => true, cursor, limit));
    const late = (entry: IndexEntry): boolean => isOverdue(entry, nowMs);
    const others = (from: string | undefined, max: number): Promise<EntryPage> => pageOf((entry) => !late(entry), from, max);
    if (cursor?.startsWith(OTHERS) === true) return shown(marked(OTHERS, await others(cursor.slice(OTHERS.length), limit)));
    const overdue = await pageOf(late, cursor?.startsWith(OVERDUE) === true ? cursor.slice(OVERDUE.length) : cursor, limit);
    if (overdue.cursor !== undefined) return shown(marked(OVERDUE, overdue));
    const room = limit - overdue.entries.length;
    if (room === 0) return shown({ ...overdue, cursor: OTHERS });
    const rest = marked(OTHERS, await others(undefined, room));
    return shown({ ...rest, entries: [...overdue.entries, ...rest.entries] });
  }

  async request(id: string): Promise<RequestView> {
    const { host, ports, requests } = this.#parts;
    const view = await requests.inspect(processOf(id));
    const entry = "bucket" in view ? await this.#listing.find(view.bucket, id) : undefined;
    if (entry?.content === undefined) throw unknownRequest(id);
    const content = RequestContent.parse(await host.values.read(entry.content));
    const { input, inputSchema, outputSchema, rule, evidence, label, spent, always = [] } = content;
    return {
      ...entryView(entry, ports.clock.nowMs()),
      reason: content.reason,
      hash: textOf(entry.facts["hash"]),
      ...{ input, rule, evidence, inputSchema, always },
      ...(label === undefined ? {} : { label }),
      ...(spent === undefined ? {} : { spent: amountsView(usedOf(spent)) }),
      ...(outputSchema === undefined ? {} : { outputSchema }),
    };
  }

  async decide(id: string, given: Decision, caller: Caller): Promise<DecisionReceipt> {
    const { requests, ports } = this.#parts;
    const processId = processOf(id);
    const decision = decisionIn(given);
    const decisionId =
      given.decisionId === undefined
        ? decisionOf([id, given.hash, caller.principal.subject, plainJson(decision)])
        : requireId(given.decisionId, "decision id");
    const view = await requests.inspect(processId);
    if (!("route" in view)) throw unknownRequest(id);
    const message = requests.message(
      processId,
      { kind: "decide", requestId: id, hash: given.hash, decisionId, decision },
      // A decision belongs to the trace of its process.
      { ...caller, trace: traceWithin(view.traceId, ports.random) ?? caller.trace },
      ports.clock.nowMs() + LIMITS.messageLifetimeMsDefault,
      // The same decision of the same caller is the same message.
      `decide-${decisionOf([id, decisionId, caller.principal.subject, given.hash, plainJson(decision)])}`,
    );
    const { run, sequence, traceId } = requests.receipt(view.route, message, await requests.insist(message));
    return { id, processId, do: given.do, decisionId, run, sequence, traceId };
  }
}

/** The process of a request. Throws `person.unknown`. */
function processOf(id: string): string {
  const [, process] = REQUEST_ID.exec(id) ?? [];
  if (process === undefined || !isId(process)) throw unknownRequest(id);
  return process;
}

function unknownRequest(id: string): Fault {
  return new Fault("person.unknown", `there is no request ${JSON.stringify(id)}`);
}

function matcher({ state = "open", person, route, processId, tenant }: InboxFilter): (entry: IndexEntry) => boolean {
  return ({ id, open, facts }) =>
    open === (state === "open") &&
    (tenant === undefined || isOfTenant(id, tenant)) &&
    (person === undefined || facts["person"] === person) &&
    (route === undefined || facts["route"] === route) &&
    (processId === undefined || facts["processId"] === processId);
}

/** It was escalated, or its deadline has passed. */
function isOverdue({ open, facts: { escalated, dueAtMs } }: IndexEntry, nowMs: number): boolean {
  return open && ((typeof escalated === "number" && escalated > 0) || (typeof dueAtMs === "number" && dueAtMs <= nowMs));
}

function marked(mark: string, { cursor, ...page }: EntryPage): EntryPage {
  return cursor === undefined ? page : { ...page, cursor: mark + cursor };
}

/** Facts of an entry that are shown as they are, if it has them. */
const PLAIN = ["route", "person", "agent", "tool", "tenant", "dueAtMs", "ended", "by", "why", "decidedAtMs"] as const;

function entryView(entry: IndexEntry, nowMs: number): RequestEntry {
  const { id, open, atMs, facts } = entry;
  const shown = Object.fromEntries(PLAIN.filter((name) => facts[name] !== undefined).map((name) => [name, facts[name]]));
  return {
    id,
    open,
    atMs,
    processId: processOf(id),
    kind: facts["kind"] as RequestEntry["kind"],
    reason: textOf(facts["reason"]),
    for: textOf(facts["for"]),
    roles: textOf(facts["roles"])
      .split("\n")
      .filter((role) => role !== ""),
    overdue: isOverdue(entry, nowMs),
    reminded: Number(facts["reminded"] ?? 0),
    ...shown,
  };
}

function textOf(fact: unknown): string {
  return typeof fact === "string" ? fact : "";
}

/** The decision as its message carries it, with contents as complete values. */
function decisionIn(given: Decision): PersonDecision {
  const reason = given.reason === undefined ? {} : { reason: given.reason };
  switch (given.do) {
    case "approve": {
      const { always } = given;
      if (always === undefined) return { do: "approve", ...reason };
      const { rule, usesMax, forMs } = always;
      const limits = { ...(usesMax === undefined ? {} : { usesMax }), ...(forMs === undefined ? {} : { forMs }) };
      return { do: "approve", ...reason, always: { rule, ...limits } };
    }
    case "edit":
      return { do: "edit", input: contentIn(given.input, "input"), ...reason };
    case "deny":
      return { do: "deny", reason: given.reason };
    case "answer":
      return { do: "answer", output: contentIn(given.output, "output"), ...reason };
  }
}

function contentIn(given: unknown, what: string): Value {
  const json: Json = requireJson(given, `the ${what} of the decision`, "body.invalid");
  requireValue(json);
  return { json };
}
