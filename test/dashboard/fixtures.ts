/** @module Answers of the HTTP API of a travel system: with data, where nothing is, and for those who may not see contents. */
import type { Fixture } from "./browser.ts";
import { INBOX, REQUEST } from "./fixtures/inbox.ts";
import { fact, MEMORY, reader, SOURCES } from "./fixtures/knowledge.ts";
import { LETTER, letter, LETTERS, TRIP } from "./fixtures/letters.ts";
import { CONVERSATION, DIFF, FORK, PROCESS, REPLAY, STOPS } from "./fixtures/runs.ts";
import { TRACE } from "./fixtures/shared.ts";
import { COSTS, DIGEST, DRIFT, OVERVIEW, RELEASES } from "./fixtures/system.ts";
import {
  AGENTS,
  AUDIT,
  BROKEN,
  FAILED,
  FAILED_STOPS,
  GRAPH,
  MODELS,
  PROBLEMS,
  PROCESSES,
  SYSTEM,
  TIMELINE,
  WAITING_TIMELINE,
} from "./fixtures/views.ts";

const page = (entries: readonly unknown[]): Fixture => ({ body: { entries } });

const receipt = { body: { id: "trip-12", route: "trip", run: 2, sequence: 11, traceId: TRACE }, status: 202 };

/** Everything there is. */
export const FULL: Readonly<Record<string, Fixture>> = {
  "GET /schemas": {
    body: {
      routes: {
        trip: { version: 1, input: TRIP },
        refund: { version: 1, input: { type: "object", properties: { claim: { type: "string" } }, required: ["claim"] } },
      },
      agents: { Hotel: { version: 1, input: TRIP } },
    },
  },
  "POST /tasks": receipt,
  "GET /deadletters": page(LETTERS),
  "GET /deadletters/trip-12:1": { body: LETTER },
  "POST /deadletters/trip-12:1/redrive": receipt,
  "POST /deadletters/trip-12:1/discard": { body: { ...LETTERS[1], open: false, decision: "discarded" } },
  "GET /inbox": page(INBOX),
  "GET /inbox/claim-3.r1": { body: REQUEST },
  "POST /inbox/claim-3.r1/decision": {
    status: 202,
    body: {
      id: "claim-3.r1",
      processId: "claim-3",
      do: "approve",
      decisionId: "d",
      state: "approved",
      run: 1,
      sequence: 12,
      traceId: TRACE,
    },
  },
  "GET /processes/claim-3": { body: PROCESS },
  "GET /processes/claim-3/stops": { body: STOPS },
  "GET /processes/claim-3/works/claim-3.1.pay.0.1.do/conversation": { body: CONVERSATION },
  "GET /processes/claim-3/diff/claim-4": { body: DIFF },
  "POST /processes/claim-3/replay": { body: REPLAY },
  "POST /processes/claim-3/fork": { body: FORK },
  "GET /costs": { body: COSTS },
  "GET /overview": { body: { ...OVERVIEW, problems: PROBLEMS } },
  "GET /processes": { body: PROCESSES },
  "GET /processes/trip-12": { body: FAILED },
  "GET /processes/trip-12/timeline": { body: TIMELINE },
  "GET /processes/trip-12/stops": { body: FAILED_STOPS },
  "GET /processes/claim-3/timeline": { body: WAITING_TIMELINE },
  "GET /graph": { body: GRAPH },
  "GET /agents": { body: AGENTS },
  "GET /system": { body: SYSTEM },
  "GET /models": { body: MODELS },
  "GET /broken": { body: BROKEN },
  "GET /audit": { body: AUDIT },
  "GET /memory": { body: { memories: ["key.Support.ann", "key.Support.ben", "source.handbook", "source.mails"] } },
  "GET /memory/key.Support.ann": { body: MEMORY },
  "POST /memory/key.Support.ann/forget": {
    body: { facts: [{ memory: "key.Support.ann", id: "4f1c", version: 2 }], readers: [reader], readersDropped: 0 },
  },
  "POST /memory/key.Support.ann/promote": { body: fact("77aa", {}) },
  "GET /sources": { body: SOURCES },
  "POST /sources/handbook/sync": {
    body: {
      source: "handbook",
      comparison: 9,
      listed: 148,
      added: 1,
      changed: 0,
      vanished: 0,
      unread: [],
      derived: 0,
      readers: [],
      readersDropped: 0,
    },
  },
  "GET /releases": { body: RELEASES },
  "POST /releases/Refunds/stop": { body: RELEASES.releases[1] },
  "GET /drift": { body: DRIFT },
  "GET /digest": { body: DIGEST },
};

