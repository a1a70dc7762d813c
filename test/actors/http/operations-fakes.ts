/** @module Fake operations behind an HttpHost, with a process and a dead letter as they are shown. */
import type { Callbacks } from "../../../actors/engine/callbacks.ts";
import type { Operations } from "../../../actors/operations/operations.ts";
import type { RunDiff } from "../../../runtime/cassette/diff.ts";
import type { ProcessView } from "../../../runtime/process-view.ts";
import type { ReleaseView } from "../../../runtime/release.ts";
import type { Behaviour, Seen } from "./behaviour.ts";
import { fakeKnowledge } from "./knowledge-fakes.ts";
import { REQUEST, RULE } from "./people-fixtures.ts";

/** The trace of all that the fakes answer. */
export const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";

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
const FAKE_SIGHT: Pick<Operations, "timeline" | "overview" | "costs" | "agents" | "system"> = {
  timeline: async (id) => ({ id, run: 1, beginMs: 1, bars: [] }),
  overview: async (sinceMs = 0) => ({
    ...{
      system: "party",
      atMs: 1,
      sinceMs,
      open: 0,
      waitingForPeople: 0,
      paused: 0,
      dead: 0,
      ended: [],
      redriven: 0,
      usd: 0,
      tokens: 0,
      perHour: [],
    },
    ...{ problems: [], atLeast: false },
  }),
  costs: async (sinceMs = 0) => ({ sinceMs, total: { name: "total", ...SUMS }, byRoute: [], byVersion: [], dearest: [], atLeast: false }),
  agents: () => ({ host: "h", agents: [] }),
  system: async () => ({ system: "party", hosts: [], problems: [] }),
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

/** Operations that note what they were asked, and do what the behaviour says. */
export function fakeOperations(seen: Seen, behaviour: Behaviour, watchers: Callbacks): Operations {
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
    signal: async (id, name, payload, { principal }, signalId = "made") => {
      seen.events.push(`signal ${id} ${name} ${JSON.stringify(payload)} ${signalId} ${principal.subject}`);
      return { id, name, signalId, state: "taken", run: 1, sequence: 3, traceId: TRACE_ID };
    },
    processes: async (filter, cursor, limit) => behaviour.page({ ...filter, cursor, limit }),
    changes: (changed) => behaviour.changes(changed),
    ...fakePeople(seen, behaviour),
    ...fakeKnowledge(seen.events),
    broken: async () => ({ entries: [] }),
    setAside: async (actor) => ({ actor, code: "journal.broken-chain", message: "a record is missing", atMs: 1 }),
    audit: async (cursor, limit) => behaviour.page({ cursor, limit }),
    ...fakeLetters(seen, behaviour),
    graph: () => ({ system: "party", agents: [], routes: [], edges: [] }),
    schemas: () => ({ routes: {}, agents: {} }),
    models: () => ({ models: [] }),
    ...fakeReports(seen),
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

type Letters = "deadLetters" | "deadLetter" | "decideLetters" | "redrive" | "discard";

function fakeLetters(seen: Seen, behaviour: Behaviour): Pick<Operations, Letters> {
  return {
    deadLetters: async (filter, cursor, limit) => behaviour.page({ ...filter, cursor, limit }),
    decideLetters: async ({ ids }) => ({ decided: ids.length, results: ids.map((id) => ({ id, decided: true })) }),
    deadLetter: async (id) => ({ ...LETTER, id, letter: { bytes: "{" } }),
    redrive: async (id, redrive, { principal }) => {
      seen.events.push(`redrive ${id} ${JSON.stringify(redrive)} ${principal.subject}`);
      return { id: "p", route: "trip", run: 2, sequence: 9, traceId: TRACE_ID };
    },
    discard: async (id, reason, { principal }) => {
      seen.events.push(`discard ${id} ${reason} ${principal.subject}`);
      return { ...LETTER, id, open: false, decision: "discarded", by: principal.subject, reason };
    },
  };
}

function fakeReports(seen: Seen): Pick<Operations, "drift" | "digest" | "releases" | "stopRelease"> {
  return {
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
