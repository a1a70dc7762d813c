/** @module The conversation that a replay makes again, and records whose contents were removed. */
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { conversationOf } from "../../actors/replay/conversation.ts";
import { agent, contract, model, route, system, tool, type System } from "../../agents/index.ts";
import { type Cassette, fakeModel, replayFrom, startLocal } from "../../testing/index.ts";

/** Longer than what a record holds itself. */
const LONG = "jug ".repeat(10_000);
const WORK = "order-1:1:line:0:1";
const Writer = contract("Writer", 1, { input: z.object({ item: z.string() }), output: z.string() });

function shop(instructions = "Write a line.", asked = JSON.stringify({ item: "jug" })): System {
  const look = tool("look", {
    about: "Looks",
    input: z.object({ item: z.string() }),
    output: z.string(),
    effect: "read",
    run: () => "seven left",
  });
  const order = route("order", 1, z.object({ item: z.string() }))
    .to("line", Writer, ({ task }) => ({ item: task.item }))
    .output(({ line }) => line);
  return system("conversing", {
    agents: [agent(Writer, model({ instructions, tools: [look] }))],
    routes: [order],
    models: { default: fakeModel((_request, count) => (count % 2 === 1 ? { calls: [{ name: "look", arguments: asked }] } : "A jug.")) },
  });
}

async function recorded(item: string, made = shop()): Promise<Cassette> {
  const local = startLocal(made);
  onTestFinished(() => local.stop());
  expect(await local.run("order", { item }, { id: "order-1" })).toMatchObject({ status: "completed" });
  return local.cassette("order-1");
}

test("shows each request with the source and trust of its messages, what is new in it, and the reply", async () => {
  const cassette = await recorded("a jug");
  const { exchanges, divergence, input } = await conversationOf(shop(), cassette, WORK);
  expect(divergence).toBeUndefined();
  expect(input).toEqual({ item: "a jug" });
  expect(exchanges.map(({ messages }) => messages.filter((one) => one.new).map(({ source, label }) => [source, label.length > 0]))).toEqual(
    [
      [
        ["instructions", false],
        ["task", false],
      ],
      [
        ["model", false],
        ["look", true],
      ],
    ],
  );
  expect(exchanges.map(({ reply }) => [reply?.text, reply?.calls.map(({ name }) => name)])).toEqual([
    ["", ["look"]],
    ["A jug.", []],
  ]);
  const recordedKeys = cassette.processes[0]?.works[0]?.work.modelCalls?.map(({ key }) => key);
  expect(exchanges.map(({ call }) => call)).toEqual(recordedKeys);
  expect(exchanges[1]?.context).toContainEqual(expect.objectContaining({ source: "look", trusted: false }));
});

test("a message that says why a reply was not used is no part of the task", async () => {
  const refused = shop("Write a line.", "jug");
  const { exchanges } = await conversationOf(refused, await recorded("a jug", refused), WORK);
  expect(exchanges[1]?.messages.map(({ source }) => source)).toEqual(["instructions", "task", "model", "troupe"]);
});

test("shows no request of code that differs from the record, and says where it differs", async () => {
  const { exchanges, divergence } = await conversationOf(shop("Write a poem."), await recorded("a jug"), WORK);
  expect(exchanges).toEqual([]);
  expect(divergence).toMatch(/the instructions differ/);
});

test("names what cannot be replayed because contents were removed, and takes it for no difference", async () => {
  const cassette = await recorded(LONG);
  expect(await replayFrom(cassette, shop())).toMatchObject({ works: 1, skipped: [], divergences: [] });
  const input = cassette.processes[0]?.works[0]?.work.input ?? { json: null };
  if (!("ref" in input)) throw new Error("the input is stored in the record itself");
  const values = Object.fromEntries(Object.entries(cassette.values).filter(([ref]) => ref !== input.ref));
  const report = await replayFrom({ ...cassette, values }, shop());
  expect(report.divergences).toEqual([]);
  expect(report.skipped.map(({ work }) => work)).toContain(WORK);
  expect(await conversationOf(shop(), { ...cassette, values }, WORK)).toMatchObject({
    exchanges: [],
    divergence: expect.stringContaining("removed"),
  });
});
