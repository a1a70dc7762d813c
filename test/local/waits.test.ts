/** @module Pauses, signals and actors of single work items, in a system that runs in memory. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, remote, route, system } from "../../agents/index.ts";
import { runLocal, startLocal } from "../../testing/index.ts";

const Count = z.int();
const Worker = contract("Worker", 1, { input: Count, output: Count });
const Approval = z.object({ ok: z.boolean() });

/** An agent that counts how many of its handlers run at once. */
function crowd(parts: { readonly state?: boolean } = {}): { readonly most: () => number; readonly definition: ReturnType<typeof agent> } {
  let [now, most] = [0, 0];
  const handle = async (input: number): Promise<number> => {
    most = Math.max(most, ++now);
    await new Promise<void>((resolve) => setTimeout(resolve, 20));
    now -= 1;
    return input;
  };
  const definition = parts.state === true ? agent(Worker, { handle, state: { schema: Count, initial: 0 } }) : agent(Worker, { handle });
  return { most: () => most, definition };
}

const each = route("each", 1, z.array(Count))
  .forEach(
    "x",
    ({ task }) => task,
    (stop) => stop(Worker, ({ item }) => item),
    { concurrency: 16 },
  )
  .output(({ x }) => x);

test("items of one agent without state run side by side, up to their concurrency", async () => {
  const { most, definition } = crowd();
  const items = [...Array(16).keys()];
  const parallel = system("s", { agents: [definition], routes: [each] });
  expect(parallel.warnings).toEqual([]);
  expect(await runLocal(parallel, "each", items)).toMatchObject({ status: "completed", output: items });
  expect(most()).toBe(16);
});

test("items of one agent with state run in order, which its system says", async () => {
  const { most, definition } = crowd({ state: true });
  const ordered = system("s", { agents: [definition], routes: [each] });
  expect(ordered.warnings).toEqual([expect.stringMatching(/^route "each", stop "x": Worker has state and no key/)]);
  expect(await runLocal(ordered, "each", [1, 2, 3])).toMatchObject({ output: [1, 2, 3] });
  expect(most()).toBe(1);
});

test("a remote agent says whether it has state", () => {
  const both = route("both", 1, Count)
    .all((stop) => ({ a: stop(Worker, ({ task }) => task), b: stop(Worker, ({ task }) => task) }))
    .output(({ a, b }) => [a, b]);
  expect(system("s", { agents: [], remote: [Worker], routes: [both] }).warnings).toEqual([]);
  expect(system("s", { agents: [], remote: [remote(Worker, { stateful: true })], routes: [both] }).warnings).toHaveLength(1);
});

test("a ring of asks among agents without state is refused by name, unless the one that is asked again allows visits", async () => {
  const A = contract("A", 1, { input: Count, output: Count });
  const B = contract("B", 1, { input: Count, output: Count });
  const made = (visits: { readonly a?: number; readonly b?: number }): ReturnType<typeof system> => {
    const a = agent(A, { asks: [B], visitsMax: visits.a, handle: (n, ctx) => (n === 0 ? 0 : ctx.ask(B, n - 1)) });
    const b = agent(B, { asks: [A], visitsMax: visits.b, handle: (n, ctx) => (n === 0 ? 0 : ctx.ask(A, n - 1)) });
    const r = route("r", 1, Count)
      .to("a", A, ({ task }) => task)
      .output(({ a: found }) => found);
    return system("s", { agents: [a, b], routes: [r] });
  };
  expect(await runLocal(made({ b: 3 }), "r", 3)).toMatchObject({ fault: { code: "cycle.ask-ring", message: /A -> B -> A/ } });
  expect(await runLocal(made({ a: 3, b: 3 }), "r", 4)).toMatchObject({ status: "completed", output: 0 });
  expect(await runLocal(made({ a: 2, b: 9 }), "r", 9)).toMatchObject({ fault: { code: "cycle.visits" } });
});

test("a pause, and a signal that came before its wait", async () => {
  const { definition } = crowd();
  const trip = route("trip", 1, Count)
    .to("a", Worker, ({ task }) => task)
    .sleep("nap", 3_600_000 / 2)
    .sleep("asLong", ({ task }) => task)
    .waitFor("approval", Approval)
    .output(({ approval, nap }) => ({ ok: approval.ok, nap }));
  const local = startLocal(system("s", { agents: [definition], routes: [trip] }));
  const outcome = local.run("trip", 7, { id: "t" });
  // No time passes while a signal is on its way, so it comes before its wait.
  for (let isTaken = false; !isTaken;)
    isTaken = await local.signal("t", "approval", { ok: true }, "one").then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ code: "process.unknown" });
        return false;
      },
    );
  expect(await outcome).toMatchObject({ status: "completed", output: { ok: true, nap: null } });
  await expect(local.signal("t", "approval", { ok: true })).rejects.toMatchObject({ code: "process.ended" });
  await local.stop();
});

test("an approval that does not come in time, beside one that may be left out", async () => {
  const late = route("late", 1, Count)
    .any("first", (stop) => ({ approval: stop.waitFor("approval", Approval, { timeoutMs: 1_000 }), enough: stop.sleep(60_000) }))
    .waitFor("more", Approval, { timeoutMs: 1_000, optional: true })
    .output(({ first, more }) => ({ first, more }));
  const outcome = await runLocal(system("s", { agents: [], routes: [late] }), "late", 1);
  expect(outcome).toMatchObject({ status: "partial", output: { first: null, more: null } });
});

test("a handler sleeps for longer than its attempt may take, and waits for a signal", async () => {
  const Desk = contract("Desk", 1, { input: Count, output: Approval });
  let begun = 0;
  const desk = agent(Desk, {
    handle: async (_n, ctx) => {
      begun += 1;
      await ctx.sleep(600_000);
      return ctx.waitFor("approval", Approval);
    },
  });
  const ask = route("ask", 1, Count, { timeoutMs: 5_000 })
    .to("desk", Desk, ({ task }) => task)
    .output(({ desk: said }) => said);
  expect(ask.data.stops).toMatchObject([{ call: { timeoutMs: 5_000 } }]);
  const local = startLocal(system("s", { agents: [desk], routes: [ask] }));
  const outcome = local.run("ask", 1, { id: "t" });
  for (let isTaken = false; !isTaken;)
    isTaken = await local.signal("t", "approval", { ok: true }).then(
      () => true,
      () => false,
    );
  expect(await outcome).toMatchObject({ status: "completed", output: { ok: true } });
  expect(begun).toBe(1);
  await local.stop();
});
