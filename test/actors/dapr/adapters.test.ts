/** @module The adapters against a sidecar with arbitrary answers: what counts as done, refused, absent, and as no answer. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DaprReminders, goDuration } from "../../../actors/dapr/reminders.ts";
import { SidecarClient } from "../../../actors/dapr/client.ts";
import { GroupCommitStore, openStore } from "../../../actors/dapr/group-commit.ts";
import { decodeContent, DaprStore, encodeContent } from "../../../actors/dapr/store.ts";
import { DaprTransport } from "../../../actors/dapr/transport.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { message, TRACEPARENT } from "../http/rig.ts";
import { FakeSidecar, type Reply } from "./fake-sidecar.ts";

/** Long enough for a busy machine, short enough to wait for. */
const TIMEOUT_MS = 500;
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
});

describe("the store", () => {
  const inserts: readonly (readonly [string, Reply, string])[] = [
    ["204", { status: 204 }, "inserted"],
    ["a 200, which proves nothing", { status: 200 }, "unknown"],
    ["409 of sqlite", { status: 409, text: "possible etag mismatch" }, "refused"],
    [
      "500 of redis 7",
      { status: 500, text: '{"message":"failed to set key k: ERR user_script:14: failed to set key k script: d9, on @user_script:14."}' },
      "refused",
    ],
    [
      "500 of redis 6",
      {
        status: 500,
        text:
          '{"message":"failed to set key k: ERR Error running script (call to f_d9): @user_script:14: ' +
          'user_script:14: failed to set key k"}',
      },
      "refused",
    ],
    [
      "500 of a dead redis",
      { status: 500, text: '{"message":"failed to set key k: dial tcp 127.0.0.1:6379: connect: connection refused"}' },
      "unknown",
    ],
    ["500 of postgres", { status: 500, text: '{"message":"no item was updated"}' }, "refused"],
    ["any other 500", { status: 500, text: "database is locked" }, "unknown"],
    ["400", { status: 400, text: "stream too large" }, "unknown"],
    ["a broken connection", "reset", "unknown"],
    ["nothing", "hang", "unknown"],
  ];
  test.each(inserts)("an insert answered with %s", async (_name, reply, result) => {
    sidecar.reply = () => reply;
    expect(await new DaprStore(client, "statestore").insert("sys/A/k/1", '{"a":1}')).toBe(result);
    expect(sidecar.asked.map(({ url, body }) => [url, JSON.parse(body)])).toEqual([
      ["/v1.0/state/statestore", [{ key: "sys/A/k/1", value: '{"a":1}', options: { concurrency: "first-write" } }]],
    ]);
  });

  test("one key: only 204 means absent", async () => {
    const store = new DaprStore(client, "statestore");
    expect((await store.read(["a/b:c"])).size).toBe(0);
    expect(sidecar.asked[0]?.url).toBe("/v1.0/state/statestore/a%2Fb%3Ac");
    sidecar.reply = () => ({ status: 200, text: '"{\\"a\\":1}"' });
    expect(await store.read(["k"])).toEqual(new Map([["k", { a: 1 }]]));
    for (const reply of [
      { status: 200 },
      { status: 200, text: "nonsense" },
      { status: 404 },
      { status: 500, text: "x" },
      "reset",
      "hang",
    ] as const) {
      sidecar.reply = () => reply;
      await expect(store.read(["k"])).rejects.toMatchObject({ code: "store.unavailable" });
    }
  });

  test("many keys: every key must be answered, and an error of one is an error of all", async () => {
    const store = new DaprStore(client, "statestore");
    sidecar.reply = () => ({ status: 200, text: '[{"key":"a","data":"1","etag":"x"},{"key":"b"}]' });
    expect(await store.read(["a", "b"])).toEqual(new Map([["a", 1]]));
    const answers = [
      '[{"key":"a","data":"1"}]',
      "[]",
      "",
      "{}",
      '[{"key":"a","data":"1"},{"key":"b","error":"dial tcp"}]',
      '[{"key":"a"},{"key":"B"}]',
      '[{"data":"1"},{"key":"b"}]',
    ];
    for (const text of answers) {
      sidecar.reply = () => ({ status: 200, text });
      await expect(store.read(["a", "b"]), text).rejects.toMatchObject({ code: "store.unavailable" });
    }
    for (const reply of [{ status: 204 }, { status: 500 }, "reset"] as const) {
      sidecar.reply = () => reply;
      await expect(store.read(["a", "b"])).rejects.toMatchObject({ code: "store.unavailable" });
    }
  });

  test("a replacement names the version; only a 204 proves that it was made", async () => {
    const store = new DaprStore(client, "statestore");
    sidecar.reply = () => ({ status: 200, text: '"1"', etag: "7" });
    expect(await store.tagged("k")).toEqual({ content: 1, tag: "7" });
    sidecar.reply = () => ({ status: 204 });
    expect(await store.tagged("k")).toBeUndefined();
    expect(await store.replace("k/1", "2", "7")).toBe(true);
    expect(await store.replace("k/1", undefined, "7")).toBe(true);
    expect(sidecar.asked.slice(-2).map(({ method, url, headers, body }) => [method, url, headers["if-match"], body])).toEqual([
      ["POST", "/v1.0/state/statestore", undefined, '[{"key":"k/1","value":"2","etag":"7","options":{"concurrency":"first-write"}}]'],
      ["DELETE", "/v1.0/state/statestore/k%2F1", "7", ""],
    ]);
    for (const reply of [{ status: 200 }, { status: 409 }, { status: 500 }, "reset", "hang"] as const) {
      sidecar.reply = () => reply;
      expect(await store.replace("k", "2", "7")).toBe(false);
      await expect(store.tagged("k")).rejects.toMatchObject({ code: "store.unavailable" });
    }
    // A content without its version could be replaced by any writer's.
    sidecar.reply = () => ({ status: 200, text: '"1"' });
    await expect(store.tagged("k")).rejects.toMatchObject({ code: "store.unavailable" });
  });

  test("keys are removed in one transaction; where that is refused, the rest is removed one by one and read back", async () => {
    const store = new DaprStore(client, "statestore");
    await store.remove(["a", "b"]);
    expect(sidecar.asked.map(({ url, body }) => [url, JSON.parse(body)])).toEqual([
      ["/v1.0/state/statestore/transaction", { operations: ["a", "b"].map((key) => ({ operation: "delete", request: { key } })) }],
    ]);
    const left = new Set(["a"]);
    let isDeaf = false;
    sidecar.reply = ({ method, url }) => {
      if (url.endsWith("transaction")) return { status: 200 };
      if (url.endsWith("bulk"))
        return { status: 200, text: JSON.stringify(["a", "b"].map((key) => (left.has(key) ? { key, data: "1" } : { key }))) };
      if (method === "DELETE" && !isDeaf) left.delete("a");
      return method === "DELETE" ? "reset" : { status: left.has("a") ? 200 : 204, text: left.has("a") ? '"1"' : "" };
    };
    await store.remove(["a", "b"]);
    expect(left.size).toBe(0);
    left.add("a");
    isDeaf = true;
    await expect(store.remove(["a", "b"])).rejects.toMatchObject({ code: "store.unavailable" });
  });

  test("contents are strings, and base64 where quoting would pass the limit", () => {
    expect(encodeContent('{"a":0.123456789}')).toBe('"{\\"a\\":0.123456789}"');
    const awkward = JSON.stringify('"'.repeat(LIMITS.recordBytesMax / 2 - 1));
    const encoded = encodeContent(awkward);
    expect(Buffer.byteLength(encoded)).toBeLessThan(LIMITS.bodyBytesMax);
    expect(decodeContent(JSON.parse(encoded))).toBe(JSON.parse(awkward));
    for (const foreign of [5, { a: 1 }, "no json {"]) expect(decodeContent(foreign)).toEqual(foreign);
  });
});

