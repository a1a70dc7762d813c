/** @module The typed client against a real system in memory over HTTP, and against a pretended one that breaks. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, Fault, route, system } from "../../agents/index.ts";
import { type Client, ClientError, connect, type FollowEvent } from "../../client/index.ts";
import { startReal, type RealRig } from "../actors/http/real-rig.ts";
import { TOKEN } from "../actors/http/rig.ts";
import { refuse, startStub, type Stub } from "../cli/stub.ts";

const Order = z.object({ item: z.string().min(1), mood: z.enum(["good", "bad", "slow"]) });
const Till = contract("Till", 1, { input: Order, output: z.object({ paid: z.string() }) });
let slow = Promise.withResolvers<void>();
const till = agent(Till, {
  handle: async ({ item, mood }, { signal }) => {
    if (mood === "slow") await Promise.race([slow.promise, new Promise((resolve) => signal.addEventListener("abort", resolve))]);
    signal.throwIfAborted();
    if (mood === "bad") throw new Fault("agent.refused", `no shop sells ${item}`);
    return { paid: item };
  },
});
const order = route("order", 1, Order)
  .to("pay", Till, ({ task }) => task)
  .output(({ pay }) => pay);
const shop = system("shop", { agents: [till], routes: [order] });

/** What a call throws. */
async function refusal(call: Promise<unknown>): Promise<ClientError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ClientError);
  return error as ClientError;
}

