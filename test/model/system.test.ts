/** @module Model agents in a system that runs in memory: recorded, compensated, bounded, and swapped for plain code and back. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, type AgentDefinition, contract, Fault, isFault, model, route, system, tool, type ToolCall } from "../../agents/index.ts";
import { fake, fakeModel, type FakeReply, runLocal, type RunLocalOptions } from "../../testing/index.ts";

const Claim = z.object({ order: z.string() });
const Note = z.object({ note: z.string() });
const Refunds = contract("Refunds", 1, { about: "Refunds a claim.", input: Claim, output: Note });
const Writer = contract("Writer", 1, { about: "Writes to the customer.", input: Note, output: z.string() });
const Support = contract("Support", 1, { about: "Helps in all other cases.", input: Claim, output: Note });

const desk = route("desk", 1, Claim)
  .to("refund", Refunds, ({ task }) => task, { retry: { attemptsMax: 2, backoffMs: 1 } })
  .to("letter", Writer, ({ refund }) => refund, { retry: { attemptsMax: 1 } })
  .output(({ letter }) => letter);

const CLAIM = { order: "o-1" };
const answered = (value: unknown): FakeReply => ({ text: JSON.stringify(value) });
const called = (...calls: readonly (readonly [name: string, given: object])[]): FakeReply => ({
  calls: calls.map(([name, given]) => ({ name, arguments: given as never })),
});

interface World {
  readonly log: string[];
  readonly refunds: AgentDefinition;
}

/** An agent with a tool that logs what it does; `pay` decides how a call ends. */
function world(options: { readonly pay?: (count: number) => string; readonly budget?: object } = {}): World {
  const log: string[] = [];
  let count = 0;
  const refund = tool("refund", {
    input: Claim,
    output: z.string(),
    effect: "write",
    run: ({ order }, { idempotencyKey }) => {
      count += 1;
      log.push(`refund ${order} ${idempotencyKey.slice(-6)}`);
      return options.pay?.(count) ?? "paid";
    },
    undo: ({ order }) => void log.push(`undo ${order}`),
  });
  const refunds = agent(
    Refunds,
    model({ instructions: "Refund.", tools: [refund], asks: [Writer], handsOffTo: [Support], budget: options.budget, callsMax: 6 }),
  );
  return { log, refunds };
}

const writer = agent(Writer, { handle: ({ note }) => `Dear customer: ${note}` });
const support = agent(Support, { handle: ({ order }) => ({ note: `support took ${order}` }) });

/** Runs a claim with a script as its model. */
async function run({ refunds }: World, script: readonly (FakeReply | Fault)[], more: Pick<RunLocalOptions, "fakes"> = {}) {
  let count = 0;
  const endpoint = fakeModel(() => {
    const next = script[(count += 1) - 1];
    if (next === undefined) throw new Fault("model.rejected", `the script has no reply ${count}`);
    if (next instanceof Fault) throw next;
    return next;
  });
  const party = system("party", { agents: [refunds, writer, support], routes: [desk], models: { fast: endpoint } });
  const outcome = await runLocal(party, desk, CLAIM, more);
  return { outcome, bought: count };
}

test("a plain agent is swapped for a model agent and back, and the route stays as it is", async () => {
  const plain = agent(Refunds, { handle: ({ order }) => ({ note: `${order} refunded` }) });
  const before = await run({ log: [], refunds: plain }, []);
  expect(before.outcome).toMatchObject({ status: "completed", output: "Dear customer: o-1 refunded" });
  const thinking = world();
  const { outcome, bought } = await run(thinking, [called(["refund", CLAIM]), answered({ note: "done" })]);
  expect(outcome).toMatchObject({ status: "completed", output: "Dear customer: done" });
  expect(bought).toBe(2);
  expect(thinking.log).toHaveLength(1);
  const faked = await run(world(), [], { fakes: [fake(Refunds, () => ({ note: "faked" }))] });
  expect(faked.outcome).toMatchObject({ output: "Dear customer: faked" });
  expect(faked.bought).toBe(0);
});

describe("a run that fails for good", () => {
  test("undoes the calls that the model made", async () => {
    const thinking = world();
    const { outcome } = await run(thinking, [called(["refund", CLAIM]), ...Array.from({ length: 5 }, () => answered({ wrong: 1 }))]);
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "model.answer" } });
    expect(thinking.log.map((line) => line.split(" ")[0])).toEqual(["refund", "undo"]);
  });

  test("but an error that the model recovers from undoes nothing", async () => {
    const thinking = world({
      pay: (count) => {
        if (count === 1) throw new Fault("agent.refused", "not today");
        return "paid";
      },
    });
    const { outcome } = await run(thinking, [
      called(["refund", CLAIM]),
      called(["refund", { order: "o-2" }]),
      answered({ note: "second try" }),
    ]);
    expect(outcome).toMatchObject({ status: "completed" });
    expect(thinking.log.filter((line) => line.startsWith("undo"))).toEqual([]);
  });
});

