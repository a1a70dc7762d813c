/** @module A process that moves from one living host to another: what they count, and that its work runs once. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system } from "../../agents/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

const In = z.object({ n: z.int() });
const Doer = contract("Doer", 1, { input: In, output: In });

/** Two hosts, and a process that is open at the first and waits for an answer. */
async function open(): Promise<{
  readonly world: World;
  readonly hosts: readonly [ReturnType<World["join"]>, ReturnType<World["join"]>];
  readonly answer: ReturnType<typeof gate<number>>;
  readonly ran: number[];
}> {
  const world = new World();
  const answer = gate<number>();
  const ran: number[] = [];
  const doer = agent(Doer, {
    handle: async ({ n }) => {
      ran.push(n);
      return { n: await answer.promise };
    },
  });
  const main = route("main", 1, In)
    .to("doer", Doer, ({ task }) => task)
    .output(({ doer: done }) => done);
  const party = system("sys", { agents: [doer], routes: [main] });
  const hosts = [world.join(party, "one"), world.join(party, "two")] as const;
  await hosts[0].operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
  await flush();
  return { world, hosts, answer, ran };
}

test("two hosts that both have a process run its work once, end it once, and count it no more", async () => {
  const {
    world,
    hosts: [one, two],
    answer,
    ran,
  } = await open();
  // The first host never hears that the process has moved. As long as it lives, a nudge takes nothing from it.
  world.place = (actor) => (actor.type === "sys.ProcessManager" ? 1 : 0);
  await two.host.nudge({ type: "sys.ProcessManager", id: "p" }, undefined);
  expect([one.host.processes.openCount, two.host.processes.openCount]).toEqual([1, 0]);
  answer.open(2);
  expect(await world.until(two, "p")).toMatchObject({ status: "completed", output: { n: 2 } });
  expect([one.host.processes.openCount, two.host.processes.openCount]).toEqual([1, 0]);
  // Its own timer finds the end; the reminder that it had set is removed again.
  await world.clock.advance(LIMITS.stopTimeoutMsDefault);
  await world.clock.advance(LIMITS.askAgainMs);
  expect([one.host.processes.openCount, two.host.processes.openCount, ran, world.reminders.size]).toEqual([0, 0, [1], 0]);
});
