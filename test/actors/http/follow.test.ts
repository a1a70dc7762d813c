/** @module Followers of processes: every event once and in order, the outcome last, for a process on any host, within bounds. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Fault } from "../../../runtime/faults.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import type { ProcessOutcome } from "../../../runtime/process-view.ts";
import { HandClock } from "../engine-rig.ts";
import { follow, type Reader, type SentEvent } from "./events.ts";
import { PROCESS } from "./operations-fakes.ts";
import { ErrorAnswer, startRig, TOKEN, type HttpRig } from "./rig.ts";

vi.mock("../../../runtime/limits.ts", async (original) => {
  const { LIMITS: real } = await original<{ readonly LIMITS: typeof LIMITS }>();
  // A host that waited for its streams would drain for longer than a test may take.
  return { LIMITS: { ...real, followStreamsMax: 4, drainMs: 40_000 } };
});

let rig: HttpRig;
let clock: HandClock;
let shown: { run: number; phase: "open" | "ended"; from: number; lines: string[]; outcome?: ProcessOutcome };
let sequence: number;
let looks: number;
let readers: Reader[];

beforeEach(async () => {
  clock = new HandClock();
  rig = await startRig({ clock });
  [shown, sequence, looks, readers] = [{ run: 1, phase: "open", from: 0, lines: [] }, 1, 0, []];
  rig.behaviour.process = async (id) => {
    looks += 1;
    const { run, phase, from, lines, outcome } = shown;
    const history = lines.map((what, index) => ({ atMs: index, what, stop: "a", agent: "A", attempt: 1 }));
    return {
      ...PROCESS,
      id,
      run,
      phase,
      sequence,
      historyFrom: from,
      history,
      ...(outcome === undefined ? {} : { outcome: { ...outcome } }),
    };
  };
});
afterEach(async () => {
  for (const reader of readers) reader.close();
  await rig.host.drain();
  expect(clock.pending).toBe(0);
});

/** Changes the process, and reports it if the process is on this host. */
function happen(change: Partial<typeof shown>, here = true): void {
  shown = { ...shown, ...change };
  sequence += 1;
  if (here) rig.watchers.tell("p");
}

async function open(headers: Readonly<Record<string, string>> = {}, id = "p"): Promise<Reader> {
  const reader = await follow(`${rig.origin}/processes/${id}/events`, headers);
  readers.push(reader);
  return reader;
}

const line = (run: number, number: number, what: string): SentEvent =>
  expect.objectContaining({ name: "line", id: `${run}.${number}`, data: expect.objectContaining({ what }) }) as SentEvent;
const COMPLETED: ProcessOutcome = { status: "completed", atMs: 9, output: { a: "b\nc" } };
const outcome = (run: number): SentEvent => ({ name: "outcome", id: `${run}.outcome`, data: COMPLETED });

describe("a stream", () => {
  test("returns past events, new ones, and the outcome, and ends", async () => {
    shown.lines = ["asked"];
    const reader = await open();
    expect([reader.status, reader.headers["content-type"], reader.headers["cache-control"]]).toEqual([
      200,
      "text/event-stream; charset=utf-8",
      "no-store",
    ]);
    expect(await reader.next()).toEqual(line(1, 0, "asked"));
    happen({ lines: ["asked", "answered"] });
    await clock.advance(LIMITS.followLookMsMin);
    expect(await reader.next()).toEqual(line(1, 1, "answered"));
    happen({ phase: "ended", outcome: COMPLETED });
    await clock.advance(LIMITS.followLookMsMin);
    expect(await reader.rest()).toEqual([outcome(1)]);
  });

  test("of an ended process returns everything at once", async () => {
    shown = { run: 2, phase: "ended", from: 0, lines: ["a", "b"], outcome: COMPLETED };
    expect(await (await open()).rest()).toEqual([line(2, 0, "a"), line(2, 1, "b"), outcome(2)]);
  });

  test("resumes after the last event that was received", async () => {
    shown = { run: 1, phase: "ended", from: 0, lines: ["a", "b", "c"], outcome: COMPLETED };
    expect(await (await open({ "last-event-id": "1.1" })).rest()).toEqual([line(1, 2, "c"), outcome(1)]);
    expect(await (await open({ "last-event-id": "1.7" })).rest()).toEqual([outcome(1)]);
    const done = await open({ "last-event-id": "1.outcome" });
    expect([done.status, await done.rest()]).toEqual([204, []]);
  });

  test("of a redriven process begins with the new run, also for a reader that received the old outcome", async () => {
    shown = { run: 2, phase: "open", from: 0, lines: ["a"] };
    for (const heard of ["1.0", "1.5", "1.outcome"]) {
      const reader = await open({ "last-event-id": heard });
      expect(await reader.next()).toEqual(line(2, 0, "a"));
      reader.close();
    }
  });

  test("reports how many events are no longer kept", async () => {
    shown.lines = ["a"];
    const reader = await open();
    await reader.next();
    happen({ from: 5, lines: ["f", "g"] });
    await clock.advance(LIMITS.followLookMsMin);
    expect([await reader.next(), await reader.next(), await reader.next()]).toEqual([
      { name: "comment", id: undefined, data: "4 lines are no longer kept" },
      line(1, 5, "f"),
      line(1, 6, "g"),
    ]);
  });

  test("keeps the connection alive with comments, and ends after its maximum duration", async () => {
    const reader = await open();
    await clock.advance(LIMITS.followKeepAliveMs);
    expect(await reader.next()).toMatchObject({ name: "comment", data: "still here" });
    await clock.advance(LIMITS.followMsMax);
    const rest = await reader.rest();
    expect(rest.at(-1)?.data).toContain("Last-Event-ID");
    expect(rest.length).toBeLessThan(LIMITS.followMsMax / LIMITS.followKeepAliveMs + 2);
  });

  test("gives a slow reader the current events when it reads on, and buffers none for it", async () => {
    const reader = await open();
    reader.pause();
    const big = "x".repeat(200_000);
    const written: number[] = [];
    for (let round = 1; round <= 100; round += 1) {
      happen({ from: 2 * round, lines: [`${big}${round}`, "then"] });
      await clock.advance(LIMITS.followLookMsMax);
      written.push(round);
    }
    happen({ phase: "ended", outcome: COMPLETED });
    reader.resume();
    await clock.advance(LIMITS.followLookMsMax);
    const events = await reader.rest();
    expect(events.at(-1)).toEqual(outcome(1));
    const numbers = events.filter(({ name }) => name === "line").map(({ id }) => Number(id?.split(".")[1]));
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(numbers.at(-1)).toBe(201);
    expect(numbers.length).toBeLessThan(2 * written.length);
  });
});

