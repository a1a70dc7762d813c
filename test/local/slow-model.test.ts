/** @module Time is not skipped while a model is asked: a handler that waits for its reply holds no slot, and nothing else may run. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, openai, route, system } from "../../agents/index.ts";
import { fakeModel, runLocal } from "../../testing/index.ts";

const SLOW_MS = 60;

const Poet = contract("Poet", 1, { input: z.string(), output: z.string() });
const poem = route("poem", 1, z.string())
  .to("poem", Poet, ({ task }) => task, { retry: { attemptsMax: 1 } })
  .output(({ poem }) => poem);
const poets = system("poets", {
  agents: [agent(Poet, model({ instructions: "Write a line." }))],
  routes: [poem],
  models: { poet: openai({ model: "gpt-5-mini" }) },
});

test("a slow model is no timeout of its stop", async () => {
  const poet = fakeModel(async () => {
    await sleep(SLOW_MS);
    return "A line.";
  });
  const { status, output, fault } = await runLocal(poets, poem, "the sea", { models: { poet } });
  expect(fault).toBeUndefined();
  expect([status, output]).toEqual(["completed", "A line."]);
});
