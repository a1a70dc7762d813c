/** @module Sells a lamp and a piano without Dapr, and prints what became of both. `npm run node examples/00-shop/main.ts` */
import { runLocal } from "troupe/testing";
import shop from "./system.ts";

for (const item of ["lamp", "piano"]) {
  const { status, output, fault } = await runLocal(shop, "sale", { item, cents: 5_900 }, { id: item });
  console.log(`${item}: ${status}, ${fault === undefined ? JSON.stringify(output) : fault.message}`);
}
