/** @module The entry of an ended process tells what its last run did: attempts, waits, repairs, cost, and the stop that failed. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, person, route, system } from "../../agents/index.ts";
import { Fault } from "../../runtime/faults.ts";
import { fakeModel, startLocal } from "../../testing/index.ts";

const Flaky = contract("Flaky", 1, { input: z.int(), output: z.int() });
const Writer = contract("Writer", 1, { input: z.int(), output: z.object({ text: z.string() }) });
const Boss = person("Boss", { input: z.object({ text: z.string() }), roles: ["boss"], deadlineMs: 60_000, onExpiry: "deny" });

test("counts further attempts, repairs of answers, and requests to people", async () => {
  let tries = 0;
  const flaky = agent(Flaky, {
    handle: (n) => {
      tries += 1;
      if (tries < 3) throw new Fault("store.unavailable", "not yet");
      return n;
    },
  });
  const trip = route("trip", 1, z.int())
    .to("first", Flaky, ({ task }) => task, { retry: { attemptsMax: 5, backoffMs: 10 } })
    .to("text", Writer, ({ first }) => first)
    .to("ok", Boss, ({ text }) => text)
    .output(({ text }) => text);
  const made = system("summary", {
    agents: [flaky, agent(Writer, model({ instructions: "Write." })), Boss],
    routes: [trip],
    models: { default: fakeModel((_request, count) => (count === 1 ? "no JSON" : '{"text":"hello"}')) },
  });
  const local = startLocal(made, { people: () => ({ do: "approve" }) });
  try {
    expect((await local.run("trip", 1, { id: "one" })).status).toBe("completed");
    const [entry] = await local.list();
    expect(entry).toMatchObject({ id: "one", status: "completed", retries: 2, repairs: 1, waits: 1, requests: 1, modelCalls: 2 });
    expect(entry).not.toHaveProperty("takeovers");
    expect(entry).not.toHaveProperty("failedStop");
  } finally {
    await local.stop();
  }
});

test("counts the claims of answers, and those without evidence", async () => {
  const Asked = z.object({ order: z.string() });
  const Clerk = contract("Clerk", 1, { input: Asked, output: z.object({ text: z.string() }) });
  const clerk = agent(Clerk, model({ instructions: "Refunds are up to 500 EUR.", grounding: "count" }));
  const trip = route("trip", 1, Asked)
    .to("text", Clerk, ({ task }) => task)
    .output(({ text }) => text);
  const text = "INV-2041 is refunded with 500 EUR by REF-7.";
  const models = { default: fakeModel(() => JSON.stringify({ text })) };
  const local = startLocal(system("summary", { agents: [clerk], routes: [trip], models }));
  try {
    expect((await local.run("trip", { order: "INV-2041" }, { id: "three" })).output).toEqual({ text });
    expect((await local.list())[0]).toMatchObject({ id: "three", claims: 3, ungrounded: 1 });
  } finally {
    await local.stop();
  }
});

test("names the stop and the agent that failed", async () => {
  const flaky = agent(Flaky, {
    handle: () => {
      throw new Fault("schema.input", "no");
    },
  });
  const trip = route("trip", 1, z.int())
    .to("first", Flaky, ({ task }) => task)
    .output(({ first }) => first);
  const local = startLocal(system("summary", { agents: [flaky], routes: [trip] }));
  try {
    expect((await local.run("trip", 1, { id: "two" })).status).toBe("failed");
    expect((await local.list())[0]).toMatchObject({ id: "two", status: "failed", failedStop: "first", failedAgent: "Flaky" });
  } finally {
    await local.stop();
  }
});
