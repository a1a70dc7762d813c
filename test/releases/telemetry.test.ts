/** @module Both versions of a release are told apart in every metric and span of what they do. */
import { metrics, trace } from "@opentelemetry/api";
import { afterEach, expect, it } from "vitest";
import { z } from "zod";
import { METRIC } from "../../actors/telemetry/names.ts";
import { agent, contract, model, route, system, tool } from "../../agents/index.ts";
import { shareOf } from "../../runtime/releases/choose.ts";
import { fakeModel, startLocal } from "../../testing/index.ts";
import { KeepingMeter, keepSpans } from "../telemetry/keeping.ts";

afterEach(() => {
  trace.disable();
  metrics.disable();
});

const In = z.object({ n: z.int() });
const Thinker = contract("Thinker", 1, { input: In, output: z.string() });
const pay = tool("pay", { about: "Pays", effect: "write", permission: "pay", input: In, output: z.string(), run: async () => "paid" });
const desk = system("desk", {
  agents: [agent(Thinker, model({ instructions: { v1: "Think.", v2: "Hurry." }, prompt: "v1", tools: [pay] }))],
  routes: [
    route("main", 1, In)
      .to("think", Thinker, ({ task }) => task)
      .output(({ think }) => think),
  ],
  models: {
    default: fakeModel(({ messages }) =>
      messages.some(({ role }) => role === "tool") ? "done" : { calls: [{ name: "pay", arguments: { n: 1 } }] },
    ),
  },
});

it("tells stable and canary apart", async () => {
  const meter = new KeepingMeter();
  meter.install();
  const spans = keepSpans();
  const local = startLocal(desk, { releases: { Thinker: { canary: { version: { prompt: "v2" }, share: 0.5 } } } });
  const ids = Array.from({ length: 100 }, (_, index) => `p${index}`);
  const pair = [ids.find((id) => shareOf("Thinker", id) >= 0.5) ?? "", ids.find((id) => shareOf("Thinker", id) < 0.5) ?? ""];
  const principal = { subject: "ann", tenant: "default", permissions: ["pay"] };
  for (const id of pair) expect(await local.run("main", { n: 1 }, { id, principal })).toMatchObject({ status: "completed" });
  const shares = meter.read().filter(({ metric }) => metric === METRIC.releaseShare || metric === METRIC.releaseBroken);
  expect(shares.map(({ metric, value }) => [metric, value])).toEqual([
    [METRIC.releaseShare, 0.5],
    [METRIC.releaseBroken, 0],
  ]);
  await local.stopRelease("Thinker", "enough");
  expect(meter.read().find(({ metric }) => metric === METRIC.releaseShare)?.value).toBe(0);
  await local.stop();

  const told = (metric: string): unknown[] => [
    ...new Set(
      meter.values(metric).map(({ attributes: one }) => `${String(one["troupe.prompt.version"])} ${String(one["troupe.release"])}`),
    ),
  ];
  for (const metric of [METRIC.attempts, METRIC.checks, METRIC.modelCall, METRIC.modelTokens])
    expect(told(metric), metric).toEqual(["v1 stable", "v2 canary"]);
  expect(meter.values(METRIC.attempts)[0]?.attributes["gen_ai.request.model"]).toBe("default");
  expect(meter.values(METRIC.hop).map(({ attributes }) => attributes["troupe.version"])).toEqual(["v1/default", "v2/default"]);
  expect(meter.values(METRIC.outcomes).map(({ attributes }) => attributes["troupe.versions"])).toEqual([
    "Thinker@v1/default",
    "Thinker@v2/default",
  ]);
  expect(meter.values(METRIC.releaseStops).map(({ attributes }) => attributes["troupe.release.automatic"])).toEqual([false]);

  for (const name of ["chat default", "execute_tool pay"]) {
    const found = spans
      .filter((span) => span.name === name)
      .map(({ attributes: one }) => [one["troupe.process.id"], one["troupe.prompt.version"]]);
    expect(new Set(found.map(([id, version]) => `${String(id)} ${String(version)}`)), name).toEqual(
      new Set([`${pair[0] ?? ""} v1`, `${pair[1] ?? ""} v2`]),
    );
  }
  const runs = spans.filter(({ attributes }) => attributes["gen_ai.operation.name"] === "invoke_agent");
  expect(runs.map(({ attributes: one }) => one["troupe.release"])).toEqual(["stable", "canary"]);
});
