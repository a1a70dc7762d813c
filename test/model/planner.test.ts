/** @module Planned routes: plans are checked like written routes, a bad one goes back to its planner, and what runs is pinned. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, type Plan, plannedRoute, route, routeContract, system } from "../../agents/index.ts";
import { childProcessId, messageId, stopWorkId } from "../../runtime/ids.ts";
import { routeOfPlan } from "../../runtime/plan.ts";
import { fakeModel, type FakeModel, runLocal, startLocal } from "../../testing/index.ts";
import { refusal } from "../agents/refusal.ts";

const Trip = z.object({ city: z.string(), days: z.int() });
const Flight = contract("Flight", 1, {
  about: "Books a flight.",
  input: z.object({ to: z.string() }),
  output: z.object({ price: z.number() }),
});
const Hotel = contract("Hotel", 1, {
  about: "Books a hotel.",
  input: z.object({ city: z.string(), nights: z.int() }),
  output: z.object({ price: z.number() }),
});
const Visa = contract("Visa", 1, { input: Trip, output: z.object({ stamp: z.string() }) });
const visa = route("visa", 1, Trip)
  .to("stamp", Visa, ({ task }) => task)
  .output(({ stamp }) => stamp);
const Offer = z.object({ prices: z.array(z.number()), city: z.string() });

const tour = plannedRoute("tour", 1, { task: Trip, output: Offer, agents: [Flight, Hotel], routes: [visa], stopsMax: 3 });
const Planner = contract("Planner", 1, { input: Trip, output: tour.schema });
const trip = route("trip", 1, Trip)
  .to("plan", Planner, ({ task }) => task)
  .plan(
    "tour",
    tour,
    ({ plan }) => plan,
    ({ task }) => task,
  )
  .output(({ tour: done }) => done);

const GOOD: Plan = {
  stops: [
    { name: "papers", run: "visa", input: { from: ["task"] } },
    {
      all: [
        { name: "flight", run: "Flight", input: { object: { to: { from: ["task", "city"] } } } },
        { name: "hotel", run: "Hotel", input: { object: { city: { from: ["task", "city"] }, nights: { literal: 2 } } } },
      ],
    },
  ],
  output: { object: { prices: { list: [{ from: ["flight", "price"] }, { from: ["hotel", "price"] }] }, city: { from: ["task", "city"] } } },
};

const changed = (change: (plan: { stops: unknown[]; output: unknown }) => void): Plan => {
  const copy = structuredClone(GOOD) as { stops: unknown[]; output: unknown };
  change(copy);
  return copy as Plan;
};

describe("a plan is checked like a written route", () => {
  test("a good one has nothing wrong", () => {
    expect(tour.check(GOOD)).toEqual([]);
    expect(tour.schema.safeParse(GOOD).success).toBe(true);
  });

  test.each<readonly [what: string, plan: Plan, wrong: string]>([
    [
      "an agent that it may not use",
      changed((plan) => (plan.stops[0] = { name: "stay", run: "Stay", input: { from: ["task"] } })),
      "which plans may not use",
    ],
    [
      "a name that is used twice",
      changed((plan) => plan.stops.push({ name: "papers", run: "visa", input: { from: ["task"] } })),
      "reserved or used twice",
    ],
    [
      "a reserved name",
      changed((plan) => (plan.stops[0] = { name: "task", run: "visa", input: { from: ["task"] } })),
      "reserved or used twice",
    ],
    [
      "a stop that reads a later one",
      changed((plan) => (plan.stops[0] = { name: "x", run: "Flight", input: { from: ["flight"] } })),
      'reads "flight"',
    ],
    ["an output that reads what does not exist", changed((plan) => (plan.output = { from: ["spa"] })), 'the output reads "spa"'],
    [
      "too many stops",
      changed((plan) => plan.stops.push(...[1, 2].map((n) => ({ name: `v${n}`, run: "visa", input: { from: ["task"] } })))),
      "4 stops, at most 3",
    ],
    [
      "an input that lacks a key",
      changed((plan) => (plan.stops[0] = { name: "h", run: "Hotel", input: { object: { city: { literal: "Rome" } } } })),
      "nights",
    ],
    [
      "an input of another type",
      changed((plan) => (plan.stops[0] = { name: "f", run: "Flight", input: { object: { to: { literal: 5 } } } })),
      "to",
    ],
    [
      "a path that no output has",
      changed((plan) => (plan.output = { object: { prices: { list: [] }, city: { from: ["flight", "town"] } } })),
      "town",
    ],
    ["an output of another form", changed((plan) => (plan.output = { from: ["task"] })), "prices"],
  ])("%s", (_what, plan, wrong) => {
    expect(tour.check(plan).join()).toContain(wrong);
  });

  test("what is not even a plan is refused before it runs", () => {
    for (const plan of [null, "plan", { stops: [] }, { ...GOOD, more: 1 }])
      expect(refusal(() => routeOfPlan(tour.data, plan as never))[0]).toBe("slip.invalid");
  });
});

const price = (amount: number) => () => ({ price: amount });
const agents = [
  agent(Flight, { handle: price(100) }),
  agent(Hotel, { handle: ({ nights }) => ({ price: nights * 50 }) }),
  agent(Visa, { handle: ({ city }) => ({ stamp: `to ${city}` }) }),
];
const planner = agent(Planner, model({ instructions: (input) => `Plan ${input.days} days. ${tour.guide}`, check: tour.check }));
const INPUT = { city: "Rome", days: 2 };

/** A system whose planner is a model. */
const world = (think: FakeModel) =>
  system("party", { agents: [...agents, planner], routes: [trip, visa], models: { default: fakeModel(think) } });

