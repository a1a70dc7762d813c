/** @module Example 01 without Dapr: the plan, the bookings and their undo, the remark; with the scripted model, and with plain code. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runLocal } from "../../testing/index.ts";
import { cancel, reserve } from "../../examples/01-travel/desk.ts";
import plainParty from "../../examples/01-travel/plain.ts";
import party from "../../examples/01-travel/system.ts";
import { citiesFor } from "../../examples/01-travel/world.ts";
import { withScript } from "./scripted.ts";

let desk = "";
beforeEach(async () => {
  desk = await mkdtemp(join(tmpdir(), "troupe-desk-"));
  process.env["TRAVEL_DESK"] = desk;
});
afterEach(async () => {
  delete process.env["TRAVEL_DESK"];
  await rm(desk, { recursive: true, force: true });
});

const trip = (wish: string, budget = 900): { wish: string; days: number; budget: number } => ({ wish, days: 4, budget });

describe("the travel party with models", () => {
  test("plans with a tool, books twice, sums up, and remarks on the runner-up that it asks the planner for", async () => {
    const { outcome, requests } = await withScript("01-travel", party, (options) =>
      runLocal(party, "trip", trip("music, opera and cake"), options),
    );
    expect(outcome.status).toBe("completed");
    expect(outcome.output).toEqual({
      city: "Vienna",
      because: "it has music, opera, cake",
      flight: "OS 226 to VIE and back",
      hotel: "Pension Nestroy, 3 nights",
      total: 455,
      remark: "Vienna has waited two thousand years for you. Prague could not be bothered.",
    });
    expect(outcome.history.filter((line) => line.what === "asked by a handler").map((line) => line.agent)).toEqual(["PlannerAgent"]);
    expect(await readdir(desk)).toHaveLength(2);
    expect(requests.map(({ agent, call }) => `${agent ?? ""} ${call ?? 0}`)).toEqual([
      "PlannerAgent 1",
      "PlannerAgent 2",
      "SnarkAgent 1",
      "PlannerAgent 1",
      "PlannerAgent 2",
      "SnarkAgent 2",
    ]);
  });

  test("rejects a budget that is too small after the bookings, and undoes both", async () => {
    const { outcome } = await withScript("01-travel", party, (options) => runLocal(party, "trip", trip("music", 10), options));
    expect([outcome.status, outcome.fault?.code]).toEqual(["failed", "agent.refused"]);
    expect(outcome.deadLetter).toMatchObject({ route: "trip", stop: "bill", fault: { code: "agent.refused" } });
    expect(outcome.history.filter((line) => line.what === "undone").map((line) => line.agent)).toEqual(
      expect.arrayContaining(["HotelAgent", "FlightAgent"]),
    );
    expect(await readdir(desk)).toEqual([]);
  });
});

describe("the travel party with plain code in the place of its models", () => {
  test("runs the same route without any model", async () => {
    const { status, output } = await runLocal(plainParty, "trip", trip("music, opera and cake"));
    expect(status).toBe("completed");
    expect(output).toMatchObject({ city: "Vienna", total: 455, remark: "Vienna is not Prague." });
    expect(plainParty.routes.get("trip")?.slip.routes).toEqual(party.routes.get("trip")?.slip.routes);
  });

  test("an agent can be faked by its name", async () => {
    const { output } = await runLocal(plainParty, "trip", trip("cake"), {
      fakes: { FlightAgent: () => ({ what: "a carpet", price: 0, code: "X" }) },
    });
    expect(output).toMatchObject({ flight: "a carpet", total: 336 });
  });

  test("rejects an invalid task with the place of the error", async () => {
    await expect(runLocal(plainParty, "trip", { wish: "x", days: "3", budget: 1 })).rejects.toMatchObject({ code: "schema.task" });
    await expect(runLocal(plainParty, "trip", { ...trip("x"), extra: 1 })).rejects.toMatchObject({ code: "schema.task" });
  });
});

describe("the booking desk", () => {
  const call = { idempotencyKey: "p:1:flight:0:1/reserve-flight/0/0", signal: new AbortController().signal, attempt: 1 };

  test("one key makes one reservation over any number of attempts; undoing a missing one succeeds", async () => {
    const offer = { what: "a listener", price: 1 };
    expect(await reserve(offer, call)).toEqual(await reserve(offer, call));
    expect(await readdir(desk)).toHaveLength(1);
    await cancel(null, undefined, call);
    await cancel(null, undefined, call);
    expect(await readdir(desk)).toEqual([]);
  });
});

test("finds the cities that match most words, the cheaper one among equals, and never an excluded one", () => {
  const wish = "snow, northern lights and whales";
  expect(citiesFor({ wish, days: 4, except: [] })[0].city).toBe("Tromso");
  expect(citiesFor({ wish, days: 4, except: ["Tromso"] })[0].city).toBe("Reykjavik");
  expect(citiesFor({ wish: "nothing of that kind", days: 4, except: [] })[0].reason).toContain("cheapest");
});
