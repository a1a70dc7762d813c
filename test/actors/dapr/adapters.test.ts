/** @module The client, transport and reminders against a sidecar with arbitrary answers: what counts as done, refused, and as no answer. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DaprReminders, goDuration } from "../../../actors/dapr/reminders.ts";
import { SidecarClient } from "../../../actors/dapr/client.ts";
import { DaprTransport } from "../../../actors/dapr/transport.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { message, TRACEPARENT } from "../http/rig.ts";
import { FakeSidecar } from "./fake-sidecar.ts";

/** Long enough for a busy machine, short enough to wait for. */
const TIMEOUT_MS = 500;
/** Connections for calls of actors. */
const CONNECTIONS = 128;
const ACTOR = { type: "party.Planner", id: "p-1" } as const;

let sidecar: FakeSidecar;
let client: SidecarClient;
beforeEach(async () => {
  sidecar = await FakeSidecar.start();
  client = new SidecarClient({ origin: sidecar.origin, apiToken: "secret", timeoutMs: TIMEOUT_MS });
});
afterEach(async () => {
  await client.close();
  await sidecar.stop();
});

describe("the client", () => {
  test("sends the token and the trace, and returns every status", async () => {
    sidecar.reply = () => ({ status: 418, text: "teapot" });
    expect(await client.call({ method: "POST", path: "/v1.0/x", body: "{}", headers: { traceparent: TRACEPARENT } })).toEqual({
      status: 418,
      text: "teapot",
    });
    expect(sidecar.asked[0]?.headers).toMatchObject({
      "dapr-api-token": "secret",
      traceparent: TRACEPARENT,
      "content-type": "application/json",
    });
  });

  test("times out, aborts on a signal, and fails without a sidecar", async () => {
    sidecar.reply = () => "hang";
    const started = performance.now();
    await expect(client.call({ method: "GET", path: "/" })).rejects.toMatchObject({ code: "sidecar.unavailable" });
    expect(performance.now() - started).toBeLessThan(10 * TIMEOUT_MS);
    await expect(client.call({ method: "GET", path: "/", signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "sidecar.unavailable",
    });
    sidecar.reply = () => "reset";
    await expect(client.call({ method: "GET", path: "/" })).rejects.toMatchObject({ code: "sidecar.unavailable" });
    await sidecar.stop();
    await expect(client.call({ method: "GET", path: "/" })).rejects.toMatchObject({ code: "sidecar.unavailable" });
    sidecar = await FakeSidecar.start();
  });

  test("a call that ended while it waited for a connection is never sent: the sidecar would do what its caller has given up", async () => {
    sidecar.reply = () => "hang";
    const call = (name: string, signal?: AbortSignal): Promise<unknown> =>
      client.call({ method: "POST", path: `/v1.0/actors/a/${name}/method/receive`, body: "{}", signal }).catch((error: unknown) => error);
    const holding = Array.from({ length: CONNECTIONS }, (_, index) => call(`holds-${index}`));
    await expect.poll(() => sidecar.asked.length).toBe(CONNECTIONS);
    const givenUp = new AbortController();
    const waiting = Array.from({ length: CONNECTIONS }, (_, index) => call(`waits-${index}`, givenUp.signal));
    givenUp.abort();
    sidecar.reply = () => ({ status: 200, text: "{}" });
    for (const ended of await Promise.all([...waiting, ...holding])) expect(ended).toMatchObject({ code: "sidecar.unavailable" });
    expect(await call("next")).toMatchObject({ status: 200 });
    expect(sidecar.asked.slice(CONNECTIONS).map(({ url }) => url)).toEqual(["/v1.0/actors/a/next/method/receive"]);
  });
});

describe("the transport", () => {
  const transport = (): DaprTransport => new DaprTransport(client, { pubsub: "pubsub", source: "party" });

  test("publishes a CloudEvent with the message's id", async () => {
    await transport().publish("party.agent.Planner", message("p-1:1:stop:0:1:1"));
    expect(sidecar.asked[0]).toMatchObject({
      method: "POST",
      url: "/v1.0/publish/pubsub/party.agent.Planner",
      headers: { "content-type": "application/cloudevents+json", traceparent: TRACEPARENT },
    });
    expect(JSON.parse(sidecar.asked[0]?.body ?? "")).toEqual({
      specversion: "1.0",
      id: "p-1:1:stop:0:1:1",
      source: "party",
      type: "troupe.cancel",
      subject: "party.Planner/p-1",
      time: "1970-01-01T00:00:00.001Z",
      datacontenttype: "application/json",
      traceparent: TRACEPARENT,
      data: message("p-1:1:stop:0:1:1"),
    });
    for (const reply of [{ status: 200 }, { status: 404 }, { status: 500 }, "reset"] as const) {
      sidecar.reply = () => reply;
      await expect(transport().publish("t", message("m"))).rejects.toMatchObject({ code: "sidecar.unavailable" });
    }
  });

  test("notifications of a topic go in groups; of a group that was not taken all are sent again", async () => {
    const tell = (ids: readonly string[]): Promise<unknown> =>
      Promise.allSettled(
        ids.map((id) =>
          same.notification("party.results", id, {
            processId: id,
            route: "r",
            run: 1,
            status: "completed",
            traceId: "1".repeat(32),
            atMs: 1,
          }),
        ),
      );
    const same = transport();
    expect(await tell(["a", "b", "c"])).toEqual(Array.from({ length: 3 }, () => ({ status: "fulfilled", value: undefined })));
    expect(sidecar.asked.map(({ url }) => url)).toEqual([
      "/v1.0/publish/bulk/pubsub/party.results",
      "/v1.0/publish/bulk/pubsub/party.results",
    ]);
    const entry = (id: string, index: number): unknown => ({
      entryId: String(index),
      contentType: "application/cloudevents+json",
      event: expect.objectContaining({
        specversion: "1.0",
        id,
        type: "troupe.notification",
        source: "party",
        datacontenttype: "application/json",
      }),
    });
    expect(sidecar.asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual([[entry("a", 0)], [entry("b", 0), entry("c", 1)]]);
    for (const reply of [{ status: 200 }, { status: 500, text: '{"failedEntries":[{"entryId":"0"}]}' }, "reset"] as const) {
      sidecar.reply = () => reply;
      expect(await tell(["d", "e"])).toMatchObject([
        { status: "rejected", reason: { code: "sidecar.unavailable" } },
        { status: "rejected", reason: { code: "sidecar.unavailable" } },
      ]);
    }
  });

  test("a message over its limit is not sent", async () => {
    const large = { ...message("m"), body: { kind: "cancel", reason: "x".repeat(LIMITS.messageBytesMax) } } as const;
    await expect(transport().publish("t", large)).rejects.toMatchObject({ code: "message.too-large" });
    await expect(transport().deliver(large)).rejects.toMatchObject({ code: "message.too-large" });
    expect(sidecar.asked).toEqual([]);
  });

  test("a turn answer is an answer, with the receipt for this message", async () => {
    sidecar.reply = () => ({ status: 200, text: '{"receipt":{"messageId":"m","sequence":3}}' });
    expect(await transport().deliver(message("m"))).toEqual({ receipt: { messageId: "m", sequence: 3 } });
    expect(sidecar.asked[0]?.url).toBe("/v1.0/actors/party.Planner/p-1/method/receive");
    sidecar.reply = () => ({ status: 200, text: '{"refused":{"code":"agent.busy","message":"full"}}' });
    expect(await transport().deliver(message("m"))).toEqual({ refused: { code: "agent.busy", message: "full" } });
  });

  test.each([
    ["an empty 200", { status: 200 }],
    ["a 204", { status: 204 }],
    ["a receipt for another message", { status: 200, text: '{"receipt":{"messageId":"n","sequence":3}}' }],
    ["a receipt with more", { status: 200, text: '{"receipt":{"messageId":"m","sequence":3},"more":1}' }],
    ["a receipt without a sequence", { status: 200, text: '{"receipt":{"messageId":"m"}}' }],
    ["a refusal with an unknown code", { status: 200, text: '{"refused":{"code":"what","message":""}}' }],
    ["a receipt with status 500", { status: 500, text: '{"receipt":{"messageId":"m","sequence":3}}' }],
    ["a fault with status 200", { status: 200, text: '{"error":{"code":"turn.failed","message":""}}' }],
    ["HTML", { status: 502, text: "<html>" }],
    ["nothing", "hang"],
    ["a broken connection", "reset"],
  ] as const)("%s is not an answer", async (_name, reply) => {
    sidecar.reply = () => reply;
    await expect(transport().deliver(message("m"))).rejects.toMatchObject({ code: "sidecar.unavailable" });
  });

  test("a coded fault keeps its code", async () => {
    const body = '{"error":{"code":"process.unknown","message":"no such","details":{"a":1},"fix":"x"},"traceId":"y"}';
    for (const text of [
      body,
      JSON.stringify({
        errorCode: "ERR_ACTOR_INVOKE_METHOD",
        message: `error invoke actor method: error from actor service: (500) ${body}`,
      }),
    ]) {
      sidecar.reply = () => ({ status: 500, text });
      await expect(transport().inspect(ACTOR)).rejects.toMatchObject({ code: "process.unknown", message: "no such", details: { a: 1 } });
    }
  });

  test("inspect and nudge need content, a heartbeat needs nothing", async () => {
    sidecar.reply = () => ({ status: 200 });
    await expect(transport().inspect(ACTOR)).rejects.toMatchObject({ code: "sidecar.unavailable" });
    await expect(transport().nudge(ACTOR, undefined)).rejects.toMatchObject({ code: "sidecar.unavailable" });
    sidecar.reply = () => "reset";
    await transport().heartbeat(ACTOR, { workId: "w", token: "t", state: "running" });
    sidecar.reply = () => ({ status: 200, text: "{}" });
    await expect(transport().nudge(ACTOR, undefined)).rejects.toMatchObject({ code: "sidecar.unavailable" });
    expect(await transport().inspect(ACTOR)).toEqual({});
    sidecar.reply = () => ({ status: 200, text: '{"phase":"open","bucket":"b"}' });
    expect(await transport().nudge(ACTOR, undefined)).toEqual({ phase: "open", bucket: "b" });
  });

  test("ids that would leave their segment of a path are refused", async () => {
    for (const id of ["", ".", ".."]) await expect(transport().inspect({ type: "t", id })).rejects.toMatchObject({ code: "id.invalid" });
    await expect(transport().inspect({ type: "t", id: "a/../b?c#d" })).rejects.toBeDefined();
    expect(sidecar.asked.map(({ url }) => url)).toEqual(["/v1.0/actors/t/a%2F..%2Fb%3Fc%23d/method/inspect"]);
  });
});

describe("reminders", () => {
  test("are repeating reminders with Go durations, and what they carry as their data", async () => {
    const reminders = new DaprReminders(client);
    await reminders.set(ACTOR, "run-1", 250, 600_000);
    await reminders.set(ACTOR, "run-1", 250, 600_000, { runs: [1] });
    await reminders.remove(ACTOR, "run-1");
    expect(sidecar.asked.map(({ method, url, body }) => [method, url, body])).toEqual([
      ["POST", "/v1.0/actors/party.Planner/p-1/reminders/run-1", '{"dueTime":"250ms","period":"600s"}'],
      ["POST", "/v1.0/actors/party.Planner/p-1/reminders/run-1", '{"dueTime":"250ms","period":"600s","data":{"runs":[1]}}'],
      ["DELETE", "/v1.0/actors/party.Planner/p-1/reminders/run-1", ""],
    ]);
    sidecar.reply = () => ({ status: 403, text: "not hosted" });
    await expect(reminders.set(ACTOR, "a", 1, 1)).rejects.toMatchObject({ code: "sidecar.unavailable" });
    await expect(reminders.remove(ACTOR, "a")).rejects.toMatchObject({ code: "sidecar.unavailable" });
  });

  test.each([
    [3_000, "3s"],
    [0, "0s"],
    [-5, "0s"],
    [250, "250ms"],
    [1_500, "1500ms"],
    [0.2, "1ms"],
    [600_000, "600s"],
  ])("%d ms is %s", (ms, text) => {
    expect(goDuration(ms)).toBe(text);
  });
});
