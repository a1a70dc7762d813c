/** @module Budgets of routes over model agents and tools, run locally with fake models. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, type Budget, contract, model, person, plannedRoute, route, routeContract, system, tool } from "../../agents/index.ts";
import { fakeModel, runLocal, startLocal } from "../../testing/index.ts";

const Text = z.object({ text: z.string() });
const Texts = z.object({ texts: z.array(z.string()) });
const Writer = contract("Writer", 1, { input: Text, output: z.string() });
const Editor = contract("Editor", 1, { input: Text, output: z.string() });
const writes = model({ instructions: "Write.", outputTokensMax: 100 });
const writer = agent(Writer, writes);
const editor = agent(Editor, model({ instructions: "Edit.", outputTokensMax: 100 }));

/** Replies that cost 40 tokens each. */
const cheap = fakeModel(() => ({ text: "done", usage: { inputTokens: 30, outputTokens: 10 } }));
const priced = { ...cheap, price: () => ({ inputPerMillion: 10, outputPerMillion: 100 }) };

const pair = (budget: Budget) =>
  route("pair", 1, Text, { budget })
    .to("write", Writer, ({ task }) => task)
    .to("edit", Editor, ({ write }) => ({ text: write }))
    .output(({ edit }) => edit);
const desk = (budget: Budget) => system("desk", { agents: [writer, editor], routes: [pair(budget)], models: { default: priced } });

describe("a budget of a route", () => {
  test("is spent by its stops one after the other, and the outcome tells by whom and on which model", async () => {
    const { status, spent } = await runLocal(desk({ tokens: 5_000, usd: 1, modelCalls: 2 }), "pair", { text: "a" });
    expect(status).toBe("completed");
    const model = { model: "default", modelCalls: 1, inputTokens: 30, outputTokens: 10, usd: 0.0013 };
    expect(spent).toEqual({
      total: { tokens: 80, usd: 0.0026, modelCalls: 2, toolCalls: 0 },
      by: [
        { agent: "Writer", toolCalls: 0, models: [model] },
        { agent: "Editor", toolCalls: 0, models: [model] },
      ],
    });
  });

  test("that is used up ends in a dead letter with what was spent, and no further call is made", async () => {
    let calls = 0;
    const counted = fakeModel(() => {
      calls += 1;
      return "done";
    });
    const parts = { agents: [writer, editor], routes: [pair({ modelCalls: 1 })], models: { default: counted } };
    const { status, fault, deadLetter, spent } = await runLocal(system("desk", parts), "pair", { text: "a" });
    expect({ status, calls, code: fault?.code }).toEqual({ status: "failed", calls: 1, code: "budget.exhausted" });
    expect(fault?.message).toContain("process local has 0 model calls left to give; the next call of Editor needs 1 model call more");
    expect(spent).toMatchObject({ total: { modelCalls: 1 }, by: [{ agent: "Writer" }] });
    expect(deadLetter).toMatchObject({ spent });
  });

  test("limits the tool calls of plain agents too", async () => {
    let made = 0;
    const look = tool("look", {
      effect: "read",
      input: z.int(),
      output: z.int(),
      run: (value) => {
        made += 1;
        return value;
      },
    });
    const looker = agent(Writer, {
      tools: [look],
      handle: async (_input, ctx) => {
        for (let at = 0; at < 5; at += 1) await ctx.call(look, at);
        return "seen";
      },
    });
    const looks = (toolCalls: number) =>
      route("looks", 1, Text, { budget: { toolCalls } })
        .to("look", Writer, ({ task }) => task)
        .output(({ look: seen }) => seen);
    const run = (toolCalls: number) => runLocal(system("desk", { agents: [looker], routes: [looks(toolCalls)] }), "looks", { text: "a" });
    expect(await run(3)).toMatchObject({ status: "failed", fault: { code: "budget.exhausted" }, spent: { total: { toolCalls: 3 } } });
    expect(made).toBe(3);
    expect(await run(5)).toMatchObject({ status: "completed", spent: { total: { toolCalls: 5 } } });
  });
});

/** A worker calls the model as often as its text says, and then answers. */
const worker = agent(Writer, model({ instructions: "Work.", tools: [again()], outputTokensMax: 100 }));
function again() {
  return tool("again", { about: "Goes on.", effect: "read", input: z.object({ at: z.int() }), output: z.int(), run: ({ at }) => at });
}
const works = fakeModel(({ messages }) => {
  const task = messages.find(({ role }) => role === "user")?.text ?? "";
  const wanted = Number(/\d+/.exec(task)?.[0] ?? 1);
  const made = messages.filter(({ role }) => role === "assistant").length + 1;
  return made >= wanted ? "worked" : { calls: [{ name: "again", arguments: { at: made } }] };
});

