/**
 * @module Definitions that must not compile, and exact types. Checked by `tsc`; this file does not run.
 */
import { z } from "zod";
import { agent, contract, type HandOff, type OutputOf, person, route, routeContract, type System, tool } from "../../agents/index.ts";
import { type Client, type Outcome } from "../../client/index.ts";
import { fake, runLocal, startLocal } from "../../testing/index.ts";
import { Flight, Hotel, Planner, Snark, Trip } from "../agents/fixtures/travel.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

export function handlers(): void {
  agent(Planner, { handle: (trip) => ({ airport: trip.city, nights: 1 }) });
  agent(Planner, { handle: async (trip) => ({ airport: trip.city, nights: 1 }) });
  // @ts-expect-error the output has no `nights`
  agent(Planner, { handle: (trip) => ({ airport: trip.city }) });
  // @ts-expect-error the input has no `country`
  agent(Planner, { handle: (trip) => ({ airport: trip.country, nights: 1 }) });
  // @ts-expect-error there is no such option
  agent(Planner, { handle: () => ({ airport: "A", nights: 1 }), visits: 3 });
}

export function validators(): void {
  const said = z.object({ accepted: z.boolean(), reasons: z.array(z.string()) });
  const Plan = z.object({ airport: z.string(), nights: z.number() });
  const Judge = contract("Judge", 1, { input: z.object({ input: Trip, output: Plan }), output: said });
  const Other = contract("Other", 1, { input: z.object({ input: z.object({ country: z.string() }), output: Plan }), output: said });
  const Boss = person("Boss");
  route("r", 1, Trip).to("plan", Planner, ({ task }) => task, { validate: { by: Judge, onRefusal: Boss } });
  // @ts-expect-error the validator takes another input than the stop has
  route("r", 1, Trip).to("plan", Planner, ({ task }) => task, { validate: { by: Other } });
  // @ts-expect-error an agent is no person
  route("r", 1, Trip).to("plan", Planner, ({ task }) => task, { validate: { rule: "true", onRefusal: Judge } });
}

export function asksAndHandOffs(): void {
  agent(Flight, {
    asks: [Planner, Hotel],
    handle: async (query, ctx) => {
      const plan = await ctx.ask(Planner, { city: query.to, days: 1 });
      same<typeof plan, { airport: string; nights: number }>(true);
      // @ts-expect-error Snark is not among the asks
      await ctx.ask(Snark, { prices: [], trip: { city: "A", days: 1 } });
      // @ts-expect-error the input of Planner has no `days`
      await ctx.ask(Planner, { city: query.to });
      // @ts-expect-error no hand-off is declared, though the ask is
      ctx.handOff(Planner, { city: query.to, days: 1 });
      return { price: plan.nights, ticket: "t" };
    },
  });
  agent(Planner, {
    // @ts-expect-error an agent without declared asks cannot ask
    handle: (trip, ctx) => ctx.ask(Planner, trip),
  });

  const Charter = contract("Charter", 1, {
    input: z.object({ to: z.string() }),
    output: z.object({ price: z.number(), ticket: z.string() }),
  });
  agent(Flight, {
    handsOffTo: [Charter],
    handle: (query, ctx) => {
      const answer = ctx.handOff(Charter, query);
      same<typeof answer, HandOff>(true);
      // @ts-expect-error the hand-off is to Charter only
      ctx.handOff(Hotel, { airport: "A", nights: 1 });
      return answer;
    },
  });
  // @ts-expect-error Hotel's output does not fit Flight's contract
  agent(Flight, { handsOffTo: [Hotel], handle: () => ({ price: 1, ticket: "t" }) });
  // @ts-expect-error only ctx.handOff makes a hand-off
  agent(Flight, { handle: () => ({ target: "Charter", input: { to: "A" } }) });
}

