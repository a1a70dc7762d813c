/** @module An HttpHost over a real socket with a fake host, fake operations and a fake transport that remember what they saw. */
import { Writable } from "node:stream";
import { pino } from "pino";
import { z } from "zod";
import { HttpHost, type HttpHostOptions } from "../../../actors/http/server.ts";
import type { RunDiff } from "../../../runtime/cassette/diff.ts";
import type { ReleaseView } from "../../../runtime/release.ts";
import type { Caller, Operations, Page, Submission, SubmitResult } from "../../../actors/operations/operations.ts";
import type { InvalidBytes } from "../../../actors/operations/invalid-bytes.ts";
import type { ActorHost, Transport } from "../../../actors/engine/ports.ts";
import { Callbacks } from "../../../actors/engine/callbacks.ts";
import type { WireFault } from "../../../runtime/faults.ts";
import type { ProcessView } from "../../../runtime/process-view.ts";
import { fakeKnowledge } from "./knowledge-fakes.ts";
import { REQUEST, RULE } from "./people-fixtures.ts";
import type { Address, Message, TurnAnswer } from "../../../runtime/protocol.ts";

export const TOKEN = "the-token-of-the-app";
export const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
export const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";

/** What the fakes do; tests replace parts of it. */
export interface Behaviour {
  receive(message: Message): Promise<TurnAnswer>;
  deliver(message: Message): Promise<TurnAnswer>;
  submit(submission: Submission, caller: Caller, waitMs: number): Promise<SubmitResult>;
  invalid(): Promise<void>;
  process(id: string): Promise<ProcessView>;
  page(asked: object): Promise<Page>;
  decide(): Promise<void>;
  tick(): Promise<void>;
  looked(): Promise<void>;
}

export interface Seen {
  readonly received: Message[];
  readonly delivered: Message[];
  readonly submitted: { readonly submission: Submission; readonly caller: Caller; readonly waitMs: number }[];
  readonly invalid: InvalidMessage[];
  /** How often the dead letter queue was asked to store a message. */
  inQueue: number;
  readonly events: string[];
  readonly log: string[];
  /** Looks at contents, as the audit has them. */
  readonly looks: string[];
}

/** What arrived at the dead letter queue: as text, and unchanged. */
export interface InvalidMessage {
  readonly bytes: string;
  readonly fault: WireFault;
  readonly topic: string;
  readonly raw: InvalidBytes;
}

export interface HttpRig {
  readonly host: HttpHost;
  readonly origin: string;
  readonly seen: Seen;
  readonly behaviour: Behaviour;
  /** Reports a record to followers. */
  readonly watchers: Callbacks;
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

/** The strict shape of every error body. */
export const ErrorAnswer = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()).optional(), fix: z.string() }),
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
});

const receipt = (message: Message): TurnAnswer => ({ receipt: { messageId: message.id, sequence: 1 } });

export async function startRig(options: Partial<HttpHostOptions> = {}): Promise<HttpRig> {
  const seen: Seen = { received: [], delivered: [], submitted: [], invalid: [], inQueue: 0, events: [], log: [], looks: [] };
  const watchers = new Callbacks();
  const behaviour: Behaviour = {
    receive: async (message) => receipt(message),
    deliver: async (message) => receipt(message),
    submit: async ({ id, route }, { trace }) => ({
      receipt: { id: id ?? "made", route, run: 1, sequence: 1, traceId: trace?.traceparent.slice(3, 35) ?? "none" },
    }),
    invalid: async () => undefined,
    process: async (id) => ({ ...PROCESS, id }),
    page: async (asked) => {
      seen.events.push(JSON.stringify(asked));
      return { entries: [] };
    },
    decide: async () => undefined,
    tick: async () => undefined,
    looked: async () => {},
  };
  const log = new Writable({
    write(chunk: Buffer, _encoding, done) {
      seen.log.push(chunk.toString());
      done();
    },
  });
  const host = new HttpHost({
    system: "party",
    agents: ["Planner"],
    host: fakeHost(seen, behaviour),
    operations: fakeOperations(seen, behaviour, watchers),
    transport: fakeTransport(seen, behaviour),
    pubsub: "pubsub",
    answerAtOnce: false,
    logger: pino({ level: "debug" }, log),
    ...options,
  });
  const origin = `http://127.0.0.1:${await host.listen(0)}`;
  return { host, origin, seen, behaviour, watchers, call: caller(origin) };
}