describe("group commit", () => {
  const bodies = (): readonly string[] =>
    sidecar.asked.map(
      ({ url, body }) => `${url.split("/").at(-1)} ${[...body.matchAll(/"key":"([^"]+)"/g)].map((match) => match[1]).join(",")}`,
    );

  test("gathers while one request is in flight, never two records of one actor", async () => {
    const store = new GroupCommitStore(client, "s", new DaprStore(client, "s"), { request: "transaction", inFlightMax: 1 });
    const results = await Promise.all(["A/1/1", "B/1/1", "B/1/2", "C/1/1", "v/x", "v/y"].map(async (key) => store.insert(key, "1")));
    expect(results).toEqual(Array.from({ length: 6 }, () => "inserted"));
    expect(bodies()).toEqual(["s A/1/1", "transaction B/1/1,C/1/1,v/x,v/y", "s B/1/2"]);
  });

  test("a refused transaction is written one by one; an unanswered one is unknown to all", async () => {
    const store = new GroupCommitStore(client, "s", new DaprStore(client, "s"), { request: "transaction", inFlightMax: 1 });
    sidecar.reply = ({ url, body }) =>
      url.endsWith("transaction") ? { status: 500, text: "possible etag mismatch" } : { status: body.includes("B/1") ? 409 : 204 };
    expect(await Promise.all(["A/1", "B/1", "C/1"].map(async (key) => store.insert(key, "1")))).toEqual([
      "inserted",
      "refused",
      "inserted",
    ]);
    // Until nothing is in flight, so that the first goes alone.
    await sleep(TIMEOUT_MS);
    sidecar.reply = ({ url }) => (url.endsWith("transaction") ? "reset" : { status: 204 });
    expect(await Promise.all(["A/2", "B/2", "C/2"].map(async (key) => store.insert(key, "1")))).toEqual(["inserted", "unknown", "unknown"]);
  });

  test("on redis a group is one plain save; after a failed one each insert is resolved on its own", async () => {
    const store = new GroupCommitStore(client, "s", new DaprStore(client, "s"), { request: "save", inFlightMax: 1 });
    expect(await Promise.all(["A/1", "B/1", "B/2", "C/1"].map(async (key) => store.insert(key, "1")))).toEqual(
      Array.from({ length: 4 }, () => "inserted"),
    );
    expect(bodies()).toEqual(["s A/1", "s B/1,C/1", "s B/2"]);
    await sleep(TIMEOUT_MS);
    // Half of the group was written before the other half failed: A is ours, B is another's, C is absent.
    const stored = [{ key: "A/3", data: "1" }, { key: "B/3", data: "2" }, { key: "C/3" }];
    sidecar.reply = ({ url, body }) =>
      url.endsWith("bulk")
        ? { status: 200, text: JSON.stringify(stored) }
        : body.includes(",{")
          ? { status: 500, text: "possible etag mismatch" }
          : { status: 204 };
    expect(await Promise.all(["Z/3", "A/3", "B/3", "C/3"].map(async (key) => store.insert(key, "1")))).toEqual([
      "inserted",
      "inserted",
      "refused",
      "inserted",
    ]);
    expect(bodies().slice(-3)).toEqual(["s A/3,B/3,C/3", "bulk ", "s C/3"]);
    await sleep(TIMEOUT_MS);
    sidecar.reply = ({ body }) => (body.includes(",{") ? "reset" : { status: 204 });
    expect(await Promise.all(["A/4", "B/4", "C/4"].map(async (key) => store.insert(key, "1")))).toEqual(["inserted", "unknown", "unknown"]);
  });

  test("while requests contain several inserts, those of one turn of the event loop go together, including the first", async () => {
    const store = new GroupCommitStore(client, "s", new DaprStore(client, "s"), { request: "save", inFlightMax: 1 });
    const second = async (key: string): Promise<void> => {
      await store.insert(`${key}/1`, "1");
      for (let hops = key.charCodeAt(0); hops > 0; hops -= 1) await Promise.resolve();
      await store.insert(`${key}/2`, "1");
    };
    await Promise.all(["A", "B", "C", "D"].map(second));
    expect(bodies()).toEqual(["s A/1", "s B/1,C/1,D/1", "s A/2,B/2,C/2,D/2"]);
  });

  test("large inserts are not gathered beyond a body, and on an unknown store never", async () => {
    const store = new GroupCommitStore(client, "s", new DaprStore(client, "s"), { request: "transaction", inFlightMax: 1 });
    const large = JSON.stringify("x".repeat(LIMITS.valueBytesMax - 100));
    await Promise.all(["A/1", "B/1", "C/1"].map(async (key) => store.insert(key, large)));
    expect(bodies()).toEqual(["s A/1", "s B/1", "s C/1"]);
    for (const type of ["state.mongodb", undefined]) expect(openStore(client, "s", type)).toBeInstanceOf(DaprStore);
    for (const type of ["state.sqlite", "state.postgresql", "state.redis"])
      expect(openStore(client, "s", type)).toBeInstanceOf(GroupCommitStore);
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
    await expect(transport().nudge(ACTOR)).rejects.toMatchObject({ code: "sidecar.unavailable" });
    sidecar.reply = () => "reset";
    await transport().heartbeat(ACTOR, { workId: "w", token: "t", state: "running" });
    sidecar.reply = () => ({ status: 200, text: "{}" });
    await transport().nudge(ACTOR);
    expect(await transport().inspect(ACTOR)).toEqual({});
  });

  test("ids that would leave their segment of a path are refused", async () => {
    for (const id of ["", ".", ".."]) await expect(transport().inspect({ type: "t", id })).rejects.toMatchObject({ code: "id.invalid" });
    await expect(transport().inspect({ type: "t", id: "a/../b?c#d" })).rejects.toBeDefined();
    expect(sidecar.asked.map(({ url }) => url)).toEqual(["/v1.0/actors/t/a%2F..%2Fb%3Fc%23d/method/inspect"]);
  });
});

describe("reminders", () => {
  test("are repeating reminders with Go durations and no payload", async () => {
    const reminders = new DaprReminders(client);
    await reminders.set(ACTOR, "run-1", 250, 600_000);
    await reminders.remove(ACTOR, "run-1");
    expect(sidecar.asked.map(({ method, url, body }) => [method, url, body])).toEqual([
      ["POST", "/v1.0/actors/party.Planner/p-1/reminders/run-1", '{"dueTime":"250ms","period":"600s"}'],
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
