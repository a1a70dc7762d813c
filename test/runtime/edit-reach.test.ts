/** @module Which calls an edit does not reach: those that read the very fields that were changed, and no others. */
import { describe, expect, test } from "vitest";
import type { Expression } from "../../runtime/expression.ts";
import type { Json } from "../../runtime/faults.ts";
import { itemsPath } from "../../runtime/ids.ts";
import { notReachedBy } from "../../runtime/process/edit-reach.ts";
import type { RouteData, Stop } from "../../runtime/slip.ts";
import { call, one, slipOf } from "./process-rig.ts";

function routeOf(stops: readonly Stop[], output: Expression = { literal: null }): RouteData {
  const route = slipOf(stops, { output }).routes["main"];
  if (route === undefined) throw new Error("the slip has no route main");
  return route;
}

const from = (...path: string[]): Expression => ({ from: path });

/** A trip: flight and hotel read the plan, the bill reads fields of all, the letter reads the whole task. */
const TRIP = routeOf(
  [
    one("plan", { input: { object: { wish: from("task", "wish") } } }),
    one("hotel", { input: { object: { city: from("plan", "city"), nights: from("plan", "nights") } } }),
    one("bill", {
      input: { object: { budget: from("task", "budget"), city: from("plan", "city"), plan: from("plan"), kind: { literal: 1 } } },
    }),
    one("letter", { input: from("task") }),
  ],
  { object: { city: from("plan", "city") } },
);
const GIVEN = { budget: 10, city: "Rome", plan: { city: "Rome", nights: 2, reason: "sun" }, kind: 1 };

describe("the edit of a work item does not reach", () => {
  test.each<readonly [string, Json, readonly string[]]>([
    ["no call, if nothing was changed", GIVEN, []],
    ["calls that read the source of the changed field", { ...GIVEN, budget: 20 }, ["letter"]],
    ["the output, if that reads it", { ...GIVEN, city: "Oslo" }, ["hotel", "output"]],
    ["calls that read the changed part of a whole output", { ...GIVEN, plan: { ...GIVEN.plan, nights: 3 } }, ["hotel"]],
    ["no call, if no other reads that part", { ...GIVEN, plan: { ...GIVEN.plan, reason: "art" } }, []],
    ["no call, if a constant or an added field was changed", { ...GIVEN, kind: 2, extra: true }, []],
    ["calls that read any source, if the whole is another kind of content", "text", ["hotel", "letter", "output"]],
  ])("%s", (_what, after, stops) => {
    expect(notReachedBy(TRIP, { before: GIVEN, after, stop: "bill" }, 2)).toEqual(stops);
  });

  test("each call that reads any source of the stop, if its input was handed off", () => {
    expect(notReachedBy(TRIP, { before: { x: 1 }, after: { x: 2 }, stop: "bill", isWhole: true }, 2)).toEqual([
      "hotel",
      "letter",
      "output",
    ]);
  });

  test("other items of a list: their elements are not what was changed", () => {
    const route = routeOf([
      {
        kind: "forEach",
        name: "each",
        over: from("task", "list"),
        concurrency: 1,
        call: call("A", { input: { list: [from("item"), from("task", "tone")] } }),
      },
      one("tuned", { input: from("task", "tone") }),
      one("letter", { input: from("task") }),
    ]);
    const stop = itemsPath("each");
    expect(notReachedBy(route, { before: [1, "a"], after: [2, "a"], stop }, 0)).toEqual([]);
    expect(notReachedBy(route, { before: [1, "a"], after: [1, "b"], stop }, 0)).toEqual(["tuned", "letter"]);
  });
});

describe("the edit of a task does not reach", () => {
  test("finished calls that read the changed field", () => {
    const before = { wish: "sun", budget: 10 };
    expect(notReachedBy(TRIP, { before, after: { ...before, wish: "art" } }, 2)).toEqual(["plan"]);
    expect(notReachedBy(TRIP, { before, after: { ...before, budget: 20 } }, 2)).toEqual([]);
    expect(notReachedBy(TRIP, { before, after: { ...before, budget: 20 } }, 4)).toEqual(["bill", "letter"]);
  });
});
