/**
 * @module tau2 `retail`: a scripted model makes the right calls of each task through the tools of a model agent, and the shop ends as it
 * does when the calls are made directly.
 */
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, openai, route, system } from "../../agents/index.ts";
import { scriptedModel, startLocal } from "../../testing/index.ts";
import { RETAIL, type RetailCall, retailTasks, Shop } from "./retail.ts";
import { retailTools } from "./retail-tools.ts";
import { unpacked } from "./pypi.ts";

const TASKS_COUNT_MIN = 100;
const BED_MS = 300_000;

const data = await unpacked(RETAIL);
const shop = "reason" in data ? data : await Shop.open(data.folder);
if ("reason" in shop) process.stdout.write(`skip: ${shop.reason}\n`);
afterAll(async () => {
  if (!("reason" in shop)) await shop.close();
});

const Clerk = contract("Clerk", 1, { input: z.object({ task: z.string() }), output: z.object({ done: z.boolean() }) });
const serve = route("serve", 1, z.object({ task: z.string() }))
  .to("done", Clerk, ({ task }) => task)
  .output(({ done }) => done);

describe.skipIf("reason" in shop)("tau2 retail", () => {
  test("the right calls of every task lead to the expected end state, each made once and in order", { timeout: BED_MS }, async () => {
    if ("reason" in shop || "reason" in data) return;
    const tasks = retailTasks(data.folder);
    expect(tasks.length).toBeGreaterThanOrEqual(TASKS_COUNT_MIN);
    // One rule for each task: one reply for each call, then the answer.
    const rules = tasks.map(({ id, calls }) => ({
      when: { agent: "Clerk", input: { task: id } },
      replies: [...calls.map(({ name, input }) => ({ calls: [{ tool: name, arguments: input }] })), { json: { done: true } }],
    }));
    const scripted = await scriptedModel({ script: { rules } });
    const made = new Map<string, RetailCall[]>();
    const tools = retailTools((world, call) => {
      made.set(world, [...(made.get(world) ?? []), call]);
      return shop.call(world, call);
    });
    const clerk = agent(Clerk, model({ instructions: "Serve the customer.", tools, callsMax: 64 }));
    const models = { clerk: openai({ model: "clerk", baseUrl: scripted.url, apiKey: "none" }) };
    const desk = startLocal(system("retail", { agents: [clerk], routes: [serve], models }), { giveUpMs: BED_MS });
    try {
      for (const { id, calls } of tasks) {
        const { status, fault } = await desk.run(serve, { task: id }, { id: `task-${id}` });
        expect([id, status, fault]).toEqual([id, "completed", undefined]);
        expect(made.get(`task-${id}`) ?? [], id).toEqual(calls);
        // Some right calls are refused by the shop; they change nothing, and the task goes on.
        for (const call of calls) await shop.call(`direct-${id}`, call).catch(() => undefined);
        expect(await shop.state(`task-${id}`), id).toBe(await shop.state(`direct-${id}`));
      }
    } finally {
      await desk.stop();
      await scripted.stop();
    }
  });
});
