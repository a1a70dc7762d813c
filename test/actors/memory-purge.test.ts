/** @module A purge of a process removes all that a keyed agent with memory kept of it: inputs, answers, steps and replies, everywhere. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, tool } from "../../agents/index.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { Retention } from "../../actors/retention/retention.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, World } from "./world-rig.ts";

const Desk = contract("Desk", 1, { input: z.object({ who: z.string(), text: z.string() }), output: z.string(), key: ({ who }) => who });
const echo = tool("echo", { input: z.string(), output: z.string(), effect: "write", untrusted: false, run: (text) => `called ${text}` });
const desk = agent(Desk, {
  memory: { facts: { scope: "key" } },
  tools: [echo],
  handle: async ({ text }, ctx) => {
    await ctx.memory.remember({ key: "last", value: `said ${text}` });
    await ctx.call(echo, text);
    return ctx.step("answer", () => `answered ${text}`);
  },
});
const main = route("main", 1, Desk.input)
  .to("desk", Desk, ({ task }) => task)
  .output(({ desk: said }) => said);
const shop = system("sys", { agents: [desk], routes: [main] });

async function everything(world: World): Promise<string> {
  return JSON.stringify([...(await world.store.read(world.store.keys()))]);
}

/** Work items of other processes after the one that is purged: it is still in the state of the actor, or has left it. */
test.each([0, LIMITS.agentSettledMax + 2])("with %i later work items", async (later) => {
  const world = new World();
  const one = world.join(shop, "one");
  const retention = new Retention({ system: "sys", host: one.host, ports: world.portsOf(one, "sweep"), log: SILENT, retentionMs: 1_000 });
  const run = async (id: string, text: string): Promise<void> => {
    await one.operations.submit({ id, route: "main", input: { who: "ann", text } }, CALLER, 0);
    await world.until(one, id);
  };
  await run("first", "the secret");
  for (let index = 0; index < later; index += 1) await run(`p${index}`, `other ${index}`);
  const journal = JSON.stringify([...(await world.store.read(world.store.keys("sys/sys.Desk/")))]);
  expect(journal).not.toContain("the secret");
  expect(await everything(world)).toContain("answered the secret");
  const { facts } = await one.host.memories.state("key.Desk.ann");
  const [id = ""] = Object.keys(facts);
  await one.host.memories.forget("key.Desk.ann", { ids: [id], why: "forgotten", by: "ann" }, CALLER);
  await world.clock.advance(LIMITS.messageLifetimeMsDefault + LIMITS.clockDriftMsMax + LIMITS.askAgainMs);
  for (let pass = 0; pass < 4; pass += 1) {
    await retention.sweepWhole({ retentionMs: 1_000 });
    await flush(20);
    await world.clock.advance(LIMITS.tombstoneMs);
  }
  const left = await everything(world);
  expect(left).not.toContain("the secret");
  retention.stop();
});
