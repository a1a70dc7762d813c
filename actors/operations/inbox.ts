/** @module Requests to people: the listing, one with its content, and the decisions on them. */
import { plainJson } from "../../runtime/canonical.ts";
import { Fault, invariant, type Json } from "../../runtime/faults.ts";
import { isOfTenant, requestParts, requireId } from "../../runtime/ids.ts";
import { bucketOf } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { DecisionReceipt } from "../../runtime/people/answers.ts";
import { type PersonDecision, RequestContent } from "../../runtime/people/request.ts";
import { inboxLine, requestView, type RequestView } from "../../runtime/people/view.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { requireJson } from "../../runtime/schema.ts";
import { requireValue, type Value } from "../../runtime/value.ts";
import type { Ports } from "../engine/ports.ts";
import type { Host } from "../host/host.ts";
import { ATTRIBUTE } from "../telemetry/names.ts";
import { actTrace } from "../telemetry/spans.ts";
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

/** What the cursor of a page of escalated requests begins with, and that of the others. */
const ESCALATED = "escalated:";
const OTHERS = "others:";

/** The requests of one system to people. */
export class Inbox {
  readonly #parts: InboxParts;
  /** The listing, for reports over it. */
  readonly listing: Listing;

  constructor(parts: InboxParts) {
    this.#parts = parts;
    this.listing = new Listing(parts.ports, parts.system, "Inbox", parts.host);
  }

  /** Notes every broken bucket in the quarantine of the host. */
  findBroken(): Promise<void> {
    return this.listing.findBroken();
  }

  async list(filter: InboxFilter, cursor: string | undefined, limit: number): Promise<Page> {
    const wanted = matcher(filter);
    const pageOf = (isWanted: (entry: IndexEntry) => boolean, from: string | undefined, max: number): Promise<EntryPage> =>
      this.listing.page((entry) => wanted(entry) && isWanted(entry), from === "" ? undefined : from, max);
    if (filter.state === "decided") return shown(await pageOf(() => true, cursor, limit));
    const others = async (from: string | undefined, max: number): Promise<EntryPage> =>
      marked(OTHERS, await pageOf((entry) => !isEscalated(entry), from, max));
    if (cursor?.startsWith(OTHERS) === true) return shown(await others(cursor.slice(OTHERS.length), limit));
    const first = await pageOf(isEscalated, cursor?.startsWith(ESCALATED) === true ? cursor.slice(ESCALATED.length) : cursor, limit);
    if (first.cursor !== undefined) return shown(marked(ESCALATED, first));
    const room = limit - first.entries.length;
    if (room === 0) return shown({ ...first, cursor: OTHERS });
    const rest = await others(undefined, room);
    return shown({ ...rest, entries: [...first.entries, ...rest.entries] });
  }

  async request(id: string): Promise<RequestView> {
    const { host, requests } = this.#parts;
    const view = await requests.inspect(processOf(id));
    if (!("route" in view)) throw unknownRequest(id);
    const line = view.requests?.find((one) => one.id === id) ?? (await this.#listed(id, view.acceptedAtMs));
    if (line?.content === undefined) throw unknownRequest(id);
    return requestView(line, RequestContent.parse(await host.values.read(line.content)));
  }

  /** A request that its process no longer remembers. */
  async #listed(id: string, sinceMs: number): Promise<Parameters<typeof requestView>[0] | undefined> {
    const entry = await this.#find(id, sinceMs);
    const line = entry === undefined ? undefined : inboxLine(entry);
    if (entry?.content === undefined || line === undefined) return undefined;
    const { by, decidedAtMs, ...facts } = line;
    const decided = { reason: "", atMs: decidedAtMs ?? entry.atMs, ...(by === undefined ? {} : { by }) };
    return { ...facts, content: entry.content, decided };
  }

  /** The entry of a request, whose bucket is not known: that of the time at which it was asked, after its process was accepted. */
  async #find(id: string, sinceMs: number): Promise<IndexEntry | undefined> {
    // Another host's clock may have been behind.
    const oldest = bucketOf(Math.max(0, sinceMs - LIMITS.indexBucketMs), 0);
    for (let cursor: string | undefined; ;) {
      const page: EntryPage = await this.listing.page((entry) => entry.id === id, cursor, 1, oldest);
      if (page.entries[0] !== undefined || page.cursor === undefined) return page.entries[0];
      ({ cursor } = page);
    }
  }

  /** A page of processes, whose open ones name the request that they wait for: the last one that was asked. */
  async named({ entries, ...rest }: Page): Promise<Page> {
    const open = new Map(entries.flatMap((entry) => (isOpen(entry) ? [[entry.id, entry.acceptedAtMs ?? 0] as const] : [])));
    if (open.size === 0) return { entries, ...rest };
    const oldest = bucketOf(Math.min(...open.values()), 0);
    const isWanted = (entry: IndexEntry): boolean => entry.open && open.has(String(entry.facts["processId"]));
    const asked = (await this.listing.page(isWanted, undefined, LIMITS.pageEntriesMax, oldest)).entries.toReversed();
    const byProcess = new Map(asked.map(({ id, facts: { processId, person } }) => [processId, { request: id, person: person ?? "" }]));
    return { entries: entries.map((entry) => (isOpen(entry) ? { ...entry, ...byProcess.get(entry.id) } : entry)), ...rest };
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
    const facts = { [ATTRIBUTE.process]: processId, [ATTRIBUTE.request]: id, [ATTRIBUTE.act]: given.do };
    const trace = actTrace({ process: view.traceparent, caller: caller.trace }, facts, ports.random);
    const message = requests.message(
      processId,
      { kind: "decide", requestId: id, hash: given.hash, decisionId, decision },
      { ...caller, trace },
      ports.clock.nowMs() + LIMITS.messageLifetimeMsDefault,
      // The same decision of the same caller is the same message.
      `decide-${decisionOf([id, decisionId, caller.principal.subject, given.hash, plainJson(decision)])}`,
    );
    const answer = await requests.insist(message);
    const { run, sequence, traceId } = requests.receipt(view.route, message, answer);
    const status = "receipt" in answer ? answer.request : undefined;
    invariant(status !== undefined, "the receipt of a decision has the state of its request");
    return { id, processId, do: given.do, decisionId, state: status.state, run, sequence, traceId };
  }
}

interface OpenProcess {
  readonly [name: string]: Json;
  readonly id: string;
}

function isOpen(entry: Json): entry is OpenProcess & { readonly acceptedAtMs?: number } {
  return typeof entry === "object" && entry !== null && "open" in entry && entry["open"] === true;
}

/** The process of a request. Throws `person.unknown`. */
function processOf(id: string): string {
  const parts = requestParts(id);
  if (parts === undefined) throw unknownRequest(id);
  return parts.process;
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

function isEscalated({ open, facts: { escalated } }: IndexEntry): boolean {
  return open && typeof escalated === "number" && escalated > 0;
}

function marked(mark: string, { cursor, ...page }: EntryPage): EntryPage {
  return cursor === undefined ? page : { ...page, cursor: mark + cursor };
}

function shown({ entries, ...rest }: EntryPage): Page {
  return { entries: entries.flatMap((entry) => plainJson(inboxLine(entry) ?? [])), ...rest };
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