describe("parallel work under one budget", () => {
  const team = (modelCalls: number) =>
    route("team", 1, Texts, { budget: { modelCalls } })
      .forEach(
        "work",
        ({ task }) => task.texts,
        (stop) => stop(Writer, ({ item }) => ({ text: item })),
        { concurrency: 3 },
      )
      .output(({ work }) => work);
  const run = (modelCalls: number, texts: readonly string[]) =>
    runLocal(system("team", { agents: [worker], routes: [team(modelCalls)], models: { default: works } }), "team", { texts: [...texts] });

  test("one that needs more than its share gets what the others have left", async () => {
    const { status, spent } = await run(9, ["1", "1", "1", "1", "5"]);
    expect({ status, calls: spent?.total.modelCalls }).toEqual({ status: "completed", calls: 9 });
  });

  test("never spends more than the budget", async () => {
    const { status, fault, spent } = await run(9, ["4", "4", "4"]);
    expect({ status, code: fault?.code }).toEqual({ status: "failed", code: "budget.exhausted" });
    expect(spent?.total.modelCalls).toBeLessThanOrEqual(9);
  });
});

describe("a nested route", () => {
  const Inner = routeContract("inner", { input: Text, output: z.string() });
  const inner = (budget: Budget | undefined) =>
    route("inner", 1, Text, { ...(budget === undefined ? {} : { budget }) })
      .all((stop) => ({ one: stop(Writer, ({ task }) => task), two: stop(Writer, () => ({ text: "1" })) }))
      .output(({ one }) => one);
  const outer = route("outer", 1, Text, { budget: { modelCalls: 8 } })
    .all((stop) => ({ deep: stop(Inner, ({ task }) => task), side: stop(Writer, () => ({ text: "1" })) }))
    .output(({ deep }) => deep);
  const run = (text: string, budget?: Budget) =>
    runLocal(system("nest", { agents: [worker], routes: [outer, inner(budget)], models: { default: works } }), outer, { text });

  test("spends from the budget of its parent, and asks it for more", async () => {
    const { status, spent } = await run("6");
    expect({ status, calls: spent?.total.modelCalls }).toEqual({ status: "completed", calls: 8 });
    expect(spent?.by.map(({ agent: name }) => name).toSorted()).toEqual(["Writer", "inner"]);
  });

  test("ends at its own budget, although its parent has more", async () => {
    const { status, fault } = await run("6", { modelCalls: 3 });
    expect({ status, code: fault?.code }).toEqual({ status: "failed", code: "budget.exhausted" });
  });
});

test("an open process shows its budget, and what its work items hold", async () => {
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  let begun = (): void => undefined;
  const started = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const slow = fakeModel(async () => {
    begun();
    await gate;
    return "done";
  });
  const parts = { agents: [writer, editor], routes: [pair({ tokens: 5_000, usd: 0.5 })], models: { default: slow } };
  const local = startLocal(system("desk", parts));
  const running = local.run("pair", { text: "a" }, { id: "p" });
  await started;
  expect((await local.show("p")).budget).toEqual({
    limit: { tokens: 5_000, usd: 0.5 },
    reserved: { tokens: 5_000, usd: 0.5 },
    left: { tokens: 0, usd: 0 },
    spent: { total: { tokens: 0, usd: 0, modelCalls: 0, toolCalls: 0 }, by: [] },
  });
  go();
  expect((await running).status).toBe("completed");
  expect((await local.show("p")).budget).toMatchObject({ reserved: { tokens: 0 }, spent: { total: { modelCalls: 2 } } });
  await local.stop();
});

test("the budget of a plan asks its person, who raises it; the system must have the person", async () => {
  const Boss = person("Boss", { input: z.unknown(), roles: [], deadlineMs: 60_000 });
  const planned = plannedRoute("planned", 1, { task: Text, output: z.string(), agents: [Writer], budget: { modelCalls: 1, asks: Boss } });
  const Planner = contract("Planner", 1, { input: Text, output: planned.schema });
  const planner = agent(Planner, {
    handle: () => {
      const stops = ["a", "b"].map((name) => ({ name, run: "Writer", input: { from: ["task"] } }));
      return { stops, output: { from: ["b"] } };
    },
  });
  const main = route("main", 1, Text)
    .to("plan", Planner, ({ task }) => task)
    .plan(
      "done",
      planned,
      ({ plan }) => plan,
      ({ task }) => task,
    )
    .output(({ done }) => done);
  const parts = { routes: [main], models: { default: cheap } };
  expect(() => system("plans", { ...parts, agents: [writer, planner] })).toThrow(/Boss/);
  const asked: unknown[] = [];
  const local = startLocal(system("plans", { ...parts, agents: [writer, planner, Boss] }), {
    people: ({ kind, person: name, input }) => {
      asked.push({ kind, name, input });
      return { do: "approve" };
    },
  });
  expect(await local.run("main", { text: "a" })).toMatchObject({ status: "completed", output: "done" });
  await local.stop();
  expect(asked).toEqual([{ kind: "budget", name: "Boss", input: { modelCalls: 1 } }]);
});