describe("a running system", () => {
  let rig: RealRig;
  let client: Client;
  beforeAll(async () => {
    rig = await startReal({ appToken: TOKEN }, shop);
    client = connect({ url: `${rig.origin}/`, token: TOKEN, patienceMs: 0 });
  });
  afterAll(() => rig.stop());
  afterEach(() => {
    slow.resolve();
    slow = Promise.withResolvers();
  });

  test("accepts a typed task and returns its receipt or its outcome", async () => {
    const waited = await client.submit(order, { item: "bread", mood: "good" }, { id: "t-1", waitMs: 10_000 });
    expect(waited).toMatchObject({ id: "t-1", outcome: { status: "completed", output: { paid: "bread" } } });
    const again = await client.submit("order", { item: "bread", mood: "good" }, { id: "t-1" });
    expect(again.receipt).toMatchObject({ id: "t-1", route: "order", run: 1 });
    const made = await client.submit(order, { item: "cake", mood: "good" });
    expect(made.id).toMatch(/^[0-9a-f-]{36}$/);
    const outcome = await client.wait(made.id, { route: order });
    expect([outcome.status, outcome.output?.paid, outcome.endedAtMs >= outcome.acceptedAtMs]).toEqual(["completed", "cake", true]);
  });

  test("rejects with coded errors", async () => {
    expect(await refusal(client.submit("nowhere", {}))).toMatchObject({ code: "route.unknown", status: 404, fix: expect.any(String) });
    expect(await refusal(client.submit("order", { item: "" }))).toMatchObject({ code: "schema.task", status: 400 });
    expect(await refusal(client.show("absent"))).toMatchObject({
      code: "process.unknown",
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const stranger = connect({ url: rig.origin, token: "wrong", patienceMs: 0 });
    expect(await refusal(stranger.list())).toMatchObject({ code: "auth.token", status: 401 });
    expect(() => connect({ url: "nonsense" })).toThrow(TypeError);
  });

  test("yields its events from the first line, or after an event, to the outcome", async () => {
    await client.submit(order, { item: "tea", mood: "good" }, { id: "t-2", waitMs: 10_000 });
    const all: FollowEvent[] = [];
    for await (const event of client.follow("t-2")) all.push(event);
    expect(all.map((event) => [event.id, event.kind === "line" ? event.line.what : event.outcome.status])).toEqual([
      ["1.0", "asked"],
      ["1.1", "answered"],
      ["1.outcome", "completed"],
    ]);
    const rest: string[] = [];
    for await (const { id } of client.follow("t-2", { after: "1.0" })) rest.push(id);
    expect(rest).toEqual(["1.1", "1.outcome"]);
    for await (const event of client.follow("t-2", { after: "1.outcome" })) throw new Error(`nothing was left, and yet ${event.id} came`);
  });

  test("shows a process, its work items and its history", async () => {
    await client.submit(order, { item: "rice", mood: "good" }, { id: "t-3", waitMs: 10_000 });
    expect(await client.show("t-3")).toMatchObject({ phase: "ended", route: "order", outcome: { status: "completed" } });
    expect((await client.stops("t-3")).stops).toMatchObject([{ agent: "Till", state: "answered", output: { paid: "rice" } }]);
    const history: string[] = [];
    for await (const { what } of client.history("t-3")) history.push(what);
    expect(history).toEqual(["asked", "answered"]);
  });

  test("cancels an open process, and limits a wait", async () => {
    await client.submit(order, { item: "wine", mood: "slow" }, { id: "t-4" });
    expect(await refusal(client.wait("t-4", { waitMs: 50 }))).toMatchObject({ code: "client.still-open" });
    const given = new AbortController();
    const waiting = client.wait("t-4", { signal: given.signal });
    given.abort(new Error("no longer wanted"));
    await expect(waiting).rejects.toThrow("no longer wanted");
    expect(await client.cancel("t-4", "changed my mind")).toMatchObject({ id: "t-4", route: "order" });
    expect(await client.wait("t-4")).toMatchObject({ status: "cancelled", fault: { code: "process.cancelled" } });
    expect((await client.show("t-4")).actions).toMatchObject([{ what: "cancel", reason: "changed my mind" }]);
  });

  test("lists processes and the audit in pages", async () => {
    for (const id of ["p-1", "p-2"]) await client.submit(order, { item: "x", mood: "good" }, { id, waitMs: 10_000 });
    const first = await client.list({ state: "ended", status: "completed", route: "order", limit: 1 });
    expect([first.entries.length, first.cursor]).toEqual([1, expect.any(String)]);
    expect((await client.list({ limit: 1, cursor: first.cursor })).entries[0]?.id).not.toBe(first.entries[0]?.id);
    expect((await client.audit({ limit: 5 })).entries).toEqual(expect.any(Array));
  });

  test("shows, redrives and discards dead letters", async () => {
    await client.submit(order, { item: "gold", mood: "bad" }, { id: "bad-1", waitMs: 10_000 });
    await expect
      .poll(async () => (await client.deadLetters.list({ code: "agent.refused" })).entries.map(({ id }) => id))
      .toContain("bad-1:1");
    expect(await client.deadLetters.show("bad-1:1")).toMatchObject({ open: true, letter: { original: { input: { item: "gold" } } } });
    const receipt = await client.deadLetters.redrive("bad-1:1", { input: { item: "silver", mood: "good" }, reason: "typo" });
    expect(receipt.run).toBe(2);
    expect(await client.wait("bad-1")).toMatchObject({ status: "completed", output: { paid: "silver" } });
    await client.submit(order, { item: "gold", mood: "bad" }, { id: "bad-2", waitMs: 10_000 });
    await expect.poll(async () => (await client.deadLetters.list()).entries.map(({ id }) => id)).toContain("bad-2:1");
    expect(await client.deadLetters.discard("bad-2:1", "a test")).toMatchObject({ decision: "discarded", reason: "a test" });
    expect(await refusal(client.deadLetters.redrive("bad-2:1"))).toMatchObject({ code: "deadletter.decided", status: 409 });
  });

  test("shows its graph and its health, and purges", async () => {
    expect(await client.graph()).toMatchObject({ system: "shop", agents: [{ name: "Till" }] });
    expect(await client.health()).toEqual({ status: "ok" });
    expect(await client.purge({ dryRun: true })).toMatchObject({ purged: 0 });
  });
});

describe("a system that breaks", () => {
  const RECEIPT = { id: "t", route: "order", run: 1, sequence: 1, traceId: "abc" };
  const SIGNALLED = { id: "t", name: "paid", signalId: "s", state: "taken", run: 1, sequence: 2, traceId: "abc" };
  const LINE = { atMs: 1, what: "asked", stop: "pay", agent: "Till", attempt: 1 };
  const event = (id: string, name: string, data: object): string => `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  let stub: Stub;
  let client: Client;
  let lost: string[];
  beforeEach(async () => {
    stub = await startStub();
    lost = [];
    client = connect({ url: stub.url, patienceMs: 10_000, onLost: ({ code }) => lost.push(code) });
  });
  afterEach(() => stub.close());

  test("receives the same task again until it answers", async () => {
    stub.answers["POST /tasks"] = [refuse("sidecar.unavailable"), refuse("system.overloaded"), { status: 202, json: RECEIPT }];
    expect((await client.submit(order, { item: "a", mood: "good" })).receipt).toEqual(RECEIPT);
    expect(new Set(stub.seen.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect([stub.seen.length, lost]).toEqual([3, ["sidecar.unavailable"]]);
  });

  test("asks a source that fails once, as each failure lengthens the pause of its schedule", async () => {
    stub.answers["POST /sources/handbook/sync"] = refuse("source.unavailable");
    expect(await refusal(client.syncSource("handbook"))).toMatchObject({ code: "source.unavailable" });
    expect([stub.seen.length, lost]).toEqual([1, []]);
  });

  test("is followed over a broken stream without missing or repeating an event", async () => {
    stub.answers["GET /processes/t/events"] = [
      { events: `: hello\n\n${event("1.0", "line", LINE)}id: 1.1\nevent: li` },
      refuse("sidecar.unavailable"),
      { events: event("1.1", "line", LINE) + event("1.outcome", "outcome", { status: "completed", atMs: 2 }) },
    ];
    const ids: string[] = [];
    for await (const { id } of client.follow("t")) ids.push(id);
    expect(ids).toEqual(["1.0", "1.1", "1.outcome"]);
    expect(stub.seen.map(({ lastEventId }) => lastEventId)).toEqual([undefined, "1.0", "1.0"]);
  });

  test("is unreachable at once without patience", async () => {
    await stub.close();
    const { code, fix, cause } = await refusal(connect({ url: stub.url, patienceMs: 0 }).show("t"));
    expect([code, fix, cause instanceof Error]).toEqual(["client.unreachable", "Check the address and that the system is running.", true]);
    stub = await startStub();
  });

  test("has an error of its own for a response in another form", async () => {
    stub.answers["GET /processes/t"] = [{ json: { id: 5 } }, { status: 500, json: "hello" }];
    expect((await refusal(client.show("t"))).message).toMatch(/^the answer for the process has an unknown form \(/);
    expect((await refusal(client.show("t"))).message).toMatch(/is not from a Troupe system: status 500 without a code\.$/);
  });

  test("reports in its health that it shuts down", async () => {
    stub.answers["GET /healthz"] = { status: 503, json: { status: "stopping" } };
    expect(await client.health()).toEqual({ status: "stopping" });
  });

  test("receives a signal under an id that is constant over attempts", async () => {
    stub.answers["POST /processes/t/signals/paid"] = [refuse("sidecar.unavailable"), { status: 202, json: SIGNALLED }];
    expect(await client.signal("t", "paid", { amount: 5 })).toEqual(SIGNALLED);
    const [first, second] = stub.seen.map(({ body }) => body);
    expect(first).toEqual({ signalId: expect.stringMatching(/^[0-9a-f-]{36}$/), payload: { amount: 5 } });
    expect(second).toEqual(first);
  });
});