export function caller(origin: string): HttpRig["call"] {
  return async (method, path, body, headers) => {
    const raw = typeof body === "string" || body instanceof Uint8Array ? (body as string | Uint8Array<ArrayBuffer>) : undefined;
    const sent =
      body === undefined ? {} : { body: raw ?? JSON.stringify(body), headers: { "content-type": "application/json", ...headers } };
    const response = await fetch(`${origin}${path}`, { method, ...(headers === undefined ? {} : { headers }), ...sent });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: text === "" ? undefined : (JSON.parse(text) as unknown) };
  };
}

function fakeHost(seen: Seen, behaviour: Behaviour): ActorHost {
  return {
    types: ["party.Planner", "party.ProcessManager"],
    receive: async (message) => {
      seen.received.push(message);
      return behaviour.receive(message);
    },
    tick: async ({ type, id }, name) => {
      seen.events.push(`tick ${type}/${id} ${name}`);
      await behaviour.tick();
    },
    nudge: async ({ type, id }) => {
      seen.events.push(`nudge ${type}/${id}`);
      return { phase: "open", bucket: "b" };
    },
    heartbeat: ({ type, id }, beat) => void seen.events.push(`beat ${type}/${id} ${beat.workId} ${beat.token}`),
    inspect: async ({ id }) => ({ id }),
    deactivate: ({ type, id }) => void seen.events.push(`deactivate ${type}/${id}`),
  };
}

/** A line of the dead letter queue. */
export const LETTER = {
  id: "p:1",
  open: true,
  atMs: 5,
  route: "trip",
  run: 1,
  code: "agent.failed",
  message: "no",
  traceId: TRACE_ID,
} as const;

/** A process as it shows itself. */
export const PROCESS: ProcessView = {
  id: "p",
  phase: "open",
  run: 1,
  sequence: 1,
  route: "trip",
  fingerprint: "f",
  traceId: TRACE_ID,
  bucket: "b",
  acceptedAtMs: 1,
  deadlineAtMs: 2,
  by: "anonymous",
  works: [],
  historyFrom: 0,
  history: [],
};

const SUMS = { processes: 0, modelCalls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, usd: 0 };
const FAKE_SIGHT: Pick<Operations, "timeline" | "overview" | "costs" | "agents" | "system" | "changes"> = {
  timeline: async (id) => ({ id, run: 1, beginMs: 1, bars: [] }),
  overview: async (sinceMs = 0) => ({
    ...{ system: "party", atMs: 1, sinceMs, open: 0, waitingForPeople: 0, paused: 0, dead: 0, ended: [], usd: 0, tokens: 0, perHour: [] },
    ...{ problems: [], atLeast: false },
  }),
  costs: async (sinceMs = 0) => ({ sinceMs, total: { name: "total", ...SUMS }, byRoute: [], byVersion: [], dearest: [], atLeast: false }),
  agents: () => ({ host: "h", agents: [] }),
  system: async () => ({ system: "party", hosts: [], problems: [] }),
  changes: () => () => {},
};
const NO_RECORDS = { records: [{ sequence: 1, atMs: 1, events: [{ e: "voided" as const }] }], works: [], gone: [] };

const noDiff = (a: string, b: string): RunDiff => {
  const cost = { modelCalls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, usd: 0 };
  return { a, b, same: true, lines: [], cost: { a: cost, b: cost }, outcome: { a: "completed", b: "completed" } };
};

const RELEASE = {
  ...{ agent: "Planner", prompts: ["v1", "v2"], release: { stable: { prompt: "v1" } }, from: "file", hash: "a".repeat(16) },
  ...{ canary: "none", broken: [], counts: [] },
} satisfies ReleaseView;

