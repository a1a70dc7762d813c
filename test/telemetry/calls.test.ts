/** @module What traces and metrics say of model calls and tools, by the conventions for generative AI; content only by opt-in. */
import { metrics, SpanKind, trace } from "@opentelemetry/api";
import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { tool } from "../../agents/index.ts";
import { Fault } from "../../runtime/faults.ts";
import { CONTENT_VARIABLE } from "../../actors/telemetry/names.ts";
import { callOf, ModelRig, replyOf } from "../actors/model-rig.ts";
import { KeepingMeter, keepSpans, type KeptSpan } from "./keeping.ts";

afterEach(() => {
  trace.disable();
  metrics.disable();
  vi.unstubAllEnvs();
});

const look = tool("look", { effect: "read", input: z.string(), output: z.string(), run: async () => "SECRET seen" });

/** A handler whose first model call fails once, and which then calls a tool. */
async function runOne(): Promise<readonly KeptSpan[]> {
  const spans = keepSpans();
  const rig = new ModelRig({ tools: [look] });
  rig.models.answer = (_attempt, count) => {
    if (count === 1) throw new Fault("model.rate-limited", "wait", { status: 429 });
    return replyOf("SECRET reply", { calls: [{ id: "c", name: "look", arguments: "{}" }], finish: "calls" });
  };
  rig.join(async (ctx) => {
    await ctx.chat(callOf("SECRET question"));
    return String(await ctx.call(look, "SECRET about"));
  });
  await rig.ends();
  return spans;
}

test("a span chat {model} for each try, and execute_tool {tool}, in the trace of the task", async () => {
  const spans = await runOne();
  const chats = spans.filter(({ name }) => name === "chat fast");
  expect(chats).toHaveLength(2);
  const work = { "gen_ai.agent.name": "Thinker", "gen_ai.conversation.id": "p", "troupe.process.id": "p", "troupe.work.id": "w" };
  expect(chats[0]?.attributes).toEqual({
    ...work,
    ...{ "gen_ai.operation.name": "chat", "gen_ai.request.model": "fast", "gen_ai.request.max_tokens": 50, "gen_ai.output.type": "text" },
    "gen_ai.provider.name": "fake-provider",
    "error.type": "model.rate-limited",
  });
  expect(chats[1]).toMatchObject({ kind: SpanKind.CLIENT, ended: true });
  expect(chats[1]?.attributes).toMatchObject({
    ...{ "gen_ai.provider.name": "fake-provider", "gen_ai.response.model": "fake-1", "gen_ai.response.finish_reasons": ["tool_call"] },
    ...{ "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5, "troupe.model.endpoint": "fake" },
  });
  const [tools] = spans.filter(({ name }) => name === "execute_tool look");
  expect(tools?.attributes).toMatchObject({ ...work, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look" });
  for (const span of [...chats, tools]) expect(span?.context.traceId).toBe("a".repeat(32));
});

test("neither question nor answer, unless the variable of OpenTelemetry asks for it", async () => {
  expect(JSON.stringify(await runOne())).not.toContain("SECRET");
  trace.disable();
  vi.stubEnv(CONTENT_VARIABLE, "true");
  const spans = await runOne();
  const attributes = Object.assign({}, ...spans.map((span) => span.attributes)) as Readonly<Record<string, string>>;
  const content = (name: string): unknown => JSON.parse(attributes[name] ?? "null");
  expect(content("gen_ai.input.messages")).toEqual([{ role: "user", parts: [{ type: "text", content: "SECRET question" }] }]);
  expect(content("gen_ai.output.messages")).toEqual([
    {
      role: "assistant",
      parts: [
        { type: "text", content: "SECRET reply" },
        { type: "tool_call", id: "c", name: "look", arguments: "{}" },
      ],
      finish_reason: "tool_call",
    },
  ]);
  expect(content("gen_ai.tool.call.arguments")).toBe("SECRET about");
  expect(content("gen_ai.tool.call.result")).toBe("SECRET seen");
});

test("tokens and durations of each try, without ids", async () => {
  const meter = new KeepingMeter();
  meter.install();
  await runOne();
  const all = {
    ...{ "troupe.system": "sys", "gen_ai.agent.name": "Thinker", "gen_ai.operation.name": "chat", "gen_ai.request.model": "fast" },
  };
  const answered = { ...all, "gen_ai.provider.name": "fake-provider", "gen_ai.response.model": "fake-1" };
  expect(meter.values("gen_ai.client.token.usage")).toEqual([
    { metric: "gen_ai.client.token.usage", value: 10, attributes: { ...answered, "gen_ai.token.type": "input" } },
    { metric: "gen_ai.client.token.usage", value: 5, attributes: { ...answered, "gen_ai.token.type": "output" } },
  ]);
  expect(meter.values("gen_ai.client.operation.duration").map(({ attributes }) => attributes)).toEqual([
    // With its provider, so that failures are a share of the calls of the same provider.
    { ...all, "gen_ai.provider.name": "fake-provider", "error.type": "model.rate-limited" },
    answered,
  ]);
});
