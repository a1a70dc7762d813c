/** @module The world of the travel party: twelve cities and some jokes from a file. It uses no randomness. */
import { readFileSync } from "node:fs";
import { Fault, type InputOf } from "troupe";
import { z } from "zod";
import type { Flight, Hotel, Offer, Plan, Trip } from "./contracts.ts";

const City = z.strictObject({
  name: z.string(),
  country: z.string(),
  theme: z.string(),
  /** Words of a wish that match this city. */
  words: z.array(z.string()),
  flight: z.strictObject({ airport: z.string(), number: z.string(), price: z.int() }),
  hotel: z.strictObject({ name: z.string(), price: z.int() }),
});
type City = z.infer<typeof City>;

const World = z.strictObject({ cities: z.array(City).min(2), jokes: z.record(z.string(), z.array(z.string()).min(1)) });
const world = World.parse(JSON.parse(readFileSync(new URL("data.json", import.meta.url), "utf8")));

/** Returns the city that matches most words of the wish, except the excluded ones; among equals the cheaper one. */
export function planFor(trip: Trip, except: readonly string[]): Plan {
  const words: readonly string[] = trip.wish.toLowerCase().match(/\p{L}+/gu) ?? [];
  const nights = trip.days - 1;
  const ranked = world.cities
    .filter((city) => !except.includes(city.name))
    .map((city) => ({
      city,
      matched: city.words.filter((word) => words.includes(word)),
      cost: city.flight.price + nights * city.hotel.price,
    }))
    .sort((a, b) => b.matched.length - a.matched.length || a.cost - b.cost);
  const best = ranked[0];
  if (best === undefined) throw new Fault("agent.refused", "no city is left");
  const { name, country, theme, flight } = best.city;
  const reason = best.matched.length === 0 ? "no word of the wish fits any city, so the cheapest one" : `it has ${best.matched.join(", ")}`;
  return { city: name, country, airport: flight.airport, theme, nights, reason };
}

/** Returns the flight to an airport and back. */
export function flightTo(query: InputOf<typeof Flight>): Offer {
  const { flight } = find((city) => city.flight.airport === query.to, query.to);
  return { what: `${flight.number} to ${flight.airport} and back`, price: flight.price };
}

/** Returns the hotel of a city for a number of nights. */
export function hotelIn(query: InputOf<typeof Hotel>): Offer {
  const { hotel } = find((city) => city.name === query.city, query.city);
  return { what: `${hotel.name}, ${query.nights} ${query.nights === 1 ? "night" : "nights"}`, price: query.nights * hotel.price };
}

/** Returns the next joke of a theme; after the last one the first one again. */
export function jokeAbout(plan: Plan, other: Plan, told: number): string {
  const jokes = world.jokes[plan.theme] ?? [];
  const joke = jokes[told % jokes.length] ?? "No comment.";
  return joke.replaceAll("{city}", plan.city).replaceAll("{other}", other.city);
}

function find(wanted: (city: City) => boolean, name: string): City {
  const city = world.cities.find(wanted);
  if (city === undefined) throw new Fault("agent.refused", `no city is named ${name}`);
  return city;
}
