/** @module The HTTP API: valid requests are passed on, and every invalid one has its own code and changes nothing. */
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Fault, FAULTS, isFaultCode, type FaultCode } from "../../../runtime/faults.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { LETTER, PROCESS, TRACE_ID } from "./operations-fakes.ts";
import { ErrorAnswer, startRig, TOKEN, TRACEPARENT, type Answer, type HttpRig } from "./rig.ts";

let rig: HttpRig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(async () => rig.host.drain());

const TASK = { route: "trip", input: { to: "Oslo" } };

function expectFault(answer: Answer, code: FaultCode, mentions = ""): void {
  const body = ErrorAnswer.parse(answer.json);
  expect(body.error.code, answer.text).toBe(code);
  expect(answer.status).toBe(FAULTS[code].httpStatus);
  expect(body.error.fix).toBe(FAULTS[code].fix);
  expect(answer.text).toContain(mentions);
  expect(answer.text).not.toMatch(/at .*\(?.*:\d+:\d+|node_modules|<html|\.ts:/i);
  expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
}

describe("POST /tasks", () => {
  test("answers 202 with the receipt, and continues the trace", async () => {
    const answer = await rig.call("POST", "/tasks", { ...TASK, id: "t-1", timeoutMs: 5 }, { traceparent: TRACEPARENT, tracestate: "a=1" });
    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({ id: "t-1", route: "trip", run: 1, sequence: 1, traceId: TRACE_ID });
    expect(answer.headers.get("location")).toBe("/processes/t-1");
    expect(rig.seen.submitted).toEqual([
      {
        submission: { ...TASK, id: "t-1", timeoutMs: 5 },
        caller: {
          principal: { subject: "anonymous", tenant: "default", permissions: [] },
          trace: { traceparent: TRACEPARENT, tracestate: "a=1" },
        },
        waitMs: 0,
      },
    ]);
  });

  test("without a traceparent there is no trace to continue: the task is the root of its own", async () => {
    await rig.call("POST", "/tasks", TASK);
    await rig.call("POST", "/tasks", TASK, { traceparent: "nonsense" });
    expect(rig.seen.submitted.map(({ caller }) => caller.trace)).toEqual([undefined, undefined]);
  });

  test("waits when asked to, and answers 200 with the outcome when there is one", async () => {
    const outcome = { id: "made", status: "completed", output: 1, traceId: TRACE_ID, acceptedAtMs: 1, endedAtMs: 2 } as const;
    rig.behaviour.submit = async () => ({ receipt: { id: "made", route: "trip", run: 1, sequence: 1, traceId: TRACE_ID }, outcome });
    const answer = await rig.call("POST", "/tasks?waitMs=250", TASK);
    expect([answer.status, answer.json]).toEqual([200, outcome]);
    expect(rig.seen.submitted[0]?.waitMs).toBe(250);
  });

  test("takes any JSON as input", async () => {
    for (const input of [null, false, 0, "", []]) expect((await rig.call("POST", "/tasks", { route: "trip", input })).status).toBe(202);
    expect(rig.seen.submitted.map(({ submission }) => submission.input)).toEqual([null, false, 0, "", []]);
  });

  const deep = `${"[".repeat(300)}${"]".repeat(300)}`;
  const bad: readonly (readonly [string, string | Uint8Array, FaultCode, string])[] = [
    ["no body", "", "body.invalid", "the body: expected object, found nothing"],
    ["text that is no JSON", '{"route', "body.invalid", "not JSON"],
    ["bytes that are no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), "body.invalid", "UTF-8"],
    ["half a surrogate pair", '{"route":"trip","input":"\\ud800"}', "body.invalid", "surrogate"],
    ["a key with half a pair", '{"route":"trip","input":{"\\uDC00x":1}}', "body.invalid", "surrogate"],
    [
      "half a pair deep in a large body",
      `{"route":"trip","input":[${"{},".repeat(500_000)}{"a":"\\ud83d"}]}`,
      "body.invalid",
      "at input[500000].a",
    ],
    [
      "an integer that JSON.parse changes",
      '{"route":"trip","input":{"n":[1,9007199254740993]}}',
      "body.invalid",
      "at input.n[1]: 9007199254740993",
    ],
    ["an array", "[]", "body.invalid", "the body: expected object, found a list"],
    ["no input", '{"route":"trip"}', "body.invalid", "at input"],
    ["no route", '{"input":1}', "body.invalid", "at route"],
    ["a number as route", '{"route":5,"input":1}', "body.invalid", "at route"],
    ["an unknown key", '{"route":"trip","input":1,"inputt":2}', "body.invalid", "at inputt: unknown key"],
    ["a principal", '{"route":"trip","input":1,"principal":{"subject":"root"}}', "body.invalid", "principal"],
    ["a timeout of text", '{"route":"trip","input":1,"timeoutMs":"5"}', "body.invalid", "timeoutMs"],
    ["a timeout of 0", '{"route":"trip","input":1,"timeoutMs":0}', "body.invalid", "timeoutMs"],
    ["a timeout too long", `{"route":"trip","input":1,"timeoutMs":${LIMITS.taskTimeoutMsMax + 1}}`, "body.invalid", "timeoutMs"],
    ["an empty id", '{"id":"","route":"trip","input":1}', "id.invalid", "task id"],
    ["an id with a slash", '{"id":"a/b","route":"trip","input":1}', "id.invalid", "a/b"],
    ["an id too long", `{"id":"${"x".repeat(129)}","route":"trip","input":1}`, "id.invalid", "task id"],
    ["a key __proto__", '{"route":"trip","input":1,"__proto__":{"id":"x"}}', "body.invalid", "__proto__"],
    ["nesting without end", `{"route":"trip","input":${deep}}`, "body.invalid", "nested"],
    ["nesting that would overflow the stack", "[".repeat(1_000_000), "body.invalid", "nested"],
    ["a body over the limit", `"${"x".repeat(LIMITS.bodyBytesMax)}"`, "message.too-large", String(LIMITS.bodyBytesMax)],
  ];
  test.each(bad)("refuses %s", async (_name, body, code, mentions) => {
    expectFault(await rig.call("POST", "/tasks", body), code, mentions);
    expect(rig.seen.submitted).toEqual([]);
  });

  test.each(["waitMs=-1", "waitMs=1e3", "waitMs=", "waitMs=1&waitMs=2", `waitMs=${LIMITS.waitMsMax + 1}`, "wait=1", "waitMs[a]=1"])(
    "refuses the query %s",
    async (query) => {
      expectFault(await rig.call("POST", `/tasks?${query}`, TASK), "body.invalid", "the query");
      expect(rig.seen.submitted).toEqual([]);
    },
  );

  test("refuses other content types and compression", async () => {
    expectFault(await rig.call("POST", "/tasks", TASK, { "content-type": "text/plain" }), "body.invalid", "content-type");
    expectFault(await rig.call("POST", "/tasks", TASK, { "content-encoding": "gzip" }), "body.invalid", "content-encoding");
    expect(rig.seen.submitted).toEqual([]);
  });

  test("passes coded faults on, with Retry-After where a retry makes sense", async () => {
    rig.behaviour.submit = async () => {
      throw new Fault("system.overloaded", "full", { open: 3 });
    };
    const busy = await rig.call("POST", "/tasks", TASK);
    expectFault(busy, "system.overloaded");
    expect(Number(busy.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(ErrorAnswer.parse(busy.json).error.details).toEqual({ open: 3 });
    rig.behaviour.submit = async () => {
      throw new Fault("route.unknown", "no route");
    };
    expectFault(await rig.call("POST", "/tasks", TASK), "route.unknown");
  });

  test("an unexpected error is a coded answer without its text, and the log has it", async () => {
    for (const thrown of [new TypeError("the password is swordfish"), "swordfish", undefined]) {
      rig.behaviour.submit = async () => {
        throw thrown;
      };
      const answer = await rig.call("POST", "/tasks", TASK, { traceparent: TRACEPARENT });
      expectFault(answer, "turn.failed");
      expect(answer.text).not.toContain("swordfish");
      expect(ErrorAnswer.parse(answer.json).traceId).toBe(TRACE_ID);
    }
    expect(rig.seen.log.some((line) => line.includes("swordfish") && line.includes(TRACE_ID))).toBe(true);
  });
});

describe("the other routes", () => {
  test("look, cancel, list", async () => {
    expect((await rig.call("GET", "/processes/p-1")).json).toEqual({ ...PROCESS, id: "p-1" });
    expect((await rig.call("POST", "/processes/p-1/cancel", { reason: "rain" })).status).toBe(202);
    expect((await rig.call("POST", "/processes/p-2/cancel", "")).status).toBe(202);
    expect(rig.seen.events).toEqual(["cancel p-1 rain", "cancel p-2 cancelled over HTTP"]);
    expect(rig.seen.log).toEqual([]);
  });

  test("listings pass filters on, and the page's length is bounded", async () => {
    for (const path of [
      "/processes?state=ended&status=failed&route=trip&cursor=c&limit=7",
      "/deadletters?route=trip&code=agent.failed&decided=true",
      "/deadletters?decided=false",
      "/audit?cursor=a%2Fb",
      "/processes",
    ]) {
      expect((await rig.call("GET", path)).json).toEqual({ entries: [] });
    }
    expect(rig.seen.events.map((text) => JSON.parse(text) as unknown)).toEqual([
      { state: "ended", status: "failed", route: "trip", cursor: "c", limit: 7 },
      { route: "trip", code: "agent.failed", decided: true, limit: 50 },
      { decided: false, limit: 50 },
      { cursor: "a/b", limit: 50 },
      { limit: 50 },
    ]);
  });

  test("decisions pass on exactly the request and the caller", async () => {
    const redriven = await rig.call("POST", "/deadletters/p%3A1/redrive", { input: null, reason: "fixed", decisionId: "d-1" });
    expect([redriven.status, redriven.headers.get("location"), redriven.json]).toEqual([
      202,
      "/processes/p",
      { id: "p", route: "trip", run: 2, sequence: 9, traceId: TRACE_ID },
    ]);
    expect((await rig.call("POST", "/deadletters/invalid-7-ab12/redrive", "")).status).toBe(202);
    expect((await rig.call("POST", "/deadletters/p:1/discard", { reason: "of no use" })).json).toMatchObject({
      open: false,
      decision: "discarded",
      by: "anonymous",
    });
    expect((await rig.call("GET", "/deadletters/p%3A1")).json).toEqual({ ...LETTER, letter: { bytes: "{" } });
    expect(rig.seen.events).toEqual([
      'redrive p:1 {"input":null,"reason":"fixed","decisionId":"d-1"} anonymous',
      "redrive invalid-7-ab12 {} anonymous",
      "discard p:1 of no use anonymous",
    ]);
    expect(rig.seen.log).toEqual([]);
  });

  test("a purge passes on exactly the request and the caller", async () => {
    expect((await rig.call("POST", "/purge", { olderThanMs: 5, dryRun: true })).json).toEqual({ purged: 1, waiting: 2 });
    expect((await rig.call("POST", "/purge", "")).status).toBe(200);
    expect(rig.seen.events).toEqual(['purge {"olderThanMs":5,"dryRun":true} anonymous', "purge {} anonymous"]);
  });

  test("an answer that does not match its schema is sent, and logged", async () => {
    rig.behaviour.process = async (id) => ({ ...PROCESS, id, run: 0 });
    expect((await rig.call("GET", "/processes/p")).json).toMatchObject({ run: 0 });
    expect(rig.seen.log.join("")).toMatch(/run.*does not match its schema/);
  });

  test.each([
    ["GET", "/processes/a%2Fb", undefined, "id.invalid"],
    ["GET", "/processes/%E0%A4%A", undefined, "id.invalid"],
    ["GET", "/processes/p?x=1", undefined, "body.invalid"],
    ["POST", "/processes/p/cancel", { reason: 5 }, "body.invalid"],
    ["POST", "/processes/p/cancel", { why: "x" }, "body.invalid"],
    ["POST", "/processes/a%20b/cancel", {}, "id.invalid"],
    ["GET", "/deadletters?limit=0", undefined, "body.invalid"],
    ["GET", `/deadletters?limit=${LIMITS.pageEntriesMax + 1}`, undefined, "body.invalid"],
    ["GET", "/deadletters?page=2", undefined, "body.invalid"],
    ["GET", "/deadletters?decided=yes", undefined, "body.invalid"],
    ["GET", "/deadletters?state=open", undefined, "body.invalid"],
    ["GET", `/deadletters?cursor=${"c".repeat(600)}`, undefined, "body.invalid"],
    ["GET", "/processes?state=closed", undefined, "body.invalid"],
    ["GET", "/processes?status=open", undefined, "body.invalid"],
    ["GET", "/processes?route=", undefined, "body.invalid"],
    ["GET", "/processes?limit=5&limit=6", undefined, "body.invalid"],
    ["GET", "/audit?route=x", undefined, "body.invalid"],
    ["GET", "/deadletters/a%2Fb", undefined, "id.invalid"],
    ["GET", "/deadletters/p%3Ax", undefined, "id.invalid"],
    ["GET", "/deadletters/p:1?x=1", undefined, "body.invalid"],
    ["POST", "/deadletters/p:1/redrive", { input: 1, by: "root" }, "body.invalid"],
    ["POST", "/deadletters/p:1/redrive", { decisionId: "a b" }, "body.invalid"],
    ["POST", "/deadletters/p:1/redrive", { reason: "x".repeat(1_025) }, "body.invalid"],
    ["POST", "/deadletters/p:1/redrive", [], "body.invalid"],
    ["POST", "/deadletters/p:1/redrive", "{", "body.invalid"],
    ["POST", "/deadletters/p:1/redrive", `{"input":"${"x".repeat(LIMITS.bodyBytesMax)}"}`, "message.too-large"],
    ["POST", "/deadletters/p:1/discard", {}, "body.invalid"],
    ["POST", "/deadletters/p:1/discard", undefined, "body.invalid"],
    ["POST", "/deadletters/p:1/discard", { reason: "" }, "body.invalid"],
    ["POST", "/purge", { olderThanMs: -1 }, "body.invalid"],
    ["POST", "/purge", { olderThanMs: "1" }, "body.invalid"],
    ["POST", "/purge", { all: true }, "body.invalid"],
    ["POST", "/purge?dryRun=true", {}, "body.invalid"],
    ["GET", "/graph?x=1", undefined, "body.invalid"],
    ["GET", "/openapi.json?x=1", undefined, "body.invalid"],
    ["GET", "/processes/p/events?after=1", undefined, "body.invalid"],
    ["GET", "/processes/a%20b/events", undefined, "id.invalid"],
    ["GET", "/nowhere", undefined, "route.unknown"],
    ["GET", "/TASKS", undefined, "route.unknown"],
    ["GET", "/processes/p/events/1", undefined, "route.unknown"],
  ] as const)("%s %s %o is refused", async (method, path, body, code) => {
    expectFault(await rig.call(method, path, body), code);
    expect(rig.seen.events).toEqual([]);
  });

  test.each([
    ["DELETE", "/tasks", "POST, OPTIONS"],
    ["GET", "/tasks", "POST, OPTIONS"],
    ["POST", "/processes", "GET, HEAD, OPTIONS"],
    ["PUT", "/processes/p", "GET, HEAD, OPTIONS"],
    ["GET", "/deadletters/p:1/redrive", "POST, OPTIONS"],
    ["POST", "/healthz", "GET, HEAD, OPTIONS"],
  ])("%s %s is refused with the methods that the path accepts", async (method, path, allow) => {
    const answer = await rig.call(method, path);
    expectFault(answer, "method.unknown");
    expect(answer.headers.get("allow")).toBe(allow);
    expect((await rig.call("OPTIONS", path)).headers.get("allow")).toBe(allow);
  });

  test("HEAD is GET without a body", async () => {
    for (const path of ["/processes", "/processes/p", "/processes/p/events", "/deadletters", "/graph", "/openapi.json", "/healthz"]) {
      const answer = await rig.call("HEAD", path);
      expect([path, answer.status, answer.text]).toEqual([path, 200, ""]);
    }
  });

  test("other content types are refused for every body", async () => {
    for (const path of ["/tasks", "/processes/p/cancel", "/deadletters/p:1/redrive", "/deadletters/p:1/discard", "/purge"]) {
      expectFault(await rig.call("POST", path, "{}", { "content-type": "text/plain" }), "body.invalid", "content-type");
    }
    expect(rig.seen.events).toEqual([]);
  });

  test("bytes that are not HTTP get a coded answer", async () => {
    const answer = await new Promise<string>((done) => {
      const socket = connect(Number(new URL(rig.origin).port), "127.0.0.1", () => socket.write("hello\r\n\r\n"));
      let text = "";
      socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
      socket.once("close", () => done(text));
    });
    const code = ErrorAnswer.parse(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4))).error.code;
    expect(isFaultCode(code) && code).toBe("body.invalid");
  });
});

describe("the token", () => {
  beforeEach(async () => {
    await rig.host.drain();
    rig = await startRig({ appToken: TOKEN });
  });

  test.each([
    ["POST", "/tasks", TASK],
    ["GET", "/processes/p", undefined],
    ["POST", "/processes/p/cancel", {}],
    ["GET", "/deadletters", undefined],
    ["GET", "/processes/p/events", undefined],
    ["POST", "/deadletters/p:1/redrive", {}],
    ["POST", "/purge", {}],
    ["GET", "/graph", undefined],
    ["GET", "/audit", undefined],
    ["GET", "/openapi.json", undefined],
    ["GET", "/dapr/config", undefined],
    ["GET", "/dapr/subscribe", undefined],
    ["PUT", "/actors/party.Planner/p/method/receive", {}],
    ["PUT", "/actors/party.Planner/p/method/remind/a", {}],
    ["DELETE", "/actors/party.Planner/p", undefined],
    ["POST", "/topics/tasks", {}],
    ["GET", "/nowhere", undefined],
  ])("%s %s is refused without it", async (method, path, body) => {
    for (const headers of [
      {},
      { "dapr-api-token": "" },
      { "dapr-api-token": `${TOKEN}x` },
      { "dapr-api-token": TOKEN.slice(1) },
      { authorization: "Bearer wrong" },
      { authorization: `Basic ${TOKEN}` },
    ]) {
      const answer = await rig.call(method, path, body, headers);
      expectFault(answer, "auth.token");
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    }
    expect([rig.seen.submitted, rig.seen.events, rig.seen.received, rig.seen.invalid]).toEqual([[], [], [], []]);
  });

  test("opens with the header everywhere, with a bearer for users, and not at all for health", async () => {
    expect((await rig.call("GET", "/dapr/config", undefined, { "dapr-api-token": TOKEN })).status).toBe(200);
    expect((await rig.call("POST", "/tasks", TASK, { authorization: `Bearer ${TOKEN}` })).status).toBe(202);
    expectFault(await rig.call("GET", "/dapr/config", undefined, { authorization: `Bearer ${TOKEN}` }), "auth.token");
    expect((await rig.call("GET", "/healthz")).status).toBe(200);
    expect(rig.seen.submitted[0]?.caller.principal.subject).toBe("app-token");
  });
});
