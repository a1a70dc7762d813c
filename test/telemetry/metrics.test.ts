/**
 * @module Metrics of a host: what is counted, what gauges show while work waits, and that a stopped host shows nothing.
 *
 * Method: a minimal meter provider that keeps every value, set through `@opentelemetry/api` as an SDK would be.
 */
import { metrics } from "@opentelemetry/api";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { METRIC } from "../../actors/telemetry/names.ts";
import { startLocal } from "../../testing/index.ts";
import { agent, contract, Fault, isFault, route, system, tool } from "../../agents/index.ts";
import { KeepingMeter } from "./keeping.ts";

afterEach(() => metrics.disable());

const Job = z.strictObject({ n: z.int() });
const One = contract("One", 1, { input: Job, output: Job, key: () => "one" });
const many = [1, 2, 3, 4, 5];

describe("metrics", () => {
  test("gauges show open processes and work items that wait at a busy actor, and nothing once the host has stopped", async () => {
    const meter = new KeepingMeter();
    meter.install();
    const begun = Promise.withResolvers<void>();
    const open = Promise.withResolvers<void>();
    const one = agent(One, {
      handle: async (job) => {
        begun.resolve();
        await open.promise;
        return job;
      },
    });
    const local = startLocal(
      system("jobs", {
        agents: [one],
        routes: [
          route("job", 1, Job)
            .to("one", One, ({ task }) => task)
            .output(({ one: done }) => done),
        ],
      }),
    );
    const outcomes = Promise.all(many.map((n) => local.run("job", { n })));
    await begun.promise;
    const shows = (metric: string): number | undefined => meter.read().find((gauge) => gauge.metric === metric)?.value;
    await expect.poll(() => shows(METRIC.queue)).toBe(many.length - 1);
    expect(shows(METRIC.open)).toBe(many.length);
    expect(meter.read().find((gauge) => gauge.metric === METRIC.queue)?.attributes).toEqual({
      "troupe.system": "jobs",
      "gen_ai.agent.name": "One",
    });
    open.resolve();
    expect((await outcomes).map(({ status }) => status)).toEqual(many.map(() => "completed"));
    expect([shows(METRIC.queue), shows(METRIC.open)]).toEqual([0, 0]);
    expect(meter.values(METRIC.outcomes)).toHaveLength(many.length);
    expect(meter.values(METRIC.hop)).toHaveLength(many.length);
    await local.stop();
    expect(meter.read()).toEqual([]);
  });

  test("a dead letter is counted once, with its code, and every attempt with its fault", async () => {
    const meter = new KeepingMeter();
    meter.install();
    let calls = 0;
    const one = agent(One, {
      handle: () => {
        calls += 1;
        throw calls === 1 ? new Error("not now") : new Fault("agent.refused", "never");
      },
    });
    const local = startLocal(
      system("jobs", {
        agents: [one],
        routes: [
          route("job", 1, Job)
            .to("one", One, ({ task }) => task)
            .output(({ one: done }) => done),
        ],
      }),
    );
    expect(await local.run("job", { n: 1 })).toMatchObject({ status: "failed" });
    await local.stop();
    expect(meter.values(METRIC.deadLetters).map(({ value, attributes }) => [value, attributes["error.type"]])).toEqual([
      [1, "agent.refused"],
    ]);
    expect(meter.values(METRIC.outcomes).map(({ attributes }) => attributes)).toEqual([
      { "troupe.system": "jobs", "troupe.route": "job", "troupe.outcome": "failed", "error.type": "agent.refused" },
    ]);
    const runs = meter.values(METRIC.attempts).filter(({ attributes }) => attributes["troupe.work.mode"] === "do");
    expect(runs.map(({ attributes }) => attributes["error.type"])).toEqual(["agent.failed", "agent.refused"]);
    for (const { value } of meter.values(METRIC.turn)) expect(value).toBeGreaterThanOrEqual(0);
  });

  test("each check of a call is counted with its verdict, and calls without a permission, a rule or untrusted input are not", async () => {
    const meter = new KeepingMeter();
    meter.install();
    const parts = { input: Job, run: (job: z.infer<typeof Job>) => job, output: Job } as const;
    const look = tool("look", { ...parts, effect: "read" });
    const page = tool("page", { ...parts, effect: "read", untrusted: true });
    const pay = tool("pay", { ...parts, effect: "write", permission: "pay" });
    const post = tool("post", { ...parts, effect: "egress", untrusted: false });
    const one = agent(One, {
      tools: [look, page, pay, post],
      handle: async (job, ctx) => {
        for (const called of [look, pay, page, post])
          await ctx.call(called, job).catch((error: unknown) => {
            if (!isFault(error)) throw error;
          });
        return job;
      },
    });
    const job = route("job", 1, Job)
      .to("one", One, ({ task }) => task)
      .output(({ one: done }) => done);
    const local = startLocal(system("jobs", { agents: [one], routes: [job] }), { people: () => ({ do: "deny", reason: "no" }) });
    await local.run("job", { n: 1 });
    await local.stop();
    const about = (name: string, effect: string, verdict: string, untrusted: boolean) => ({
      ...{ "troupe.system": "jobs", "gen_ai.agent.name": "One", "gen_ai.tool.name": name },
      ...{ "troupe.tool.effect": effect, "troupe.check.verdict": verdict, "troupe.check.untrusted": untrusted },
    });
    expect(meter.values(METRIC.checks).map(({ value, attributes }) => [value, attributes])).toEqual([
      [1, about("pay", "write", "refused", false)],
      [1, about("post", "egress", "asks", true)],
    ]);
  });
});
