/** @module The route of the travel party, and the agents that need no model: two book, and one sums up. */
import { agent, Fault, route, tool } from "troupe";
import { Booking, Cashier, Counted, Flight, Hotel, Offer, Planner, Snark, Trip } from "./contracts.ts";
import { cancel, reserve } from "./desk.ts";
import { flightTo, hotelIn } from "./world.ts";

/** A model may take its time, and may have to be asked again. */
const MODEL_MS = 300_000;

const book = tool("book", { input: Offer, output: Booking, effect: "write", run: reserve, undo: cancel });
export const flight = agent(Flight, { tools: [book], handle: (query, ctx) => ctx.call(book, flightTo(query)) });
export const hotel = agent(Hotel, { tools: [book], handle: (query, ctx) => ctx.call(book, hotelIn(query)) });
export const cashier = agent(Cashier, {
  state: { schema: Counted, initial: { trips: 0 } },
  handle: ({ budget, city, flight, hotel }, ctx) => {
    const total = flight.price + hotel.price;
    if (total > budget) throw new Fault("agent.refused", `${city} costs ${total}, but the budget is ${budget}`);
    const tripsBefore = ctx.state.trips;
    ctx.setState({ trips: tripsBefore + 1 });
    return { total, tripsBefore };
  },
});

export const trip = route("trip", 1, Trip, { timeoutMs: MODEL_MS })
  .to("plan", Planner, ({ task }) => ({ trip: task, except: [] }))
  .all((stop) => ({
    flight: stop(Flight, ({ plan }) => ({ to: plan.airport })),
    hotel: stop(Hotel, ({ plan }) => ({ city: plan.city, nights: plan.nights })),
  }))
  .to("bill", Cashier, ({ task, plan, flight, hotel }) => ({ budget: task.budget, city: plan.city, flight, hotel }))
  .to("snark", Snark, ({ task, plan, bill }) => ({ trip: task, plan, total: bill.total, tripsBefore: bill.tripsBefore }))
  .output(({ plan, flight, hotel, bill, snark }) => ({
    city: plan.city,
    because: plan.reason,
    flight: flight.what,
    hotel: hotel.what,
    total: bill.total,
    remark: snark.remark,
  }));
