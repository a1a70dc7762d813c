/** @module Planned routes and model agents in the simulated world: faults of hosts and stores, and models that do harm. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, plannedRoute, route, system, tool } from "../../agents/index.ts";
import { simulate } from "../../simulation/simulate.ts";
import { fakeModel } from "../../testing/index.ts";

const SEEDS = 60;
const TIMEOUT_MS = 120_000;
const Trip = z.object({ city: z.string() });
const Price = z.object({ price: z.number() });
const Flight = contract("Flight", 1, { input: Trip, output: Price });
const Hotel = contract("Hotel", 1, { input: Trip, output: Price });
const tour = plannedRoute("tour", 1, { task: Trip, output: z.array(z.number()), agents: [Flight, Hotel], stopsMax: 3 });
const Planner = contract("Planner", 1, { input: Trip, output: tour.schema });
const book = tool("book", { input: Trip, output: z.number(), effect: "write", run: ({ city }) => city.length, undo: () => {} });

const trip = route("trip", 1, Trip)
  .to("plan", Planner, ({ task }) => task, { timeoutMs: 600_000 })
  .plan(
    "tour",
    tour,
    ({ plan }) => plan,
    ({ task }) => task,
  )
  .output(({ tour: done }) => done);
const hotel = agent(Hotel, { handle: () => ({ price: 120 }) });
const flight = agent(Flight, { tools: [book], handle: async (to, ctx) => ({ price: await ctx.call(book, to) }) });
const step = (run: string) => ({ name: run.toLowerCase(), run, input: { from: ["task"] } });
const tasks = [{ route: "trip", input: { city: "Rome" } }];

test("a plan runs once and whole, with every fault of the world", { timeout: TIMEOUT_MS }, async () => {
  const output = { list: [{ from: ["flight", "price"] }, { from: ["hotel", "price"] }] };
  const planner = agent(Planner, { handle: () => ({ stops: [{ all: [step("Flight"), step("Hotel")] }], output }) });
  expect(await simulate(system("party", { agents: [planner, flight, hotel], routes: [trip] }), { tasks, seeds: SEEDS })).toEqual({
    ok: true,
    runs: SEEDS,
  });
});

test("a planner that is a harmful model ends as its limits say", { timeout: TIMEOUT_MS }, async () => {
  const planner = agent(Planner, model({ instructions: tour.guide, check: tour.check, tools: [book], callsMax: 6 }));
  const party = system("party", { agents: [planner, flight, hotel], routes: [trip], models: { default: fakeModel(() => "") } });
  expect(await simulate(party, { tasks, seeds: SEEDS, models: "adversary" })).toEqual({ ok: true, runs: SEEDS });
});
