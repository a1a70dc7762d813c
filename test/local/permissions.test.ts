/** @module Permissions in three tiers: of the agent class, of the principal, and of the task. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, route, system, tool, type System } from "../../agents/index.ts";
import { fakeModel, runLocal } from "../../testing/index.ts";

const Text = z.object({ text: z.string() });
const Clerk = contract("Clerk", 1, { input: Text, output: Text });
const Boss = contract("Boss", 1, { input: Text, output: Text });
const pay = tool("pay", { input: Text, output: Text, effect: "write", permission: "pay", run: ({ text }) => ({ text: `paid ${text}` }) });
const look = tool("look", { input: Text, output: Text, effect: "read", untrusted: false, run: (input) => input });
const ANN = { subject: "ann", tenant: "default", permissions: ["pay", "read"] };
const INPUT = { text: "x" };

const clerk = agent(Clerk, { tools: [pay], permissions: ["pay"], handle: (input, ctx) => ctx.call(pay, input) });
const boss = agent(Boss, { asks: [Clerk], handle: (input, ctx) => ctx.ask(Clerk, input) });
const inner = route("inner", 1, Text)
  .to("a", Boss, ({ task }) => task)
  .output(({ a }) => a);
const outer = route("outer", 1, Text)
  .to("b", inner, ({ task }) => task)
  .output(({ b }) => b);
const made = system("s", { agents: [clerk, boss], routes: [inner, outer] });

describe("a call of a tool with a permission", () => {
  test.each<readonly [who: string, options: object, end: object]>([
    ["needs that of the principal", { principal: { ...ANN, permissions: ["read"] } }, { fault: { code: "tool.forbidden" } }],
    ["has it through nested routes and asks", { principal: ANN }, { output: { text: "paid x" } }],
    ["has it where the task was given it", { principal: ANN, permissions: ["pay"] }, { output: { text: "paid x" } }],
    ["needs that of the task, which was not given it", { principal: ANN, permissions: ["read"] }, { fault: { code: "tool.forbidden" } }],
  ])("%s", async (_who, options, end) => {
    expect(await runLocal(made, "outer", INPUT, options)).toMatchObject(end);
  });

  test("says which tier refused it", async () => {
    const { fault } = await runLocal(made, "outer", INPUT, { principal: ANN, permissions: [] });
    expect(fault).toMatchObject({
      message: expect.stringContaining("which the task was not given"),
      details: { rule: "permission of the task" },
    });
  });
});

test("a task is not given what its submitter does not have", async () => {
  await expect(runLocal(made, "outer", INPUT, { principal: ANN, permissions: ["pay", "fly"] })).rejects.toMatchObject({
    code: "permission.missing",
    details: { missing: ["fly"] },
  });
});

test("a tool that needs more than its agent may have is a definition error, also of a model agent", () => {
  const options = { tools: [pay], permissions: ["read"] };
  const refusal = expect.objectContaining({ code: "definition.invalid", message: expect.stringContaining('needs the permission "pay"') });
  expect(() => agent(Clerk, { ...options, handle: (input) => input })).toThrow(refusal);
  expect(() => agent(Clerk, model({ ...options, instructions: "Pay." }))).toThrow(refusal);
  expect(() => agent(Clerk, { permissions: "pay" as never, handle: (input) => input })).toThrow("permissions must be a list");
});

test("a model is offered the tools that the task may use, and no others", async () => {
  const payer = agent(Clerk, model({ instructions: "Pay.", tools: [pay, look] }));
  const paying: System = system("s", {
    agents: [payer],
    routes: [
      route("r", 1, Text)
        .to("a", Clerk, ({ task }) => task)
        .output(({ a }) => a),
    ],
    models: { fake: fakeModel(() => "{}") },
  });
  const offered = async (options: object): Promise<readonly string[]> => {
    const names: string[] = [];
    const fake = fakeModel((request) => {
      names.push(...request.tools.map(({ name }) => name));
      return JSON.stringify({ text: "done" });
    });
    await runLocal(paying, "r", INPUT, { ...options, models: { fake } });
    return names;
  };
  expect(await offered({ principal: ANN })).toEqual(["pay", "look"]);
  expect(await offered({ principal: ANN, permissions: ["read"] })).toEqual(["look"]);
  expect(await offered({})).toEqual(["look"]);
});
