/** @module The route builder. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Fault, LIMITS, route, routeContract } from "../../agents/index.ts";
import { RETRY_DEFAULT } from "../../runtime/slip.ts";
import { Flight, Hotel, planner, Planner, trip, Trip } from "./fixtures/travel.ts";

const begin = () => route("r", 1, Trip).to("plan", Planner, ({ task }) => task);

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Fault && error.code === "definition.invalid") return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

test("rejects a branch or key named __proto__ instead of dropping it", () => {
  expect(
    refusal(() => begin().all((stop) => ({ a: stop(Flight, () => ({ to: "x" })), __proto__: stop(Flight, () => ({ to: "x" })) }))),
  ).toContain("none can be named __proto__");
  expect(refusal(() => begin().output(({ task, plan }) => ({ task, __proto__: plan })))).toContain('route "r", output');
});

describe("a route is data", () => {
  test("the travel example", () => {
    const [plan, both, remark] = trip.data.stops;
    expect(plan).toEqual({
      kind: "one",
      name: "plan",
      call: {
        target: { kind: "agent", agent: "Planner" },
        input: { from: ["task"] },
        timeoutMs: 5_000,
        retry: RETRY_DEFAULT,
        optional: false,
      },
    });
    expect(both?.kind === "all" && [both.name, Object.keys(both.branches), both.branches["flight"]?.input]).toEqual([
      "all-2",
      ["flight", "hotel"],
      { object: { to: { from: ["plan", "airport"] } } },
    ]);
    expect(remark?.kind === "one" && remark.call.input).toEqual({
      object: { prices: { list: [{ from: ["flight", "price"] }, { from: ["hotel", "price"] }] }, trip: { from: ["task"] } },
    });
    expect(trip.data.output).toEqual({ from: ["snark"] });
  });
  test("any, forEach and options", () => {
    const Cities = z.object({ cities: z.array(Trip) });
    const made = route("r", 2, Cities, { visitsMax: 4 })
      .forEach(
        "plans",
        ({ task }) => task.cities,
        (stop) => stop(Planner, ({ item }) => item, { when: "item.days > 1", retry: { attemptsMax: 1 } }),
        { concurrency: 2 },
      )
      .any("ticket", (stop) => ({ air: stop(Flight, () => ({ to: "A" }), { timeoutMs: 9 }), rail: stop(Flight, () => ({ to: "B" })) }))
      .output(({ plans, ticket }) => ({ plans, ticket }));
    expect(made.data.visitsMax).toBe(4);
    expect(made.data.stops[0]).toMatchObject({
      kind: "forEach",
      over: { from: ["task", "cities"] },
      concurrency: 2,
      call: { when: "item.days > 1", retry: { ...RETRY_DEFAULT, attemptsMax: 1 } },
    });
    expect(made.data.stops[1]).toMatchObject({
      kind: "any",
      name: "ticket",
      branches: { air: { timeoutMs: 9 } },
    });
    expect(made.targets.map(({ name }) => name)).toEqual(["Planner", "Flight"]);
  });
  test("a nested route has a default timeout of one hour", () => {
    const outer = route("outer", 1, Trip)
      .to("inner", trip, ({ task }) => task)
      .output(({ inner }) => inner);
    expect(outer.data.stops[0]).toMatchObject({
      call: { target: { kind: "route", route: "trip" }, timeoutMs: LIMITS.taskTimeoutMsDefault },
    });
  });
  test("two routes may share a beginning", () => {
    const start = begin();
    const one = start.to("a", Hotel, ({ plan }) => plan).output(({ a }) => a);
    const two = start.to("a", Flight, ({ plan }) => ({ to: plan.airport })).output(({ a }) => a);
    expect([one, two].map(({ data }) => data.stops.length)).toEqual([2, 2]);
  });
  test("a first backoff longer than the default maximum raises it", () => {
    const made = begin()
      .to("slow", Hotel, ({ plan }) => plan, { retry: { backoffMs: 60_000 } })
      .output(({ slow }) => slow);
    expect(made.data.stops[1]).toMatchObject({ call: { retry: { backoffMs: 60_000, backoffMsMax: 60_000 } } });
  });
  test("the check of a task does not change it", () => {
    expect(trip.checkTask({ city: "Rome", days: 3 })).toEqual({ city: "Rome", days: 3 });
    expect(() => trip.checkTask({ city: "Rome", days: "3" })).toThrow("task of route trip at days: expected number, found a string");
  });
});

describe("an invalid route is rejected with route, stop and field", () => {
  const at = 'route "r", stop "x"';
  const plan = ({ plan }: { readonly plan: { airport: string; nights: number } }) => plan;
  const hotel = (options: object) => () => begin().to("x", Hotel, plan, options as { timeoutMs: number });
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ["a name twice", () => begin().to("plan", Hotel, plan), 'route "r", stop "plan": the name "plan" is already used in this route'],
    [
      "a branch with a used name",
      () => begin().all((stop) => ({ plan: stop(Hotel, plan) })),
      'route "r", stop "all-2": the name "plan" is already used in this route',
    ],
    ["a reserved name", () => begin().to("task", Hotel, plan), 'route "r", stop "task": the name "task" is reserved'],
    ["item as a branch", () => begin().all((stop) => ({ item: stop(Hotel, plan) })), 'the name "item" is reserved'],
    ["a bad name", () => begin().to("a.b", Hotel, plan), 'stop "a.b": a name must have 1 to 64 characters'],
    ["no branches", () => begin().all(() => ({})), 'route "r", stop "all-2": there are 0 branches, but must be 1 to 64'],
    [
      "a branch that was not made",
      () => begin().any("x", () => ({ a: {} as never })),
      `${at}, branch "a": make each branch with the stop function that the callback receives`,
    ],
    ["no stops", () => route("r", 1, Trip).output(({ task }) => task), 'route "r": there is no stop'],
    [
      "an agent in place of its contract",
      () => begin().to("x", planner as never, plan as never),
      `${at}: the target is neither a contract nor a route`,
    ],
    ["an unknown option", hotel({ timeout: 1 }), `${at}: unknown option "timeout"; known are timeoutMs, retry, optional, when`],
    ["a timeout of 0", hotel({ timeoutMs: 0 }), `${at}: timeoutMs is 0, but must be an integer from 1 to 604800000`],
    ["attempts", hotel({ retry: { attemptsMax: 0 } }), `${at}: retry.attemptsMax is 0, but must be an integer from 1 to 100`],
    [
      "pauses that contradict each other",
      hotel({ retry: { backoffMs: 500, backoffMsMax: 100 } }),
      `${at}: retry.backoffMs is 500, more than retry.backoffMsMax, which is 100`,
    ],
    ["jitter", hotel({ retry: { jitter: 2 } }), `${at}: retry.jitter is 2, but must be from 0 to 1`],
    ["an unknown part of the policy", hotel({ retry: { attempts: 2 } }), `${at}, retry: unknown option "attempts"`],
    [
      "a condition over a later stop",
      hotel({ when: "hotel.price > 1" }),
      `${at}: when: condition "hotel.price > 1": unknown name "hotel"; known: task, plan`,
    ],
    ["a condition that cannot be parsed", hotel({ when: "task.days + 1 > " }), `${at}: when: condition`],
    [
      "a mapping that computes",
      () => begin().to("x", Hotel, ({ plan }) => ({ ...plan })),
      `${at}, input: the mapping uses spread: ...plan`,
    ],
    [
      "a list that is not a list",
      () => begin().forEach("x", (() => ({})) as never, (stop) => stop(Hotel, plan)),
      `${at}, list: the mapping does not give a list`,
    ],
    [
      "concurrency",
      () =>
        begin().forEach(
          "x",
          () => [1],
          (stop) => stop(Hotel, plan),
          { concurrency: 257 },
        ),
      `${at}: concurrency is 257, but must be an integer from 1 to 256`,
    ],
    ["visits", () => route("r", 1, Trip, { visitsMax: 0 }), 'route "r": visitsMax is 0'],
    ["a task that is not JSON", () => route("r", 1, z.object({ at: z.date() })), "Date cannot be represented"],
    [
      "a route contract that is not JSON",
      () => routeContract("r", { input: Trip, output: z.bigint() }),
      'contract of route "r", output: BigInt cannot be represented',
    ],
  ];
  test.each(cases)("%s", (_title, run, message) => {
    expect(refusal(run)).toContain(message);
  });
});
