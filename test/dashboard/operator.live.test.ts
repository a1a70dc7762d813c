/**
 * @module What a first-time operator does over a real system: from the first screen to why a run failed, and to its redrive with a
 * corrected input. Counts the clicks.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Locator } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RealRig, startReal } from "../actors/http/real-rig.ts";
import { CHROMIUM } from "./browser.ts";

const CLICKS_MAX = 8;
const TIME_MS_MAX = 60_000;

let folder: string;
let rig: RealRig;
let browser: Browser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-operator-"));
  const configFile = join(import.meta.dirname, "..", "..", "dashboard", "vite.config.ts");
  await build({ configFile, logLevel: "warn", build: { outDir: folder, emptyOutDir: true, reportCompressedSize: false } });
  rig = await startReal({ dashboard: folder });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser.close();
  await rig.stop();
  await rm(folder, { recursive: true, force: true });
});

test("finds why a run failed and redrives it with a corrected input, in at most 8 clicks", async () => {
  for (const id of ["order-1", "order-2", "order-3"]) await rig.run(id, id === "order-2" ? "bad" : "good");
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  let clicks = 0;
  const click = async (what: Locator): Promise<void> => {
    clicks += 1;
    await what.click();
  };
  const startedAtMs = performance.now();
  await page.goto(`${rig.origin}/ui`);
  await click(page.getByRole("link", { name: "Dead letters", exact: true }).first());
  await click(page.getByRole("link", { name: "order-2:1" }));
  await page.getByText(/^Why run \d+ failed$/).waitFor();
  const why = await page.locator("main").innerText();
  expect(why).toContain("agent.refused");
  expect(why).toContain("no till sells item of order-2");
  expect(why).toContain("What to do:");
  await click(page.getByLabel("mood", { exact: true }));
  await page.getByLabel("mood", { exact: true }).selectOption("good");
  // Choosing an option is a click, too.
  clicks += 1;
  expect(await page.getByText("Difference to the original: 1 place").count()).toBe(1);
  await click(page.getByRole("button", { name: "Redrive with this input" }));
  await page.waitForURL("**/ui/runs/order-2");
  await expect
    .poll(async () => (await rig.call("GET", "/processes/order-2")).json)
    .toMatchObject({
      run: 2,
      phase: "ended",
      outcome: { status: "completed", output: { paid: "item of order-2" } },
    });
  await page.getByText("completed").first().waitFor();
  const tookMs = performance.now() - startedAtMs;
  process.stdout.write(`${clicks} clicks; the page and the system took ${Math.round(tookMs)} ms of the time\n`);
  expect(clicks).toBeLessThanOrEqual(CLICKS_MAX);
  expect(tookMs).toBeLessThan(TIME_MS_MAX);
  expect(errors).toEqual([]);
  await page.close();
});

test.each([
  ["/submit", "Route"],
  ["/deadletters", "Dead letters"],
  ["/deadletters?decided=true", "Decided"],
  ["/inbox", "Nothing waits for people"],
  ["/costs", "By route"],
  ["/memory", "No memories"],
  ["/releases", "No model agents"],
  ["/drift", "per process"],
  ["/digest", "Dead letters by cause"],
  ["/runs/order-1/budget", "No budget"],
  ["/runs/order-1/fork", "Runs it again in memory"],
  ["/runs/order-1/diff/order-3", "Outcome and cost"],
])("%s gets what it asks a real system for", async (path, shown) => {
  const page = await browser.newPage();
  await page.goto(`${rig.origin}/ui${path}`);
  await page.locator("main").getByText(shown).or(page.getByRole("alert")).first().waitFor();
  expect(await page.getByRole("alert").allInnerTexts()).toEqual([]);
  await page.close();
});

test("a run of a real system is replayed without a divergence, and forked", async () => {
  const page = await browser.newPage();
  await page.goto(`${rig.origin}/ui/runs/order-1/replay`);
  await page.getByRole("button", { name: "Replay", exact: true }).click();
  await page.getByText("no divergence").waitFor();
  await page.getByRole("link", { name: "Fork", exact: true }).click();
  await page.getByRole("button", { name: "Fork", exact: true }).click();
  await page.getByText("Outcome and cost").or(page.getByRole("alert")).first().waitFor();
  expect(await page.getByRole("alert").allInnerTexts()).toEqual([]);
  await page.close();
});

test("many dead letters of a real system are decided at once", async () => {
  for (const id of ["order-4", "order-5"]) await rig.run(id, "bad");
  const page = await browser.newPage();
  await page.goto(`${rig.origin}/ui/deadletters`);
  for (const id of ["order-4:1", "order-5:1"]) await page.getByLabel(`Choose ${id}`).check();
  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await page.getByLabel(/^Reason/).fill("test data");
  await page.getByRole("button", { name: "Discard 2 letters" }).click();
  await page.getByText("2 letters decided.").waitFor();
  expect((await rig.call("GET", "/deadletters/order-5:1")).json).toMatchObject({ open: false, decision: "discarded", reason: "test data" });
  await page.close();
});
