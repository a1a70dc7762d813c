/** @module Contracts and agents. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import { agent, contract, Fault, handOffTo, isHandOff, type Json, remote, route, type RuntimeContext, tool } from "../../agents/index.ts";
import { booked, flight, Flight, hotel, Hotel, planner, Planner, snark, Snark } from "./fixtures/travel.ts";

interface Fake extends RuntimeContext {
  readonly states: Json[];
  readonly asked: (readonly [string, Json])[];
  readonly undos: (() => unknown)[];
}

/** A runner that records nothing: each call goes through. */
function fake(state: Json, answer: Json = null): Fake {
  const states: Json[] = [];
  const asked: (readonly [string, Json])[] = [];
  const undos: (() => unknown)[] = [];
  const signal = new AbortController().signal;
  return {
    states,
    asked,
    undos,
    state,
    signal,
    label: [],
    inputLabel: [],
    noteClaims: () => undefined,
    setState: (next) => void states.push(next),
    call: async (tool, input) => {
      const call = { idempotencyKey: `key-${tool.name}`, signal, attempt: 1 };
      undos.push(() => tool.undo?.(input, undefined, call));
      return tool.checkOutput(await tool.run(input, call));
    },
    step: async (name, action) => JSON.parse(JSON.stringify(await action({ idempotencyKey: `key-${name}`, signal }))) as Json,
    sleep: async () => {},
    waitFor: async () => answer,
    ask: async (target, input) => {
      asked.push([target.name, input]);
      return answer;
    },
    handOff: (target, input) => handOffTo(target.name, input),
    chat: () => Promise.reject(new Error("no model")),
    budget: { grant: undefined, spent: { toolCalls: 0, models: {} } },
    now: () => 5,
    uuid: () => "u",
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    principal: { subject: "s", tenant: "t", permissions: [] },
    attempt: 1,
    processId: "p",
  };
}

const definition = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof Fault && error.code === "definition.invalid") return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
};

