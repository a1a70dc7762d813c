/** @module Decisions on facts that are no longer the newest: taken again where that is declared. Replays never give what is gone. */
import { describe, expect, test } from "vitest";
import { agent, route, system, type System, tool } from "../../agents/index.ts";
import { z } from "zod";
import { flush } from "./engine-rig.ts";
import { BY, derive, HANDBOOK, Question, Reader, Shelf } from "./sources-rig.ts";
import { gate, World } from "./world-rig.ts";

const MEMORY = "agent.Reader";

interface Bed {
  readonly world: World;
  readonly shelf: Shelf;
  /** What each execution of the handler had recalled. */
  readonly seen: string[];
  /** What the handler waits for, by execution. */
  wait: (execution: number) => Promise<unknown>;
  readonly member: ReturnType<World["join"]>;
  readonly system: System;
}

/** An agent that recalls its diet and the handbook's, waits, and answers with both. */
function bed(onStale: "list" | "again", use: "nothing" | "tool" | "step" = "nothing"): Bed {
  const shelf = new Shelf();
  const book = tool("book", { input: z.object({}), output: z.boolean(), effect: "read", run: () => true });
  const reader = agent(Reader, {
    memory: { facts: { scope: "agent", onStale }, sources: [shelf.source] },
    tools: [book],
    handle: async (_input, ctx) => {
      const found = await ctx.memory.recall({ key: "diet" });
      const text = found.map(({ value }) => String(value)).join("; ");
      const execution = made.seen.push(text);
      if (use === "tool") await ctx.call(book, {});
      await made.wait(execution);
      if (use === "step") await ctx.step("after", () => null);
      return { text };
    },
  });
  const main = route("main", 1, Question)
    .to("reader", Reader, ({ task }) => task)
    .output(({ reader: answer }) => answer);
  const world = new World();
  const built = system("sys", { agents: [reader], routes: [main] });
  const made: Bed = { world, shelf, seen: [], wait: async () => undefined, member: world.join(built, "one"), system: built };
  return made;
}

async function run({ world, member }: Bed, id = "t1"): Promise<Awaited<ReturnType<World["until"]>>> {
  await member.operations.submit({ id, route: "main", input: { text: "?" } }, BY, 0);
  return world.until(member, id);
}

describe("law: a decision on a version that is no longer the newest", () => {
  test("is taken again with the newest one where the agent declares it", async () => {
    const made = bed("again");
    await derive(made.member.host, MEMORY, "no nuts", [], { key: "diet" });
    made.wait = async (execution) => execution === 1 && derive(made.member.host, MEMORY, "no milk", [], { key: "diet" });
    expect((await run(made)).output).toEqual({ text: "no milk" });
    expect(made.seen).toEqual(["no nuts", "no milk"]);
  });

  test("stands where it is only listed, and where the work item has called a tool", async () => {
    for (const made of [bed("list"), bed("again", "tool")]) {
      await derive(made.member.host, MEMORY, "no nuts", [], { key: "diet" });
      made.wait = async () => derive(made.member.host, MEMORY, "no milk", [], { key: "diet" });
      expect((await run(made)).output).toEqual({ text: "no nuts" });
      expect(made.seen).toEqual(["no nuts"]);
    }
  });

  test("fails when it has become stale in each of its attempts", async () => {
    const made = bed("again");
    await derive(made.member.host, MEMORY, "no 0", [], { key: "diet" });
    made.wait = async (execution) => derive(made.member.host, MEMORY, `no ${execution}`, [], { key: "diet" });
    expect(await run(made)).toMatchObject({ status: "failed", fault: { code: "memory.stale" } });
    expect(made.seen).toEqual(["no 0", "no 1", "no 2"]);
  });

  test("is not taken again for a fact that it has not read", async () => {
    const made = bed("again");
    await derive(made.member.host, MEMORY, "no nuts", [], { key: "diet" });
    made.wait = async () => derive(made.member.host, MEMORY, "green", [], { key: "colour" });
    expect((await run(made)).output).toEqual({ text: "no nuts" });
    expect(made.seen.length).toBe(1);
  });
});

describe("law: a replay never gives what is gone", () => {
  test("a handler that is executed again on another host, after its document vanished, reads anew in its next attempt", async () => {
    const made = bed("list", "step");
    const { world, shelf, member } = made;
    shelf.set({ diet: "no nuts" });
    await member.host.sources.sync("handbook", "ann");
    const held = gate();
    made.wait = (execution) => (execution === 1 ? held.promise : Promise.resolve());
    await member.operations.submit({ id: "t1", route: "main", input: { text: "?" } }, BY, 0);
    for (let round = 0; made.seen.length === 0 && round < 100; round += 1) {
      await flush(20);
      await world.clock.advance(100);
    }
    expect(made.seen).toEqual(["no nuts"]);
    member.kill();
    const two = world.join(made.system, "two");
    shelf.documents.clear();
    expect(await two.host.sources.sync("handbook", "ann")).toMatchObject({ vanished: 1, readers: [{ processId: "t1" }] });
    expect((await world.until(two, "t1")).output).toEqual({ text: "" });
    expect(made.seen).toEqual(["no nuts", ""]);
  });

  test("a fact that is derived from one that vanished meanwhile is not written; the next attempt reads anew", async () => {
    const shelf = new Shelf();
    const seen: number[] = [];
    const reader = agent(Reader, {
      memory: { facts: { scope: "agent" }, sources: [shelf.source] },
      handle: async (_input, ctx) => {
        const found = await ctx.memory.recall({ key: "diet" });
        seen.push(found.length);
        if (seen.length === 1) {
          shelf.documents.clear();
          await member.host.sources.sync("handbook", "ann");
        }
        await ctx.memory.remember({ value: `remembered ${found.length}` });
        return { text: "done" };
      },
    });
    const main = route("main", 1, Question)
      .to("reader", Reader, ({ task }) => task)
      .output(({ reader: answer }) => answer);
    const world = new World();
    const member = world.join(system("sys", { agents: [reader], routes: [main] }), "one");
    shelf.set({ diet: "no nuts" });
    await member.host.sources.sync("handbook", "ann");
    await member.operations.submit({ id: "t1", route: "main", input: { text: "?" } }, BY, 0);
    expect((await world.until(member, "t1")).output).toEqual({ text: "done" });
    expect(seen).toEqual([1, 0]);
    const state = await member.host.memories.state(MEMORY);
    const facts = Object.values(state.facts).map(({ fact }) => fact);
    expect(await member.host.memories.contents(facts)).toMatchObject([{ value: "remembered 0" }]);
    expect(facts[0]?.parents).toEqual([]);
    expect(await member.host.memories.state(HANDBOOK)).toMatchObject({ facts: {} });
  });
});
