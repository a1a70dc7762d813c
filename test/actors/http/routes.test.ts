/** @module Every route over a real system in memory: its answers, its refusals, and its answers while the sidecar is down. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { faultsByStatus } from "../../../actors/http/route-faults.ts";
import type { RouteSpec } from "../../../actors/http/route-spec.ts";
import { ALL_ROUTES } from "../../../actors/http/routes.ts";
import {
  AuditPage,
  GraphAnswer,
  Letter,
  LetterEntry,
  LetterPage,
  OutcomeAnswer,
  ProcessPage,
  PurgeAnswer,
  Receipt,
  SchemasAnswer,
} from "../../../runtime/answers.ts";
import { FAULTS, isFaultCode, type FaultCode } from "../../../runtime/faults.ts";
import { HistoryPage, ProcessView, StopsView } from "../../../runtime/process-view.ts";
import { follow } from "./events.ts";
import { startReal, type RealRig } from "./real-rig.ts";
import { ErrorAnswer, type Answer } from "./rig.ts";

let rig: RealRig;
beforeAll(async () => {
  rig = await startReal();
  for (const id of ["good-1", "good-2", "good-3"]) await rig.run(id, "good");
  for (const id of ["bad-1", "bad-2", "bad-3"]) await rig.run(id, "bad");
});
afterAll(async () => {
  await rig.stop();
  // Among other things: no answer that does not match its schema.
  expect(rig.log.filter((line) => !line.includes("it was stored in the dead letter queue"))).toEqual([]);
});

const Page = z.object({ entries: z.array(z.looseObject({ id: z.string() })), cursor: z.string().optional() });

function specOf(method: string, path: string): RouteSpec | undefined {
  const plain = path.split("?")[0] ?? "";
  return ALL_ROUTES.find(
    ([, spec]) => spec.method.toUpperCase() === method && new RegExp(`^${spec.path.replace("{id}", "[^/]+")}$`).test(plain),
  )?.[1];
}

/** A coded answer that its route documents, with a trace and without a stack. */
async function refused(method: string, path: string, body: unknown, code: FaultCode): Promise<Answer> {
  const answer = await rig.call(method, path, body);
  const { error, traceId } = ErrorAnswer.parse(answer.json);
  expect([method, path, error.code, answer.status, error.fix], answer.text).toEqual([
    method,
    path,
    code,
    FAULTS[code].httpStatus,
    FAULTS[code].fix,
  ]);
  expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(answer.text).not.toMatch(/ at .*:\d+:\d+|node_modules|\.ts:|<html/);
  const spec = specOf(method, path);
  if (spec !== undefined) expect([path, code, faultsByStatus(spec).get(answer.status)?.includes(code)]).toEqual([path, code, true]);
  return answer;
}

async function good<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown, status = 200): Promise<T> {
  const answer = await rig.call(method, path, body);
  expect(answer.status, answer.text).toBe(status);
  return schema.parse(answer.json);
}