describe("a planner", () => {
  test("answers with a plan, which runs as a nested process", async () => {
    const party = world(() => JSON.stringify(GOOD));
    const local = startLocal(party);
    try {
      const outcome = await local.run(trip, INPUT, { id: "t1" });
      expect(outcome).toMatchObject({ status: "completed", output: { prices: [100, 100], city: "Rome" } });
      const nested = childProcessId(messageId(stopWorkId("t1", 1, "tour", 0, 1), 1));
      const inside = await local.stops(nested);
      expect(inside.stops.map(({ stop }) => stop)).toEqual(["papers", "flight", "hotel"]);
    } finally {
      await local.stop();
    }
  });

  test("gets a bad plan back with its errors", async () => {
    const bad = changed((plan) => (plan.output = { from: ["spa"] }));
    const read: string[] = [];
    const party = world(({ messages }, count) => {
      read.push(messages.at(-1)?.text ?? "");
      return JSON.stringify(count === 1 ? bad : GOOD);
    });
    expect(await runLocal(party, trip, INPUT)).toMatchObject({ status: "completed" });
    expect(read[1]).toContain('the output reads "spa", but only task, papers, flight, hotel are known there');
  });

  test("knows what its plans may use", async () => {
    let told = "";
    const party = world(({ messages }) => {
      told = messages[0]?.text ?? "";
      return JSON.stringify(GOOD);
    });
    await runLocal(party, trip, INPUT);
    for (const part of ["Plan 2 days.", "- Flight: Books a flight.", "- visa:", '"nights"']) expect(told).toContain(part);
  });

  test("that is plain code may give a plan that fails when it runs, and what was done is undone", async () => {
    const undone: string[] = [];
    const failing = system("party", {
      agents: [
        agent(Planner, { handle: () => GOOD }),
        agent(Flight, { handle: price(1), undo: () => void undone.push("Flight") }),
        agent(Visa, { handle: () => ({ stamp: "s" }), undo: () => void undone.push("Visa") }),
        agent(Hotel, {
          handle: () => {
            throw new Error("full");
          },
        }),
      ],
      routes: [trip, visa],
    });
    const outcome = await runLocal(failing, trip, INPUT);
    expect(outcome.status).toBe("failed");
    expect(undone).toContain("Visa");
  });

  test("whose plan is not well formed fails the stop", async () => {
    const wrong = changed((plan) => (plan.output = { from: ["spa"] }));
    const party = system("party", { agents: [...agents, agent(Planner, { handle: () => wrong })], routes: [trip, visa] });
    expect(await runLocal(party, trip, INPUT)).toMatchObject({ status: "failed", fault: { code: "slip.invalid" } });
  });
});

describe("a system with a planned route", () => {
  test("pins the template, with all that plans may use, and refuses a ring that a plan could make", () => {
    const party = world(() => "");
    expect(Object.keys(party.routes.get("trip")?.slip.routes ?? {})).toEqual(expect.arrayContaining(["trip", "tour", "visa"]));
    expect(party.routes.has("tour")).toBe(false);
    const again = routeContract("again", { input: Trip, output: Offer });
    const loop = plannedRoute("loop", 1, { task: Trip, output: Offer, routes: [again] });
    const ring = route("again", 1, Trip)
      .to("plan", Planner, ({ task }) => task)
      .plan(
        "loop",
        loop,
        ({ plan }) => plan,
        ({ task }) => task,
      )
      .output(({ loop: done }) => done);
    const models = { default: fakeModel(() => "") };
    const [code, text] = refusal(() => system("party", { agents: [...agents, planner], routes: [ring, visa], models }));
    expect([code, text]).toEqual(["cycle.unbounded", expect.stringMatching(/again -> loop -> again|loop -> again -> loop/)]);
  });

  test.each<readonly [what: string, options: object, text: string]>([
    ["nothing to use", {}, "it names 0 agents and routes"],
    ["a name twice", { agents: [Flight, Flight] }, 'two agents or routes have the name "Flight"'],
    ["no stops", { agents: [Flight], stopsMax: 0 }, "stopsMax is 0"],
    ["an unknown option", { agents: [Flight], stops: 3 }, 'unknown option "stops"'],
  ])("is refused with %s", (_what, options, text) => {
    expect(refusal(() => plannedRoute("x", 1, { task: Trip, output: Offer, ...options }))[1]).toContain(text);
  });

  test("is refused where it lacks an agent that plans may use, or where its name is taken", () => {
    const models = { default: fakeModel(() => "") };
    expect(refusal(() => system("party", { agents: [...agents.slice(1), planner], routes: [trip, visa], models }))[1]).toContain(
      "does not know agent",
    );
    const same = route("tour", 1, Trip)
      .to("v", Visa, ({ task }) => task)
      .output(({ v }) => v);
    expect(refusal(() => system("party", { agents: [...agents, planner], routes: [trip, visa, same], models }))[1]).toContain(
      'two routes named "tour"',
    );
  });
});
