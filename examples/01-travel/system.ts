/** @module A travel party: one agent plans, two book at the same time, and a fourth comments. */
import { agent, Fault, route, system, tool } from "troupe";
import { Booking, Flight, Hotel, Jokes, Offer, Planner, Snark, Trip } from "./contracts.ts";
import { cancel, reserve } from "./desk.ts";
import { flightTo, hotelIn, jokeAbout, planFor } from "./world.ts";

const planner = agent(Planner, { handle: ({ trip, except }) => planFor(trip, except) });
const book = tool("book", { input: Offer, output: Booking, effect: "write", run: reserve, undo: cancel });
const flight = agent(Flight, { tools: [book], handle: (query, ctx) => ctx.call(book, flightTo(query)) });
const hotel = agent(Hotel, { tools: [book], handle: (query, ctx) => ctx.call(book, hotelIn(query)) });
const snark = agent(Snark, {
  state: { schema: Jokes, initial: { told: 0 } },
  asks: [Planner],
  handle: async ({ trip, plan, flight, hotel }, ctx) => {
    const total = flight.price + hotel.price;
    if (total > trip.budget) throw new Fault("agent.refused", `${plan.city} costs ${total}, but the budget is ${trip.budget}`);
    const other = await ctx.ask(Planner, { trip, except: [plan.city] });
    const { told } = ctx.state;
    ctx.setState({ told: told + 1 });
    return { total, runnerUp: other.city, remark: jokeAbout(plan, other, told), jokesToldBefore: told };
  },
});

const trip = route("trip", 1, Trip)
  .to("plan", Planner, ({ task }) => ({ trip: task, except: [] }), { timeoutMs: 5_000 })
  .all((stop) => ({
    flight: stop(Flight, ({ plan }) => ({ to: plan.airport })),
    hotel: stop(Hotel, ({ plan }) => ({ city: plan.city, nights: plan.nights })),
  }))
  .to("snark", Snark, ({ task, plan, flight, hotel }) => ({ trip: task, plan, flight, hotel }))
  .output(({ plan, flight, hotel, snark }) => ({
    city: plan.city,
    because: plan.reason,
    flight: flight.what,
    hotel: hotel.what,
    total: snark.total,
    remark: snark.remark,
  }));

export default system("party", { agents: [planner, flight, hotel, snark], routes: [trip] });
