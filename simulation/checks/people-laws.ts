/**
 * @module The laws of requests to people, followed from the events of processes and from what people did: one decision for each request,
 * by who may decide, on what was asked, before the deadline; reminders and escalations in order; and nothing open without its process.
 *
 * Who may decide, and when, is worked out here again from what was pinned when the request began.
 */
import { canonicalJson, hashJson } from "../../runtime/canonical.ts";
import { entryOf } from "../../runtime/entries.ts";
import { requestId } from "../../runtime/ids.ts";
import { bucketOf, entryIn, type IndexState } from "../../runtime/index-actor.ts";
import { RequestContent, Verdict } from "../../runtime/people/request.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { isPersonWait, type PersonWait } from "../../runtime/process/wait.ts";
import type { Made, Persons } from "../people/persons.ts";
import type { World } from "../world/world.ts";
import { contentOf } from "./contents.ts";
import type { Find } from "./shadow.ts";

type EventOf<E extends ProcessEvent["e"]> = Extract<ProcessEvent, { readonly e: E }>;

/** A request of a process. */
interface Request {
  readonly id: string;
  readonly processId: string;
  readonly wait: PersonWait;
  readonly content: RequestContent;
  reminded: number;
  escalated: number;
  /** Absent while it is open. */
  ended: { readonly state: string; readonly decisionId?: string | undefined; readonly atMs: number } | undefined;
}

/** What the laws of people read. */
export interface PeopleLawsParts {
  readonly find: Find;
  readonly world: World;
  readonly persons: Persons | undefined;
  /** A bucket of an index. */
  readonly index: (name: "Inbox" | "Audit", bucket: string) => IndexState | undefined;
  /** Hears of each request when it begins. */
  readonly asked: (content: RequestContent, state: ProcessState, id: string) => void;
}

const ONE = "a request has one decision";
const WHO = "only who may decides, on what was asked and in time";
const ORDER = "reminders and escalations come in order";
const INBOX = "each request is in the inbox as it is";
const DECISIONS: Readonly<Record<string, string>> = { approved: "approve", edited: "edit", denied: "deny", answered: "answer" };

/** Follows all requests to people. */
export class PeopleLaws {
  readonly #parts: PeopleLawsParts;
  /** By process and wait. */
  readonly #open = new Map<string, Request>();
  readonly #all = new Map<string, Request>();

  constructor(parts: PeopleLawsParts) {
    this.#parts = parts;
  }

  /** How many requests there were. */
  get count(): number {
    return this.#all.size;
  }

  /** The next event of a process, and its state after it. */
  follow(state: ProcessState, event: ProcessEvent): void {
    if (event.e === "wait-begun" && isPersonWait(event.wait)) this.#begun(state, event.wait);
    if (event.e === "wait-ended") this.#ended(state, event);
    if (event.e === "people-told") this.#told(state, event);
    this.#close(state, event);
  }

  #begun(state: ProcessState, wait: PersonWait): void {
    const { find, world, persons, asked } = this.#parts;
    const id = requestId(state.id, wait.for.count);
    const content = RequestContent.parse(contentOf(world, wait.for.content));
    if (this.#all.has(id)) find("a request has its own id", `${id} began twice`);
    if (wait.for.hash !== hashJson(content.input)) find(WHO, `the hash of ${id} is not that of what is asked`);
    const request: Request = { id, processId: state.id, wait, content, reminded: 0, escalated: 0, ended: undefined };
    this.#all.set(id, request);
    this.#open.set(`${state.id} ${wait.id}`, request);
    const { task } = state;
    if (task === undefined) return;
    asked(content, state, id);
    const dueMs = Math.min(wait.for.endsAtMs ?? task.deadlineAtMs, task.deadlineAtMs) - wait.begunAtMs;
    persons?.asked({ id, processId: state.id, hash: wait.for.hash, content, who: wait.for.who, principal: task.principal, dueMs });
  }