test("a further attempt buys nothing again, and makes no call again", async () => {
  const thinking = world();
  const script = [
    called(["refund", CLAIM]),
    ...Array.from({ length: 5 }, () => new Fault("model.unavailable", "no")),
    answered({ note: "done" }),
  ];
  const { outcome, bought } = await run(thinking, script);
  expect(outcome).toMatchObject({ status: "completed", output: "Dear customer: done" });
  expect(thinking.log).toHaveLength(1);
  expect(bought).toBe(7);
});

test("a further attempt whose tool ends in another way goes on from there", async () => {
  const thinking = world({
    pay: (count) => {
      if (count === 1) throw new Fault("agent.refused", "not today");
      return "paid";
    },
  });
  const script = [
    called(["refund", CLAIM]),
    called(["ask_Writer", { note: "told of the fault" }]),
    ...Array.from({ length: 5 }, () => new Fault("model.unavailable", "no")),
    answered({ note: "paid at last" }),
  ];
  const { outcome } = await run(thinking, script);
  expect(outcome).toMatchObject({ status: "completed", output: "Dear customer: paid at last" });
});

test("another agent is a function: its answer comes back to the model", async () => {
  const { outcome, bought } = await run(world(), [called(["ask_Writer", { note: "hello" }]), answered({ note: "asked" })]);
  expect(outcome).toMatchObject({ status: "completed", output: "Dear customer: asked" });
  expect(bought).toBe(2);
});

test("another agent answers instead", async () => {
  const { outcome } = await run(world(), [called(["hand_off_to_Support", CLAIM])]);
  expect(outcome).toMatchObject({ status: "completed", output: "Dear customer: support took o-1" });
});

test("parallel calls run at the same time, and their results come in the order of the reply", async () => {
  let [open, most] = [0, 0];
  const slow = tool("slow", {
    input: z.object({ n: z.int() }),
    output: z.int(),
    effect: "read",
    run: async ({ n }) => {
      most = Math.max(most, (open += 1));
      // The later call ends first.
      for (let turn = 0; turn < 10 * (3 - n); turn += 1) await Promise.resolve();
      open -= 1;
      return n;
    },
  });
  const results: string[] = [];
  const refunds = agent(Refunds, model({ instructions: "Refund.", tools: [slow] }));
  const endpoint = fakeModel(({ messages }, count) => {
    if (count === 1) return called(["slow", { n: 0 }], ["slow", { n: 1 }], ["slow", { n: 2 }]);
    results.push(...messages.flatMap((message) => (message.role === "tool" ? [message.text] : [])));
    return answered({ note: "done" });
  });
  const party = system("party", { agents: [refunds, writer], routes: [desk], models: { fast: endpoint } });
  expect(await runLocal(party, desk, CLAIM)).toMatchObject({ status: "completed" });
  expect(most).toBe(3);
  expect(results).toEqual(["0", "1", "2"]);
});

