/** @module A travel party: a model plans, two agents book at the same time, one sums up, and a second model comments. */
import { agent, model, openai, system, tool } from "troupe";
import { z } from "zod";
import { CityOffer, CityQuery, Planner, Snark } from "./contracts.ts";
import { cashier, flight, hotel, trip } from "./route.ts";
import { citiesFor } from "./world.ts";

const cities = tool("cities", {
  about: "Finds cities that fit a wish, the best first, with what the trip costs.",
  input: CityQuery,
  output: z.array(CityOffer),
  effect: "read",
  untrusted: false, // Our own list, with no text of strangers.
  run: citiesFor,
});
const planner = agent(Planner, model({ instructions: "Plan the trip: choose one of the cities that the tool finds.", tools: [cities] }));
const snark = agent(
  Snark,
  model({
    instructions: "You are a snarky travel critic. Ask the planner for the runner-up, and compare both cities in one or two sentences.",
    asks: [Planner],
  }),
);

export default system("party", {
  agents: [planner, flight, hotel, cashier, snark],
  routes: [trip],
  models: { critic: openai({ model: "gpt-5-mini" }) },
});
