/** @module Example 15 on its script: a guest is known again, another one is not, and what is forgotten is in no prompt. */
import { expect, test } from "vitest";
import { startLocal } from "../../testing/index.ts";
import cafe from "../../examples/15-customer-memory/system.ts";
import { withScript } from "./scripted.ts";

test("15: a guest is known again, another is not, and after forgetting no request holds what was forgotten", async () => {
  const { outcome, requests } = await withScript("15-customer-memory", cafe, async (options) => {
    const local = startLocal(cafe, options);
    const say = async (guest: string, text: string): Promise<unknown> => (await local.run("visit", { guest, text })).output;
    await say("ann", "I am allergic to nuts.");
    const said = [await say("ann", "What can I eat?"), await say("bob", "What can I eat?")];
    const fact = (await local.memory.show("key.Waiter.ann")).facts.find(({ key }) => key === "allergy");
    await local.memory.forget("key.Waiter.ann", fact?.id ?? "");
    said.push(await say("ann", "What can I eat?"));
    await local.stop();
    return said;
  });
  expect(outcome).toEqual(["The plum cake. The guest is allergic to nuts.", "Anything you like.", "Anything you like."]);
  const after = requests.slice(-2).map(({ body }) => JSON.stringify(body));
  expect(after).toHaveLength(2);
  for (const body of after) expect(body).not.toMatch(/nuts/);
});