  #ended(state: ProcessState, event: EventOf<"wait-ended">): void {
    const key = `${state.id} ${event.waitId}`;
    const request = this.#open.get(key);
    if (event.request === undefined) return;
    if (request === undefined) return this.#parts.find(ONE, `wait ${event.waitId} of ${state.id} ended, and no request of it was open`);
    this.#open.delete(key);
    request.ended = { state: event.request.state, decisionId: event.request.decisionId, atMs: event.atMs };
    if (event.request.state === "expired") return this.#expired(request, event);
    this.#decided(request, event, state);
  }

  #expired({ id, wait }: Request, { atMs, result }: EventOf<"wait-ended">): void {
    const { find } = this.#parts;
    const { endsAtMs, who, about } = wait.for;
    if (endsAtMs === undefined || atMs < endsAtMs) find(WHO, `${id} expired at ${atMs}, and its deadline is ${endsAtMs ?? "none"}`);
    const isAnswer = about === "question" && typeof who.onExpiry === "object";
    const code = "fault" in result ? result.fault.code : undefined;
    const expected = who.onExpiry === "fail" ? "person.expired" : about === "question" && !isAnswer ? "person.denied" : undefined;
    if (code !== expected)
      find("silence means what was declared", `${id} ended ${code ?? "with an output"}, not ${expected ?? "with one"}`);
    if (expected !== undefined || !("output" in result)) return;
    const output = contentOf(this.#parts.world, result.output);
    const silence = typeof who.onExpiry === "object" ? canonicalJson(who.onExpiry.answer) : undefined;
    const isRight = isAnswer ? silence === canonicalJson(output ?? null) : Verdict.safeParse(output).data?.verdict === "denied";
    if (!isRight) find("silence means what was declared", `${id} ended with ${JSON.stringify(output)}`);
  }

  #decided(request: Request, event: EventOf<"wait-ended">, state: ProcessState): void {
    const { persons, find } = this.#parts;
    const { id, wait } = request;
    const { state: how = "", by, decisionId = "" } = event.request ?? {};
    if (wait.for.endsAtMs !== undefined && event.atMs >= wait.for.endsAtMs) find(WHO, `${id} was ${how} after its deadline`);
    if (persons === undefined) return;
    const made = persons.madeBy(decisionId, by ?? "").find(({ decision }) => decision.do === entryOf(DECISIONS, how));
    if (made === undefined || made.request.id !== id)
      return find(WHO, `${id} was ${how} by ${by ?? "no one"} with ${decisionId}, which no one decided`);
    if (made.hash !== wait.for.hash) find(WHO, `${id} was ${how} by ${decisionId}, which was about something else`);
    const forbidden = this.#forbidden(request, made, state);
    if (forbidden !== undefined) find(WHO, `${id} was ${how} by ${by ?? "no one"}, who ${forbidden}`);
    this.#given(request, made, event);
  }

  #forbidden({ wait, escalated }: Request, { principal }: Made, { task }: ProcessState): string | undefined {
    const { who } = wait.for;
    const { subject, tenant, kind, roles = [] } = principal;
    if (task !== undefined && subject === task.principal.subject && tenant === task.principal.tenant) return "asked for it";
    if (kind !== undefined && who.agentsDecide !== true) return "is no person";
    // The steps that were recorded: another host may have been ahead of the clock of this one.
    const now = who.escalate.slice(0, escalated).flatMap((step) => step.roles);
    if (who.roles.length > 0 && ![...who.roles, ...now].some((role) => roles.includes(role))) return "has none of the roles";
    return undefined;
  }

  /** What the stop or handler receives is what was decided. */
  #given({ id, content }: Request, { decision }: Made, { result }: EventOf<"wait-ended">): void {
    const { find, world } = this.#parts;
    const output = "output" in result ? contentOf(world, result.output) : undefined;
    const wrong = (): void =>
      find("what was decided is what is received", `${id} was decided ${JSON.stringify(decision)} and gave ${JSON.stringify(result)}`);
    if (decision.do === "answer") return canonicalJson(output ?? null) === contentText(world, decision.output) ? undefined : wrong();
    if (decision.do === "deny" && content.kind === "question")
      return "fault" in result && result.fault.code === "person.denied" ? undefined : wrong();
    const verdict = Verdict.safeParse(output).data;
    if (verdict?.hash !== hashJson(content.input)) return wrong();
    if (decision.do === "edit" && canonicalJson(verdict.input ?? null) !== contentText(world, decision.input)) return wrong();
    if (entryOf(DECISIONS, verdict.verdict) !== decision.do) wrong();
  }

  #told(state: ProcessState, { waitId, reminded, escalated, atMs }: EventOf<"people-told">): void {
    const { find } = this.#parts;
    const request = this.#open.get(`${state.id} ${waitId}`);
    if (request === undefined) return find(ORDER, `people were told of wait ${waitId} of ${state.id}, which is not open`);
    const { id, wait } = request;
    const { remindMs = Number.POSITIVE_INFINITY, escalate } = wait.for.who;
    const isForward =
      reminded >= request.reminded && escalated >= request.escalated && reminded + escalated > request.reminded + request.escalated;
    if (!isForward)
      find(ORDER, `${id} was at ${request.reminded} reminders and step ${request.escalated}, and is at ${reminded} and ${escalated}`);
    const sinceMs = atMs - wait.begunAtMs;
    if (reminded > 0 && reminded * remindMs > sinceMs) find(ORDER, `reminder ${reminded} of ${id} came after ${sinceMs} ms`);
    if (escalated > 0 && (escalate[escalated - 1]?.afterMs ?? Number.POSITIVE_INFINITY) > sinceMs)
      find(ORDER, `step ${escalated} of ${id} came after ${sinceMs} ms`);
    Object.assign(request, { reminded, escalated });
  }

  /** Requests whose waits have left the state, and those of a process that has ended. */
  #close({ id, waits = {}, phase }: ProcessState, event: ProcessEvent): void {
    if (this.#open.size === 0) return;
    for (const [key, request] of this.#open) {
      if (request.processId !== id) continue;
      if (waits[request.wait.id] === undefined) {
        this.#open.delete(key);
        request.ended = { state: "closed", atMs: "atMs" in event && typeof event.atMs === "number" ? event.atMs : 0 };
      } else if (phase === "ended") this.#parts.find("a request never outlives its process", `${request.id} is open, and ${id} has ended`);
    }
  }

  /** When everything is quiet. */
  check(): void {
    for (const request of this.#all.values()) this.#checkListed(request);
    this.#checkReceipts();
  }

  #checkListed({ id, wait, ended }: Request): void {
    const { find, index } = this.#parts;
    const bucket = index("Inbox", bucketOf(wait.begunAtMs, 0));
    const entry = bucket === undefined ? undefined : entryIn(bucket, id);
    if (entry === undefined) return find(INBOX, `${id} is not there`);
    if (entry.open !== (ended === undefined))
      return find(INBOX, `${id} is ${ended?.state ?? "open"}, and its entry is ${entry.open ? "open" : "closed"}`);
    if (ended !== undefined && entry.facts["state"] !== ended.state)
      find(INBOX, `${id} is ${ended.state}, and its entry says ${String(entry.facts["state"])}`);
    if (ended?.decisionId === undefined) return;
    const audit = index("Audit", bucketOf(ended.atMs, 0));
    if (audit === undefined || entryIn(audit, `${id}:decided`) === undefined) find("each decision is in the audit", `that on ${id} is not`);
  }

  #checkReceipts(): void {
    const { persons, find } = this.#parts;
    for (const { request, decisionId, principal, refused, wrong } of persons?.answered ?? []) {
      if (refused !== undefined) continue;
      if (wrong !== undefined)
        find(WHO, `${decisionId} of ${principal.subject} on ${request.id} must be refused (${wrong}), and has a receipt`);
      const stands = this.#all.get(request.id)?.ended?.decisionId;
      if (stands !== decisionId)
        find("a receipt of a decision means that it stands", `${decisionId} has a receipt, and ${stands ?? "none"} stands`);
    }
  }
}

function contentText(world: World, value: Parameters<typeof contentOf>[1]): string {
  return canonicalJson(contentOf(world, value) ?? null);
}
