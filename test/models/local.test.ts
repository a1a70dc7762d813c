/** @module Model agents on models of a system, without Dapr: fakes in their place, and endpoints at a server. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { agent, contract, Fault, model, openai, route, system, tool } from "../../agents/index.ts";
import { fakeModel, runLocal } from "../../testing/index.ts";
import { whole } from "./shape-parts.ts";
import { send, startServer, type TestServer } from "./server.ts";
import type { Sent } from "./shapes.ts";

const Claim = z.strictObject({ order: z.string() });
const Answer = z.strictObject({ paid: z.number() });
const Refunds = contract("Refunds", 1, { input: Claim, output: Answer });
const pay = tool("pay", { about: "Pays back", input: Claim, output: z.number(), effect: "write", unknown: "repeat", run: async () => 10 });
const refunds = agent(Refunds, model({ instructions: "Refund.", tools: [pay], model: "fast" }));
const refund = route("refund", 1, Claim)
  .to("done", Refunds, ({ task }) => task)
  .output(({ done }) => done);

/** A timeout that is far away in real time, and near where idle time is skipped. */
const SLOW_MS_MAX = 20_000;
const SLOW_MS = 200;
const ANSWER = JSON.stringify({ paid: 10 });

describe("fakeModel", () => {
  it("takes the place of a model of the system", async () => {
    const desk = system("desk", { agents: [refunds], routes: [refund], models: { fast: openai({ model: "gpt-5-mini" }) } });
    const fast = fakeModel((request, count) => {
      expect(request.tools.map(({ name }) => name)).toContain("pay");
      return count === 1 ? { calls: [{ name: "pay", arguments: { order: "7" } }] } : ANSWER;
    });
    const outcome = await runLocal(desk, refund, { order: "7" }, { models: { fast } });
    expect(outcome).toMatchObject({ status: "completed", output: { paid: 10 } });
  });

  it("is refused for a model that the system does not have", async () => {
    const desk = system("desk", { agents: [refunds], routes: [refund], models: { fast: openai({ model: "gpt-5-mini" }) } });
    await expect(runLocal(desk, refund, { order: "7" }, { models: { slow: fakeModel(() => "") } })).rejects.toMatchObject({
      code: "definition.invalid",
    });
  });

  it("fails as a provider does", async () => {
    const desk = system("desk", { agents: [refunds], routes: [refund], models: { fast: openai({ model: "gpt-5-mini" }) } });
    const fast = fakeModel(() => {
      throw new Fault("model.quota", "no credit");
    });
    const outcome = await runLocal(desk, refund, { order: "7" }, { models: { fast } });
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "model.quota" } });
  });
});

describe("endpoints without Dapr", () => {
  let server: TestServer;
  let answer: Sent;
  beforeAll(async () => {
    const body = { choices: [{ index: 0, message: { content: ANSWER }, finish_reason: "stop" }] };
    answer = whole("answer", body, { reply: {} }).sent;
    server = await startServer(answer);
  });
  afterAll(() => server.stop());

  it("are called as they are", async () => {
    const fast = openai({ model: "tiny", baseUrl: server.url });
    const desk = system("desk", { agents: [refunds], routes: [refund], models: { fast } });
    const outcome = await runLocal(desk, refund, { order: "7" });
    expect(outcome).toMatchObject({ status: "completed", output: { paid: 10 } });
    expect(server.received.at(-1)?.body).toMatchObject({ model: "tiny", stream: true });
  });

  it("answer in real time: no time is skipped, so nothing times out that would not", async () => {
    const slow = route("slow", 1, Claim)
      .to("done", Refunds, ({ task }) => task, { timeoutMs: SLOW_MS_MAX, retry: { attemptsMax: 1 } })
      .output(({ done }) => done);
    const desk = system("desk", { agents: [refunds], routes: [slow], models: { fast: openai({ model: "tiny", baseUrl: server.url }) } });
    server.answer((response) => void setTimeout(() => send(response, answer), SLOW_MS));
    const outcome = await runLocal(desk, slow, { order: "8" });
    expect(outcome).toMatchObject({ status: "completed", output: { paid: 10 } });
  });
});
