/** @module Time in a queue is no time of an attempt. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system } from "../../agents/index.ts";
import { CALLER, World } from "./world-rig.ts";

const TASKS = 40;
const WORK_MS = 400;
const TIMEOUT_MS = 1_000;

test("tasks that wait for a slot of their agent for many times its timeout all complete, and each handler runs once", async () => {
  const world = new World();
  const Worker = contract("Worker", 1, { input: z.int(), output: z.int() });
  let begun = 0;
  const worker = agent(Worker, {
    concurrency: 2,
    handle: async (input) => {
      begun += 1;
      await new Promise<void>((resolve) => void world.clock.after(WORK_MS, resolve));
      return input;
    },
  });
  const one = route("one", 1, z.int(), { timeoutMs: TIMEOUT_MS })
    .to("a", Worker, ({ task }) => task, { retry: { attemptsMax: 1 } })
    .output(({ a }) => a);
  const member = world.join(system("sys", { agents: [worker], routes: [one] }), "one");
  const ids = Array.from({ length: TASKS }, (_, index) => `p${index}`);
  for (const [index, id] of ids.entries()) await member.operations.submit({ id, route: "one", input: index }, CALLER, 0);
  await world.clock.advance(2 * TIMEOUT_MS);
  const shown = await Promise.all(ids.map((id) => member.operations.process(id)));
  const states = shown.flatMap(({ works }) => works.map(({ state }) => state));
  expect(states).toContain("queued");
  for (const id of ids) expect(await world.until(member, id, 60_000)).toMatchObject({ status: "completed" });
  expect(begun).toBe(TASKS);
});
