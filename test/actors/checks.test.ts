/** @module Lines of the audit about checks: written before the act, once, and no act without them. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, tool, type System } from "../../agents/index.ts";
import type { Json } from "../../runtime/faults.ts";
import { flush } from "./engine-rig.ts";
import { gate, World } from "./world-rig.ts";

const In = z.object({ n: z.int() });
const Text = z.object({ text: z.string() });
const Doer = contract("Doer", 1, { input: In, output: Text });
const CALLER = { principal: { subject: "ann", tenant: "default", permissions: ["note"] } };
const TASK = { id: "p", route: "main", input: { n: 1 }, permissions: ["note"] };

function systemOf(made: (what: string) => void | Promise<void>): System {
  const read = tool("read", { input: In, output: Text, effect: "read", run: () => ({ text: "a page" }) });
  const note = tool("note", {
    input: Text,
    output: z.null(),
    effect: "write",
    permission: "note",
    run: async ({ text }) => {
      await made(text);
      return null;
    },
  });
  const grant = tool("grant", { input: In, output: z.null(), effect: "write", permission: "admin", run: () => null });
  const doer = agent(Doer, {
    tools: [read, note, grant],
    handle: async (input, ctx) => {
      const page = await ctx.call(read, input);
      await ctx.call(grant, input).catch(() => null);
      await ctx.call(note, page);
      return page;
    },
  });
  const main = route("main", 1, In)
    .to("doer", Doer, ({ task }) => task, { retry: { attemptsMax: 2, backoffMs: 1_000, jitter: 0 } })
    .output(({ doer: done }) => done);
  return system("sys", { agents: [doer], routes: [main] });
}

const ofLine = (line: Json): string => {
  const { who, what, target, verdict, why } = line as Readonly<Record<string, string>>;
  return [who, what, target, verdict, why].join(" | ");
};

describe("law: the check of a call stands in the audit before the call is made", () => {
  test("with who, what, which tool, the verdict, its rule and the origins; and what the agent may use", async () => {
    const world = new World();
    let before: string[] = [];
    const one = world.join(
      systemOf(async () => {
        before = (await one.operations.audit(undefined, 10, { process: "p" })).entries.map(ofLine);
      }),
      "one",
    );
    await one.operations.submit(TASK, CALLER, 0);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed" });
    const { entries } = await one.operations.audit(undefined, 10);
    expect(before.sort()).toEqual(entries.map(ofLine).sort());
    expect(before).toEqual([
      "ann | agent made | p | made | agent Doer made; with permissions it may use: note; it may not use: grant",
      "ann | call | p | allowed | tool note (write) of Doer allowed: permission note given to the task; derived from tool:read",
      "ann | call | p | refused | tool grant (write) of Doer refused: permission of the principal; derived from tool:read",
    ]);
    expect((await one.operations.audit(undefined, 10, { process: "other" })).entries).toEqual([]);
    expect((await one.operations.audit(undefined, 10, { what: "agent made" })).entries).toHaveLength(1);
  });

  test("an execution that begins again writes no line twice", async () => {
    const world = new World();
    const never = gate<void>();
    const one = world.join(
      systemOf(() => never.promise),
      "one",
    );
    const two = world.join(
      systemOf(() => undefined),
      "two",
    );
    await one.operations.submit(TASK, CALLER, 0);
    for (let round = 0; round < 20; round += 1) await flush();
    expect((await two.operations.audit(undefined, 10)).entries).toHaveLength(3);
    one.kill();
    await world.until(two, "p");
    expect((await two.operations.audit(undefined, 10)).entries).toHaveLength(3);
  });

  test("where it cannot be written no call is made, and the attempt is made again", async () => {
    const world = new World();
    const made: string[] = [];
    const one = world.join(
      systemOf((what) => void made.push(what)),
      "one",
    );
    let isDown = true;
    world.place = ({ type }) => {
      if (type === "sys.Audit" && isDown) throw new Error("no audit");
      return 0;
    };
    await one.operations.submit(TASK, CALLER, 0);
    for (let round = 0; round < 40; round += 1) {
      await flush();
      await world.clock.advance(500);
    }
    expect(made).toEqual([]);
    isDown = false;
    expect(await world.until(one, "p")).toMatchObject({ status: expect.stringMatching(/completed|failed/) });
    const { history } = await one.operations.process("p");
    expect(history.map(({ code }) => code)).toContain("audit.unavailable");
  });
});

test("a system without permissions, rules and untrusted text writes no line", async () => {
  const world = new World();
  const add = tool("add", { input: In, output: z.int(), effect: "write", run: ({ n }) => n });
  const doer = agent(Doer, { tools: [add], handle: async (input, ctx) => ({ text: String(await ctx.call(add, input)) }) });
  const made = system("sys", {
    agents: [doer],
    routes: [
      route("main", 1, In)
        .to("doer", Doer, ({ task }) => task)
        .output(({ doer: done }) => done),
    ],
  });
  const one = world.join(made, "one");
  await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
  expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { text: "1" } });
  expect((await one.operations.audit(undefined, 10)).entries).toEqual([]);
});
