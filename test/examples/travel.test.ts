/** @module Example 01 without Dapr: the plan, the bookings and their undo, the remark with its memory. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runLocal } from "../../testing/index.ts";
import { cancel, reserve } from "../../examples/01-travel/desk.ts";
import party from "../../examples/01-travel/system.ts";
import { planFor } from "../../examples/01-travel/world.ts";

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

describe("the travel party", () => {
  test("plans, books twice, and remarks on the runner-up", async () => {
    const { status, output, history } = await runLocal(party, "trip", trip("music, opera and cake"));
    expect(status).toBe("completed");
    expect(output).toEqual({
      city: "Vienna",
      because: "it has music, opera, cake",
      flight: "OS 226 to VIE and back",
      hotel: "Pension Nestroy, 3 nights",
      total: 455,
      remark: "Vienna has waited two thousand years for you. Prague could not be bothered.",
    });
    expect(history.filter((line) => line.what === "asked by a handler").map((line) => line.agent)).toEqual(["PlannerAgent"]);
    expect(await readdir(desk)).toHaveLength(2);
  });

  test("rejects a budget that is too small after the bookings, and undoes both", async () => {
    const { status, fault, deadLetter, history } = await runLocal(party, "trip", trip("music", 10));
    expect([status, fault?.code]).toEqual(["failed", "agent.refused"]);
    expect(deadLetter).toMatchObject({ route: "trip", stop: "snark", fault: { code: "agent.refused" } });
    expect(history.filter((line) => line.what === "undone").map((line) => line.agent)).toEqual(
      expect.arrayContaining(["HotelAgent", "FlightAgent"]),
    );
    expect(await readdir(desk)).toEqual([]);
  });

  test("an agent can be faked by its name", async () => {
    const { output } = await runLocal(party, "trip", trip("cake"), {
      fakes: { FlightAgent: () => ({ what: "a carpet", price: 0, code: "X" }) },
    });
    expect(output).toMatchObject({ flight: "a carpet", total: 336 });
  });

  test("rejects an invalid task with the place of the error", async () => {
    await expect(runLocal(party, "trip", { wish: "x", days: "3", budget: 1 })).rejects.toMatchObject({ code: "schema.task" });
    await expect(runLocal(party, "trip", { ...trip("x"), extra: 1 })).rejects.toMatchObject({ code: "schema.task" });
  });
});

describe("the dead letter queue", () => {
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

test("plans the city that matches most words, the cheaper one among equals, and never an excluded one", () => {
  expect(planFor(trip("snow, northern lights and whales"), []).city).toBe("Tromso");
  expect(planFor(trip("snow, northern lights and whales"), ["Tromso"]).city).toBe("Reykjavik");
  expect(planFor(trip("nothing of that kind"), []).reason).toContain("cheapest");
});
