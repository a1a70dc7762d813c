/**
 * @module The law of budgets, under any order of replies, repetitions, losses, timeouts, asks, hand-offs and nested routes.
 *
 * A failing run prints its seed and the shortest failing inputs.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { addUsed, type Amounts, type Grant, isWithin, NOTHING_USED, totalSpent, usedOf } from "../../runtime/budget.ts";
import { budgetOf, leftOf, reservedOf, returning, usedInRun } from "../../runtime/process/account.ts";
import type { Call, RouteData, Slip, Stop } from "../../runtime/slip.ts";
import { BudgetTree } from "./budget-tree.ts";
import { call, one, slipOf } from "./process-rig.ts";

const RUNS = 80;
const STEPS_MIN = 20;
const STEPS_MAX = 100;

const budget: fc.Arbitrary<Grant> = fc.record(
  { tokens: fc.integer({ min: 0, max: 400 }), modelCalls: fc.integer({ min: 1, max: 12 }) },
  { requiredKeys: ["tokens"] },
);
const maybe = (of: fc.Arbitrary<Grant>): fc.Arbitrary<{ budget?: Grant }> =>
  fc.option(of, { nil: undefined }).map((value) => (value === undefined ? {} : { budget: value }));
const someCall = (agent: string): fc.Arbitrary<Call> =>
  fc
    .record({ optional: fc.boolean(), attemptsMax: fc.integer({ min: 1, max: 3 }), more: maybe(budget) })
    .map(({ optional, attemptsMax, more }) =>
      call(agent, { optional, timeoutMs: 5_000, retry: { attemptsMax, backoffMs: 0, backoffMsMax: 0, jitter: 0 }, ...more }),
    );
const nested = (route: string): fc.Arbitrary<Call> =>
  fc.boolean().map((optional) => call("A", { optional, target: { kind: "route", route }, timeoutMs: 20_000 }));
const stops: fc.Arbitrary<readonly Stop[]> = fc.tuple(
  someCall("A").map((made): Stop => ({ kind: "one", name: "s1", call: made })),
  fc.oneof(
    fc.tuple(someCall("B"), nested("inner")).map(([x, y]): Stop => ({ kind: "all", name: "s2", branches: { x, y } })),
    fc.tuple(someCall("A"), someCall("B")).map(([x, y]): Stop => ({ kind: "any", name: "s2", branches: { x, y } })),
    fc.oneof(someCall("C"), nested("inner")).map((made): Stop => ({
      kind: "forEach",
      name: "s2",
      over: { from: ["task"] },
      concurrency: 2,
      call: { ...made, input: { from: ["item"] } },
    })),
  ),
  fc.oneof(someCall("B"), nested("inner")).map((made): Stop => ({ kind: "one", name: "s3", call: made })),
);
const leaf = (more: { budget?: Grant }): RouteData => ({
  version: 1,
  stops: [one("c", { timeoutMs: 5_000 })],
  output: { literal: 1 },
  ...more,
});
const inner = (more: { budget?: Grant }, deep: boolean): RouteData => ({
  version: 1,
  stops: [
    one("a", { timeoutMs: 5_000 }),
    { kind: "one", name: "deep", call: deep ? call("A", { target: { kind: "route", route: "leaf" }, timeoutMs: 20_000 }) : call("B") },
  ],
  output: { literal: 1 },
  ...more,
});
const slip: fc.Arbitrary<Slip> = fc
  .record({ stops, whole: budget, inner: maybe(budget), leaf: maybe(budget), agent: maybe(budget), deep: fc.boolean() })
  .map((made) =>
    slipOf(made.stops, {
      budget: made.whole,
      routes: { inner: inner(made.inner, made.deep), leaf: leaf(made.leaf) },
      agents: {
        A: { asks: ["B", "C"], handsOffTo: ["B"], visitsMax: 3, stateful: false },
        B: { asks: ["C"], handsOffTo: ["C"], visitsMax: 3, stateful: false, ...made.agent },
        C: { stateful: false },
      },
    }),
  );

const step = fc.record({
  what: fc.constantFrom(
    "deliver",
    "deliver",
    "deliver",
    "deliver",
    "again",
    "spend",
    "spend",
    "output",
    "fault",
    "handOff",
    "ask",
    "more",
    "more",
    "time",
  ),
  pick: fc.nat(500),
  amount: fc.nat(150),
  ms: fc.constantFrom(1, 6_000, 17_000),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Applies one step. Messages before `delivered` were delivered once; they may be again. */
