/** @module A guest tells something, comes back, and wants it forgotten. `npm run node examples/15-customer-memory/main.ts` */
import { startLocal } from "troupe/testing";
import { scriptWithoutKey } from "../scripted.ts";
import system from "./system.ts";

const MEMORY = "key.Waiter.ann";

const stop = await scriptWithoutKey("15-customer-memory");
const cafe = startLocal(system);

async function says(guest: string, text: string): Promise<void> {
  const { status, output, fault } = await cafe.run("visit", { guest, text });
  console.log(
    `${guest}: ${text}\n  ${fault === undefined ? `${status}: ${String(output)}` : `${status}, ${fault.code}: ${fault.message}`}`,
  );
}

await says("ann", "I am allergic to nuts.");
await says("ann", "What can I eat?");
await says("bob", "What can I eat?");
await says("ann", "Please forget my allergy.");

// What `troupe memory forget` does: the fact, the turns in which it was told and used, and who had read it.
for (const { id, key, value } of (await cafe.memory.show(MEMORY)).facts.filter((fact) => fact.kind === "fact")) {
  console.log(`remembered: ${key ?? id}: ${JSON.stringify(value)}`);
  const { facts, readers } = await cafe.memory.forget(MEMORY, id);
  console.log(`forgotten: ${facts.length} entries; read by ${new Set(readers.map(({ processId }) => processId)).size} tasks`);
}
const left = await cafe.memory.show(MEMORY);
console.log(`left of it: ${JSON.stringify(left.facts).includes("nuts") ? "something" : "nothing"}`);

await says("ann", "What can I eat?");
await cafe.stop();
await stop();
