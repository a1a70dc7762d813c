/** @module A decision counts only for the input whose hash it names, also if the message with it was changed on its way. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, tool } from "../../agents/index.ts";
import type { Message } from "../../runtime/protocol.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, World } from "./world-rig.ts";

const Doer = contract("Doer", 1, { input: z.int(), output: z.int() });

/** Runs a task whose consent is approved. `onTheWay` may change the answer to the handler. */
async function decided(
  onTheWay: (verdict: Record<string, unknown>) => void,
): Promise<{ readonly outcome: unknown; readonly paid: number[] }> {
  const paid: number[] = [];
  const pay = tool("pay", {
    input: z.int(),
    output: z.int(),
    effect: "write",
    approve: "true",
    run: (amount) => (paid.push(amount), amount),
  });
  const doer = agent(Doer, { tools: [pay], handle: (amount, ctx) => ctx.call(pay, amount) });
  const main = route("main", 1, z.int())
    .to("doer", Doer, ({ task }) => task)
    .output(({ doer: done }) => done);
  const world = new World();
  world.heard = ({ body }: Message) => {
    if (body.kind === "answer" && "output" in body.result && "json" in body.result.output)
      onTheWay(body.result.output.json as Record<string, unknown>);
  };
  const member = world.join(system("sys", { agents: [doer], routes: [main] }), "one");
  await member.operations.submit({ id: "p", route: "main", input: 5 }, CALLER, 0);
  await flush(50);
  const { id, hash } = await member.operations.request("p.r1");
  await member.operations.decide(id, { do: "approve", hash }, CALLER);
  return { outcome: await world.until(member, "p"), paid };
}

test("an approval runs the call that was shown", async () => {
  expect(await decided(() => {})).toMatchObject({ outcome: { status: "completed", output: 5 }, paid: [5] });
});

test("an approval of another hash runs nothing", async () => {
  const { outcome, paid } = await decided((verdict) => {
    verdict["hash"] = "0".repeat(64);
  });
  expect(outcome).toMatchObject({ status: "failed", fault: { code: "person.changed" } });
  expect(paid).toEqual([]);
});

test("an edit that no person could make does not pass the tool's schema", async () => {
  const { outcome, paid } = await decided((verdict) => {
    Object.assign(verdict, { verdict: "edited", input: "all of it" });
  });
  expect(outcome).toMatchObject({ status: "failed", fault: { code: "schema.tool-input" } });
  expect(paid).toEqual([]);
});
