/**
 * @module Telemetry export on a real Dapr: one trace over four hops, a retry, a `kill -9` of the app and the recovery, and every metric,
 * at a collector that accepts OTLP over HTTP.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { Cluster, findDapr, freePort, renderResources, type Sidecar } from "../../cli/dapr/index.ts";
import { Child } from "../../cli/dapr/process.ts";
import { METRIC } from "../../actors/telemetry/names.ts";
import { Collector } from "./collector.ts";
import { issuesOf } from "./gen-ai.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const READY_MS = 30_000;
const POLL_MS = 50;
const TEST_MS = 90_000;
/** Of model agents, tools with rules, memories, sources, releases and drift, which this system does not have. */
const ELSEWHERE: readonly string[] = [
  METRIC.modelCall,
  METRIC.modelTokens,
  METRIC.comparisons,
  METRIC.checks,
  METRIC.withheld,
  ...[METRIC.driftMean, METRIC.drifted, METRIC.releaseStops, METRIC.releaseShare, METRIC.releaseBroken],
];

const binaries = await findDapr();
if (binaries === undefined) process.stdout.write("skip: no Dapr programs, run `npm start -- doctor`\n");

let dir = "";
let appPort = 0;
let daprPort = 0;
let collector: Collector;
let cluster: Cluster | undefined;
let sidecar: Sidecar | undefined;
let app: Child | undefined;
const lines: string[] = [];

async function startApp(): Promise<void> {
  const env = { ...process.env, ...collector.env, APP_ID: "errands", APP_PORT: String(appPort), DAPR_HTTP_PORT: String(daprPort) };
  app = await Child.spawn({
    name: "app",
    command: process.execPath,
    args: [join(ROOT, "cli/app.ts"), join(ROOT, "test/telemetry/errand.ts")],
    cwd: dir,
    env,
    onLine: (line) => lines.push(line),
  });
}

async function killApp(): Promise<void> {
  process.kill(app?.pid ?? 0, "SIGKILL");
  await app?.exited;
}

beforeEach(async () => {
  if (binaries === undefined) return;
  dir = await mkdtemp(join(tmpdir(), "troupe-telemetry-"));
  [appPort, daprPort] = [await freePort(), await freePort()];
  collector = await Collector.start();
  cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log: (_source, line) => lines.push(line) });
  await startApp();
  sidecar = await cluster.startSidecar({
    appId: "errands",
    appPort,
    resourcesDir: await renderResources("embedded", { dir }),
    httpPort: daprPort,
  });
  await sidecar.waitReady(READY_MS);
}, TEST_MS);

afterEach(async () => {
  if (app?.running === true) await killApp();
  await sidecar?.stop();
  await cluster?.stop();
  await collector.stop();
  await rm(dir, { recursive: true, force: true });
}, TEST_MS);

