/** @module Another host runs a handler again: it gets the versions that it had recalled, and remembers nothing twice. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system } from "../../agents/index.ts";
import type { Host } from "../../actors/host/host.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

const MEMORY = "key.Desk.ann";
const Desk = contract("Desk", 1, { input: z.object({ who: z.string() }), output: z.array(z.string()), key: ({ who }) => who });

function deskOf(name: string, runs: string[], held: Promise<unknown>): ReturnType<typeof system> {
  const desk = agent(Desk, {
    memory: { facts: { scope: "key" } },
    handle: async (_input, ctx) => {
      const facts = await ctx.memory.recall({ key: "drink" });
      await ctx.memory.remember({ value: `${facts.length} drinks` });
      runs.push(name);
      if (name === "one") await held;
      return facts.map(({ value }) => String(value));
    },
  });
  const main = route("main", 1, Desk.input)
    .to("desk", Desk, ({ task }) => task)
    .output(({ desk: said }) => ({ said }));
  return system("sys", { agents: [desk], routes: [main] });
}

async function drinks(host: Host, value: string): Promise<void> {
  const writer = { agent: "Desk", processId: "other", workId: "other", subject: "anonymous" };
  const draft = {
    call: `drinks ${value}`,
    key: "drink",
    kind: "fact" as const,
    content: value,
    writer,
    trust: "principal" as const,
    parents: [],
  };
  await host.memories.write(MEMORY, draft, { principal: ANONYMOUS });
}

test("a handler that runs again on another host receives the version that it had, although there is a newer one", async () => {
  const world = new World();
  const [never, runs]: [ReturnType<typeof gate>, string[]] = [gate(), []];
  const one = world.join(deskOf("one", runs, never.promise), "one");
  const two = world.join(deskOf("two", runs, never.promise), "two");
  await drinks(one.host, "tea");
  await one.operations.submit({ id: "p", route: "main", input: { who: "ann" } }, CALLER, 0);
  for (let round = 0; round < 20 && runs.length === 0; round += 1) await flush();
  expect(runs).toEqual(["one"]);
  one.kill();
  await drinks(two.host, "coffee");
  expect(await world.until(two, "p", 4 * LIMITS.hostDeadMs)).toMatchObject({ status: "completed", output: { said: ["tea"] } });
  expect(runs).toEqual(["one", "two"]);
  const { facts, reads } = await two.host.memories.state(MEMORY);
  expect(Object.values(facts)).toHaveLength(2);
  expect(reads.map(({ facts: versions }) => versions.map(({ version }) => version))).toEqual([[1]]);
});
