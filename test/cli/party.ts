/** @module The pretended system of the command tests: a process, its stops and a dead letter, and a command line that talks to it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { writeRunRecord } from "../../cli/run/run-record.ts";
import { runLine, startStub, type Stub } from "./stub.ts";

export const AT_MS = 1_760_000_000_000;
/** A broken actor. */
const BROKEN = { actor: "Directory/002998512.0000", code: "journal.broken-chain", message: "record 45 is missing", atMs: 1 };

export const RECEIPT = { id: "trip-7", route: "trip", run: 1, sequence: 1, traceId: "abc" };
export const OUTCOME = {
  id: "trip-7",
  status: "completed",
  output: { city: "Palermo" },
  traceId: "abc",
  acceptedAtMs: AT_MS,
  endedAtMs: AT_MS + 250,
};
export const LINE = { atMs: AT_MS + 100, what: "asked", stop: "plan", agent: "PlannerAgent", attempt: 1 };
export const PROCESS = {
  id: "trip-7",
  phase: "ended",
  run: 1,
  sequence: 9,
  route: "trip",
  traceId: "abc",
  fingerprint: "f",
  bucket: "b",
  acceptedAtMs: AT_MS,
  deadlineAtMs: AT_MS + 60_000,
  by: "ann",
  works: [],
  historyFrom: 0,
  history: [LINE],
  outcome: { status: "completed", atMs: AT_MS + 250, output: { city: "Palermo" } },
};
export const STOPS = {
  stops: [
    {
      work: "trip-7:1/plan",
      stop: "plan",
      agent: "PlannerAgent",
      kind: "do",
      state: "answered",
      attempts: 1,
      askedAtMs: AT_MS + 100,
      endedAtMs: AT_MS + 200,
      input: { trip: 1 },
      output: { city: "Palermo" },
    },
  ],
};
export const LETTER = { id: "trip-7:1", open: true, atMs: AT_MS, route: "trip", code: "agent.refused", message: "too dear" };
export const INPUT = '{"wish":"sea"}';

/** The pretended system of the test that runs, and the state folder whose run it is. */
export let stub: Stub;
export let dir = "";

/** Starts a pretended system before each test of the file, and stops it after. */
export function useParty(): void {
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "troupe-commands-"));
    stub = await startStub();
    await writeRunRecord(dir, { url: stub.url, pid: process.pid, appId: "party" });
    Object.assign(stub.answers, {
      "POST /tasks": { status: 202, json: RECEIPT },
      "GET /processes": {
        json: { entries: [{ id: "trip-7", open: false, atMs: AT_MS, route: "trip", status: "completed", run: 1 }], cursor: "next" },
      },
      "GET /processes/trip-7": { json: PROCESS },
      "GET /processes/trip-7/stops": { json: STOPS },
      "POST /processes/trip-7/signals/approval": {
        status: 202,
        json: { id: "trip-7", name: "approval", signalId: "s", state: "taken", run: 1, sequence: 4, traceId: "abc" },
      },
      "POST /processes/trip-7/cancel": { status: 202, json: RECEIPT },
      "GET /deadletters": { json: { entries: [LETTER] } },
      "GET /deadletters/trip-7:1": { json: { ...LETTER, letter: { attempts: [{ attempt: 1 }] } } },
      "POST /deadletters/trip-7:1/redrive": { status: 202, json: { ...RECEIPT, run: 2 } },
      "POST /deadletters/trip-7:1/discard": { json: { ...LETTER, open: false, decision: "discarded" } },
      "GET /graph": { json: { system: "party", agents: [], routes: [], edges: [] } },
      "GET /broken": { json: { entries: [BROKEN] } },
      "POST /broken/set-aside": { json: BROKEN },
      "POST /purge": { json: { purged: 1, waiting: 2 } },
    });
  });
  afterEach(async () => {
    await stub.close();
    await rm(dir, { recursive: true, force: true });
  });
}

/** Starts another one, after a test has stopped the first. */
export async function startAnew(): Promise<void> {
  stub = await startStub();
}

/** Runs a command line against it, without patience. */
export const run = (...words: readonly string[]): ReturnType<typeof runLine> => runLine(...words, "--state", dir, "--patience", "0s");
