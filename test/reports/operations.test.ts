/** @module Drift and digests of a running system in memory: by tenant, with the times checked, and as gauges. */
import { metrics } from "@opentelemetry/api";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { operationsOf } from "../../actors/http/tenancy.ts";
import { DriftWatch } from "../../actors/operations/drift-watch.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { agent, contract, Fault, route, system } from "../../agents/index.ts";
import { HOUR_MS } from "../../runtime/units.ts";
import { CALLER, World } from "../actors/world-rig.ts";
import { flush } from "../actors/engine-rig.ts";
import { KeepingMeter } from "../telemetry/keeping.ts";

afterEach(() => metrics.disable());

const Once = contract("Once", 1, { input: z.int(), output: z.int() });
const party = system("party", {
  agents: [
    agent(Once, {
      handle: (n) => {
        if (n < 0) throw new Fault("agent.refused", "SECRET");
        return n;
      },
    }),
  ],
  routes: [
    route("trip", 1, z.int())
      .to("once", Once, ({ task }) => task)
      .output(({ once }) => once),
  ],
});
const ACME = { principal: { subject: "ada", tenant: "acme", permissions: [] } };

/** A host on which 25 processes completed a long time ago, and 25 failed just now; of which one is of a tenant. */
async function host() {
  const world = new World();
  await world.clock.advance(1_000 * HOUR_MS);
  const member = world.join(party, "one");
  const submit = async (id: string, input: number, caller = CALLER): Promise<void> => {
    const { receipt } = await member.operations.submit({ id, route: "trip", input }, caller, 0);
    await world.until(member, receipt.id);
  };
  for (let index = 0; index < 25; index += 1) await submit(`old-${index}`, 1);
  await world.clock.advance(3 * HOUR_MS);
  for (let index = 0; index < 24; index += 1) await submit(`new-${index}`, -1);
  await submit("own", -1, ACME);
  await world.clock.advance(1_000);
  await flush(50);
  return { world, operations: member.operations, sinceMs: world.clock.nowMs() - HOUR_MS };
}

test("the failures of a route are drift, in the view and in the digest", async () => {
  const { operations, sinceMs } = await host();
  const view = await operations.drift({ sinceMs });
  expect(view.lines).toMatchObject([{ route: "trip", processes: 25, processesBefore: 25, failed: { now: 1, before: 0, drifted: true } }]);
  const digest = await operations.digest({ sinceMs });
  expect(digest).toMatchObject({ dead: 25, deadLetters: [{ code: "agent.refused", count: 25, fresh: 25 }] });
  expect(digest.drift).toMatchObject([{ route: "trip", what: "failed" }]);
  expect(JSON.stringify(digest)).not.toContain("SECRET");
});

test("a tenant sees its own processes, under the ids that it gave them", async () => {
  const { operations, sinceMs } = await host();
  const own = operationsOf(operations, "acme");
  expect((await own.drift({ sinceMs })).lines).toMatchObject([{ processes: 1, processesBefore: 0, failed: { drifted: false } }]);
  expect(await own.digest({ sinceMs })).toMatchObject({
    dead: 1,
    deadLetters: [{ example: "own:1" }],
    processes: [{ ended: 1, failed: 1 }],
  });
});

test.each([
  ["sinceMs in the future", (nowMs: number) => ({ sinceMs: nowMs + 1 })],
  ["a baseline within the window", (nowMs: number) => ({ sinceMs: nowMs - 10, baselineMs: nowMs - 5 })],
] as const)("%s is refused", async (_what, filter) => {
  const { operations, world } = await host();
  await expect(operations.drift(filter(world.clock.nowMs()))).rejects.toMatchObject({ code: "body.invalid" });
});

test("gauges tell the means of window and baseline, and how many versions have drifted", async () => {
  const meter = new KeepingMeter();
  meter.install();
  const { operations, world } = await host();
  const watch = new DriftWatch("party", operations.reports, world.clock, SILENT);
  watch.start();
  await watch.look();
  const read = meter.read().filter(({ attributes }) => attributes["troupe.drift.kind"] === "failed");
  expect(read.map(({ metric, value, attributes }) => [metric, attributes["troupe.drift.time"], value])).toEqual([
    ["troupe.drift.mean", "window", 1],
    ["troupe.drift.mean", "baseline", 0],
    ["troupe.drift.drifted", undefined, 1],
  ]);
  watch.stop();
  expect(meter.read().filter(({ metric }) => metric.startsWith("troupe.drift"))).toEqual([]);
});
