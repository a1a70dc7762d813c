/** @module Followers get the pieces of a reply while it is received: from the scripted model through gateway and host to the stream. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, openai, route, system } from "../../../agents/index.ts";
import { SILENT } from "../../../actors/engine/log.ts";
import { systemClock } from "../../../actors/engine/system-clock.ts";
import { Gateway } from "../../../actors/gateway/gateway.ts";
import { connect, type DeltaEvent, type FollowEvent } from "../../../client/index.ts";
import { type ScriptedModel, scriptedModel } from "../../../testing/index.ts";
import { follow, type Reader, type SentEvent } from "./events.ts";
import { type RealRig, startReal } from "./real-rig.ts";

const TEXT = "The sea is warm, the food is good, and the train runs twice a day.";
const SCRIPT = `
rules:
  - when: { user: slow }
    reply: { text: "${TEXT}", pieceDelayMs: 40 }
  - when: { user: again, attempt: 1 }
    reply: { text: "${TEXT}", pieceDelayMs: 30, shape: cut-half }
  - when: { user: again }
    reply: { text: "Once more.", pieceDelayMs: 30 }
`;
const Writer = contract("Writer", 1, { input: z.string(), output: z.string() });
/** The model is called when the signal comes, so that a reader is there before. */
const write = route("write", 1, z.string())
  .waitFor("go", z.literal(true))
  .to("text", Writer, ({ task }) => task)
  .output(({ text }) => text);

let script: ScriptedModel;
let rig: RealRig;
const readers: Reader[] = [];

beforeEach(async () => {
  script = await scriptedModel({ script: SCRIPT });
  const writer = agent(Writer, model({ instructions: "Write.", model: "fast" }));
  const party = system("party", { agents: [writer], routes: [write], models: { fast: openai({ model: "fast", baseUrl: script.url }) } });
  const environment = { env: {}, secret: () => Promise.reject(new Error("no secrets")) };
  const gateway = new Gateway({ system: "party", models: party.models, environment, clock: systemClock, log: SILENT });
  rig = await startReal({}, party, gateway);
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close();
  await rig.stop();
  await script.stop();
});

async function submit(id: string, input: string): Promise<void> {
  await rig.call("POST", "/tasks", { id, route: "write", input });
}
async function open(id: string, query = "", headers: Readonly<Record<string, string>> = {}): Promise<Reader> {
  const reader = await follow(`${rig.origin}/processes/${id}/events${query}`, headers);
  readers.push(reader);
  return reader;
}
const go = async (id: string): Promise<void> => {
  expect((await rig.call("POST", `/processes/${id}/signals/go`, { payload: true })).status).toBe(202);
};
const deltas = (events: readonly SentEvent[]): readonly SentEvent[] => events.filter(({ name }) => name === "model-delta");
const textOf = (events: readonly SentEvent[]): string =>
  deltas(events)
    .map(({ data }) => (data as { readonly text?: string }).text ?? "")
    .join("");

describe("a stream", () => {
  test("has the pieces of a reply as events of their own while it is received, and the outcome last", async () => {
    await submit("p-1", "slow");
    const reader = await open("p-1");
    await go("p-1");
    const all = await reader.rest();
    expect(textOf(all)).toBe(TEXT);
    expect(deltas(all).length).toBeGreaterThan(3);
    expect(deltas(all)[0]).toMatchObject({
      id: expect.stringMatching(/^1\.\d~[0-9a-f]{8}\.1$/),
      data: { stop: "text", agent: "Writer", call: expect.stringMatching(/^model:fast\//) },
    });
    expect(deltas(all).at(-1)?.data).toMatchObject({ ended: "reply" });
    expect(all.at(-1)).toMatchObject({ name: "outcome", data: { output: TEXT } });
    const names = all.map(({ name }) => name);
    expect(names.indexOf("model-delta")).toBeLessThan(names.lastIndexOf("line"));
  });

  test("goes on after the last piece that a reader received, and after a line", async () => {
    await submit("p-2", "slow");
    const first = await open("p-2");
    await go("p-2");
    const seen: SentEvent[] = [];
    while (deltas(seen).length < 3) seen.push((await first.next()) ?? { name: "", id: "", data: "" });
    first.close();
    const rest = await (await open("p-2", "", { "last-event-id": seen.at(-1)?.id ?? "" })).rest();
    expect(textOf(seen) + textOf(rest)).toBe(TEXT);
    const lines = [...seen, ...rest].filter(({ name }) => name === "line").map(({ id }) => id?.split("~")[0]);
    expect(lines).toEqual([...new Set(lines)]);
  });

  test("has none for a reader who does not want them", async () => {
    await submit("p-3", "slow");
    const reader = await open("p-3", "?deltas=false");
    await go("p-3");
    expect(new Set((await reader.rest()).map(({ name }) => name).filter((name) => name !== "comment"))).toEqual(
      new Set(["line", "outcome"]),
    );
  });

  test("says that a call was made again, because what came before is void", async () => {
    await submit("p-4", "again");
    const reader = await open("p-4");
    await go("p-4");
    const all = await reader.rest();
    const again = deltas(all).findIndex(({ data }) => (data as { readonly restarted?: true }).restarted === true);
    expect(again).toBeGreaterThan(0);
    expect(deltas(all)[again - 1]?.data).toMatchObject({ ended: "fault" });
    expect(textOf(deltas(all).slice(again))).toBe("Once more.");
    expect(all.at(-1)).toMatchObject({ data: { output: "Once more." } });
  });
});

test("the client yields pieces where they are wanted, and none while it waits", async () => {
  const client = connect({ url: rig.origin });
  await client.submit("write", "slow", { id: "p-5" });
  const events: (FollowEvent | DeltaEvent)[] = [];
  for await (const event of client.follow("p-5", { deltas: true })) {
    if (events.length === 0) await go("p-5");
    events.push(event);
  }
  expect(events.map((event) => (event.kind === "delta" ? (event.delta.text ?? "") : "")).join("")).toBe(TEXT);
  await client.submit("write", "slow", { id: "p-6" });
  const plain = new Set<string>();
  for await (const { kind } of client.follow("p-6")) {
    if (plain.size === 0) await go("p-6");
    plain.add(kind);
  }
  expect([...plain]).toEqual(["line", "outcome"]);
});
