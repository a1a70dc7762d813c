/** @module Cancellation of handlers that hang: an execution that never began a step has nothing to undo, and delays nothing. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, tool } from "../../agents/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

const In = z.object({ n: z.int() });
const Doer = contract("Doer", 1, { input: In, output: In });

/** A process whose only handler has begun and was then cancelled. */
async function cancelled(doing: ReturnType<typeof agent>): Promise<{ readonly world: World; readonly one: ReturnType<World["join"]> }> {
  const world = new World();
  const main = route("main", 1, In)
    .to("doer", Doer, ({ task }) => task)
    .output(({ doer }) => doer);
  const one = world.join(system("sys", { agents: [doing], routes: [main] }), "one");
  await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
  await flush();
  await one.operations.cancel("p", "enough", CALLER);
  return { world, one };
}

test(
  "a handler that hangs and never began a step is not run again: the process ends when its grace is over, " +
    "and its late result is refused",
  async () => {
    const late = gate<number>();
    let begun = 0;
    const { world, one } = await cancelled(
      agent(Doer, {
        handle: async () => {
          begun += 1;
          return { n: await late.promise };
        },
      }),
    );
    expect(await world.until(one, "p", LIMITS.stopGraceMs + 2 * LIMITS.askAgainMs)).toMatchObject({ status: "cancelled" });
    late.open(1);
    await world.clock.advance(2 * LIMITS.askAgainMs);
    expect(await one.operations.process("p")).toMatchObject({ phase: "ended", outcome: { status: "cancelled" } });
    expect([begun, world.reminders.size]).toEqual([1, 0]);
  },
);

test("one that obeys its signal ends the process at once", async () => {
  let begun = 0;
  const { world, one } = await cancelled(
    agent(Doer, {
      handle: (_input, ctx) => {
        begun += 1;
        return new Promise((_resolve, reject) => ctx.signal.addEventListener("abort", () => reject(new Error("stopped"))));
      },
    }),
  );
  expect(await world.until(one, "p", LIMITS.askAgainMs)).toMatchObject({ status: "cancelled" });
  expect(begun).toBe(1);
});

test("one that hangs in a call may have had its effect: it is undone by its key, and the handler is not run again", async () => {
  const undone: string[] = [];
  let begun = 0;
  const charge = tool("charge", {
    effect: "write",
    input: z.null(),
    output: z.null(),
    run: () => new Promise<null>(() => {}),
    undo: (_input, _output, call) => void undone.push(call.idempotencyKey),
  });
  const { world, one } = await cancelled(
    agent(Doer, {
      tools: [charge],
      handle: async (input, ctx) => {
        begun += 1;
        await ctx.call(charge, null);
        return input;
      },
    }),
  );
  expect(await world.until(one, "p", LIMITS.stopGraceMs + 2 * LIMITS.askAgainMs)).toMatchObject({ status: "cancelled" });
  expect(undone).toEqual([expect.stringMatching(/^p:1:doer:0:1\/charge\/[0-9a-f]{16}\/0$/)]);
  expect(begun).toBe(1);
});