/** A call to the API, retried while it is refused temporarily. */
async function call(path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${appPort}${path}`, init).catch(() => undefined);
    if (answer !== undefined && answer.status !== 503) return answer.json();
    await sleep(POLL_MS);
  }
}

const Receipt = z.looseObject({ id: z.string(), traceId: z.string() });
const View = z.looseObject({
  phase: z.string(),
  run: z.int(),
  traceId: z.string(),
  outcome: z.looseObject({ status: z.string() }).optional(),
});

async function ended(id: string, run: number): Promise<z.infer<typeof View>> {
  for (;;) {
    const view = View.parse(await call(`/processes/${id}`));
    if (view.phase === "ended" && view.run === run) return view;
    await sleep(POLL_MS);
  }
}

async function fileThere(name: string): Promise<void> {
  while (!existsSync(join(dir, name))) await sleep(POLL_MS);
}

const runs = (agent: string) =>
  collector.spans.filter(({ name, attributes }) => name === `invoke_agent ${agent}` && attributes["gen_ai.agent.name"] === agent);

describe.skipIf(binaries === undefined)("telemetry out", () => {
  test("four hops, a retry and a kill -9 of the app are one trace, and every metric arrives", { timeout: TEST_MS }, async () => {
    await writeFile(join(dir, "fixed"), "");
    const { id, traceId } = Receipt.parse(await call("/tasks", { id: "errand-1", route: "errand", input: { dir } }));
    await fileThere("slow");
    await collector.until(
      "what came before the kill",
      () =>
        runs("Flaky").length === 2 &&
        collector.total(METRIC.attempts, { "gen_ai.agent.name": "Flaky", "error.type": "agent.failed" }) === 1,
    );
    await killApp();
    await startApp();
    expect(await ended(id, 1)).toMatchObject({ traceId, outcome: { status: "completed" } });
    await collector.until("the last run", () => runs("Last").length === 1);

    const own = collector.spans.filter(({ attributes }) => attributes["troupe.process.id"] === id);
    expect(new Set(own.map((span) => span.traceId))).toEqual(new Set([traceId]));
    const named = ["troupe.task", "troupe.turn", "troupe.message", "invoke_workflow errand"];
    const agents = ["First", "Flaky", "Slow", "Last"].map((agent) => `invoke_agent ${agent}`);
    await collector.until("the end", () => collector.spans.some(({ name }) => name === "invoke_workflow errand"));
    expect(new Set(collector.spans.filter(({ attributes }) => attributes["troupe.process.id"] === id).map((span) => span.name))).toEqual(
      new Set([...named, ...agents]),
    );
    expect(collector.spans.flatMap(issuesOf), "semantic conventions").toEqual([]);
    await collector.until("the line of the end", () => collector.logs.some(({ body }) => body === "a process ended"));
    const about = collector.logs.filter(({ attributes }) => attributes["troupe.process.id"] === id);
    expect(about.map(({ body }) => body)).toEqual(expect.arrayContaining(["a task was accepted", "a process ended"]));
    expect(new Set(about.map((log) => log.traceId)), "log records are in the trace").toEqual(new Set([traceId]));
    expect(JSON.stringify(collector.logs.filter(({ attributes }) => attributes["troupe.process.id"] !== undefined))).not.toContain(dir);
    expect(new Set(own.map((span) => span.instance)).size, "told by two lives of the app").toBe(2);
    expect(new Set(own.map((span) => span.service))).toEqual(new Set(["errands"]));
    expect(runs("Flaky").map(({ isError, attributes }) => [attributes["troupe.work.attempt"], isError])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(["First", "Slow", "Last"].map((agent) => runs(agent).length)).toEqual([1, 1, 1]);
    expect(runs("Last")[0]?.attributes["gen_ai.operation.name"]).toBe("invoke_agent");
    expect(JSON.stringify(collector.spans), "no payload").not.toContain(dir);

    await rm(join(dir, "fixed"));
    const refused = Receipt.parse(await call("/tasks", { id: "errand-2", route: "errand", input: { dir } }));
    expect(await ended(refused.id, 1)).toMatchObject({ outcome: { status: "failed" } });
    await collector.until("the dead letter", () => collector.total(METRIC.deadLetters, { "error.type": "agent.refused" }) === 1);

    expect(collector.total(METRIC.outcomes, { "troupe.route": "errand", "troupe.outcome": "completed" })).toBe(1);
    expect(collector.total(METRIC.outcomes, { "troupe.outcome": "failed", "error.type": "agent.refused" })).toBe(1);
    expect(collector.total(METRIC.attempts, { "gen_ai.agent.name": "Flaky", "error.type": "agent.failed" })).toBe(1);
    expect(collector.total(METRIC.attempts, { "gen_ai.agent.name": "Last" })).toBeGreaterThanOrEqual(2);
    expect(collector.total(METRIC.hop, { "gen_ai.agent.name": "First", "troupe.work.mode": "do" })).toBe(2);
    expect(collector.total(METRIC.turn, { "troupe.actor": "errands.ProcessManager" })).toBeGreaterThan(10);
    const openPoints = collector.points.filter(({ metric }) => metric === METRIC.open);
    expect(Math.max(...openPoints.map(({ value }) => value))).toBe(1);
    await collector.until("that nothing is open", () => collector.points.findLast(({ metric }) => metric === METRIC.open)?.value === 0);
    const told = new Set(collector.points.map(({ metric }) => metric).filter((name) => name.startsWith("troupe.")));
    expect([...told].toSorted()).toEqual(
      Object.values(METRIC)
        .filter((name) => !ELSEWHERE.includes(name))
        .toSorted(),
    );
    expect(JSON.stringify(collector.points), "no ids in metrics").not.toContain("errand-1");

    await writeFile(join(dir, "fixed"), "");
    await call(`/deadletters/${encodeURIComponent(`${refused.id}:1`)}/redrive`, { reason: "it is fixed" });
    expect(await ended(refused.id, 2)).toMatchObject({ traceId: refused.traceId, outcome: { status: "completed" } });
    await collector.until("the redriven run", () =>
      runs("Last").some(({ attributes, isError }) => attributes["troupe.process.id"] === refused.id && !isError),
    );
    const redriven = collector.spans.filter(({ attributes }) => attributes["troupe.process.id"] === refused.id);
    expect(new Set(redriven.map((span) => span.traceId))).toEqual(new Set([refused.traceId]));
  });

  test("the last counts are sent when the app is asked to stop", { timeout: TEST_MS }, async () => {
    await writeFile(join(dir, "fixed"), "");
    await writeFile(join(dir, "slow"), "");
    const { id } = Receipt.parse(await call("/tasks", { id: "errand-3", route: "errand", input: { dir } }));
    await ended(id, 1);
    process.kill(app?.pid ?? 0, "SIGTERM");
    expect(await app?.exited, lines.join("\n")).toMatchObject({ code: 0 });
    expect(collector.total(METRIC.outcomes, { "troupe.outcome": "completed" })).toBe(1);
    expect(runs("Last")).toHaveLength(1);
  });
});
