/**
 * @module Telemetry: one trace per task over every hop, retry and restart, without payloads.
 *
 * Method: a minimal tracer provider that keeps every span, set through `@opentelemetry/api` as an application would set
 * an SDK's. It runs without Dapr.
 */
import { trace } from "@opentelemetry/api";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type LogFacts, type Logger } from "../../actors/engine/log.ts";
import { runLocal } from "../../testing/index.ts";
import { agent, contract, Fault, route, system } from "../../agents/index.ts";
import { keepSpans } from "./keeping.ts";

afterEach(() => trace.disable());

const Note = z.object({ text: z.string() });
const Writer = contract("Writer", 1, { input: Note, output: Note });
const Checker = contract("Checker", 1, { input: Note, output: Note });

function notes(failures: { left: number }) {
  const writer = agent(Writer, { asks: [Checker], handle: async (note, ctx) => ctx.ask(Checker, note) });
  const checker = agent(Checker, {
    handle: (note) => {
      failures.left -= 1;
      if (failures.left >= 0) throw new Error("not now");
      return note;
    },
  });
  return system("notes", {
    agents: [writer, checker],
    routes: [
      route("write", 1, Note)
        .to("first", Writer, ({ task }) => task)
        .to("second", Checker, ({ first }) => first)
        .output(({ second }) => second),
    ],
  });
}

describe("telemetry", () => {
  test("a task over two stops, an ask and a retry is one trace, in which every span has ended and descends from the task", async () => {
    const spans = keepSpans();
    const outcome = await runLocal(notes({ left: 1 }), "write", { text: "SECRET" });
    expect(outcome.status).toBe("completed");
    const task = spans.filter((span) => span.name === "troupe.task");
    expect(task).toHaveLength(1);
    const own = spans.filter((span) => span.attributes["troupe.process.id"] === "local");
    expect(new Set(own.map((span) => span.context.traceId))).toEqual(new Set([task[0]?.context.traceId]));
    expect(new Set(own.map((span) => span.name))).toEqual(
      new Set([
        ...["troupe.task", "troupe.turn", "troupe.message"],
        ...["invoke_agent Writer", "invoke_agent Checker", "invoke_workflow write"],
      ]),
    );
    expect(own.filter((span) => span.name.startsWith("invoke_agent "))).toHaveLength(4);
    expect(own.every((span) => span.ended)).toBe(true);
    for (const span of own) if (span.name !== "troupe.task") expect(span.parent).toBeDefined();
  });

  test("no span or log line contains a payload, and every line about a process carries its trace id", async () => {
    const spans = keepSpans();
    const lines: LogFacts[] = [];
    const keep = (facts: LogFacts): void => void lines.push(facts);
    const log: Logger = { debug: keep, info: keep, warn: keep, error: keep };
    await runLocal(notes({ left: 0 }), "write", { text: "SECRET" }, { log });
    const traceId = spans.find((span) => span.name === "troupe.task")?.context.traceId;
    const about = lines.filter((line) => line["processId"] === "local");
    expect(about.length).toBeGreaterThan(5);
    for (const line of about) expect(line["traceId"]).toBe(traceId);
    expect(JSON.stringify([spans, lines])).not.toContain("SECRET");
  });

  test("the outcome of a failed task carries the trace id into its dead letter", async () => {
    keepSpans();
    const refusing = {
      Checker: () => {
        throw new Fault("agent.refused", "never");
      },
    };
    const outcome = await runLocal(notes({ left: 0 }), "write", { text: "x" }, { fakes: refusing });
    expect(outcome.status).toBe("failed");
    expect(outcome.deadLetter).toMatchObject({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/), fault: { code: "agent.refused" } });
  });
});
