/** @module Digests by schedule: one of each period although several hosts run, also when the host that writes it dies. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { DigestSchedule } from "../../actors/operations/digest-schedule.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { agent, contract, Fault, route, system } from "../../agents/index.ts";
import { HOUR_MS } from "../../runtime/units.ts";
import { CALLER, World } from "../actors/world-rig.ts";
import { flush } from "../actors/engine-rig.ts";

const Once = contract("Once", 1, { input: z.int(), output: z.int() });
const party = system("party", {
  agents: [
    agent(Once, {
      handle: (n) => {
        if (n < 0) throw new Fault("agent.refused", "SECRET reason");
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

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "digests-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

type Member = ReturnType<World["join"]>;

function scheduleOf(world: World, { host, operations }: Member, name: string, file: string | undefined): DigestSchedule {
  const { clock, transport } = world.portsOf(world.members.find((one) => one.host === host) ?? (host as never), name);
  const options = { period: "hourly" as const, file };
  return new DigestSchedule({ system: "party", options, ports: { clock, transport }, host, reports: operations.reports, log: SILENT });
}

/** Both hosts, after two tasks of which one failed, in the next hour. */
async function twoHosts(file: string | undefined) {
  const world = new World();
  await world.clock.advance(1_000 * HOUR_MS);
  const [a, b] = [world.join(party, "a"), world.join(party, "b")];
  for (const [id, input] of [
    ["good", 1],
    ["bad", -1],
  ] as const) {
    await a.operations.submit({ id, route: "trip", input }, CALLER, 0);
    await world.until(a, id);
  }
  await flush(50);
  await world.clock.advance(HOUR_MS);
  await flush(50);
  return { world, a, b, first: scheduleOf(world, a, "sa", file), second: scheduleOf(world, b, "sb", file) };
}

test("two hosts write one file and send one event for a period", async () => {
  const { world, first, second } = await twoHosts(join(dir, "{system}-{date}", "{time}.md"));
  await Promise.all([first.look(), second.look()]);
  await Promise.all([first.look(), second.look()]);
  const sent = world.notifications.filter((line) => line.startsWith("party.digests"));
  expect(sent).toEqual([expect.stringMatching(/^party\.digests digest-hourly-\d+$/)]);
  const files = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith(".md"));
  expect(files).toEqual([expect.stringMatching(/^party-\d{4}-\d\d-\d\d\/\d{4}\.md$/)]);
  const text = await readFile(join(dir, files[0] ?? ""), "utf8");
  expect(text).toMatch(/^# party: .* UTC\n\n2 processes ended, \*\*1 failed\*\*/);
  expect(text).toContain("`agent.refused` 1: `troupe dead show bad:1`");
  expect(text).not.toContain("SECRET");
});

test("the next period has a digest of its own", async () => {
  const { world, first, second } = await twoHosts(undefined);
  await first.look();
  await world.clock.advance(HOUR_MS);
  await second.look();
  await first.look();
  expect(new Set(world.notifications.filter((line) => line.startsWith("party.digests"))).size).toBe(2);
});

test("a digest that could not be sent is tried again by its host", async () => {
  const { world, first, second } = await twoHosts(undefined);
  world.guard = (what) => {
    if (what === "notification") throw new Fault("sidecar.unavailable", "away");
  };
  await first.look();
  await second.look();
  world.guard = () => {};
  await second.look();
  expect(world.notifications.filter((line) => line.startsWith("party.digests"))).toEqual([]);
  await first.look();
  await second.look();
  expect(world.notifications.filter((line) => line.startsWith("party.digests"))).toHaveLength(1);
});

test("another host writes it when the one that was to write it is dead", async () => {
  const { world, a, first, second } = await twoHosts(undefined);
  world.guard = (what) => {
    if (what === "notification") throw new Fault("sidecar.unavailable", "away");
  };
  await first.look();
  world.guard = () => {};
  a.kill();
  await second.look();
  expect(world.notifications.filter((line) => line.startsWith("party.digests"))).toEqual([]);
  for (let passed = 0; passed < 60; passed += 1) {
    await world.clock.advance(1_000);
    await flush(20);
  }
  await second.look();
  expect(world.notifications.filter((line) => line.startsWith("party.digests"))).toHaveLength(1);
});
