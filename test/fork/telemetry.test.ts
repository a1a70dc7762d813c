/** @module A fork is nothing that the system did: metrics and traces know only the model calls that were really made for it. */
import { metrics, trace } from "@opentelemetry/api";
import { expect, onTestFinished, test } from "vitest";
import { METRIC } from "../../actors/telemetry/names.ts";
import { KeepingMeter, keepSpans } from "../telemetry/keeping.ts";
import { FIRST, Recorded } from "./rig.ts";

test("a fork counts no process, no attempt and no span of the system, and its model calls under a name of their own", async () => {
  const recorded = new Recorded();
  await recorded.record();
  onTestFinished(() => recorded.outside.stop());
  const [meter, spans] = [new KeepingMeter(), keepSpans()];
  meter.install();
  onTestFinished(() => {
    metrics.disable();
    trace.disable();
  });
  const { report } = await recorded.fork(FIRST);
  expect([report.status, report.modelCalls]).toEqual(["completed", 3]);
  for (const metric of [METRIC.outcomes, METRIC.attempts, METRIC.hop, METRIC.turn, METRIC.coordination])
    expect([metric, meter.values(metric)]).toEqual([metric, []]);
  const calls = meter.values(METRIC.modelCall);
  expect(calls.map(({ attributes }) => attributes)).toEqual(
    calls.map(() => expect.objectContaining({ "gen_ai.agent.name": "(fork)", "gen_ai.request.model": "other" })),
  );
  expect([calls.length, meter.values(METRIC.modelTokens).length]).toEqual([3, 6]);
  expect(spans.map(({ name }) => name)).toEqual([]);
});
