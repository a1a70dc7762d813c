/**
 * @module What an operator does in the dashboard of an `up` over a real Dapr, in one page that is never loaded again: submissions, a
 * redrive, a decision, a pause, and a host that is killed and comes back. Set TROUPE_SHOTS to a folder for a picture of each screen.
 */
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/find.ts";
import { appPort } from "../app-port.ts";
import { type CommandRun, processesOf, runCommand, startCommand, testFolder } from "../cli/command.ts";
import { findChromium } from "../live/browser.ts";

const SYSTEM = join(import.meta.dirname, "shop-system.ts");
const TEST_MS = 120_000;
const WAIT_MS = 30_000;
/** Longer than the dashboard is built and the parts of a run start. */
const START_MS = 180_000;

const found = findChromium();
const binaries = await findDapr();
if (found === undefined) process.stdout.write("skip: no chromium\n");
if (binaries === undefined) process.stdout.write("skip: no Dapr programs, run `npm start -- doctor`\n");

/** What the operator may do: all that the dashboard has. */
const ROLES = ["submit", "read", "operate", "decide", "content"];
const TOKEN = randomBytes(32).toString("hex");

describe.skipIf(found === undefined || binaries === undefined)("the dashboard of a run", () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let run: CommandRun;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    folder = await testFolder();
    const tokens = join(folder.dir, "tokens.json");
    const sha256 = createHash("sha256").update(TOKEN).digest("hex");
    await writeFile(tokens, JSON.stringify([{ sha256, subject: "olga", roles: ROLES, personRoles: ["manager"] }]), { mode: 0o600 });
    run = await startCommand(folder.dir, ["up", SYSTEM, "--port", String(await appPort())], { TROUPE_TOKENS_FILE: tokens });
    await run.until("The system takes tasks at", START_MS);
    browser = await chromium.launch({ executablePath: found ?? "", args: ["--no-sandbox"] });
    const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, locale: "en-GB", timezoneId: "UTC" });
    page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (line) => {
      if (line.type() === "error") errors.push(`${line.text()} ${line.location().url}`);
    });
    const link = await runCommand(folder.dir, ["ui"], { TROUPE_TOKEN: TOKEN });
    expect(link.text).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/ui#code=\S+$/);
    await page.goto(link.text);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    // A page that is loaded again has lost this.
    await page.evaluate("window.isFirst = true");
  }, START_MS);

  afterEach(async () => {
    expect(errors.splice(0)).toEqual([]);
    expect(await page.evaluate("window.isFirst")).toBe(true);
  });

  afterAll(async () => {
    await browser?.close();
    if (run !== undefined) {
      process.kill(run.child.pid, "SIGINT");
      await run.child.exited;
    }
    const left = folder === undefined ? [] : processesOf(folder.dir);
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    await folder?.remove();
    expect(left).toEqual([]);
  }, START_MS);

  async function shot(name: string): Promise<void> {
    const into = process.env["TROUPE_SHOTS"];
    if (into !== undefined) await page.screenshot({ path: join(into, `${name}.png`), fullPage: true });
  }

  /** Opens a screen by the navigation. */
  async function open(name: string): Promise<void> {
    await page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name, exact: true }).click();
    await page
      .locator("main h1")
      .filter({ hasText: name === "Submit" ? "Submit a task" : name })
      .waitFor();
  }

  /** Fills the form of a route and submits it; the page shows the run. */
  async function submit(route: string, id: string, fill: () => Promise<void>): Promise<void> {
    await open("Submit");
    await page.getByLabel("Route", { exact: true }).selectOption(route);
    await fill();
    await page.getByText("More options").click();
    await page.getByLabel(/^Id of the task/).fill(id);
    await shot(`submit-${id}`);
    await page.getByRole("button", { name: "Submit", exact: true }).click();
    await page.locator("main h1").filter({ hasText: id }).waitFor();
  }

  /** Waits until the run on the screen stands so. */
  const stands = (state: string): Promise<void> =>
    page.locator("main > .p-box").first().locator(".p-mark").getByText(state, { exact: true }).waitFor();

  async function command(...words: readonly string[]): Promise<string> {
    const { exit, text } = await runCommand(folder.dir, words);
    expect(exit, text).toEqual({ code: 0, signal: null });
    return text;
  }

  test("a submitted task runs to its end on the screen", { timeout: TEST_MS }, async () => {
    await submit("sell", "sale-1", async () => {
      await page.getByLabel("item", { exact: true }).selectOption("lamp");
      await page.getByLabel("pieces", { exact: true }).fill("2");
    });
    await stands("open");
    await page
      .getByRole("option", { name: /sold|Till/ })
      .first()
      .waitFor();
    await shot("run-open");
    await writeFile(join(folder.dir, "till-is-open"), "");
    await stands("completed");
    expect(await page.getByLabel("Output", { exact: true }).innerText()).toContain("2 of lamp");
    await shot("run-completed");
  });

  test("a failed run is a dead letter, and its redrive with a corrected input completes", { timeout: TEST_MS }, async () => {
    await submit("sell", "sale-2", async () => {
      await page.getByLabel("item", { exact: true }).selectOption("piano");
      await page.getByLabel("pieces", { exact: true }).fill("1");
    });
    await stands("failed");
    // What failed last is chosen, also when it is compensated.
    await page.locator(".v-detail").getByText("the shop has no piano").first().waitFor();
    await shot("run-failed");
    await open("Dead letters");
    await page.getByRole("link", { name: "sale-2:1" }).waitFor();
    await shot("dead-letters");
    await page.getByRole("link", { name: "sale-2:1" }).click();
    await page.getByText("the shop has no piano").first().waitFor();
    await shot("dead-letter");
    await page.getByLabel("item", { exact: true }).selectOption("lamp");
    await page.getByRole("button", { name: "Redrive with this input" }).click();
    await page.locator("main h1").filter({ hasText: "sale-2" }).waitFor();
    await stands("completed");
    expect(await page.getByLabel("Output", { exact: true }).innerText()).toContain("1 of lamp");
    await shot("run-redriven");
  });

  test("a request to a person is approved in the inbox, and its process goes on", { timeout: TEST_MS }, async () => {
    // Another token submits it: no one approves what they asked for.
    await command("submit", "refund", '{"order":"4711","amount":1200}', "--id", "refund-1");
    await open("Inbox");
    await page
      .getByRole("link", { name: /refund-1/ })
      .or(page.locator("a[href*='refund-1.r1']"))
      .first()
      .waitFor();
    await shot("inbox");
    await page.locator("a[href*='refund-1.r1']").first().click();
    await page.getByRole("heading", { name: "Your decision" }).waitFor();
    await shot("request");
    await page.locator("form").getByRole("button", { name: "Approve", exact: true }).last().click();
    await page.getByText("Recorded: the request is approved.").waitFor();
    await page.getByRole("heading", { name: "Decision", exact: true }).waitFor();
    expect(await page.locator("main").innerText()).not.toContain("due in");
    await shot("request-decided");
    await page.getByRole("link", { name: "Open the run" }).first().click();
    await stands("completed");
    await shot("run-approved");
  });

  test("a process is paused and resumed, and the lists say so", { timeout: TEST_MS }, async () => {
    await submit("deliver", "delivery-1", () => page.getByLabel("to", { exact: true }).fill("Harbour Street"));
    await page.getByRole("listitem").filter({ hasText: "waits for signal driver" }).waitFor();
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByLabel(/^Reason/).fill("no van");
    await shot("run-pause");
    await page.locator("form").getByRole("button", { name: "Pause", exact: true }).click();
    await stands("paused");
    await page.getByRole("status").getByText("Paused by olga").waitFor();
    await page.getByRole("option", { name: /^paused olga, open/ }).waitFor();
    await shot("run-paused");
    await open("Runs");
    const row = page.getByRole("row").filter({ hasText: "delivery-1" });
    await row.getByText("paused", { exact: true }).waitFor();
    await shot("runs-paused");
    expect(await command("ps", "--paused")).toMatch(/^delivery-1 +deliver +paused /m);
    await page.getByRole("link", { name: "delivery-1", exact: true }).click();
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    await page.locator("form").getByRole("button", { name: "Resume", exact: true }).click();
    await page.getByRole("status").getByText("Paused by olga").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Signal", exact: true }).click();
    await page.getByLabel(/^Payload/).fill('{"name":"Dan"}');
    await shot("run-signal");
    await page.getByRole("button", { name: "Give the signal" }).click();
    await stands("completed");
    expect(await page.getByLabel("Output", { exact: true }).innerText()).toContain("Dan");
  });

  test.each(["Overview", "Runs", "Routes", "Agents", "Memory", "Costs", "Releases", "Drift", "Digest", "System"])(
    "%s is shown without a fault",
    { timeout: TEST_MS },
    async (name) => {
      await open(name);
      await page.locator("main [aria-busy=true]").first().waitFor({ state: "detached" });
      expect(await page.getByRole("alert").allInnerTexts()).toEqual([]);
      await shot(`screen-${name.toLowerCase()}`);
    },
  );

  test("System says when the lease was renewed, and what was looked at", { timeout: TEST_MS }, async () => {
    await open("System");
    await page.getByRole("row").filter({ hasText: "(this one)" }).locator("time").waitFor();
    const look = page.getByRole("row").filter({ hasText: "looked at content of a dead letter" });
    await look.getByRole("link", { name: "sale-2:1" }).click();
    await page.getByRole("heading", { name: "sale-2:1" }).waitFor();
  });

  test("after the app was killed the page recovers by itself and shows what happens", { timeout: TEST_MS }, async () => {
    await submit("deliver", "delivery-2", () => page.getByLabel("to", { exact: true }).fill("Mill Lane"));
    await page.getByRole("listitem").filter({ hasText: "waits for signal driver" }).waitFor();
    const { pid } =
      processesOf(folder.dir).find(({ command: line }) => line.includes("cli/app.ts")) ?? expect.unreachable("there is no app");
    process.kill(pid, "SIGKILL");
    await page.locator(".s-live[data-live=false]").waitFor();
    await shot("host-gone");
    await run.until("app is up again");
    await page.locator(".s-live[data-live=true]").waitFor();
    await command("signal", "delivery-2", "driver", '{"name":"Eve"}');
    await stands("completed");
    // Each is a request that the dead host did not answer, or that the next one refused because its sidecar was not found yet.
    const isOfRestart = (text: string): boolean => /net::ERR_(CONNECTION|INCOMPLETE|EMPTY|NETWORK)|status of 503/.test(text);
    expect(errors.splice(0).filter((text) => !isOfRestart(text))).toEqual([]);
    expect(await page.getByLabel("Output", { exact: true }).innerText()).toContain("Eve");
    expect(await page.getByRole("alert").allInnerTexts()).toEqual([]);
    await shot("host-back");
    await open("Runs");
    await command("submit", "sell", '{"item":"lamp","pieces":3}', "--id", "sale-3", "--wait");
    await page.locator("[role=row]").filter({ hasText: "sale-3" }).getByText("completed").waitFor();
    await shot("runs-after");
    expect(errors.splice(0)).toEqual([]);
  });
});
