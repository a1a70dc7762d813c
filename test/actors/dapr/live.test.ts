/** @module The adapters and the HTTP host with a real daprd: topics, actors, reminders, tokens, versions. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DaprReminders } from "../../../actors/dapr/reminders.ts";
import { SidecarClient } from "../../../actors/dapr/client.ts";
import { answersAtOnce, sidecarFacts } from "../../../actors/dapr/sidecar.ts";
import { daprClient } from "../../../actors/dapr/user-client.ts";
import { DaprTransport } from "../../../actors/dapr/transport.ts";
import { MessageKeys } from "../../../actors/engine/signatures.ts";
import { Cluster, findDapr, renderResources } from "../../../cli/dapr/index.ts";
import type { Message } from "../../../runtime/protocol.ts";
import { message, startRig, TOKEN, type HttpRig } from "../http/rig.ts";
import { FakeSidecar } from "./fake-sidecar.ts";

const API_TOKEN = "the-token-of-the-sidecar";
const KEYS = new MessageKeys(["the key of the messages of the party"]);
const START_MS = 90_000;
const READY_MS = 30_000;
const ARRIVES_MS = 5_000;
const POLL_MS = 20;
const ACTOR = { type: "party.Planner", id: "p-1" } as const;

const binaries = await findDapr();
if (binaries === undefined) process.stdout.write("skip: no Dapr programs, run `troupe doctor`\n");

test(
  "a sidecar of another version, or none, is refused with a code",
  async () => {
    const other = await FakeSidecar.start();
    other.reply = () => ({ status: 200, text: '{"id":"x","runtimeVersion":"1.17.4","components":[]}' });
    const { origin } = other;
    await expect(sidecarFacts({ origin })).rejects.toMatchObject({ code: "dapr.version" });
    await expect(sidecarFacts({ origin }, undefined, "any")).resolves.toMatchObject({ version: "1.17.4" });
    await other.stop();
    await expect(sidecarFacts({ origin }, 200)).rejects.toMatchObject({ code: "sidecar.unavailable" });
  },
  START_MS,
);

describe.skipIf(binaries === undefined && process.env["CI"] === undefined)("beside daprd", () => {
  let dir: string;
  let cluster: Cluster;
  let rig: HttpRig;
  let client: SidecarClient;
  let transport: DaprTransport;

  beforeAll(async () => {
    if (binaries === undefined) throw new Error("CI must test with Dapr");
    dir = await mkdtemp(join(tmpdir(), "troupe-live-"));
    cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log: () => undefined });
    rig = await startRig({ appToken: TOKEN, answerAtOnce: true, keys: KEYS });
    const sidecar = await cluster.startSidecar({
      appId: "party",
      appPort: Number(new URL(rig.origin).port),
      resourcesDir: await renderResources("embedded", { dir }),
      apiToken: API_TOKEN,
      appToken: TOKEN,
    });
    await sidecar.waitReady(READY_MS);
    client = new SidecarClient({ origin: `http://127.0.0.1:${sidecar.httpPort}`, apiToken: API_TOKEN });
    transport = new DaprTransport(client, { pubsub: "pubsub", source: "party", keys: KEYS });
    rig.behaviour.deliver = async (sent) => transport.deliver(sent);
  }, START_MS);

  afterAll(async () => {
    await rig?.host.drain();
    await client?.close();
    await cluster?.stop();
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  }, START_MS);

  test("reports its version and components", async () => {
    const facts = await sidecarFacts({ origin: client.origin, apiToken: API_TOKEN });
    expect(facts).toMatchObject({ appId: "party", version: "1.18.2" });
    expect([...facts.components].sort()).toEqual([
      ["pubsub", "pubsub.in-memory"],
      ["statestore", "state.sqlite"],
    ]);
    expect(answersAtOnce(facts.components.get("pubsub"))).toBe(true);
    await expect(sidecarFacts({ origin: client.origin, apiToken: "wrong" }, 500)).rejects.toMatchObject({ code: "sidecar.unavailable" });
  });

  test("gives handlers Dapr's own client, with this sidecar's address and token", async () => {
    const options = { daprPort: new URL(client.origin).port, daprApiToken: API_TOKEN };
    const own = await daprClient(options);
    expect(await daprClient(options)).toBe(own);
    expect(await own.metadata.get()).toMatchObject({ id: "party" });
  });

  test("delivers to the actor and returns its answer, its refusal and its faults", async () => {
    expect(await transport.deliver(message("direct:1/a"))).toEqual({ receipt: { messageId: "direct:1/a", sequence: 1 } });
    rig.behaviour.receive = async () => ({ refused: { code: "agent.busy", message: "full" } });
    expect(await transport.deliver(message("m"))).toEqual({ refused: { code: "agent.busy", message: "full" } });
    rig.behaviour.receive = async () => {
      throw new Error("swordfish");
    };
    await expect(transport.deliver(message("m"))).rejects.toMatchObject({ code: "turn.failed" });
    rig.behaviour.receive = async ({ id }) => ({ receipt: { messageId: id, sequence: 1 } });
    const wrong: Message = { ...message("m"), v: 0 as 1 };
    await expect(transport.deliver(wrong)).rejects.toMatchObject({ code: "message.invalid" });
    expect(await transport.inspect(ACTOR)).toEqual({ id: "p-1" });
    await transport.nudge(ACTOR, undefined);
    await transport.heartbeat(ACTOR, { workId: "w", token: "t", state: "running" });
    expect(rig.seen.events).toEqual(expect.arrayContaining(["nudge party.Planner/p-1", "beat party.Planner/p-1 w t"]));
  });

  test("carries a message over the topic to the actor, numbers and letters unchanged", async () => {
    const sent = {
      ...message("by-topic"),
      body: { kind: "answer", workId: "w", index: 0, result: { output: { json: [0.123456789, 1.2345e-7, "é€😀\u2028<&>"] } } },
    } as const;
    await transport.publish("party.agent.Planner", sent);
    await arrives(() => rig.seen.received.some(({ id }) => id === "by-topic"));
    expect(rig.seen.received.find(({ id }) => id === "by-topic")).toEqual(sent);
  });

  test("keeps a message that another program sends in the name of the process manager", async () => {
    const forger = new DaprTransport(client, { pubsub: "pubsub", source: "party" });
    await expect(forger.deliver(message("forged"))).rejects.toMatchObject({ code: "message.signature" });
    await forger.publish("party.agent.Planner", message("forged-by-topic"));
    await arrives(() => rig.seen.invalid.length === 1);
    expect(rig.seen.invalid.splice(0)).toEqual([
      expect.objectContaining({ topic: "party.agent.Planner", fault: expect.objectContaining({ code: "message.signature" }) }),
    ]);
    expect(rig.seen.received.filter(({ id }) => id.startsWith("forged"))).toEqual([]);
  });

  test("accepts tasks from a topic, in any wrapping, and keeps invalid ones", async () => {
    const publish = async (body: string, contentType: string): Promise<number> =>
      (await client.call({ method: "POST", path: "/v1.0/publish/pubsub/party.tasks", body, contentType })).status;
    expect(await publish('{"id":"plain","route":"trip","input":0.123456789}', "application/json")).toBe(204);
    expect(
      await publish(
        '{"specversion":"1.0","id":"event-7","source":"s","type":"t","data":{"route":"trip","input":1}}',
        "application/cloudevents+json",
      ),
    ).toBe(204);
    expect(await publish("hello", "text/plain")).toBe(204);
    expect(await publish('{"route', "application/json")).toBe(204);
    await arrives(() => rig.seen.submitted.length === 2 && rig.seen.invalid.length === 2);
    expect(rig.seen.submitted.map(({ submission }) => submission)).toEqual([
      { id: "plain", route: "trip", input: 0.123456789 },
      { id: "event-7", route: "trip", input: 1 },
    ]);
    expect(rig.seen.invalid.map(({ fault }) => fault.code)).toEqual(["message.invalid", "message.invalid"]);
  });

  test("fires reminders every few milliseconds, moves them away, removes them twice, and brings back what they carry", async () => {
    const reminders = new DaprReminders(client);
    const ticks = (): number => rig.seen.events.filter((seen) => seen === "tick party.Planner/p-1 run-1").length;
    await reminders.remove(ACTOR, "run-1");
    await reminders.set(ACTOR, "run-1", 250, 250);
    await arrives(() => ticks() >= 3);
    await reminders.set(ACTOR, "run-1", 600_000, 600_000);
    await sleep(100);
    const before = ticks();
    await sleep(600);
    expect(ticks()).toBe(before);
    await reminders.remove(ACTOR, "run-1");
    await reminders.remove(ACTOR, "run-1");
    const carried = { atMs: 1, near: false, runs: [{ id: "p-1", run: 1 }] };
    await reminders.set(ACTOR, "shared-1", 250, 600_000, carried);
    await arrives(() => rig.seen.events.includes(`tick party.Planner/p-1 shared-1 ${JSON.stringify(carried)}`));
    await reminders.remove(ACTOR, "shared-1");
    await expect(reminders.set({ type: "party.Elsewhere", id: "x" }, "run-1", 1, 1)).rejects.toMatchObject({ code: "sidecar.unavailable" });
  });
});

async function arrives(condition: () => boolean): Promise<void> {
  const end = performance.now() + ARRIVES_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error("it did not arrive");
    await sleep(POLL_MS);
  }
}
