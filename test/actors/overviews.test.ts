/** @module What operators see of a whole system that runs: its numbers, what was spent, its agents, its hosts, and what to look at. */
import { expect, test } from "vitest";
import { CostView, OverviewView, SystemView, AgentsView } from "../../runtime/overview.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { type Member, submit, systemOf, textTool } from "./handler-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

/** What the HTTP API would give, checked as a client checks it. */
const overviewOf = async (member: Member, sinceMs?: number): Promise<OverviewView> =>
  OverviewView.strict().parse(await member.operations.overview(sinceMs));

function desk(): { readonly world: World; readonly one: Member; readonly open: ReturnType<typeof gate<string>> } {
  const world = new World();
  const open = gate<string>();
  const handle = async (n: number): Promise<string> => {
    if (n === 0) throw new Error("no zero");
    return n === 1 ? "at once" : open.promise;
  };
  const one = world.join(systemOf({ tools: [textTool("note", undefined, () => {})], handle }), "one");
  return { world, one, open };
}

test("an overview counts what is open, what ended and what is dead, and says what to do", async () => {
  const { world, one } = desk();
  await submit(one, "done", 1);
  await submit(one, "waits", 2);
  await world.clock.advance(1_000);
  await submit(one, "younger", 2);
  await submit(one, "fails", 0);
  await world.until(one, "fails");
  await flush();
  await world.clock.advance(2 * LIMITS.overviewAgeMs);
  const view = await overviewOf(one);
  expect(view).toMatchObject({
    ...{ system: "sys", open: 2, paused: 0, dead: 1, waitingForPeople: 0, atLeast: false },
    oldestOpen: { id: "waits", route: "main" },
    problems: [{ code: "deadletter.open", message: "1 dead letter to decide" }],
  });
  expect(Object.fromEntries(view.ended.map(({ status, count }) => [status, count]))).toEqual({ completed: 1, failed: 1 });
  expect(view.sinceMs).toBe(Math.max(0, view.atMs - LIMITS.overviewMs));
});

test("an overview counts only what ended since the time that is given; what is open counts always", async () => {
  const { world, one } = desk();
  await submit(one, "done", 1);
  await submit(one, "waits", 2);
  await world.clock.advance(2 * LIMITS.overviewAgeMs);
  const view = await overviewOf(one, world.clock.nowMs());
  expect(view).toMatchObject({ open: 1, ended: [], perHour: [] });
});

test("a process that is paused is counted, until it goes on", async () => {
  const { world, one } = desk();
  await submit(one, "waits", 2);
  await one.operations.act("waits", "pause", { reason: "look first" }, CALLER);
  // Its line says so at once.
  await world.clock.advance(LIMITS.quietLineMs / 10);
  expect((await one.operations.processes({ paused: true }, undefined, 10)).entries).toMatchObject([{ id: "waits" }]);
  await world.clock.advance(2 * LIMITS.overviewAgeMs);
  expect(await overviewOf(one)).toMatchObject({ open: 1, paused: 1 });
  const { entries } = await one.operations.processes({ paused: true }, undefined, 10);
  expect(entries).toMatchObject([{ id: "waits" }]);
  await one.operations.act("waits", "resume", { reason: "all is well" }, CALLER);
  await world.clock.advance(2 * LIMITS.overviewAgeMs);
  expect(await overviewOf(one)).toMatchObject({ open: 1, paused: 0 });
});

test("costs are sums over what ended", async () => {
  const { world, one } = desk();
  await submit(one, "done", 1);
  await submit(one, "waits", 2);
  await world.clock.advance(2 * LIMITS.overviewAgeMs);
  const view = CostView.strict().parse(await one.operations.costs());
  expect(view).toMatchObject({ total: { processes: 1, usd: 0 }, byRoute: [{ name: "main", processes: 1 }], dearest: [], atLeast: false });
});

test("agents are shown with tools and with what runs at the host that answers", async () => {
  const { world, one, open } = desk();
  await submit(one, "waits", 2);
  const agents = (): AgentsView => AgentsView.strict().parse(one.operations.agents());
  expect(agents().agents.find(({ name }) => name === "Doer")).toMatchObject({
    ...{ kind: "code", version: 1, running: 1, queued: 0, slots: 8 },
    tools: [{ name: "note", effect: "write", undo: true }],
  });
  open.open("now");
  await world.until(one, "waits");
  expect(agents().agents.find(({ name }) => name === "Doer")).toMatchObject({ running: 0 });
});

test("a host that dies is a problem for those that live, until it is off the list of hosts", async () => {
  const world = new World();
  const sys = (): ReturnType<typeof systemOf> => systemOf({ handle: async () => "done" });
  const [one, two] = [world.join(sys(), "one"), world.join(sys(), "two")];
  const seen = async (): Promise<SystemView> => SystemView.strict().parse(await one.operations.system());
  await world.clock.advance(LIMITS.hostDeadMs);
  expect((await seen()).hosts.map(({ self, alive }) => [self, alive])).toEqual([
    [true, true],
    [false, true],
  ]);
  two.kill();
  const told: string[] = [];
  for (let passed = 0; passed < 2 * LIMITS.hostDeadMs; passed += LIMITS.hostLeaseMs) {
    await world.clock.advance(LIMITS.hostLeaseMs);
    const { hosts, problems } = await seen();
    told.push(...problems.map(({ code, message }) => `${code}: ${message}`));
    // It is shown as dead for as long as it is a problem.
    expect(hosts.some(({ alive }) => !alive)).toBe(problems.length > 0);
  }
  expect(told).toContain(`host.dead: host ${two.host.incarnation} does not renew its lease`);
  expect((await seen()).hosts.map(({ incarnation }) => incarnation)).toEqual([one.host.incarnation]);
});
