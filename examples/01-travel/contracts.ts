/** @module The contracts of the travel party's agents: what they take and return, apart from their code. */
import { contract } from "troupe";
import { z } from "zod";

const DAYS_MAX = 30;
const EURO_MAX = 100_000;
const TEXT_CHARS_MAX = 2_000;

const Euro = z.int().min(0).max(EURO_MAX);

/** The task: a wish in plain words, the number of days, and the budget in euro. */
export const Trip = z.object({ wish: z.string().min(1).max(TEXT_CHARS_MAX), days: z.int().min(2).max(DAYS_MAX), budget: Euro });
export type Trip = z.infer<typeof Trip>;

const Plan = z.object({
  city: z.string(),
  country: z.string(),
  airport: z.string(),
  theme: z.string(),
  nights: z.int(),
  reason: z.string(),
});

const FlightQuery = z.object({ to: z.string() });
const HotelQuery = z.object({ city: z.string(), nights: z.int() });

/** What can be reserved, and its price. */
export const Offer = z.object({ what: z.string(), price: Euro });
export type Offer = z.infer<typeof Offer>;
export const Booking = z.object({ what: z.string(), price: Euro, code: z.string() });
export type Booking = z.infer<typeof Booking>;

/** What CashierAgent remembers over all tasks. */
export const Counted = z.object({ trips: z.int() });

/** What the tool of PlannerAgent takes and returns: cities that fit a wish, the best first. */
export const CityQuery = z.object({ wish: z.string(), days: z.int(), except: z.array(z.string()) });
export type CityQuery = z.infer<typeof CityQuery>;
export const CityOffer = Plan.extend({ price: Euro });
export type CityOffer = z.infer<typeof CityOffer>;

export const Planner = contract("PlannerAgent", 1, { input: z.object({ trip: Trip, except: z.array(z.string()) }), output: Plan });
export const Flight = contract("FlightAgent", 1, { input: FlightQuery, output: Booking });
export const Hotel = contract("HotelAgent", 1, { input: HotelQuery, output: Booking });
/** One actor for all tasks, so that all tasks share one memory. */
export const Cashier = contract("CashierAgent", 1, {
  input: z.object({ budget: Euro, city: z.string(), flight: Booking, hotel: Booking }),
  output: z.object({ total: Euro, tripsBefore: z.int() }),
  key: () => "one",
});
export const Snark = contract("SnarkAgent", 1, {
  input: z.object({ trip: Trip, plan: Plan, total: Euro, tripsBefore: z.int() }),
  output: z.object({ runnerUp: z.string(), remark: z.string() }),
});
