/**
 * @module `simulate` with people and memories: the simulation answers the requests of a user's system, and what a faulty system does with
 * texts of strangers is found.
 */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, person, route, source, system, tool } from "../../agents/index.ts";
import { outside, simulate } from "../../simulation/simulate.ts";

const TIMEOUT_MS = 120_000;
const SEEDS = 80;
const Claim = z.object({ order: z.string(), amount: z.int() });
const Payer = contract("Payer", 1, { input: Claim, output: z.string() });
const Manager = person("Manager", { input: Claim, roles: ["manager"], deadlineMs: 20_000 });
const transfer = outside("transfer", (order: string, amount: number, key: string) => `${order} ${amount} ${key}`, {
  key: (_o, _a, key) => key,
});
const pay = tool("pay", {
  effect: "write",
  input: Claim,
  output: z.string(),
  approve: "input.amount > 100",
  approver: Manager,
  permission: "pay",
  run: ({ order, amount }, call) => transfer(order, amount, call.idempotencyKey),
});
const payer = agent(Payer, { tools: [pay], handle: (claim, ctx) => ctx.call(pay, claim) });
const claim = route("claim", 1, Claim)
  .to("pay", Payer, ({ task }) => task)
  .output(({ pay: paid }) => paid);
const desk = system("desk", { agents: [payer, Manager], routes: [claim] });
const principal = { subject: "ann", permissions: ["pay"] };
const tasks = [{ route: "claim", input: { order: "o-7", amount: 900 }, principal }];
type Calls = { readonly calls: readonly { readonly what: string }[] };
const paid = ({ calls }: Calls): string | undefined => (calls.some(({ what }) => what === "applied") ? "it was paid" : undefined);

test("people of a user's system answer, with all that goes wrong, and no law is broken", { timeout: TIMEOUT_MS }, async () => {
  expect(await simulate(desk, { tasks, seeds: SEEDS })).toEqual({ ok: true, runs: SEEDS });
});

test("where no one answers, nothing that needs a decision is done", { timeout: TIMEOUT_MS }, async () => {
  const asked = { tasks, seeds: SEEDS, invariants: { "nothing is paid": paid } };
  expect(await simulate(desk, { ...asked, people: "none" })).toEqual({ ok: true, runs: SEEDS });
  expect(await simulate(desk, { ...asked, people: "honest" })).toMatchObject({ ok: false, law: "invariant" });
});

test("a task that was not given the permission does nothing", { timeout: TIMEOUT_MS }, async () => {
  const small = [{ route: "claim", input: { order: "o-7", amount: 20 }, principal, permissions: [] }];
  expect(await simulate(desk, { tasks: small, seeds: SEEDS, invariants: { "nothing is paid": paid } })).toEqual({ ok: true, runs: SEEDS });
});

test("documents of a user's source vanish, and no law of memories is broken", { timeout: TIMEOUT_MS }, async () => {
  const texts: Readonly<Record<string, string>> = { a: "books are sent on mondays", b: "pens are sent on fridays" };
  const shelf = source("shelf", {
    everyMs: 2_000,
    list: () => Object.keys(texts).map((id) => ({ id, version: "1" })),
    read: (id) => texts[id],
  });
  const Reader = contract("Reader", 1, { input: z.object({ about: z.string() }), output: z.int() });
  const reader = agent(Reader, {
    memory: { sources: [shelf] },
    handle: async ({ about }, ctx) => {
      await ctx.sleep(5_000);
      return (await ctx.memory.recall({ text: about })).length;
    },
  });
  const read = route("read", 1, z.object({ about: z.string() }))
    .to("read", Reader, ({ task }) => task)
    .output(({ read: count }) => count);
  const library = system("library", { agents: [reader], routes: [read] });
  expect(await simulate(library, { tasks: [{ route: "read", input: { about: "sent" } }], seeds: SEEDS })).toEqual({
    ok: true,
    runs: SEEDS,
  });
});
