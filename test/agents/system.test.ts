/** @module Systems: inconsistent definitions are rejected before anything starts. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, remote, route, routeContract, system } from "../../agents/index.ts";
import { Slip } from "../../runtime/slip.ts";
import party, { flight, hotel, Hotel, Plan, planner, Planner, snark, trip, Trip } from "./fixtures/travel.ts";
import { refusal } from "./refusal.ts";

const one = (target: typeof Planner) =>
  route("one", 1, Trip)
    .to("plan", target, ({ task }) => task)
    .output(({ plan }) => plan);

describe("a system is a pure value", () => {
  test("the travel example", () => {
    expect([...party.agents.keys()]).toEqual(["Planner", "Flight", "Hotel", "Snark"]);
    expect(party.routes.get("trip")?.checkTask({ city: "Rome", days: 3 })).toEqual({ city: "Rome", days: 3 });
    expect(party.routes.get("trip")?.slipHash).toMatch(/^[0-9a-f]{64}$/);
  });
  test("equal definitions have equal slips, different ones do not", () => {
    const again = system("party", { agents: [snark, hotel, flight, planner], routes: [trip] });
    expect(again.routes.get("trip")?.slipHash).toBe(party.routes.get("trip")?.slipHash);
    expect(system("party2", { agents: [snark, hotel, flight, planner], routes: [trip] }).routes.get("trip")?.slipHash).not.toBe(
      party.routes.get("trip")?.slipHash,
    );
  });
  test("a slip does not pin what agents are for", () => {
    const made = (about?: string) => {
      const Told = contract("Told", 1, { about, input: Trip, output: Trip });
      const told = agent(Told, { handle: (input) => input });
      const only = route("only", 1, Trip)
        .to("told", Told, ({ task }) => task)
        .output(({ told }) => told);
      return system("s", {
        agents: [told],
        routes: [only],
        remote: [contract("Far", 1, { about: "Far away.", input: Trip, output: Trip })],
      });
    };
    expect([...made("Tells.").about]).toEqual([
      ["Told", "Tells."],
      ["Far", "Far away."],
    ]);
    expect(made("Tells.").routes.get("only")?.slipHash).toBe(made().routes.get("only")?.slipHash);
  });
  test("a slip pins each route that its route can reach, and each agent", () => {
    const inner = one(Planner);
    const outer = route("outer", 1, Trip)
      .to("inner", inner, ({ task }) => task)
      .output(({ inner }) => inner);
    const made = system("s", { agents: [planner], routes: [outer, inner], remote: [Hotel] });
    expect(Object.keys(made.routes.get("outer")?.slip.routes ?? {}).sort()).toEqual(["one", "outer"]);
    expect(Object.keys(made.routes.get("one")?.slip.routes ?? {})).toEqual(["one"]);
    expect(Object.keys(made.routes.get("one")?.slip.agents ?? {})).toEqual(["Planner", "Hotel"]);
    expect(Slip.safeParse(JSON.parse(JSON.stringify(made.slip))).success).toBe(true);
  });
  test("two agents may ask each other when one is bounded", () => {
    const Left = contract("Left", 1, { input: Trip, output: Plan });
    const Right = contract("Right", 1, { input: Trip, output: Plan });
    const left = agent(Left, { asks: [Right], visitsMax: 3, handle: (trip, ctx) => ctx.ask(Right, trip) });
    const right = agent(Right, { asks: [Left], handle: (trip, ctx) => ctx.ask(Left, trip) });
    expect(system("s", { agents: [left, right], routes: [] }).agents.size).toBe(2);
  });
  test("a route may run itself when it is bounded", () => {
    const Depth = z.object({ depth: z.int() });
    const Again = routeContract("again", { input: Trip, output: Depth });
    const again = route("again", 1, Trip, { visitsMax: 3 })
      .to("deeper", Again, ({ task }) => task, { when: "task.days > 1" })
      .output(() => ({ depth: 1 }));
    expect(system("s", { agents: [], routes: [again] }).routes.size).toBe(1);
  });
});

describe("a cycle without a bound is rejected and printed", () => {
  const make = (name: string) => contract(name, 1, { input: Trip, output: Plan });
  const [A, B, C] = [make("A"), make("B"), make("C")] as const;
  const a = agent(A, { asks: [B], handle: (trip, ctx) => ctx.ask(B, trip) });
  const b = agent(B, { handsOffTo: [C], handle: (trip, ctx) => ctx.handOff(C, trip) });
  const c = agent(C, { asks: [A], handle: (trip, ctx) => ctx.ask(A, trip) });
  test("agents", () => {
    expect(refusal(() => system("s", { agents: [a, b, c], routes: [] }))).toEqual([
      "cycle.unbounded",
      'system "s": the cycle A -> B -> C -> A (ask, hand-off, ask) has no bound; give one of its members a visitsMax, or break the cycle',
    ]);
  });
  test("through an agent that another app hosts", () => {
    expect(refusal(() => system("s", { agents: [a, b], routes: [], remote: [remote(C, { asks: [A] })] }))[0]).toBe("cycle.unbounded");
    expect(() => system("s", { agents: [a, b], routes: [], remote: [remote(C, { asks: [A], visitsMax: 2 })] })).not.toThrow();
  });
  test("routes", () => {
    const Again = routeContract("again", { input: Trip, output: z.json() });
    const again = route("again", 1, Trip)
      .to("deeper", Again, ({ task }) => task)
      .output(() => 1);
    expect(refusal(() => system("s", { agents: [], routes: [again] }))[1]).toContain("the cycle again -> again (route) has no bound");
  });
});

describe("inconsistent definitions are rejected", () => {
  const Planner2 = contract("Planner", 2, { input: Trip, output: Plan });
  const Other = contract("Planner", 1, { input: Trip, output: Plan, key: () => "one" });
  const Inner = routeContract("inner", { input: Trip, output: Plan });
  const outer = route("outer", 1, Trip)
    .to("inner", Inner, ({ task }) => task)
    .output(({ inner }) => inner);
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ["an agent twice", () => system("s", { agents: [planner, planner], routes: [] }), 'system "s": there are two agents named "Planner"'],
    [
      "a route twice",
      () => system("s", { agents: [planner], routes: [one(Planner), one(Planner)] }),
      'system "s": there are two routes named "one"',
    ],
    [
      "an agent here and elsewhere",
      () => system("s", { agents: [planner], routes: [], remote: [Planner] }),
      'agent "Planner" is listed both in agents and in remote; keep one',
    ],
    [
      "a stop without its agent",
      () => system("s", { agents: [], routes: [one(Planner)] }),
      'route "one": the system does not know agent "Planner"; add it to agents or remote',
    ],
    [
      "an ask without its agent",
      () => system("s", { agents: [snark], routes: [] }),
      'agent "Snark", asks: the system does not know agent "Planner"',
    ],
    [
      "another version",
      () => system("s", { agents: [planner], routes: [one(Planner2)] }),
      'route "one": agent "Planner" is used with version 2, but the system has version 1',
    ],
    ["another contract of the same name", () => system("s", { agents: [planner], routes: [one(Other)] }), "whose schemas or key differ"],
    [
      "a nested route that is not there",
      () => system("s", { agents: [], routes: [outer] }),
      'route "outer": the system does not know route "inner"; add it to routes',
    ],
    [
      "a nested route with another input",
      () =>
        system("s", {
          agents: [],
          routes: [
            outer,
            route("inner", 1, Plan)
              .to("h", Hotel, ({ task }) => task)
              .output(() => ({ airport: "A", nights: 1 })),
          ],
          remote: [Hotel],
        }),
      'route "inner" takes an input that differs from its contract',
    ],
    [
      "a nested route with another output",
      () =>
        system("s", {
          agents: [],
          routes: [
            outer,
            route("inner", 1, Trip)
              .to("h", Hotel, () => ({ airport: "A", nights: 1 }))
              .output(({ h }) => h),
          ],
          remote: [Hotel],
        }),
      'route "inner", output: h has no "airport", which the value must have',
    ],
    [
      "a route that is not finished",
      () => system("s", { agents: [], routes: [route("r", 1, Trip) as never] }),
      "one of the routes is not a route; finish a route with .output()",
    ],
    ["a bad name", () => system("a.b", { agents: [], routes: [] }), 'system "a.b": a name must have 1 to 64 characters'],
  ];
  test.each(cases)("%s", (_title, run, message) => {
    const [code, text] = refusal(run);
    expect(text).toContain(message);
    expect(code).toBe("definition.invalid");
  });
});