async function listed(path: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page: z.infer<typeof Page> = await good(
      Page,
      "GET",
      cursor === undefined ? path : `${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`,
    );
    ids.push(...page.entries.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids;
}

describe("tasks and processes", () => {
  test("a task is accepted, waited for, shown, and is the same when it is sent again", async () => {
    const task = { id: "t-1", route: "order", input: { item: "bread", mood: "good" } };
    const outcome = await good(OutcomeAnswer, "POST", "/tasks?waitMs=10000", task);
    expect(outcome).toMatchObject({ id: "t-1", status: "completed", output: { paid: "bread" } });
    expect(await good(Receipt, "POST", "/tasks", task, 202)).toMatchObject({ id: "t-1", route: "order", run: 1, traceId: outcome.traceId });
    expect(await good(ProcessView, "GET", "/processes/t-1")).toMatchObject({
      id: "t-1",
      phase: "ended",
      outcome: { status: "completed" },
    });
    expect((await good(Receipt, "POST", "/tasks", { route: "order", input: { item: "x", mood: "good" } }, 202)).id).toBe("made-1");
    await refused("POST", "/tasks", { ...task, input: { item: "cake", mood: "good" } }, "process.conflict");
    await refused("POST", "/tasks", { ...task, route: "nowhere" }, "route.unknown");
    await refused("POST", "/tasks", { ...task, id: "t-2", input: { item: 5 } }, "schema.task");
    await refused("POST", "/tasks", { ...task, id: "a/b" }, "id.invalid");
    await refused("GET", "/processes/t-2", undefined, "process.unknown");
  });

  test("its stops are shown with input, output and attempts", async () => {
    expect((await good(StopsView, "GET", "/processes/good-1/stops")).stops).toEqual([
      expect.objectContaining({
        stop: "pay",
        agent: "Till",
        kind: "do",
        state: "answered",
        attempts: 1,
        input: { item: "item of good-1", mood: "good" },
        output: { paid: "item of good-1" },
      }),
    ]);
    expect(
      (await good(StopsView, "GET", "/processes/bad-1/stops")).stops.map(({ kind, state, fault }) => [kind, state, fault?.code]),
    ).toEqual([
      ["do", "failed", "agent.refused"],
      ["undo", "nothing to undo", undefined],
    ]);
    await refused("GET", "/processes/unknown/stops", undefined, "process.unknown");
    await refused("GET", "/processes/good-1/stops?all=1", undefined, "body.invalid");
  });

  test("its whole history is shown in pages", async () => {
    const whole = await good(HistoryPage, "GET", "/processes/bad-1/history");
    expect(whole.next).toBeUndefined();
    expect(whole.lines.map(({ line, run, what }) => [line, run, what])).toEqual([
      [0, 1, "asked"],
      [1, 1, "failed"],
      [2, 1, "failed"],
      [3, 1, "undo asked"],
      [4, 1, "nothing to undo"],
    ]);
    const first = await good(HistoryPage, "GET", "/processes/bad-1/history?limit=2");
    expect([first.lines, first.next]).toEqual([whole.lines.slice(0, 2), 2]);
    const rest = await good(HistoryPage, "GET", "/processes/bad-1/history?limit=200&from=2");
    expect([rest.lines, rest.next]).toEqual([whole.lines.slice(2), undefined]);
    await refused("GET", "/processes/unknown/history", undefined, "process.unknown");
    await refused("GET", "/processes/bad-1/history?from=-1", undefined, "body.invalid");
  });

  test("processes are listed newest first, in pages, by state, status and route", async () => {
    await good(ProcessPage, "GET", "/processes");
    const all = await listed("/processes");
    expect(all).toEqual(expect.arrayContaining(["good-1", "good-2", "good-3", "bad-1", "bad-2", "bad-3"]));
    expect(await listed("/processes?limit=1")).toEqual(all);
    expect(await listed("/processes?status=failed&limit=2")).toEqual(expect.arrayContaining(["bad-1", "bad-2", "bad-3"]));
    expect(await listed("/processes?route=nothing")).toEqual([]);
    for (const cursor of ["x", "1/2", "000000001.0000", "../../etc"])
      await refused("GET", `/processes?cursor=${encodeURIComponent(cursor)}`, undefined, "body.invalid");
  });

  test("a process is followed to its end, and cancelled", async () => {
    await good(Receipt, "POST", "/tasks", { id: "slow-1", route: "order", input: { item: "wine", mood: "slow" } }, 202);
    const reader = await follow(`${rig.origin}/processes/slow-1/events`);
    expect(await reader.next()).toMatchObject({ name: "line", data: { what: "asked", agent: "Till" } });
    expect(await listed("/processes?state=open")).toContain("slow-1");
    expect(await good(Receipt, "POST", "/processes/slow-1/cancel", { reason: "closing time" }, 202)).toMatchObject({
      id: "slow-1",
      route: "order",
    });
    rig.serve();
    const rest = await reader.rest();
    expect(rest.at(-1)).toMatchObject({ name: "outcome", data: { status: "cancelled" } });
    await refused("POST", "/processes/good-1/cancel", {}, "process.ended");
    await refused("POST", "/processes/unknown/cancel", {}, "process.unknown");
    await refused("GET", "/processes/unknown/events", undefined, "process.unknown");
  });
});

describe("dead letters", () => {
  test("are listed by route and code, and shown with their content", async () => {
    await good(LetterPage, "GET", "/deadletters");
    expect(await listed("/deadletters")).toEqual(expect.arrayContaining(["bad-1:1", "bad-2:1", "bad-3:1"]));
    expect(await listed("/deadletters?limit=1&route=order&code=agent.refused")).toEqual(await listed("/deadletters"));
    expect(await listed("/deadletters?code=stop.timeout")).toEqual([]);
    const letter = await good(Letter, "GET", "/deadletters/bad-1%3A1");
    expect(letter).toMatchObject({ id: "bad-1:1", open: true, code: "agent.refused" });
    expect(JSON.stringify(letter.letter)).toContain("no till sells item of bad-1");
    for (const id of ["bad-1:7", "unknown:1", "invalid-1-00"]) await refused("GET", `/deadletters/${id}`, undefined, "deadletter.unknown");
    await refused("GET", "/deadletters?cursor=x", undefined, "body.invalid");
  });

  test("an invalid message of a topic is listed with its bytes", async () => {
    expect((await rig.call("POST", "/topics/tasks", "{oops")).json).toEqual({ status: "SUCCESS" });
    const id = (await listed("/deadletters?code=body.invalid"))[0] ?? "";
    expect(JSON.stringify(await good(Letter, "GET", `/deadletters/${encodeURIComponent(id)}`))).toContain("{oops");
  });

  test("are discarded once, with a reason", async () => {
    expect(await good(LetterEntry, "POST", "/deadletters/bad-2%3A1/discard", { reason: "of no use" })).toMatchObject({
      id: "bad-2:1",
      open: false,
      decision: "discarded",
      by: "anonymous",
      reason: "of no use",
    });
    await refused("POST", "/deadletters/bad-2:1/discard", { reason: "another" }, "deadletter.decided");
    await refused("POST", "/deadletters/bad-2:1/redrive", {}, "deadletter.decided");
    await refused("POST", "/deadletters/unknown:1/discard", { reason: "r" }, "deadletter.unknown");
    expect(await listed("/deadletters")).not.toContain("bad-2:1");
    expect(await listed("/deadletters?decided=true")).toContain("bad-2:1");
  });

  test("are redriven once per decision, with another input that matches", async () => {
    await refused("POST", "/deadletters/bad-3:1/redrive", { input: { item: 5 } }, "schema.input");
    await refused("POST", "/deadletters/unknown:1/redrive", {}, "deadletter.unknown");
    const decision = { input: { item: "bread", mood: "good" }, reason: "fixed", decisionId: "d-1" };
    const receipt = await good(Receipt, "POST", "/deadletters/bad-3%3A1/redrive", decision, 202);
    expect(receipt).toMatchObject({ id: "bad-3", run: 2 });
    expect(await good(Receipt, "POST", "/deadletters/bad-3%3A1/redrive", decision, 202)).toMatchObject({ id: "bad-3", run: 2 });
    await refused("POST", "/deadletters/bad-3:1/redrive", { ...decision, decisionId: "d-2" }, "deadletter.decided");
    const events = await (await follow(`${rig.origin}/processes/bad-3/events`, { "last-event-id": "1.outcome" })).rest();
    expect(events.at(-1)).toMatchObject({ name: "outcome", id: "2.outcome", data: { status: "completed", output: { paid: "bread" } } });
  });
});

describe("the system", () => {
  test("shows its graph, its operator actions and its document", async () => {
    expect(await good(GraphAnswer, "GET", "/graph")).toMatchObject({ system: "shop" });
    expect(await good(SchemasAnswer, "GET", "/schemas")).toMatchObject({
      routes: { order: { version: 1, input: { type: "object", required: ["item", "mood"] } } },
      agents: { Till: { version: 1, input: { type: "object" }, output: { required: ["paid"] } } },
    });
    await rig.run("bad-4", "bad");
    await good(LetterEntry, "POST", "/deadletters/bad-4:1/discard", { reason: "for the record" });
    const { entries } = z
      .object({ entries: z.array(z.looseObject({ target: z.string() })) })
      .parse(await good(AuditPage, "GET", "/audit?limit=200"));
    expect(entries.find(({ target }) => target.startsWith("bad-4"))).toMatchObject({ who: "anonymous", why: "for the record" });
    await refused("GET", "/audit?cursor=x", undefined, "body.invalid");
    expect(await listed("/audit?limit=1")).toHaveLength((await listed("/audit?limit=200")).length);
  });
});

test("a purge reports how many were purged and how many wait; referenced processes stay", async () => {
  expect(await good(PurgeAnswer, "POST", "/purge", { olderThanMs: 0, dryRun: true })).toMatchObject({ purged: 0 });
  expect((await good(PurgeAnswer, "POST", "/purge", { olderThanMs: 0 })).purged).toBe(0);
  await good(ProcessView, "GET", "/processes/good-1");
});

describe("while the sidecar is down", () => {
  const ASKING: readonly (readonly [string, string, unknown])[] = [
    ["POST", "/tasks", { route: "order", input: { item: "x", mood: "good" } }],
    ["GET", "/processes", undefined],
    ["GET", "/processes/good-1", undefined],
    ["GET", "/processes/good-1/stops", undefined],
    ["GET", "/processes/good-1/events", undefined],
    ["POST", "/processes/good-1/cancel", {}],
    ["POST", "/purge", {}],
    ["GET", "/deadletters", undefined],
    ["GET", "/deadletters/bad-1:1", undefined],
    ["GET", "/audit", undefined],
  ];
  beforeAll(() => {
    rig.down = true;
  });
  afterAll(() => {
    rig.down = false;
  });

  test.each(ASKING)("%s %s says what to do and when", async (method, path, body) => {
    const answer = await rig.call(method, path, body);
    const { code } = ErrorAnswer.parse(answer.json).error;
    expect(["sidecar.unavailable", "store.unavailable"]).toContain(code);
    if (!isFaultCode(code)) throw new Error(code);
    await refused(method, path, body, code);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  test("routes that need no sidecar answer", async () => {
    for (const path of ["/graph", "/openapi.json", "/healthz"]) expect((await rig.call("GET", path)).status).toBe(200);
  });
});
