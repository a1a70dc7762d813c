/** @module Commands that follow or wait: across a restart of the system, and when they are interrupted. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FolderLock } from "../../cli/dapr/lock.ts";
import { removeRunRecord, writeRunRecord } from "../../cli/run/run-record.ts";
import { refuse, startLine, startStub, type RunningLine, type Stub } from "./stub.ts";

const AT_MS = 1_760_000_000_000;
const RECEIPT = { id: "trip-7", route: "trip", run: 1, sequence: 1, traceId: "abc" };
const PROCESS = {
  id: "trip-7",
  phase: "open",
  run: 1,
  sequence: 1,
  route: "trip",
  fingerprint: "f",
  traceId: "abc",
  bucket: "b",
  acceptedAtMs: AT_MS,
  deadlineAtMs: AT_MS + 60_000,
  by: "ann",
  works: [],
  historyFrom: 0,
  history: [],
};
const OUTCOME = { status: "completed", atMs: AT_MS + 250, output: { city: "Palermo" } };
const WAITED = { ...OUTCOME, id: "trip-7", acceptedAtMs: AT_MS, endedAtMs: AT_MS + 250, traceId: "abc" };
const LINE = { atMs: AT_MS + 100, what: "asked", stop: "plan", agent: "PlannerAgent", attempt: 1 };
const FIRST = `id: 1.0\nevent: line\ndata: ${JSON.stringify(LINE)}\n\n`;
const LAST = `id: 1.outcome\nevent: outcome\ndata: ${JSON.stringify(OUTCOME)}\n\n`;
const EVENTS = "GET /processes/trip-7/events";

let stub: Stub;
let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "troupe-outages-"));
  stub = await startStub();
  await writeRunRecord(dir, { url: stub.url, pid: process.pid, appId: "party" });
  Object.assign(stub.answers, { "POST /tasks": { status: 202, json: RECEIPT }, "GET /processes/trip-7": { json: PROCESS } });
});
afterEach(async () => {
  await stub.close();
  await rm(dir, { recursive: true, force: true });
});

const line = (...words: readonly string[]): RunningLine => startLine(...words, "--state", dir, "--patience", "0s");
const seen = (path: string): Promise<void> => expect.poll(() => stub.seen.map((request) => request.path)).toContain(path);
const lost = (running: RunningLine): Promise<void> => expect.poll(() => running.err()).toContain("does not answer");

/** The system is gone, and comes back at its address once the command has said that it is. */
async function restart(running: RunningLine, answers: Stub["answers"]): Promise<void> {
  await stub.close();
  await lost(running);
  stub = await startStub({ url: stub.url, answers: { ...stub.answers, ...answers } });
}

describe("a restart of the system", () => {
  test("show --follow goes on after the last event, says so once on stderr, and ends with the outcome", async () => {
    stub.answers[EVENTS] = [{ events: FIRST }, { isHeld: true }];
    const running = line("show", "trip-7", "--follow");
    await expect.poll(() => running.out()).toContain("PlannerAgent");
    await restart(running, { [EVENTS]: [refuse("sidecar.unavailable"), { events: LAST }] });
    const { code, out, err } = await running.ended;
    expect([code, out.trimEnd().split("\n").at(-1)]).toEqual([0, "completed in 0.250 s"]);
    expect(err).toBe(`The system at ${stub.url} does not answer (NOT_REACHABLE); trying again for up to 2 minutes.\n`);
    expect(stub.seen.map(({ lastEventId }) => lastEventId)).toEqual(["1.0", "1.0"]);
  });

  test("submit --wait goes on, and it is the same task", async () => {
    stub.answers["POST /tasks"] = [{ status: 202, json: RECEIPT }, { isHeld: true }];
    const running = line("submit", "trip", "{}", "--id", "trip-7", "--wait");
    await seen("/tasks?waitMs=60000");
    await restart(running, { "POST /tasks": { json: WAITED } });
    expect(await running.ended).toMatchObject({ code: 0, out: "  city: Palermo\n\ncompleted in 0.250 s\n" });
    expect(stub.seen[0]?.body).toMatchObject({ id: "trip-7" });
  });
});

describe("a run that starts", () => {
  test("is waited for; a system at the default address is not taken for it", async () => {
    await removeRunRecord(dir);
    const lock = await FolderLock.take(dir, () => undefined);
    try {
      expect(await line("ps").ended).toMatchObject({
        code: 3,
        err: expect.stringMatching(/^NOT_REACHABLE: process \d+ starts or stops the system of .+\nWhat to do: Try again/),
      });
      stub.answers["GET /processes"] = { json: { entries: [] } };
      const waiting = startLine("ps", "--state", dir, "--patience", "1h");
      await writeRunRecord(dir, { url: stub.url, pid: process.pid, appId: "party" });
      expect(await waiting.ended).toMatchObject({ code: 0 });
    } finally {
      await lock.release();
    }
  });
});

describe("Ctrl-C", () => {
  test.each([
    ["submit --wait", ["submit", "trip", "{}", "--wait"], "task trip-7"],
    ["submit --follow", ["submit", "trip", "{}", "--follow"], "task trip-7"],
    ["show --follow", ["show", "trip-7", "--follow"], "process trip-7"],
  ])("%s says that the task goes on and how to look at it, exit code 130", async (_name, words, what) => {
    Object.assign(stub.answers, { "POST /tasks": [{ status: 202, json: RECEIPT }, { isHeld: true }], [EVENTS]: { isHeld: true } });
    const running = line(...words);
    await expect.poll(() => stub.seen.some(({ path }) => /waitMs|events/.test(path))).toBe(true);
    running.lifetime.interrupt("SIGINT");
    const { code, err } = await running.ended;
    expect([code, err]).toEqual([130, `SIGINT: stopped watching; ${what} goes on. Look at it: troupe show trip-7\n`]);
  });

  test("during an outage ends the command too", async () => {
    stub.answers[EVENTS] = [{ events: FIRST }, { isHeld: true }];
    const running = line("show", "trip-7", "--follow");
    await expect.poll(() => running.out()).toContain("PlannerAgent");
    await stub.close();
    await lost(running);
    running.lifetime.interrupt("SIGTERM");
    expect(await running.ended).toMatchObject({ code: 143, err: expect.stringContaining("process trip-7 goes on") });
    stub = await startStub();
  });

  test("before the receipt says with which id to submit again", async () => {
    stub.answers["POST /tasks"] = { isHeld: true };
    const running = line("submit", "trip", "{}", "--id", "trip-7");
    await seen("/tasks");
    running.lifetime.interrupt("SIGINT");
    const { code, err } = await running.ended;
    expect(code).toBe(130);
    expect(err).toBe(
      "SIGINT: no receipt came yet, so the task may be accepted or not.\n" +
        "The task's id is trip-7: submit again with --id trip-7, and it is the same task.\n",
    );
  });

  test("in another command says no more than that it is interrupted", async () => {
    stub.answers["GET /processes"] = { isHeld: true };
    const running = line("ps");
    await seen("/processes?limit=20");
    running.lifetime.interrupt("SIGINT");
    expect(await running.ended).toMatchObject({ code: 130, out: "", err: "SIGINT: interrupted.\n" });
  });
});