function apply(tree: BudgetTree, { what, pick, amount, ms }: Step, delivered: number): number {
  const { running, messages } = tree;
  const work = running[pick % Math.max(1, running.length)];
  if (what === "deliver" || what === "again") {
    // The next message, or any of those ever sent.
    const message = messages[what === "deliver" ? delivered : pick % Math.max(1, messages.length)];
    if (message !== undefined) tree.deliver(message);
    return what === "deliver" && message !== undefined ? delivered + 1 : delivered;
  }
  if (what === "time") tree.pass(ms);
  if (work === undefined) return delivered;
  if (what === "spend") tree.spend(work, amount);
  else if (what === "output") tree.end(work, { output: { json: pick } });
  else if (what === "fault") tree.end(work, { fault: { code: pick % 2 === 0 ? "agent.failed" : "agent.refused", message: "no" } });
  else if (what === "handOff") tree.end(work, { handOff: { agent: work.agent === "A" ? "B" : "C", input: { json: pick } } });
  else if (what === "ask")
    tree.wait(work, { kind: "agent", agent: work.agent === "A" && pick % 2 === 0 ? "B" : "C", input: { json: pick } });
  else if (what === "more")
    tree.wait(work, {
      kind: "budget",
      need: { tokens: usedOf(work.spent).tokens + amount, modelCalls: usedOf(work.spent).modelCalls + 1 },
    });
  return delivered;
}

/** For each process, what was spent and what is held are within its budget; and no handler waits for a grant that cannot come. */
function checkAccounts(tree: BudgetTree): void {
  for (const { state } of tree.processes.values()) {
    const isWaiting = Object.values(state.waits ?? {}).some((wait) => wait.for.kind === "budget");
    const mayCome = state.account?.request !== undefined || Object.values(returning(state)).some((amount) => amount > 0);
    if (isWaiting) expect(mayCome, `${state.id} waits for a grant that cannot come`).toBe(true);
    const limit = budgetOf(state);
    if (limit === undefined) continue;
    const sum: Amounts = addUsed(usedInRun(state), reservedOf(state));
    expect(isWithin({ tokens: sum.tokens, modelCalls: sum.modelCalls }, limit), `${state.id}: ${JSON.stringify({ sum, limit })}`).toBe(
      true,
    );
  }
  expect(tree.brokenLaw()).toBeUndefined();
}

test("law: what is spent and held never exceeds a budget, at no level of the tree, and all of it is counted at the end", () => {
  fc.assert(
    fc.property(slip, fc.array(step, { minLength: STEPS_MIN, maxLength: STEPS_MAX, size: "max" }), (made, steps) => {
      const tree = new BudgetTree(made, ["x", "y", "z"]);
      let delivered = 0;
      for (const one of steps) {
        delivered = apply(tree, one, delivered);
        checkAccounts(tree);
      }
      tree.drain();
      checkAccounts(tree);
      const { state } = tree.root;
      expect(state.phase).toBe("ended");
      expect(usedOf(totalSpent(state.outcome?.spent ?? {}))).toEqual(tree.used);
      expect(state.account?.holdings ?? {}).toEqual({});
      expect(leftOf(state)?.tokens, "what came back could be granted again").toBe(
        (made.routes["main"]?.budget?.tokens ?? 0) - tree.used.tokens,
      );
      expect(reservedOf(state)).toEqual(NOTHING_USED);
    }),
    { numRuns: RUNS },
  );
});