describe("looks", () => {
  test("poll at a bounded rate if the process is on another host, and find what happened there", async () => {
    const reader = await open();
    await clock.advance(60_000);
    expect(looks).toBeGreaterThan(20);
    expect(looks).toBeLessThan(60_000 / LIMITS.followLookMsMax + 10);
    happen({ lines: ["far"] }, false);
    await clock.advance(LIMITS.followLookMsMax);
    let event = await reader.next();
    while (event?.name === "comment") event = await reader.next();
    expect(event).toEqual(line(1, 0, "far"));
  });

  test("are shared by followers of the same process, and end with the last of them", async () => {
    const [one, other] = [await open(), await open()];
    await clock.advance(60_000);
    expect(looks).toBeLessThan(60_000 / LIMITS.followLookMsMax + 10);
    one.close();
    other.close();
    await expect.poll(() => clock.pending).toBe(0);
    const before = looks;
    await clock.advance(60_000);
    expect(looks).toBe(before);
  });

  test("have a maximum rate, however much happens here", async () => {
    await open();
    for (let record = 0; record < 1_000; record += 1) {
      happen({ lines: [`${record}`] });
      await clock.advance(1);
    }
    expect(looks).toBeLessThan(1_000 / LIMITS.followLookMsMin + 5);
  });

  test("that fail for a while change nothing; one that finds the process gone ends the stream", async () => {
    const reader = await open();
    const look = rig.behaviour.process;
    rig.behaviour.process = async () => {
      throw new Fault("sidecar.unavailable", "down");
    };
    await clock.advance(10_000);
    rig.behaviour.process = look;
    happen({ lines: ["back"] }, false);
    await clock.advance(LIMITS.followLookMsMax);
    expect(await reader.next()).toEqual(line(1, 0, "back"));
    rig.behaviour.process = async () => {
      throw new Fault("process.unknown", "purged");
    };
    await clock.advance(LIMITS.followLookMsMax);
    expect(await reader.rest()).toEqual([{ name: "comment", id: undefined, data: "process.unknown" }]);
  });
});

describe("bounds", () => {
  test("limits the followers, and has room again when one leaves", async () => {
    const all = await Promise.all(Array.from({ length: LIMITS.followStreamsMax }, (_, at) => open({}, `p${at}`)));
    const refused = await rig.call("GET", "/processes/p/events");
    expect([refused.status, ErrorAnswer.parse(refused.json).error.code, Number(refused.headers.get("retry-after")) > 0]).toEqual([
      429,
      "stream.too-many",
      true,
    ]);
    all[0]?.close();
    await expect.poll(async () => (await open()).status).toBe(200);
  });

  test("an invalid request is a coded answer, and takes no place", async () => {
    for (const [code, status] of [
      ["process.unknown", 404],
      ["sidecar.unavailable", 503],
    ] as const) {
      rig.behaviour.process = async () => {
        throw new Fault(code, "no");
      };
      for (let time = 0; time <= LIMITS.followStreamsMax; time += 1) {
        const answer = await rig.call("GET", "/processes/p/events");
        expect([answer.status, ErrorAnswer.parse(answer.json).error.code]).toEqual([status, code]);
      }
    }
    for (const heard of ["1", "x", "1.2.3", "1.-2"]) {
      const answer = await rig.call("GET", "/processes/p/events", undefined, { "last-event-id": heard });
      expect([answer.status, ErrorAnswer.parse(answer.json).error.code]).toEqual([400, "body.invalid"]);
    }
  });

  test("without a token there is no stream", async () => {
    await rig.host.drain();
    rig = await startRig({ clock, appToken: TOKEN });
    expect((await rig.call("GET", "/processes/p/events")).status).toBe(401);
  });

  test("a stopping host ends its streams and does not wait for them", async () => {
    const reader = await open();
    await rig.host.drain();
    expect(await reader.rest()).toEqual([{ name: "comment", id: undefined, data: "this host is stopping" }]);
  });
});
