/** @module What operators see of a whole system over HTTP: hosts with their leases, people among the agents, paused processes, looks. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { agent } from "../../../agents/agent.ts";
import { contract } from "../../../agents/contract.ts";
import { person } from "../../../agents/person.ts";
import { route } from "../../../agents/route.ts";
import { system } from "../../../agents/system.ts";
import { AuditEntry, ProcessEntry } from "../../../runtime/answers.ts";
import { AgentsView, CostView, OverviewView, SystemView } from "../../../runtime/overview.ts";
import { type RealRig, startReal } from "./real-rig.ts";

const Boss = person("Boss", { about: "Says yes", roles: ["boss"] });
const Echo = contract("Echo", 1, { input: z.string(), output: z.string() });
const echo = agent(Echo, { handle: (text) => text });
const inner = route("inner", 1, z.string())
  .to("echoed", Echo, ({ task }) => task)
  .output(({ echoed }) => echoed);
const outer = route("outer", 1, z.string())
  .to("nested", inner, ({ task }) => task)
  .output(({ nested }) => nested);
const waits = route("waits", 1, z.string())
  .waitFor("go", z.string())
  .output(({ go }) => go);
const asks = route("asks", 1, z.string())
  .to("said", Boss, ({ task }) => task)
  .output(({ said }) => said);

let rig: RealRig;
beforeEach(async () => {
  rig = await startReal({}, system("shop", { agents: [echo, Boss], routes: [inner, outer, waits, asks] }));
});
afterEach(() => rig.stop());

const Page = z.object({ entries: z.array(ProcessEntry) });

async function read<T>(schema: z.ZodType<T>, path: string): Promise<T> {
  const { status, json, text } = await rig.call("GET", path);
  expect(status, text).toBe(200);
  return schema.parse(json);
}

async function submit(id: string, name: string): Promise<void> {
  const { status, text } = await rig.call("POST", "/tasks", { id, route: name, input: "x" });
  expect(status, text).toBe(202);
}

test("each host is listed with the time at which its lease was renewed", async () => {
  const before = (await read(SystemView, "/system")).hosts;
  expect(before).toMatchObject([{ self: true, alive: true }]);
  expect(before[0]).not.toHaveProperty("leaseAtMs");
  const fromMs = Date.now();
  await rig.host.watch.start();
  const [self] = (await read(SystemView, "/system")).hosts;
  rig.host.watch.stop();
  expect(self?.leaseAtMs).toBeGreaterThanOrEqual(fromMs);
});

test("people stand among the agents", async () => {
  const { agents } = await read(AgentsView, "/agents");
  expect(agents.map(({ name, kind, about }) => [name, kind, about])).toEqual([
    ["Echo", "code", undefined],
    ["Boss", "person", "Says yes"],
  ]);
});

test("a paused process is marked in the list until it goes on", async () => {
  for (const id of ["one", "two"]) await submit(id, "waits");
  const listed = async (): Promise<unknown> => (await read(Page, "/processes")).entries.map(({ id, paused }) => [id, paused]).sort();
  const calm = { timeout: 30_000 };
  await expect.poll(listed, calm).toEqual([
    ["one", undefined],
    ["two", undefined],
  ]);
  expect((await rig.call("POST", "/processes/one/pause", { reason: "look" })).status).toBe(202);
  await expect.poll(listed, calm).toEqual([
    ["one", true],
    ["two", undefined],
  ]);
  expect((await read(Page, "/processes?paused=true")).entries.map(({ id }) => id)).toEqual(["one"]);
  expect(await read(OverviewView, "/overview")).toMatchObject({ open: 2, paused: 1 });
  await rig.call("POST", "/processes/one/resume", {});
  await expect.poll(listed, calm).toEqual([
    ["one", undefined],
    ["two", undefined],
  ]);
});

test("a look at contents says what was looked at, and gives no reason", async () => {
  await submit("one", "waits");
  await rig.call("GET", "/processes/one/stops");
  const { entries } = await read(z.object({ entries: z.array(AuditEntry) }), "/audit");
  expect(entries).toMatchObject([{ what: "looked at content", kind: "process", target: "one", why: "" }]);
});

test("a nested route is a process of its own, and what it spent is that of its parent", async () => {
  await submit("one", "outer");
  await expect.poll(() => read(OverviewView, "/overview")).toMatchObject({ ended: [{ status: "completed", count: 2 }] });
  const costs = await read(CostView, "/costs");
  expect(costs.total.processes).toBe(1);
  expect(costs.byRoute.map(({ name }) => name).sort()).toEqual(["inner", "outer"]);
});
