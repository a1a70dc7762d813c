/** @module Redis loses its last writes under a living app: tasks are accepted, `/broken` names what broke, and it is set aside. */
import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { BrokenActors, ProcessPage } from "../../runtime/answers.ts";
import { print, seedOfRun } from "./random.ts";
import { World } from "./world.ts";

const TASKS = 6;
const ACCEPTED_MS_MAX = 60_000;
const TEST_MS = 480_000;

const able = (await findDapr()) !== undefined && (await findRedis()) !== undefined;
if (!able) print("skip: no Dapr programs or no redis-server");

test.skipIf(!able)("one broken bucket is one broken bucket (redis)", { timeout: TEST_MS }, async () => {
  const world = await World.start({ profile: "redis", seed: seedOfRun() });
  const ask = async <T>(schema: z.ZodType<T>, path: string, body?: unknown): Promise<T> => {
    const init = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(world.host.url + path, init);
    const content: unknown = await answer.json();
    expect([answer.status, content]).toMatchObject([200, {}]);
    return schema.parse(content);
  };
  const endMs = (): number => Date.now() + ACCEPTED_MS_MAX;
  const submit = async (name: string, shelf: string): Promise<void> => {
    for (let task = 1; task <= TASKS; task += 1) {
      const id = `${name}-${task}`;
      await world.client.submit({ id, route: "party", input: { n: task, shelf, refuse: false } }, endMs());
      expect(await world.client.ended(id, endMs())).toMatchObject({ phase: "ended" });
    }
  };
  const broken = async (agent: string): Promise<readonly string[]> =>
    (await ask(BrokenActors, "/broken")).entries.map(({ actor }) => actor).filter((actor) => actor.startsWith(agent));
  try {
    await submit("kept", "one");
    const size = statSync(logOf(world)).size;
    await submit("lost", "one");
    await world.store?.kill("SIGKILL");
    truncateSync(logOf(world), size);
    await world.store?.start();
    await submit("after", "one");
    const buckets = await broken("Directory");
    expect(buckets).toHaveLength(1);
    // Another life of the app reads the bucket, and goes on in the next.
    await world.host.killApp();
    world.host.startApp();
    await world.host.healthy();
    await submit("again", "two");
    expect(await ask(ProcessPage, "/processes")).toMatchObject({ broken: [expect.any(String)] });
    for (const actor of buckets) await ask(z.unknown(), "/broken/set-aside", { actor, reason: "the store lost its last second" });
    await submit("whole", "two");
    // An agent that lives long is broken too: only its own work waits until it is set aside.
    await world.client.submit({ id: "stuck", route: "party", input: { n: 1, shelf: "one", refuse: false } }, endMs());
    await expect.poll(() => broken("Shelf"), { timeout: ACCEPTED_MS_MAX }).toEqual(["Shelf/one"]);
    await ask(z.unknown(), "/broken/set-aside", { actor: "Shelf/one", reason: "the same", acceptLoss: true });
    expect(await world.client.ended("stuck", endMs())).toMatchObject({ phase: "ended", outcome: { status: "completed" } });
    expect(await broken("")).toEqual([]);
    const page = await ask(ProcessPage, "/processes?limit=200");
    expect(page.broken).toBeUndefined();
    const ids = page.entries.map(({ id }) => id);
    for (const name of ["kept", "after", "again", "whole"])
      for (let task = 1; task <= TASKS; task += 1) expect(ids).toContain(`${name}-${task}`);
  } finally {
    await world.stop();
  }
});

/** The file that Redis appends to. */
function logOf(world: World): string {
  const dir = join(world.dir, "redis", "appendonlydir");
  const name = readdirSync(dir).find((one) => one.endsWith(".incr.aof"));
  if (name === undefined) throw new Error("Redis has no append-only file");
  return join(dir, name);
}
