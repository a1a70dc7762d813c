/** @module A web page in a real browser against a default `up`, app and daprd, and against a host without tokens: nothing happens. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { findDapr } from "../../cli/dapr/find.ts";
import { appPort } from "../app-port.ts";
import { event, message, startRig } from "../actors/http/rig.ts";
import { type CommandRun, eachInFolder, processesOf, runCommand, startCommand } from "../cli/command.ts";
import { attackFromElsewhere, attackRebound, findChromium, type Shot } from "./browser.ts";

const TEST_MS = 180_000;
const TRIP = '{"wish":"lake and mountains","days":3,"budget":500}';
const chromium = findChromium();
const binaries = await findDapr();
if (chromium === undefined) process.stdout.write("skip: no chromium\n");

const SIMPLE = "text/plain";
const JSON_TYPE = "application/json";
const task = JSON.stringify({ id: "stolen", route: "trip", input: JSON.parse(TRIP) as unknown });
const forged = message("forged", { type: "party.ProcessManager", id: "stolen" });

/** Everything that a page could want of the app. */
const APP_SHOTS: readonly Shot[] = [
  ...["/processes", "/audit", "/deadletters", "/graph", "/openapi.json", "/dapr/config", "/dapr/subscribe"].map((path): Shot => ({
    method: "GET",
    path,
  })),
  ...["/processes/mine/cancel", "/purge", "/processes/mine/signals/go"].map((path): Shot => ({ method: "POST", path })),
  ...[SIMPLE, JSON_TYPE].flatMap((type): readonly Shot[] => [
    { method: "POST", path: "/tasks", body: task, type },
    { method: "POST", path: "/topics/tasks", body: JSON.stringify(event(JSON.parse(task))), type },
    { method: "POST", path: "/topics/manager", body: JSON.stringify(event(forged)), type },
    { method: "PUT", path: "/actors/party.ProcessManager/stolen/method/receive", body: JSON.stringify(forged), type },
  ]),
];

/** Everything that a page could want of daprd. */
const DAPRD_SHOTS: readonly Shot[] = [
  { method: "GET", path: "/v1.0/metadata" },
  { method: "GET", path: "/v1.0/state/statestore/any" },
  ...[SIMPLE, JSON_TYPE, "application/cloudevents+json"].flatMap((type): readonly Shot[] => [
    { method: "POST", path: "/v1.0/publish/pubsub/party.tasks", body: task, type },
    { method: "POST", path: "/v1.0/publish/pubsub/party.manager", body: JSON.stringify(event(forged)), type },
    { method: "POST", path: "/v1.0/state/statestore", body: '[{"key":"written-by-a-page","value":1}]', type },
    { method: "POST", path: "/v1.0/invoke/troupe/method/tasks", body: task, type },
    { method: "POST", path: "/v1.0/actors/party.ProcessManager/stolen/method/receive", body: JSON.stringify(forged), type },
  ]),
  { method: "POST", path: "/v1.0/shutdown" },
];

const Record = z.looseObject({ url: z.string(), appToken: z.string(), apiToken: z.string() });

let dir = "";
eachInFolder((made) => (dir = made));

/** The port after a flag of the run's daprd. */
function daprdPort(): string {
  return / --dapr-http-port (\d+) /.exec(processesOf(dir).find(({ command }) => command.includes("--app-id"))?.command ?? "")?.[1] ?? "";
}

async function json(...words: readonly string[]): Promise<unknown> {
  const { exit, text } = await runCommand(dir, words);
  expect(exit, text).toEqual({ code: 0, signal: null });
  return JSON.parse(text);
}

async function startRun(): Promise<{ readonly run: CommandRun; readonly record: z.infer<typeof Record> }> {
  const run = await startCommand(dir, ["up", "--port", String(await appPort())]);
  await run.until("The system takes tasks at");
  return { run, record: Record.parse(JSON.parse(await readFile(join(dir, ".troupe/run.json"), "utf8"))) };
}

