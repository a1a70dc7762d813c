/** @module Several tasks of one local system: its agents keep their state, time is skipped for all of them together, ids stay distinct. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { type LocalSystem, runLocal, startLocal } from "../../testing/index.ts";
import { agent, contract, Fault, route, system } from "../../agents/index.ts";

const Add = z.object({ account: z.string(), amount: z.int() });
const Account = contract("Account", 1, {
  input: Add,
  output: z.object({ balance: z.int(), atOnce: z.int() }),
  key: ({ account }) => account,
});
const running = new Map<string, number>();
const account = agent(Account, {
  state: { schema: z.object({ balance: z.int() }), initial: { balance: 0 } },
  handle: async ({ account: id, amount }, ctx) => {
    running.set(id, (running.get(id) ?? 0) + 1);
    await sleep(1);
    const atOnce = running.get(id) ?? 0;
    running.set(id, atOnce - 1);
    if (amount < 0) throw new Fault("agent.refused", "an account accepts no debts");
    const balance = ctx.state.balance + amount;
    ctx.setState({ balance });
    return { balance, atOnce };
  },
});
const Slow = contract("Slow", 1, { input: Add, output: Add });
let attempts = 0;
const slow = agent(Slow, {
  handle: (input) => {
    attempts += 1;
    if (attempts === 1) throw new Error("not yet");
    return input;
  },
});
const add = route("add", 1, Add)
  .to("account", Account, ({ task }) => task)
  .output(({ account }) => account);
const wait = route("wait", 1, Add)
  .to("slow", Slow, ({ task }) => task, { retry: { backoffMs: 3_600_000, backoffMsMax: 3_600_000 } })
  .output(({ slow }) => slow);
const bank = system("bank", { agents: [account, slow], routes: [add, wait] });

let local: LocalSystem | undefined;
afterEach(async () => {
  await local?.stop();
  local = undefined;
  attempts = 0;
});

test("consecutive tasks see the state of the earlier ones", async () => {
  local = startLocal(bank);
  await local.run("add", { account: "ann", amount: 5 });
  expect(await local.run("add", { account: "ann", amount: 7 })).toMatchObject({ id: "local-2", output: { balance: 12 } });
  expect(await local.run("add", { account: "bob", amount: 1 })).toMatchObject({ output: { balance: 1 } });
});

test("concurrent tasks take turns at one actor, and none is lost", async () => {
  const given = (local = startLocal(bank));
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => given.run("add", { account: "ann", amount: 1 })));
  const outputs = outcomes.map(({ output }) => z.object({ balance: z.int(), atOnce: z.int() }).parse(output));
  expect(outputs.map(({ balance }) => balance).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(outputs.every(({ atOnce }) => atOnce === 1)).toBe(true);
});

test("a failed task leaves the state as it was", async () => {
  local = startLocal(bank);
  await local.run("add", { account: "ann", amount: 5 });
  expect(await local.run("add", { account: "ann", amount: -1 })).toMatchObject({ status: "failed" });
  expect(await local.run("add", { account: "ann", amount: 1 })).toMatchObject({ output: { balance: 6 } });
});

test("the same id with the same input is the same task; with another input it is refused", async () => {
  local = startLocal(bank);
  await local.run("add", { account: "ann", amount: 5 }, { id: "one" });
  expect(await local.run("add", { account: "ann", amount: 5 }, { id: "one" })).toMatchObject({ output: { balance: 5 } });
  await expect(local.run("add", { account: "ann", amount: 6 }, { id: "one" })).rejects.toMatchObject({ code: "process.conflict" });
});

test("a backoff of an hour is skipped, also while other tasks run", async () => {
  local = startLocal(bank);
  const task = { account: "ann", amount: 1 };
  const timeoutMs = 4 * 3_600_000;
  const [first, second] = await Promise.all([local.run("wait", task, { timeoutMs }), local.run("add", task)]);
  expect([first.status, second.status, attempts]).toEqual(["completed", "completed", 2]);
});

test("a running task is cancelled; an ended or unknown one is not", async () => {
  local = startLocal(bank);
  const waiting = local.run("wait", { account: "ann", amount: 1 }, { id: "long", timeoutMs: 4 * 3_600_000 });
  while (
    (await local.cancel("long", "changed my mind").then(
      () => "done",
      (error: { readonly code: string }) => error.code,
    )) === "process.unknown"
  );
  expect(await waiting).toMatchObject({
    status: "cancelled",
    fault: { code: "process.cancelled", message: expect.stringContaining("changed my mind") },
  });
  await local.run("add", { account: "ann", amount: 1 }, { id: "short" });
  await expect(local.cancel("short", "too late")).rejects.toMatchObject({ code: "process.ended" });
});

test("a task that cannot progress is reported, not waited for", async () => {
  await expect(runLocal(bank, "wait", { account: "ann", amount: 1 }, { giveUpMs: 0 })).rejects.toMatchObject({ code: "process.expired" });
});

test("an unknown option is refused, with the known ones", async () => {
  const task = { account: "ann", amount: 1 };
  const misspelt = { idd: "x" } as object;
  const unknown = (where: string, known: string): object =>
    expect.objectContaining({ code: "definition.invalid", message: `${where}: unknown option "idd"; known are ${known}` });
  await expect(runLocal(bank, "add", task, misspelt)).rejects.toEqual(
    unknown("runLocal", "fakes, models, people, releases, clock, log, giveUpMs, id, timeoutMs, principal, permissions, untrusted"),
  );
  expect(() => startLocal(bank, misspelt)).toThrow(unknown("startLocal", "fakes, models, people, releases, clock, log, giveUpMs"));
  local = startLocal(bank);
  await expect(local.run("add", task, misspelt)).rejects.toEqual(unknown("run", "id, timeoutMs, principal, permissions, untrusted"));
});
