/** @module The same travel party without a model: the same route and contracts, the planner and the critic are plain code. */
import { agent, system } from "troupe";
import { Planner, Snark } from "./contracts.ts";
import { cashier, flight, hotel, trip } from "./route.ts";
import { citiesFor } from "./world.ts";

const planner = agent(Planner, {
  handle: ({ trip: { wish, days }, except }) => {
    const [{ price: _price, ...plan }] = citiesFor({ wish, days, except });
    return plan;
  },
});
const snark = agent(Snark, {
  asks: [Planner],
  handle: async ({ trip: wanted, plan }, ctx) => {
    const other = await ctx.ask(Planner, { trip: wanted, except: [plan.city] });
    return { runnerUp: other.city, remark: `${plan.city} is not ${other.city}.` };
  },
});

export default system("party", { agents: [planner, flight, hotel, cashier, snark], routes: [trip] });