describe("bounds", () => {
  test("a budget of model calls ends the run, and its calls are undone", async () => {
    const thinking = world({ budget: { modelCalls: 1 } });
    const { outcome, bought } = await run(thinking, [called(["refund", CLAIM]), answered({ note: "too late" })]);
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "budget.exhausted" } });
    expect(bought).toBe(1);
    expect(thinking.log.map((line) => line.split(" ")[0])).toEqual(["refund", "undo"]);
  });

  test("a budget that is too small for the next call lets the model answer at once, if it may", async () => {
    const refunds = agent(Refunds, model({ instructions: "Refund.", tools: [], budget: { tokens: 2_000 }, onBudgetEnd: "degrade" }));
    const { outcome, bought } = await run({ log: [], refunds }, [answered({ note: "in short" })]);
    expect(outcome).toMatchObject({ status: "completed", output: "Dear customer: in short" });
    expect(bought).toBe(1);
    const strict = agent(Refunds, model({ instructions: "Refund.", tools: [], budget: { tokens: 2_000 } }));
    expect(await run({ log: [], refunds: strict }, [])).toMatchObject({ outcome: { fault: { code: "budget.exhausted" } }, bought: 0 });
  });

  test("a budget of time ends the run at a recorded wait", async () => {
    const stuck = agent(
      Refunds,
      model({
        instructions: "Refund.",
        budget: { timeMs: 50 },
        tools: [tool("wait", { input: z.object({}), output: z.null(), effect: "read", run: never })],
      }),
    );
    const { outcome } = await run({ log: [], refunds: stuck }, [called(["wait", {}]), answered({ note: "never" })]);
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "budget.exhausted", details: { limit: "timeMs" } } });
  });

  test("a loop of a tool is a dead letter that names the ring and the cost", async () => {
    const { outcome } = await run(
      world(),
      Array.from({ length: 6 }, () => called(["refund", CLAIM])),
    );
    expect(outcome).toMatchObject({
      status: "failed",
      fault: { code: "model.loop", details: { ring: expect.arrayContaining(["refund"]) } },
    });
    const details = outcome.fault?.details as { readonly spent?: { readonly tokens?: number } } | undefined;
    expect(details?.spent?.tokens).toBeGreaterThan(0);
  });

  test("two models that hand off to each other stop at their visits", async () => {
    const Left = contract("Left", 1, { input: Claim, output: Note });
    const Right = contract("Right", 1, { input: Claim, output: Note });
    const left = agent(Left, model({ instructions: "Left.", handsOffTo: [Right], visitsMax: 3 }));
    const right = agent(Right, model({ instructions: "Right.", handsOffTo: [Left], visitsMax: 3 }));
    const round = route("round", 1, Claim)
      .to("left", Left, ({ task }) => task, { retry: { attemptsMax: 1 } })
      .output(({ left: done }) => done);
    let bought = 0;
    const endpoint = fakeModel(({ tools }) => {
      bought += 1;
      return called([tools[0]?.name ?? "", { order: `o-${bought}` }]);
    });
    const party = system("party", { agents: [left, right], routes: [round], models: { fast: endpoint } });
    const outcome = await runLocal(party, round, CLAIM);
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "cycle.visits" } });
    expect(outcome.fault?.message).toContain("Left -> Right");
    expect(bought).toBe(6);
  });
});

test("a system whose models lack the one of an agent is refused", () => {
  const refunds = agent(Refunds, model({ instructions: "Refund.", model: "fast", fallback: ["careful"] }));
  const models = { fast: fakeModel(() => "") };
  expect(() => system("party", { agents: [refunds, writer], routes: [desk], models })).toThrow(/uses model "careful"/);
  try {
    system("party", { agents: [refunds, writer], routes: [desk] });
  } catch (error) {
    expect(isFault(error)).toBe(true);
  }
});

function never(_input: unknown, { signal }: ToolCall): Promise<null> {
  return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
}

describe("the time of a stop that sets none", () => {
  const later = (): Fault => new Fault("model.rate-limited", "later", { status: 429 }, { retryAfterMs: 50_000 });
  const codes = ({ outcome }: Awaited<ReturnType<typeof run>>): readonly (string | undefined)[] =>
    outcome.history.map(({ code }) => code).filter((code) => code !== undefined);

  test("is long enough for a provider that asks twice to wait almost a minute", async () => {
    const patient = await run(world(), [later(), later(), answered({ note: "done" })]);
    expect(patient.outcome).toMatchObject({ status: "completed" });
    expect(codes(patient)).toEqual([]);
  });

  test("is that of the agent who does it now, after an ask and after a hand-off", async () => {
    const asking = agent(Support, { asks: [Refunds], handle: (claim, ctx) => ctx.ask(Refunds, claim) });
    const handing = agent(Support, { handsOffTo: [Refunds], handle: (claim, ctx) => ctx.handOff(Refunds, claim) });
    for (const first of [asking, handing]) {
      const script = [later(), later(), answered({ note: "done" })];
      let count = 0;
      const endpoint = fakeModel(() => {
        const next = script[(count += 1) - 1];
        if (next === undefined || next instanceof Fault) throw next ?? new Fault("model.rejected", "the script has ended");
        return next;
      });
      const refunds = agent(Refunds, model({ instructions: "Refund." }));
      const help = route("help", 1, Claim)
        .to("help", Support, ({ task }) => task)
        .output(({ help: done }) => done);
      const party = system("party", { agents: [first, refunds], routes: [help], models: { fast: endpoint } });
      const outcome = await runLocal(party, help, CLAIM);
      expect(outcome).toMatchObject({ status: "completed", output: { note: "done" } });
      expect(outcome.history.filter(({ code }) => code !== undefined)).toEqual([]);
    }
  });
});