describe.skipIf(binaries === undefined)("a default up", () => {
  test.skipIf(chromium === undefined)(
    "a page submits, reads, publishes and ends nothing, also under a name that leads here",
    { timeout: TEST_MS },
    async () => {
      const { run, record } = await startRun();
      expect((await runCommand(dir, ["submit", "trip", TRIP, "--id", "mine", "--wait"])).exit.code).toBe(0);
      const before = { ps: await json("ps", "--json"), parts: processesOf(dir) };
      const daprd = `http://127.0.0.1:${daprdPort()}`;
      for (const [base, shots] of [
        [record.url, APP_SHOTS],
        [daprd, DAPRD_SHOTS],
      ] as const) {
        expect(await attackFromElsewhere(chromium ?? "", base, shots)).toEqual([]);
        const read = await attackRebound(chromium ?? "", base, shots);
        expect(read.length).toBeGreaterThanOrEqual(shots.length);
        expect(read.filter(({ status, text }) => status !== 401 || text.includes("party"))).toEqual([]);
      }
      expect({ ps: await json("ps", "--json"), parts: processesOf(dir) }).toEqual(before);
      expect(await json("dead", "list", "--json")).toMatchObject({ entries: [] });
      const headers = { "dapr-api-token": record.apiToken };
      expect((await fetch(`${daprd}/v1.0/state/statestore/written-by-a-page`, { headers })).status).toBe(204);
      expect(run.text()).not.toContain("stolen");
    },
  );

  test("what the run writes is for its user alone, and no command line or log has a token", { timeout: TEST_MS }, async () => {
    const umask = process.umask(0);
    const { run, record } = await startRun().finally(() => process.umask(umask));
    expect((await runCommand(dir, ["submit", "trip", TRIP, "--wait"])).exit.code).toBe(0);
    const state = join(dir, ".troupe");
    // The example's own records.
    const paths = readdirSync(state, { recursive: true })
      .map(String)
      .filter((path) => !path.startsWith("bookings"));
    expect(paths).toEqual(expect.arrayContaining(["state.db", "state.db-wal", "run.json", "run.log", "message-key", "lock", "apps/lock"]));
    const open = ["", ...paths].filter((path) => (statSync(join(state, path)).mode & 0o077) !== 0);
    expect(open).toEqual([]);
    const key = readFileSync(join(state, "message-key"), "utf8").trim();
    const told = [run.text(), readFileSync(join(state, "run.log"), "utf8"), ...processesOf(dir).map(({ command }) => command)].join("\n");
    for (const secret of [record.appToken, record.apiToken, key]) {
      expect(secret.length).toBeGreaterThanOrEqual(43);
      expect(told).not.toContain(secret);
    }
    expect(told).not.toContain("not signed");
  });

  test("who has daprd's token and no message key cannot speak for an actor", { timeout: TEST_MS }, async () => {
    const { record } = await startRun();
    const headers = { "dapr-api-token": record.apiToken, "content-type": "application/cloudevents+json" };
    const url = `http://127.0.0.1:${daprdPort()}/v1.0/publish/pubsub/party.manager`;
    expect((await fetch(url, { method: "POST", headers, body: JSON.stringify(event(forged)) })).status).toBe(204);
    await expect
      .poll(() => json("dead", "list", "--json"))
      .toMatchObject({ entries: [{ topic: "party.manager", code: "message.signature" }] });
    expect(await json("ps", "--json")).toMatchObject({ entries: [] });
  });
});

test.skipIf(chromium === undefined)("a host without tokens: a page reaches nothing", { timeout: TEST_MS }, async () => {
  const rig = await startRig();
  try {
    expect(await attackFromElsewhere(chromium ?? "", rig.origin, APP_SHOTS)).toEqual([]);
    const read = await attackRebound(chromium ?? "", rig.origin, APP_SHOTS);
    expect(read.length).toBeGreaterThanOrEqual(APP_SHOTS.length);
    expect(read.filter(({ status, text }) => status !== 421 || !text.includes("host.unknown"))).toEqual([]);
    const { received, delivered, submitted, invalid, events } = rig.seen;
    expect([received, delivered, submitted, invalid, events]).toEqual([[], [], [], [], []]);
  } finally {
    await rig.host.drain();
  }
});
