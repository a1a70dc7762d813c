/** @module Examples 03 to 06 on a real Dapr, as a user starts them: `up`, then tasks by HTTP. Their external effects are counted. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/find.ts";
import { appPort } from "../app-port.ts";
import { balances, lines } from "../../examples/04-payment/ledger.ts";
import { type CommandRun, headersOf, processesOf, startCommand, testFolder } from "../cli/command.ts";
import { ROOT } from "./readme.ts";

const TEST_MS = 120_000;
const POLL_MS = 100;
const CUSTOMER_TASKS_COUNT = 30;
const binaries = await findDapr();
if (binaries === undefined) process.stdout.write("skip: no Dapr programs, run `npm start -- doctor`\n");

let dir = "";
let remove = async (): Promise<void> => undefined;
beforeEach(async () => {
  ({ dir, remove } = await testFolder());
});
afterEach(async () => {
  delete process.env["PAYMENT_LEDGER"];
  for (const { pid } of processesOf(dir)) process.kill(pid, "SIGKILL");
  await remove();
});

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Starts an example and returns a function that submits a task and waits for its outcome. */
async function up(
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly run: CommandRun; readonly submit: (task: object) => Promise<Answer> }> {
  const port = await appPort();
  const run = await startCommand(dir, ["up", join(ROOT, "examples", name, "system.ts"), "--port", String(port)], env);
  await run.until(`http://127.0.0.1:${port}`);
  const submit = async (task: object): Promise<Answer> => {
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${port}/tasks?waitMs=30000`, {
        method: "POST",
        headers: headersOf(dir),
        body: JSON.stringify(task),
      }).catch(() => undefined);
      // An app that has found its sidecar may still have to find its store: then it answers 503, and when to ask again.
      if (response !== undefined && response.status !== 503) return { status: response.status, body: await response.json() };
      await sleep(POLL_MS);
    }
  };
  return { run, submit };
}

async function down(run: CommandRun): Promise<void> {
  process.kill(run.child.pid, "SIGINT");
  expect(await run.child.exited, run.text()).toEqual({ code: 0, signal: null });
  expect(processesOf(dir)).toEqual([]);
}

describe.skipIf(binaries === undefined)("on a real Dapr", () => {
  test("04: one order succeeds, another fails halfway and leaves no effect", { timeout: TEST_MS }, async () => {
    process.env["PAYMENT_LEDGER"] = join(dir, "ledger.jsonl");
    const { run, submit } = await up("04-payment", { PAYMENT_LEDGER: join(dir, "ledger.jsonl") });
    const order = { item: "lamp", pieces: 2, cents: 5_900, card: "4711" };
    expect(await submit({ id: "order-1", route: "order", input: { ...order, town: "Graz" } })).toMatchObject({
      status: 200,
      body: { status: "completed", output: { charged: "C-5900" } },
    });
    expect(await submit({ id: "order-2", route: "order", input: { ...order, town: "Atlantis" } })).toMatchObject({
      status: 200,
      body: { status: "failed", fault: { code: "agent.refused" } },
    });
    expect(lines().map(({ key, what }) => `${key.split(":")[0]} ${what}`)).toEqual([
      "order-1 reserve 2 lamp",
      "order-1 charge 5900 cents",
      "order-1 book the courier to Graz",
      "order-2 reserve 2 lamp",
      "order-2 charge 5900 cents",
      "order-2 refund 5900 cents",
      "order-2 release 2 lamp",
    ]);
    expect(balances()).toEqual({ "stock of lamp": -2, "card 4711": -5_900, "courier trips": 1 });
    await down(run);
  });

  test(
    "05: tasks for one customer at the same time take turns, and each sees what the one before it left",
    { timeout: TEST_MS },
    async () => {
      const { run, submit } = await up("05-customer");
      const answers = await Promise.all(
        Array.from({ length: CUSTOMER_TASKS_COUNT }, () => submit({ route: "purchase", input: { customer: "ann", cents: 4_000 } })),
      );
      const numbers = answers.map(({ body }) => (body as { readonly output: { readonly purchase: number } }).output.purchase);
      expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 1));
      await down(run);
    },
  );

  test("03: only a folder below the root is read", { timeout: TEST_MS }, async () => {
    const { run, submit } = await up("03-markdown", { MARKDOWN_ROOT: join(ROOT, "examples") });
    expect(await submit({ route: "folder", input: { folder: "03-markdown/sample", names: ["SQLite"] } })).toMatchObject({
      body: { status: "completed", output: { files: 2, byCheck: { links: 3, headings: 3, fences: 3, names: 4 } } },
    });
    expect(await submit({ route: "folder", input: { folder: "../docs", names: [] } })).toMatchObject({
      body: { status: "failed", fault: { code: "agent.refused" } },
    });
    await down(run);
  });

  test("06: the parcels of an order are nested processes; one that is too heavy undoes all of them", { timeout: TEST_MS }, async () => {
    const { run, submit } = await up("06-nested");
    const parcels = (last: number): object[] => [1_500, 1_500, 1_500, last].map((grams, index) => [{ name: `thing ${index}`, grams }]);
    const task = (last: number): object => ({ route: "order", input: { customer: "Ann", to: "Graz", parcels: parcels(last) } });
    expect(await submit(task(1_500))).toMatchObject({
      status: 200,
      body: { status: "completed", output: { note: "4 parcels for Ann, 6000 g" } },
    });
    expect(await submit(task(25_000))).toMatchObject({ status: 200, body: { status: "failed", fault: { code: "agent.refused" } } });
    await down(run);
  });
});