describe("a handler", () => {
  test("gets its input and returns its output", async () => {
    expect(await planner.handle({ city: "Rome", days: 3 }, fake(null))).toEqual({ airport: "ROM", nights: 2 });
  });
  test("calls external systems under a key, and undoes by that key", async () => {
    const context = fake(null);
    expect(await flight.handle({ to: "ROM" }, context)).toEqual({ price: 120, ticket: "key-reserve" });
    expect(booked.get("key-reserve")).toBe("ROM");
    for (const undo of context.undos) await undo();
    expect(booked.size).toBe(0);
  });
  test("asks declared agents and keeps state", async () => {
    const context = fake({ jokes: 4 }, { airport: "ROM", nights: 2 });
    const trip = { city: "Rome", days: 3 };
    expect(await snark.handle({ prices: [1, 2], trip }, context)).toEqual({ joke: "ROM, again?", total: 3 });
    expect(context.asked).toEqual([["Planner", trip]]);
    expect(context.states).toEqual([{ jokes: 5 }]);
  });
  test("rejects an answer that does not fit the contract of the asked agent", async () => {
    await expect(snark.handle({ prices: [], trip: { city: "A", days: 1 } }, fake({ jokes: 0 }, { airport: 1 }))).rejects.toThrow(
      "output of agent Planner at airport: expected string, found a number",
    );
  });
  test("rejects stored state that no longer fits the schema when it is read", async () => {
    const counted = agent(Planner, {
      state: { schema: z.object({ n: z.int() }), initial: { n: 0 } },
      handle: (_input, ctx) => ({ airport: "ROM", nights: ctx.state.n }),
    });
    await expect(counted.handle({ city: "A", days: 1 }, fake({ count: 1 }))).rejects.toMatchObject({
      code: "schema.state",
      message: expect.stringContaining("state of agent Planner at"),
    });
    expect(await counted.handle({ city: "A", days: 1 }, fake({ n: 2 }))).toEqual({ airport: "ROM", nights: 2 });
  });

  test("rejects a state that does not fit its schema, and does not set it", async () => {
    const wrong = agent(Planner, {
      state: { schema: z.object({ n: z.int() }), initial: { n: 0 } },
      handle: (_trip, ctx) => {
        ctx.setState({ n: 0.5 });
        return { airport: "A", nights: 1 };
      },
    });
    const context = fake({ n: 0 });
    await expect(wrong.handle({ city: "A", days: 1 }, context)).rejects.toMatchObject({
      code: "schema.state",
      message: "state of agent Planner at n: expected int, found a number",
    });
    expect(context.states).toEqual([]);
  });
  test("records a step without a result as null, and rejects a result that is not JSON", async () => {
    const results: unknown[] = [];
    const odd = agent(Planner, {
      handle: async (_trip, ctx) => {
        results.push(await ctx.step("none", () => undefined));
        await ctx.step("date", () => ({ at: new Date(0) }));
        return { airport: "A", nights: 1 };
      },
    });
    await expect(odd.handle({ city: "A", days: 1 }, fake(null))).rejects.toThrow(
      'result of step "date" of agent Planner at at: expected a JSON value, found an instance of Date',
    );
    expect(results).toEqual([null]);
  });
  test("hands off to declared agents, and recognizes the answer as a hand-off", async () => {
    const Charter = contract("Charter", 1, { input: Flight.input, output: Flight.output });
    const broker = agent(Flight, { handsOffTo: [Charter], handle: (query, ctx) => ctx.handOff(Charter, query) });
    const answer = await broker.handle({ to: "ROM" }, fake(null));
    expect(isHandOff(answer) && [answer.target, answer.input]).toEqual(["Charter", { to: "ROM" }]);
    expect(isHandOff({ target: "Charter", input: { to: "ROM" } })).toBe(false);
  });
  test("rejects undeclared use, also without types", async () => {
    const sly = agent(Planner, {
      handle: async (trip, ctx) => {
        const ask = ctx.ask as unknown as (target: unknown, input: unknown) => Promise<unknown>;
        await ask(Snark, trip);
        return { airport: "A", nights: 1 };
      },
    });
    await expect(sly.handle({ city: "A", days: 1 }, fake(null))).rejects.toMatchObject({
      code: "ask.undeclared",
      message: "agent Planner asked Snark, which is not in its asks; add it there",
    });
  });
  test.each([
    ["call", "tool"],
    ["ask", "contract"],
    ["handOff", "contract"],
  ] as const)("names what the first argument of ctx.%s must be", async (method, kind) => {
    const sly = agent(Planner, {
      handle: async (_trip, ctx) => {
        await (ctx[method] as unknown as (target: unknown, input: unknown) => unknown)("zz", null);
        return { airport: "A", nights: 1 };
      },
    });
    await expect(sly.handle({ city: "A", days: 1 }, fake(null))).rejects.toMatchObject({
      code: "definition.invalid",
      message: `agent "Planner": the first argument of ctx.${method} must be a ${kind}`,
    });
  });
});

describe("an agent definition, as hosts use it", () => {
  test("each gate has its own fault code", () => {
    expect(() => flight.checkInput({ to: "A", vip: true })).toThrow("input of agent Flight at vip: unknown key");
    expect(() => flight.checkOutput({ price: 1 })).toThrow("output of agent Flight at ticket: expected string, found nothing");
    expect(() => snark.checkState({ jokes: "1" })).toThrow("state of agent Snark at jokes: expected number, found a string");
    expect(planner.checkState(null)).toBe(null);
    expect(() => planner.checkState({})).toThrow("the agent has no state");
  });
  test("defaults, and what the manager must know", () => {
    expect([hotel.concurrency, hotel.compatibleWith, hotel.initialState]).toEqual([64, [], null]);
    expect(snark.data).toEqual({ version: 1, key: { literal: "one" }, stateful: true, asks: ["Planner"], handsOffTo: [] });
    expect(remote(Hotel, { asks: [Planner], visitsMax: 2 }).data).toEqual({ version: 1, asks: ["Planner"], handsOffTo: [], visitsMax: 2 });
    expect(remote(Hotel, { stateful: true }).data).toEqual({ version: 1, stateful: true, asks: [], handsOffTo: [] });
  });
});

