/** @module A plan that failed: its dead letter is redriven, with another input too, and the same plan runs again. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, Fault, plannedRoute, route, system } from "../../agents/index.ts";
import { ADA, settle } from "./dead-letters-rig.ts";
import { CALLER, World } from "./world-rig.ts";

const In = z.strictObject({ n: z.int() });
const Worker = contract("Worker", 1, { input: In, output: z.string() });

/** A process whose plan failed in its second stop. */
async function failed() {
  let isClosed = true;
  const ran: string[] = [];
  const steps = plannedRoute("steps", 1, { task: In, output: z.string(), agents: [Worker] });
  const Answer = contract("Planner", 1, { input: In, output: steps.schema });
  const main = route("main", 1, In)
    .to("plan", Answer, ({ task }) => task)
    .plan(
      "steps",
      steps,
      ({ plan }) => plan,
      ({ task }) => task,
    )
    .output(({ steps: done }) => done);
  const world = new World();
  const one = world.join(
    system("sys", {
      agents: [
        agent(Answer, {
          handle: () => {
            ran.push("plan");
            const stops = ["a", "b"].map((name) => ({ name, run: "Worker", input: { from: ["task"] } }));
            return { stops, output: { from: ["b"] } };
          },
        }),
        agent(Worker, {
          handle: ({ n }) => {
            ran.push(`work ${n}`);
            if (isClosed && ran.length > 2) throw new Fault("agent.refused", "not today");
            return `done ${n}`;
          },
        }),
      ],
      routes: [main],
    }),
    "one",
  );
  await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
  expect(await world.until(one, "p")).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
  await settle(world);
  expect(ran).toEqual(["plan", "work 1", "work 1"]);
  ran.length = 0;
  isClosed = false;
  return { world, one, ran };
}

test("a redrive runs the same plan, and does not ask the planner again", async () => {
  const { world, one, ran } = await failed();
  await one.operations.redrive("p:1", {}, ADA);
  expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: "done 1" });
  expect(ran).toEqual(["work 1", "work 1"]);
});

test("an edited input is checked with the schema of the planned route, and reaches its stops", async () => {
  const { world, one, ran } = await failed();
  await expect(one.operations.redrive("p:1", { input: { n: "7" } }, ADA)).rejects.toMatchObject({ code: "schema.task" });
  await one.operations.redrive("p:1", { input: { n: 7 } }, ADA);
  expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: "done 7" });
  expect(ran).toEqual(["work 7", "work 7"]);
});