export function states(): void {
  const Counter = z.object({ count: z.int(), seen: z.array(z.string()) });
  agent(Planner, {
    state: { schema: Counter, initial: { count: 0, seen: [] } },
    handle: (trip, ctx) => {
      same<typeof ctx.state.count, number>(true);
      ctx.setState({ count: ctx.state.count + 1, seen: [...ctx.state.seen, trip.city] });
      // @ts-expect-error the state is read-only
      ctx.state.count = 2;
      // @ts-expect-error the state is deeply read-only
      ctx.state.seen.push("A");
      // @ts-expect-error the state has no `seen`
      ctx.setState({ count: 1 });
      return { airport: "A", nights: 1 };
    },
  });
  agent(Planner, {
    handle: (_trip, ctx) => {
      // @ts-expect-error no state is declared
      ctx.setState({ count: 1 });
      // @ts-expect-error no state is declared
      return { airport: String(ctx.state), nights: 1 };
    },
  });
  // @ts-expect-error the initial state does not fit the schema
  agent(Planner, { state: { schema: Counter, initial: { count: "0", seen: [] } }, handle: () => ({ airport: "A", nights: 1 }) });
  agent(Planner, { state: { schema: z.json(), initial: null }, handle: (_trip, ctx) => ({ airport: typeof ctx.state, nights: 1 }) });
}

export function steps(): void {
  agent(Flight, {
    handle: async (_query, ctx) => {
      const held = await ctx.step("hold", async (step) => ({ hold: step.idempotencyKey }));
      same<typeof held, { hold: string }>(true);
      // @ts-expect-error a step has no undo; use a tool
      await ctx.step("hold", () => 1, { undo: () => {} });
      return { price: ctx.now(), ticket: ctx.uuid() + held.hold };
    },
  });
}

export function tools(): void {
  const hold = tool("hold", {
    effect: "write",
    input: z.object({ to: z.string() }),
    output: z.object({ seats: z.int() }),
    run: (query, call) => {
      same<typeof query, { to: string }>(true);
      return { seats: call.idempotencyKey.length };
    },
    undo: (query, output, call) => {
      same<typeof query, { to: string }>(true);
      same<typeof output, { seats: number } | undefined>(true);
      // @ts-expect-error the output may be unknown
      void output.seats;
      void call.signal;
    },
  });
  const other = tool("other", { effect: "read", input: z.string(), output: z.string(), run: (text) => text });
  agent(Flight, {
    tools: [hold],
    handle: async (query, ctx) => {
      const held = await ctx.call(hold, query);
      same<typeof held, { seats: number }>(true);
      // @ts-expect-error the input of the tool has no `to`
      await ctx.call(hold, { from: "A" });
      // @ts-expect-error the tool is not among the agent's tools
      await ctx.call(other, "A");
      return { price: held.seats, ticket: "t" };
    },
  });
  // @ts-expect-error an agent without declared tools cannot call one
  agent(Flight, { handle: async (query, ctx) => ({ price: (await ctx.call(hold, query)).seats, ticket: "t" }) });
  // @ts-expect-error the output has no `seats`
  tool("hold", { effect: "write", input: z.string(), output: z.object({ seats: z.int() }), run: () => ({}) });
  // @ts-expect-error the effect is one of three
  tool("hold", { effect: "delete", input: z.string(), output: z.string(), run: (text) => text });
}

export function waits(): void {
  agent(Flight, {
    handle: async (_query, ctx) => {
      await ctx.sleep(5_000);
      const paid = await ctx.waitFor("paid", z.object({ cents: z.int() }), { timeoutMs: 1_000 });
      same<typeof paid, { cents: number }>(true);
      // @ts-expect-error a wait needs a schema
      await ctx.waitFor("paid");
      return { price: paid.cents, ticket: "t" };
    },
  });
}

