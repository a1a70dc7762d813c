/**
 * @module Measures the list of 10,000 ended and 1,000 open processes in a browser, over a real host in memory: the first screen, a filter,
 * and the longest frame while the list is scrolled to its end. `node test/dashboard/speed.ts`, on a machine that does nothing else.
 */
import { chromium, type Page } from "playwright-core";
import { buildDashboard } from "../../pack/dashboard.ts";
import { startReal } from "../actors/http/real-rig.ts";
import { CHROMIUM } from "./browser.ts";

const OPEN_PROCESSES = 1_000;
const ENDED_PROCESSES = 10_000;
const AT_ONCE = 50;

/** The frames while the list is scrolled by a screen at a time, until no more rows come. */
const SCROLL = `(async () => {
  const rows = document.querySelector(".v-runs-rows");
  const frames = [];
  let [last, still] = [performance.now(), 0];
  while (still < 60) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
    const before = rows.scrollTop;
    rows.scrollTop += 400;
    still = rows.scrollTop === before ? still + 1 : 0;
  }
  return { frames: frames.length, over50: frames.filter((ms) => ms > 50).length, longest: Math.max(...frames) };
})()`;

async function submit(rig: Awaited<ReturnType<typeof startReal>>, count: number, name: string, mood: string): Promise<void> {
  for (let at = 0; at < count; at += AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - at) }, (_, index) =>
        rig.call("POST", "/tasks", { id: `${name}-${at + index}`, route: "order", input: { item: "x", mood } }),
      ),
    );
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const beganAtMs = performance.now();
  await work();
  return Math.round(performance.now() - beganAtMs);
}

const row = (page: Page, name: string): Promise<void> => page.getByRole("link", { name }).first().waitFor();

const rig = await startReal({ dashboard: await buildDashboard() });
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
try {
  const filledMs = await timed(async () => {
    await submit(rig, ENDED_PROCESSES, "ended", "good");
    await submit(rig, OPEN_PROCESSES, "open", "slow");
  });
  process.stdout.write(`filled in ${filledMs} ms\n`);
  const page = await browser.newPage({ viewport: { width: 1_440, height: 900 } });
  const overviewMs = await timed(async () => {
    await page.goto(`${rig.origin}/ui`);
    await page.getByText("Waiting for people").first().waitFor();
  });
  const listMs = await timed(async () => {
    await page.goto(`${rig.origin}/ui/runs`);
    await row(page, "open-");
  });
  const openMs = await timed(async () => {
    await page.getByRole("button", { name: "Ended", exact: true }).click();
    await row(page, "ended-");
  });
  const textMs = await timed(async () => {
    await page.getByLabel("Id or trace").fill("ended-77");
    await page.getByLabel("Id or trace").press("Enter");
    await page.locator(".v-runs-rows").getByText("ended-77", { exact: false }).first().waitFor();
  });
  await page.goto(`${rig.origin}/ui/runs`);
  await row(page, "open-");
  const scrolled = await page.evaluate(SCROLL);
  process.stdout.write(`${JSON.stringify({ overviewMs, listMs, openMs, textMs, scrolled })}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await browser.close();
  await rig.stop();
  // Timers of a thousand tasks that wait would hold it for minutes.
  process.exit();
}
