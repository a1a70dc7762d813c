/** @module The world of the travel party: twelve cities from a file. It uses no randomness. */
import { readFileSync } from "node:fs";
import { Fault, type InputOf } from "troupe";
import { z } from "zod";
import type { CityOffer, CityQuery, Flight, Hotel, Offer } from "./contracts.ts";

const OFFERS_MAX = 3;

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

const World = z.strictObject({ cities: z.array(City).min(2) });
const world = World.parse(JSON.parse(readFileSync(new URL("data.json", import.meta.url), "utf8")));

/** Returns the cities that match most words of a wish, except the excluded ones; among equals the cheaper one first. */
export function citiesFor({ wish, days, except }: CityQuery): [CityOffer, ...CityOffer[]] {
  const words: readonly string[] = wish.toLowerCase().match(/\p{L}+/gu) ?? [];
  const nights = days - 1;
  const found = world.cities
    .filter(({ name }) => !except.includes(name))
    .map(({ name, country, theme, words: own, flight, hotel }) => {
      const matched = own.filter((word) => words.includes(word));
      const reason = matched.length === 0 ? "no word of the wish fits any city, so the cheapest one" : `it has ${matched.join(", ")}`;
      const price = flight.price + nights * hotel.price;
      return { matched: matched.length, offer: { city: name, country, airport: flight.airport, theme, nights, price, reason } };
    })
    .sort((a, b) => b.matched - a.matched || a.offer.price - b.offer.price)
    .map(({ offer }) => offer);
  const [first, ...others] = found.slice(0, OFFERS_MAX);
  if (first === undefined) throw new Fault("agent.refused", "no city is left");
  return [first, ...others];
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

function find(wanted: (city: City) => boolean, name: string): City {
  const city = world.cities.find(wanted);
  if (city === undefined) throw new Fault("agent.refused", `no city is named ${name}`);
  return city;
}