export function undos(): void {
  const Counter = z.object({ count: z.int() });
  agent(Planner, {
    state: { schema: Counter, initial: { count: 0 } },
    handle: () => ({ airport: "A", nights: 1 }),
    undo: (trip, output, ctx) => {
      same<typeof trip, { city: string; days: number }>(true);
      same<typeof output, { airport: string; nights: number } | undefined>(true);
      ctx.setState({ count: ctx.state.count - 1 });
      // @ts-expect-error an undo cannot call tools
      void ctx.call;
    },
  });
  agent(Planner, {
    handle: () => ({ airport: "A", nights: 1 }),
    undo: (_trip, _output, ctx) => {
      // @ts-expect-error no state is declared
      ctx.setState({ count: 1 });
    },
  });
}

export function mappings(): void {
  const planned = route("types", 1, Trip).to("plan", Planner, ({ task }) => task);
  planned.to("flight", Flight, ({ plan }) => ({ to: plan.airport }));
  // @ts-expect-error a Plan is not a FlightQuery
  planned.to("flight", Flight, ({ plan }) => plan);
  // @ts-expect-error `nights` is a number, `to` a text
  planned.to("flight", Flight, ({ plan }) => ({ to: plan.nights }));
  // @ts-expect-error the scope has no `hotel` yet
  planned.to("flight", Flight, ({ hotel }) => ({ to: hotel.airport }));
  // @ts-expect-error the output of Planner has no `runway`
  planned.output(({ plan }) => plan.runway);
  // @ts-expect-error branches do not see each other
  planned.all((stop) => ({ hotel: stop(Hotel, ({ plan }) => plan), flight: stop(Flight, ({ hotel }) => ({ to: hotel.airport })) }));
  // @ts-expect-error an option that does not exist
  planned.to("flight", Flight, ({ plan }) => ({ to: plan.airport }), { timeout: 5 });
}

export function outputs(): void {
  const planned = route("types", 1, Trip).to("plan", Planner, ({ task }) => task);
  const optional = planned.to("flight", Flight, ({ plan }) => ({ to: plan.airport }), { optional: true });
  // @ts-expect-error the output of an optional stop may be null
  optional.output(({ flight }) => flight.price);
  const made = optional.output(({ flight }) => flight);
  same<OutputOf<typeof made>, { price: number; ticket: string } | null>(true);

  const sometimes = planned
    .to("flight", Flight, ({ plan }) => ({ to: plan.airport }), { when: "task.days > 1" })
    .output(({ flight }) => flight);
  same<OutputOf<typeof sometimes>, { price: number; ticket: string } | null>(true);

  const unknownWhether: boolean = [].length > 0;
  const perhaps = planned
    .to("flight", Flight, ({ plan }) => ({ to: plan.airport }), { optional: unknownWhether })
    .output(({ flight }) => flight);
  same<OutputOf<typeof perhaps>, { price: number; ticket: string } | null>(true);
  const timed = planned.to("flight", Flight, ({ plan }) => ({ to: plan.airport }), { timeoutMs: 5 }).output(({ flight }) => flight);
  same<OutputOf<typeof timed>, { price: number; ticket: string }>(true);

  const both = planned
    .all((stop) => ({
      flight: stop(Flight, ({ plan }) => ({ to: plan.airport })),
      hotel: stop(Hotel, ({ plan }) => plan, { optional: true }),
    }))
    .output(({ flight, hotel }) => ({ flight, hotel }));
  same<OutputOf<typeof both>, { flight: { price: number; ticket: string }; hotel: { price: number; hotel: string } | null }>(true);

  const either = planned
    .any("stay", (stop) => ({ flight: stop(Flight, ({ plan }) => ({ to: plan.airport })), hotel: stop(Hotel, ({ plan }) => plan) }))
    .output(({ stay }) => stay);
  same<OutputOf<typeof either>, { price: number; ticket: string } | { price: number; hotel: string }>(true);
}