const NO_DIGEST = {
  ...{ system: "party", untilMs: 2, processes: [], waiting: 0, people: [], dead: 0, deadLetters: [], releases: [], drift: [], slowest: [] },
  ...{ usd: 0, dearest: [], atLeast: false },
};

function fakeOperations(seen: Seen, behaviour: Behaviour, watchers: Callbacks): Operations {
  return {
    submit: async (submission, by, waitMs) => {
      seen.submitted.push({ submission, caller: by, waitMs });
      return behaviour.submit(submission, by, waitMs);
    },
    process: async (id) => behaviour.process(id),
    cancel: async (id, reason) => {
      seen.events.push(`cancel ${id} ${reason}`);
      return { id, route: "trip", run: 1, sequence: 2, traceId: TRACE_ID };
    },
    act: async (id, what, { reason, tree }) => {
      seen.events.push(`${what} ${id} ${reason} ${String(tree)}`);
      return { id, route: "trip", run: 1, sequence: 2, traceId: TRACE_ID };
    },
    decideLetters: async ({ ids }) => ({ decided: ids.length, results: ids.map((id) => ({ id, decided: true })) }),
    signal: async (id, name, payload, { principal }, signalId = "made") => {
      seen.events.push(`signal ${id} ${name} ${JSON.stringify(payload)} ${signalId} ${principal.subject}`);
      return { id, name, signalId, state: "taken", run: 1, sequence: 3, traceId: TRACE_ID };
    },
    processes: async (filter, cursor, limit) => behaviour.page({ ...filter, cursor, limit }),
    deadLetters: async (filter, cursor, limit) => behaviour.page({ ...filter, cursor, limit }),
    ...fakePeople(seen, behaviour),
    ...fakeKnowledge(seen.events),
    broken: async () => ({ entries: [] }),
    setAside: async (actor) => ({ actor, code: "journal.broken-chain", message: "a record is missing", atMs: 1 }),
    audit: async (cursor, limit) => behaviour.page({ cursor, limit }),
    deadLetter: async (id) => ({ ...LETTER, id, letter: { bytes: "{" } }),
    redrive: async (id, redrive, { principal }) => {
      seen.events.push(`redrive ${id} ${JSON.stringify(redrive)} ${principal.subject}`);
      return { id: "p", route: "trip", run: 2, sequence: 9, traceId: TRACE_ID };
    },
    discard: async (id, reason, { principal }) => {
      seen.events.push(`discard ${id} ${reason} ${principal.subject}`);
      return { ...LETTER, id, open: false, decision: "discarded", by: principal.subject, reason };
    },
    graph: () => ({ system: "party", agents: [], routes: [], edges: [] }),
    schemas: () => ({ routes: {}, agents: {} }),
    models: () => ({ models: [] }),
    drift: async (filter) => {
      seen.events.push(`drift ${JSON.stringify(filter)}`);
      return { sinceMs: filter.sinceMs ?? 2, baselineMs: filter.baselineMs ?? 1, lines: [], atLeast: false };
    },
    digest: async (filter) => {
      seen.events.push(`digest ${JSON.stringify(filter)}`);
      return { ...NO_DIGEST, sinceMs: filter.sinceMs ?? 1 };
    },
    releases: () => ({ releases: [RELEASE] }),
    stopRelease: async (agent, reason, { principal }) => {
      seen.events.push(`stop release ${agent} ${reason} ${principal.subject}`);
      return { ...RELEASE, agent };
    },
    purge: async (purge, { principal }) => {
      seen.events.push(`purge ${JSON.stringify(purge)} ${principal.subject}`);
      return { purged: 1, waiting: 2 };
    },
    stops: async () => ({ stops: [] }),
    history: async () => ({ lines: [] }),
    cassette: async (id) => ({
      format: "troupe-cassette",
      v: 1,
      system: "party",
      exportedAtMs: 1,
      processes: [{ id, ...NO_RECORDS }],
      values: {},
    }),
    replay: async (id) => ({ id, processes: 1, works: 0, skipped: [], divergences: [] }),
    ...FAKE_SIGHT,
    looked: async (what, target, _id, { principal }) => {
      await behaviour.looked();
      seen.looks.push(`${principal.subject} ${what} ${target}`);
    },
    fork: async (id, { at }) => {
      seen.events.push(`fork ${id} ${at}`);
      return { id, at, status: "completed", modelCalls: 1, usd: 0, diff: noDiff(id, "fork") };
    },
    diff: async (id, other) => noDiff(id, other),
    conversation: async (id, work) => ({ process: id, work, agent: "Writer", exchanges: [] }),
    watch: (id, news) => watchers.watch(id, news),
    invalid: async (bytes, fault, topic) => {
      seen.inQueue += 1;
      await behaviour.invalid();
      seen.invalid.push({ bytes: Buffer.from(bytes.bytes).toString("utf8"), fault, topic, raw: bytes });
    },
  };
}