describe("an invalid definition is rejected with its place", () => {
  const Text = z.object({ text: z.string() });
  const handle = () => ({ airport: "A", nights: 1 });
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ["a contract's name", () => contract("a b", 1, { input: Text, output: Text }), 'contract "a b": a name must have 1 to 64 characters'],
    [
      "a contract's version",
      () => contract("A", 0, { input: Text, output: Text }),
      'contract "A": version is 0, but must be an integer from 1',
    ],
    [
      "a schema of dates",
      () => contract("A", 1, { input: z.object({ at: z.date() }), output: Text }),
      'contract "A", input: Date cannot be represented',
    ],
    [
      "no schema",
      () => contract("A", 1, { input: {} as never, output: Text }),
      'contract "A", input must be a zod schema, such as z.object({ name: z.string() })',
    ],
    [
      "a schema of zod 3",
      () => contract("A", 1, { input: z3.object({ n: z3.number() }), output: Text } as never),
      'contract "A", input is a schema of zod 3; zod 4 is needed: npm install zod@4',
    ],
    ["no output", () => contract("A", 1, { input: Text } as never), 'contract "A", output must be a zod schema'],
    ["no options", () => contract("A", 1, undefined as never), 'contract "A": the options must be an object; known are about, input'],
    ["no task", () => route("r", 1, undefined as never), "task of route r must be a zod schema"],
    [
      "a wait without a schema",
      () => route("r", 1, Text).waitFor("w", undefined as never),
      'route "r", stop "w", schema of signal w must be a zod schema',
    ],
    [
      "a tool with a schema that is none",
      () => tool("t", { effect: "read", input: "text" as never, output: Text, run: () => ({ text: "" }) }),
      "input of tool t must be a zod schema",
    ],
    [
      "a key that computes",
      () => contract("A", 1, { input: Text, output: Text, key: (input) => input.text.trim() }),
      'contract "A", key: the mapping calls a function: input.text.trim()',
    ],
    [
      "an empty description",
      () => contract("A", 1, { about: "", input: Text, output: Text }),
      'contract "A": about must be a text of 1 to 1024 characters',
    ],
    ["an empty key", () => contract("A", 1, { input: Text, output: Text, key: () => "" }), 'contract "A", key: a key must be a property'],
    ["no handler", () => agent(Planner, {} as never), 'agent "Planner": handle must be a function'],
    [
      "an unknown option",
      () => agent(Planner, { handle, visits: 1 } as never),
      'agent "Planner": unknown option "visits"; known are handle, undo, tools, state',
    ],
    [
      "visits",
      () => agent(Planner, { handle, visitsMax: 1_001 }),
      'agent "Planner": visitsMax is 1001, but must be an integer from 1 to 1000',
    ],
    ["concurrency", () => agent(Planner, { handle, concurrency: 0 }), 'agent "Planner": concurrency is 0'],
    [
      "its own version as compatible",
      () => agent(Planner, { handle, compatibleWith: [1] }),
      'agent "Planner": compatibleWith names version 1, which is this version; leave it out',
    ],
    ["an ask twice", () => agent(Planner, { handle, asks: [Hotel, Hotel] }), 'agent "Planner": asks names "Hotel" twice'],
    ["an agent among the asks", () => agent(Planner, { handle, asks: [hotel as never] }), 'agent "Planner": asks must hold contracts only'],
    [
      "an initial state that does not fit",
      () => agent(Planner, { handle, state: { schema: z.object({ n: z.int() }), initial: { n: 0.5 } } }),
      'agent "Planner", state: initial does not fit the schema: state of agent Planner at n',
    ],
  ];
  test.each(cases)("%s", (_title, run, message) => {
    expect(definition(run)).toContain(message);
  });
});

test.each(["ProcessManager", "Directory", "DeadLetterQueue", "Audit"])(
  "no agent is named %s, as an actor type of the system's own is",
  (name) => {
    expect(() => contract(name, 1, { input: z.strictObject({}), output: z.strictObject({}) })).toThrow(/is reserved for an actor type/);
  },
);
