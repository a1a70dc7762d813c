/**
 * @module Runs an order of five parcels, and one that is undone because its last parcel is too heavy.
 * `npm run node examples/06-nested/main.ts`
 */
import { type LocalOutcome, runLocal } from "troupe/testing";
import { z } from "zod";
import { benchReport } from "./bench.ts";
import parcels from "./system.ts";

const LIGHT_GRAMS = 1_500;
const HEAVY_GRAMS = 25_000;
const PARCELS_COUNT = 5;

const Shipped = z.object({ parcels: z.array(z.object({ label: z.string(), grams: z.int() })), note: z.string() });

function order(id: string, lastGrams: number): Promise<LocalOutcome> {
  const grams = [...Array.from({ length: PARCELS_COUNT - 1 }, () => LIGHT_GRAMS), lastGrams];
  const parcelList = grams.map((weight, index) => [{ name: `thing ${index + 1}`, grams: weight }]);
  return runLocal(parcels, "order", { customer: "Ann", to: "Graz", parcels: parcelList }, { id });
}

const count = ({ history }: LocalOutcome, what: string): number =>
  history.filter((line) => line.agent === "parcel" && line.what === what).length;

console.log("1. Five parcels");
const good = await order("order-1", LIGHT_GRAMS);
const { parcels: packed, note } = Shipped.parse(good.output);
console.log(`  ${good.status}: ${note}`);
for (const [index, { label, grams }] of packed.entries()) console.log(`  parcel ${index + 1}: ${label}, ${grams} g`);
const first = benchReport();
console.log(
  `  nested processes: ${count(good, "answered")}, at most on the bench at once: ${first.parcelsAtOnceMax}, labels: ${first.labels}`,
);

console.log("2. The last of five is too heavy");
const bad = await order("order-2", HEAVY_GRAMS);
console.log(`  ${bad.status}: ${bad.fault?.message}`);
const second = benchReport();
console.log(`  nested processes undone: ${count(bad, "undone")}, labels left: ${second.labels}`);
