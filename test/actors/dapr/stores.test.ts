/** @module The stores against a sidecar with arbitrary answers: what counts as written, refused, absent, and as unknown. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SidecarClient } from "../../../actors/dapr/client.ts";
import { GroupCommitStore, openStore } from "../../../actors/dapr/group-commit.ts";
import { decodeContent, DaprStore, encodeContent } from "../../../actors/dapr/store.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { FakeSidecar, type Reply } from "./fake-sidecar.ts";

/** Long enough for a busy machine, short enough to wait for. */
const TIMEOUT_MS = 500;

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

  test.each([
    [
      "redis 7",
      "store.full",
      "failed to set key k: OOM command not allowed when used memory > 'maxmemory'. script: d9, on @user_script:1.",
    ],
    [
      "redis 6",
      "store.full",
      "failed to set key k: ERR Error running script (call to f_d9): @user_script:14: -OOM command not allowed when",
    ],
    ["a full disk", "store.full", "database or disk is full (13)"],
    ["a replica", "store.read-only", "failed to set key k: READONLY You can't write against a read only replica."],
    [
      "a failed snapshot",
      "store.read-only",
      "failed to set key k: MISCONF Redis is configured to save RDB snapshots, but it's currently unable to",
    ],
    ["postgres", "store.read-only", "ERROR: cannot execute INSERT in a read-only transaction (SQLSTATE 25006)"],
  ])("an insert that %s refuses says what the store says, alone and in a group", async (_name, code, text) => {
    sidecar.reply = () => ({ status: 500, text: JSON.stringify({ errorCode: "ERR_STATE_SAVE", message: text }) });
    const fault = expect.objectContaining({ code, message: expect.stringContaining(text.slice(0, 60)) as string }) as unknown;
    await expect(new DaprStore(client, "statestore").insert("sys/A/k/1", "1")).rejects.toEqual(fault);
    for (const type of ["state.redis", "state.sqlite"]) {
      sidecar.reply = ({ url }) =>
        url.endsWith("/bulk") ? { status: 200, text: '[{"key":"A/1"},{"key":"B/1"},{"key":"C/1"}]' } : { status: 500, text };
      const store = openStore(client, "statestore", type);
      const inserts = ["A/1", "B/1", "C/1"].map((key) => store.insert(key, "1"));
      for (const insert of await Promise.allSettled(inserts)) expect(insert).toMatchObject({ status: "rejected", reason: { code } });
    }
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

  test("a refused transaction goes again without the keys that are there; an unanswered one is unknown to all", async () => {
    const store = new GroupCommitStore(client, "s", new DaprStore(client, "s"), { request: "transaction", inFlightMax: 1 });
    sidecar.reply = ({ url, body }) => {
      if (url.endsWith("bulk")) return { status: 200, text: '[{"key":"B/1","data":"2"},{"key":"C/1"},{"key":"D/1"}]' };
      return body.includes("B/1") ? { status: 500, text: "possible etag mismatch" } : { status: 204 };
    };
    expect(await Promise.all(["A/1", "B/1", "C/1", "D/1"].map(async (key) => store.insert(key, "1")))).toEqual([
      "inserted",
      "refused",
      "inserted",
      "inserted",
    ]);
    expect(bodies()).toEqual(["s A/1", "transaction B/1,C/1,D/1", "bulk ", "transaction C/1,D/1"]);
    // Until nothing is in flight, so that the first goes alone.
    await sleep(TIMEOUT_MS);
    sidecar.reply = ({ url }) => (url.endsWith("transaction") ? "reset" : { status: 204 });
    expect(await Promise.all(["A/2", "B/2", "C/2"].map(async (key) => store.insert(key, "1")))).toEqual(["inserted", "unknown", "unknown"]);
  });

  test("a transaction that is refused for another reason is written one by one", async () => {
    const store = new GroupCommitStore(client, "s", new DaprStore(client, "s"), { request: "transaction", inFlightMax: 1 });
    sidecar.reply = ({ url, body }) => {
      if (url.endsWith("bulk")) return { status: 200, text: '[{"key":"B/1"},{"key":"C/1"}]' };
      return url.endsWith("transaction") ? { status: 500, text: "database is locked" } : { status: body.includes("B/1") ? 409 : 204 };
    };
    expect(await Promise.all(["A/1", "B/1", "C/1"].map(async (key) => store.insert(key, "1")))).toEqual([
      "inserted",
      "refused",
      "inserted",
    ]);
    expect(bodies()).toEqual(["s A/1", "transaction B/1,C/1", "bulk ", "s B/1", "s C/1"]);
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