export function lists(): void {
  const Cities = z.object({ cities: z.array(Trip) });
  const eachCity = route("plans", 1, Cities);
  const plans = eachCity.forEach("plans", ({ task }) => task.cities, (stop) => stop(Planner, ({ item }) => item), { concurrency: 2 });
  const made = plans.output(({ plans }) => plans);
  same<OutputOf<typeof made>, { airport: string; nights: number }[]>(true);
  // @ts-expect-error the items are trips, not flight queries
  route("plans", 1, Cities).forEach("plans", ({ task }) => task.cities, (stop) => stop(Flight, ({ item }) => item));
  // @ts-expect-error the mapping gives no list
  route("plans", 1, Cities).forEach("plans", ({ task }) => task, (stop) => stop(Planner, () => ({ city: "A", days: 1 })));
  // @ts-expect-error `item` is only there inside forEach
  plans.output(({ item }) => item);
}

export function nested(): void {
  const inner = route("inner", 1, Trip).to("plan", Planner, ({ task }) => task).output(({ plan }) => plan);
  const outer = route("outer", 1, Trip).to("inner", inner, ({ task }) => task).output(({ inner }) => inner.airport);
  same<OutputOf<typeof outer>, string>(true);
  // @ts-expect-error a nested route's task is typed as well
  route("outer", 1, Trip).to("inner", inner, () => ({ city: 1, days: 1 }));
  // @ts-expect-error an unfinished route is not a target
  route("outer", 1, Trip).to("inner", route("inner", 1, Trip), ({ task }) => task);
  const Again = routeContract("again", { input: Trip, output: z.object({ depth: z.int() }) });
  const again = route("again", 1, Trip, { visitsMax: 3 })
    .to("deeper", Again, ({ task }) => task)
    .output(({ deeper }) => ({ depth: deeper.depth }));
  same<OutputOf<typeof again>, { depth: number }>(true);
}

export function contracts(): void {
  // @ts-expect-error a contract needs an output
  contract("Bad", 1, { input: Trip });
  // @ts-expect-error a key is a text
  contract("Bad", 1, { input: Trip, output: Trip, key: (trip) => trip.days });
  contract("Good", 1, { input: Trip, output: Trip, key: (trip) => trip.city });
}

export async function clients(client: Client): Promise<void> {
  const planned = route("planned", 1, Trip).to("plan", Planner, ({ task }) => task).output(({ plan }) => plan);
  const { outcome } = await client.submit(planned, { city: "A", days: 1 }, { waitMs: 5 });
  same<typeof outcome, Outcome<{ airport: string; nights: number }> | undefined>(true);
  // @ts-expect-error the input has no `days`
  await client.submit(planned, { city: "A" });
  const unknown = await client.submit("planned", { anything: 1 });
  same<typeof unknown.outcome, Outcome<unknown> | undefined>(true);
  const waited = await client.wait("id", { route: planned });
  same<typeof waited.output, { airport: string; nights: number } | undefined>(true);
  const any = await client.wait("id");
  same<typeof any.output, unknown>(true);
  const view = await client.show("id");
  // @ts-expect-error a view has no such property
  void view.unanswered;
}

export async function localRuns(travel: System): Promise<void> {
  const planned = route("planned", 1, Trip).to("plan", Planner, ({ task }) => task).output(({ plan }) => plan);
  const ended = await runLocal(travel, planned, { city: "A", days: 1 });
  same<typeof ended.output, { airport: string; nights: number } | undefined>(true);
  // @ts-expect-error the input has no `days`
  await runLocal(travel, planned, { city: "A" });
  const byName = await runLocal(travel, "planned", { anything: 1 });
  same<typeof byName.output, unknown>(true);
  const local = startLocal(travel, { fakes: [fake(Planner, (trip) => ({ airport: trip.city, nights: trip.days }))] });
  const again = await local.run(planned, { city: "A", days: 1 });
  same<typeof again.output, { airport: string; nights: number } | undefined>(true);
  // @ts-expect-error the output of a fake must fit the contract
  fake(Planner, () => ({ airport: "A" }));
  // @ts-expect-error the input of a fake is the contract's input
  fake(Planner, (trip) => ({ airport: trip.country, nights: 1 }));
}