function fakePeople(seen: Seen, behaviour: Behaviour): Pick<Operations, "inbox" | "request" | "decide" | "rules" | "revokeRule"> {
  return {
    inbox: async (filter, cursor, limit) => behaviour.page({ ...filter, cursor, limit }),
    request: async (id) => ({ ...REQUEST, id }),
    decide: async (id, decision, { principal }) => {
      await behaviour.decide();
      seen.events.push(`decide ${id} ${JSON.stringify(decision)} ${principal.subject} ${(principal.roles ?? []).join("+")}`);
      return {
        id,
        processId: "p",
        do: decision.do,
        decisionId: decision.decisionId ?? "made",
        state: "denied",
        run: 1,
        sequence: 4,
        traceId: TRACE_ID,
      };
    },
    rules: async (all, { principal }) => ({ entries: [{ ...RULE, by: principal.tenant, state: all ? "revoked" : "stands" }] }),
    revokeRule: async (id, reason, { principal }) => {
      seen.events.push(`revoke ${id} ${reason} ${principal.subject}`);
      return { ...RULE, id, state: "revoked", revoked: { by: principal.subject, atMs: 3, reason } };
    },
  };
}

function fakeTransport(seen: Seen, behaviour: Behaviour): Transport {
  const none = async (): Promise<void> => undefined;
  return {
    publish: none,
    deliver: async (message) => {
      seen.delivered.push(message);
      return behaviour.deliver(message);
    },
    heartbeat: none,
    inspect: async () => null,
    nudge: async () => ({ phase: "none" }),
    notification: none,
  };
}

export function message(id: string, to: Address = { type: "party.Planner", id: "p-1" }): Message {
  return {
    v: 1,
    id,
    to,
    from: "party.ProcessManager/p-1",
    processId: "p-1",
    createdAtMs: 1,
    expiresAtMs: 2,
    hop: 0,
    principal: { subject: "a", tenant: "t", permissions: [] },
    trace: { traceparent: TRACEPARENT },
    body: { kind: "cancel", reason: "no longer" },
  };
}

/** An event as daprd delivers it. */
export function event(data: unknown, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    specversion: "1.0",
    id: "event-1",
    source: "s",
    type: "t",
    time: new Date().toISOString(),
    datacontenttype: "application/json",
    topic: "x",
    pubsubname: "pubsub",
    traceid: "",
    traceparent: "",
    tracestate: "",
    data,
    ...more,
  };
}

/** Bytes of a topic as daprd delivers them where `rawPayload` is asked for. */
export function raw(bytes: string | Uint8Array): string {
  return JSON.stringify({
    data_base64: Buffer.from(bytes).toString("base64"),
    datacontenttype: "application/octet-stream",
    id: "of-daprd",
    pubsubname: "pubsub",
    source: "Dapr",
    specversion: "1.0",
    topic: "x",
    type: "com.dapr.event.sent",
  });
}

/** A promise and its resolver. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
