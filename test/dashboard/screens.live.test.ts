/**
 * @module The screens of acts and knowledge in a real browser: each with data, empty, with an error and with the sidecar down, without
 * findings of axe-core, without content for those who may not see it, and as far as the keyboard goes.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Bed, fault, type Fixture, fixtureApi, startBed } from "./browser.ts";
import { FULL, HIDDEN, NOTHING } from "./fixtures.ts";
import { ALL_ROLES, SCREENS } from "./screens.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let bed: Bed;
beforeAll(async () => {
  bed = await startBed();
});
afterAll(async () => {
  await bed.stop();
});
afterEach(() => {
  expect(bed.errors.splice(0)).toEqual([]);
});

/** Serious and critical findings, as `rule: element`. */
async function findings(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>("axe.run(document)");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${String(target)}`));
}

/** By how much the page is wider than the window, or a box than it should be: nothing has to be scrolled sideways but tables. */
async function overflow(page: Page): Promise<number> {
  const ofPage = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  const ofBoxes = await page.evaluate<number[]>('[...document.querySelectorAll(".p-box")].map((box) => box.scrollWidth - box.clientWidth)');
  return Math.max(ofPage, ...ofBoxes);
}

describe.each(SCREENS)("$name", ({ path, ready, empty, needs, before }) => {
  test.each([
    ["light", 1_240],
    ["dark", 1_240],
    ["light", 390],
  ] as const)("shows data without serious findings, %s at %i px", async (look, width) => {
    const page = await bed.open(path, fixtureApi(FULL, ALL_ROLES), { dark: look === "dark", width });
    await page.getByText(ready).first().waitFor();
    await before?.(page);
    expect(await findings(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    await page.close();
  });

  test("says what it means that nothing is there", async () => {
    const page = await bed.open(path, fixtureApi(NOTHING, ALL_ROLES));
    await page.getByText(empty).first().waitFor();
    expect(await findings(page)).toEqual([]);
    await page.close();
  });

  test.skipIf(needs === undefined).each([
    ["an error", 404, "process.purged", "Its journal was purged.", "Look at the audit."],
    ["the sidecar down", 503, "sidecar.unavailable", "The sidecar does not answer.", "Start the sidecar again."],
  ])("tells %s with its code and what to do, and tries again when asked to", async (_what, status, code, message, fix) => {
    const fixtures: Record<string, Fixture> = { ...FULL, [needs ?? ""]: { status, body: fault(code, message, fix) } };
    const page = await bed.open(path, fixtureApi(fixtures, ALL_ROLES));
    const alert = page.getByRole("alert").first();
    await alert.waitFor();
    expect(await alert.innerText()).toContain(code);
    expect(await alert.innerText()).toContain(fix);
    expect(await findings(page)).toEqual([]);
    fixtures[needs ?? ""] = FULL[needs ?? ""] ?? { body: null };
    await alert.getByRole("button", { name: "Try again" }).click();
    await page.getByText(ready).first().waitFor();
    await page.close();
  });
});

describe("content", () => {
  test.each([
    ["dead-letter", "Input of Hotel", "no hotel in Bergen has a free room\n    at"],
    ["request", "My suitcase is gone", "Approve"],
    ["conversation", "My suitcase is gone", "lost luggage"],
    ["memory", "12 Harbour Street", "prefers"],
  ])("of a %s is not on the page of those without the role, who are told so", async (name, first, second) => {
    const { path = "" } = SCREENS.find((one) => one.name === name) ?? {};
    const page = await bed.open(path, fixtureApi(HIDDEN, ["submit", "read", "operate", "decide"]));
    await page.getByText("is content: it is shown to tokens with the role").first().waitFor();
    const text = await page.locator("main").innerText();
    expect(text).not.toContain(first);
    expect(text).not.toContain(second);
    expect(await findings(page)).toEqual([]);
    await page.close();
  });
});

test.each([
  ["/submit", "submit", "Submit"],
  ["/deadletters/trip-12%3A1", "decide", "Redrive"],
  ["/inbox/claim-3.r1", "decide", "Approve"],
  ["/memory/key.Support.ann", "operate", "Forget"],
  ["/releases", "operate", "Stop the canary"],
  ["/runs/claim-3/fork", "operate", "Fork"],
])("%s offers no act to those without the role %s", async (path, role, name) => {
  const page = await bed.open(path, fixtureApi(FULL, ["read", "content"]));
  await page.getByText("needs this role, which your token does not have").first().waitFor({ state: "attached" });
  for (const summary of await page.locator("summary").all()) await summary.click();
  await page.getByText("needs this role, which your token does not have").first().waitFor();
  expect(await page.getByRole("button", { name, exact: true }).count()).toBe(0);
  expect(await page.locator("main").innerText()).toContain(role);
  await page.close();
});
