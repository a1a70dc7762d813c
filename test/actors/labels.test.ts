/** @module Labels of executions: the same after a crash, and of what a handler had received when it made a call. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, tool } from "../../agents/index.ts";
import type { RuntimeContext } from "../../agents/context.ts";
import type { System } from "../../agents/system.ts";
import { withFakes } from "../../testing/fakes.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

const In = z.object({ n: z.int() });
const Text = z.object({ text: z.string() });
const Doer = contract("Doer", 1, { input: In, output: Text });
const Helper = contract("Helper", 1, { input: In, output: Text });
const web = tool("web", { input: In, output: Text, effect: "read", run: () => ({ text: "web" }) });
const mail = tool("mail", { input: In, output: Text, effect: "read", run: () => ({ text: "mail" }) });
const broken = tool("broken", {
  input: In,
  output: Text,
  effect: "read",
  run: () => {
    throw new Error("a text from outside");
  },
});

function systemOf(handle: (context: RuntimeContext) => Promise<unknown>): System {
  const doer = agent(Doer, { tools: [web, mail, broken], asks: [Helper], handle: () => ({ text: "" }) });
  const helper = agent(Helper, { tools: [mail], handle: (input, ctx) => ctx.call(mail, input) });
  const main = route("main", 1, In)
    .to("doer", Doer, ({ task }) => task)
    .output(({ doer: done }) => done);
  const made = system("sys", { agents: [doer, helper], routes: [main] });
  return withFakes(made, { Doer: (_input, context) => handle(context) });
}

test("an execution on another host has the same label at each point: after outputs, faults and answers", async () => {
  const world = new World();
  const never = gate<object>();
  const seen: Record<string, (readonly string[])[]> = { one: [], two: [] };
  const handler = (name: "one" | "two") => async (context: RuntimeContext) => {
    const note = (): void => void seen[name]?.push(context.label);
    note();
    await context.call(web, { n: 1 });
    note();
    await context.call(broken, { n: 1 }).catch(() => undefined);
    note();
    await context.ask(Helper, { n: 1 });
    note();
    return name === "one" ? never.promise : { text: "done" };
  };
  const one = world.join(systemOf(handler("one")), "one");
  const two = world.join(systemOf(handler("two")), "two");
  await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
  for (let round = 0; round < 20; round += 1) await flush();
  one.kill();
  expect(await world.until(two, "p")).toMatchObject({ label: ["tool:broken", "tool:mail", "tool:web"] });
  expect(seen["one"]).toEqual([[], ["tool:web"], ["tool:broken", "tool:web"], ["tool:broken", "tool:mail", "tool:web"]]);
  expect(seen["two"]).toEqual(seen["one"]);
});