const none = { name: "all", processes: 0, modelCalls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, usd: 0 };

/** A system in which nothing happened yet. */
export const NOTHING: Readonly<Record<string, Fixture>> = {
  ...FULL,
  "GET /schemas": { body: { routes: {}, agents: {} } },
  "GET /deadletters": page([]),
  "GET /deadletters/trip-12:1": { body: { ...letter("trip-12:1", "message.invalid", "not JSON", 0), letter: {} } },
  "GET /inbox": page([]),
  "GET /inbox/claim-3.r1": { body: { ...REQUEST, evidence: [], always: [], inputSchema: {}, roles: [] } },
  "GET /processes/claim-3": { body: { ...PROCESS, budget: undefined } },
  "GET /processes/claim-3/stops": { body: { stops: [] } },
  "GET /processes/claim-3/works/claim-3.1.pay.0.1.do/conversation": { body: { ...CONVERSATION, exchanges: [] } },
  "GET /processes/claim-3/diff/claim-4": { body: { ...DIFF, same: true, lines: [] } },
  "GET /costs": { body: { ...COSTS, total: none, byRoute: [], byVersion: [], dearest: [] } },
  "GET /overview": { body: { ...OVERVIEW, perHour: [], problems: [] } },
  "GET /processes": page([]),
  "GET /processes/trip-12": { body: FAILED },
  "GET /processes/trip-12/timeline": { body: { ...TIMELINE, bars: [] } },
  "GET /processes/trip-12/stops": { body: { stops: [] } },
  "GET /processes/claim-3/timeline": { body: { ...WAITING_TIMELINE, bars: [] } },
  "GET /graph": { body: { system: "party", agents: [], routes: [], edges: [] } },
  "GET /agents": { body: { host: "019a-7c1e", agents: [] } },
  "GET /system": { body: { ...SYSTEM, problems: [] } },
  "GET /models": { body: { models: [] } },
  "GET /broken": page([]),
  "GET /audit": page([]),
  "GET /memory": { body: { memories: [] } },
  "GET /memory/key.Support.ann": { body: { ...MEMORY, total: 0, facts: [], gone: [] } },
  "GET /sources": { body: { sources: [] } },
  "GET /releases": { body: { releases: [] } },
  "GET /drift": { body: { ...DRIFT, lines: [] } },
  "GET /digest": { body: { ...DIGEST, processes: [], deadLetters: [], drift: [], slowest: [], people: [], dearest: [], releases: [] } },
};

/** The same answers without content, as tokens without that role get them. */
export const HIDDEN: Readonly<Record<string, Fixture>> = {
  ...FULL,
  "GET /deadletters/trip-12:1": {
    body: {
      ...LETTERS[1],
      hidden: true,
      letter: { ...LETTER.letter, fault: { code: "agent.failed", message: "" }, original: { ...LETTER.letter.original, input: undefined } },
    },
  },
  "GET /inbox/claim-3.r1": {
    body: { ...REQUEST, hidden: true, input: undefined, reason: undefined, evidence: [], inputSchema: {}, always: undefined },
  },
  "GET /processes/claim-3/works/claim-3.1.pay.0.1.do/conversation": {
    body: {
      ...CONVERSATION,
      hidden: true,
      exchanges: CONVERSATION.exchanges.map((one) => ({
        ...one,
        messages: one.messages.map((message) => ({ ...message, text: "", calls: [] })),
        reply: { ...one.reply, text: "", calls: [] },
      })),
    },
  },
  "GET /memory/key.Support.ann": { body: { ...MEMORY, hidden: true, facts: MEMORY.facts.map((one) => ({ ...one, value: undefined })) } },
};
