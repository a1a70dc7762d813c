/** @module The purge of the inbox: requests go with their process. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, person, route, system } from "../../agents/index.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { Retention } from "../../actors/retention/retention.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, World } from "./world-rig.ts";

const SETTLE_MS = 2 * LIMITS.indexBucketMs;
const TEST_MS = 60_000;

const Amount = z.object({ amount: z.int() });
const Approver = person("Approver", { input: Amount });
const Echo = contract("Echo", 1, { input: Amount, output: Amount });
const approve = route("approve", 1, Amount)
  .to("first", Echo, ({ task }) => task)
  .to("ok", Approver, ({ first }) => first)
  .output(({ ok }) => ok);

test("a request is listed as long as its process is kept", { timeout: TEST_MS }, async () => {
  const world = new World();
  const member = world.join(system("sys", { agents: [agent(Echo, { handle: (input) => input }), Approver], routes: [approve] }), "host1");
  const { operations } = member;
  const listed = async (state: "open" | "decided"): Promise<readonly unknown[]> =>
    (await operations.inbox({ state }, undefined, 9)).entries.map((entry) => z.looseObject({ id: z.string() }).parse(entry).id);
  const timeoutMs = LIMITS.taskTimeoutMsMax;
  for (const id of ["decided", "waits"]) await operations.submit({ id, route: "approve", input: { amount: 1 }, timeoutMs }, CALLER, 0);
  await flush(20);
  const { hash } = await operations.request("decided.r1");
  expect(await listed("open")).toEqual(["decided.r1", "waits.r1"]);
  await operations.decide("decided.r1", { do: "approve", hash }, CALLER);
  await world.until(member, "decided");
  await world.clock.advance(LIMITS.askAgainMs);
  await flush(20);
  const retentionMs = LIMITS.retentionMsMin;
  const retention = new Retention({ system: "sys", host: member.host, ports: world.portsOf(member, "sweep1"), log: SILENT, retentionMs });
  expect([await listed("open"), await listed("decided")]).toEqual([["waits.r1"], ["decided.r1"]]);

  await world.clock.advance(timeoutMs - SETTLE_MS);
  expect(await retention.sweepWhole()).toMatchObject({ purged: 0 });
  expect([await listed("open"), await listed("decided")]).toEqual([["waits.r1"], ["decided.r1"]]);
  // By now the other one has expired, which closed its request, and both processes are older than the retention.
  await world.clock.advance(timeoutMs);
  expect(await retention.sweepWhole()).toMatchObject({ purged: 2 });
  await retention.sweepWhole();
  expect([await listed("open"), await listed("decided")]).toEqual([[], []]);
});
