/**
 * @module The dashboard under attack, in a real browser: texts of users and models that would be a script, pages of others that frame it or
 * act with its session, and names that were made to resolve to this machine.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildDashboard } from "../../pack/dashboard.ts";
import { type RealRig, startReal } from "../actors/http/real-rig.ts";
import { type Bed, CHROMIUM, type Fixture, fixtureApi, startBed } from "./browser.ts";
import { FULL } from "./fixtures.ts";
import { ALL_ROLES, SCREENS } from "./screens.ts";

const TOKEN = "the-token-of-the-app";
const PWN = "parent.pwned = window.pwned = 1";
/** Texts that run where a page takes text for markup, for an attribute, for an address or for a style. */
const SCRIPTS = [
  `<img src=x onerror="${PWN}">`,
  `"><script>${PWN}</script>`,
  `'onmouseover='${PWN}' x='`,
  `</textarea></title><svg onload="${PWN}">`,
  `javascript:${PWN}`,
  `<iframe srcdoc="<script>${PWN}</script>">`,
];
/** Words that the page chooses by. No user and no model writes them. */
const WORDS = new Set([
  "kind",
  "state",
  "status",
  "phase",
  "how",
  "what",
  "effect",
  "do",
  "type",
  "$schema",
  "role",
  "canary",
  "breaker",
  "actions",
  "silence",
]);

let number = 0;

/** The same answer with a script in each text and in each key that a user chooses. */
function withScripts(value: unknown): unknown {
  if (typeof value === "string") return `${value}${SCRIPTS[(number += 1) % SCRIPTS.length] ?? ""}`;
  if (Array.isArray(value)) return value.map(withScripts);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, WORDS.has(key) ? part : withScripts(part)]));
}

/** What a script in the page would have left behind. */
async function traces(page: Page): Promise<unknown> {
  return page.evaluate(`({
    ran: window.pwned ?? 0,
    made: [...document.querySelectorAll("main img, main script, main iframe, main [onerror], main [onload], main [onmouseover]")].length,
    links: [...document.querySelectorAll("a[href]")].filter((a) => !/^https?:$/.test(a.protocol)).length,
  })`);
}

const CLEAN = { ran: 0, made: 0, links: 0 };

describe("scripts in all texts", () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startBed();
  });
  afterAll(async () => bed.stop());

  test.each(SCREENS)("run on no screen: $name", async ({ path, needs }) => {
    const fixtures = Object.fromEntries(
      Object.entries(FULL).map(([key, { body, status }]): [string, Fixture] => [
        key,
        { body: withScripts(body), ...(status === undefined ? {} : { status }) },
      ]),
    );
    const page = await bed.open(path, fixtureApi(fixtures, ALL_ROLES));
    await page.locator("main h1").first().waitFor();
    if (needs !== undefined)
      await page
        .getByText(/onerror=|<script>|onmouseover=|<svg|javascript:|srcdoc=/)
        .first()
        .waitFor({ state: "attached" });
    for (const summary of await page.locator("main summary").all()) if (await summary.isVisible()) await summary.click();
    for (const row of await page.locator("main [role=option]").all()) await row.click();
    expect(await traces(page)).toEqual(CLEAN);
    await page.close();
  });
});

describe("pages of others", () => {
  let browser: Browser;
  let rig: RealRig;
  let context: BrowserContext;
  let page: Page;
  const servers: Server[] = [];
  beforeAll(async () => {
    const resolve = "--host-resolver-rules=MAP evil.example 127.0.0.1";
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", resolve] });
    rig = await startReal({ appToken: TOKEN, dashboard: await buildDashboard() });
  });
  afterAll(async () => {
    await browser.close();
    await rig.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
    await page.goto(`${rig.origin}/ui`);
    await page.getByLabel("Token").fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
  });
  afterEach(async () => {
    await context.close();
    for (const server of servers.splice(0)) server.close();
  });

  /** Opens a page of another origin of this machine, to which the browser sends the same cookies. */
  async function visit(html: string, host = "127.0.0.1"): Promise<Page> {
    const server = createServer((_request, response) => response.setHeader("content-type", "text/html").end(html));
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const other = await context.newPage();
    await other.goto(`http://${host}:${(server.address() as AddressInfo).port}/`);
    return other;
  }

  /** How many processes there are. */
  async function count(): Promise<number> {
    const { json } = await rig.call("GET", "/processes", undefined, { authorization: `Bearer ${TOKEN}` });
    return (json as { readonly entries: readonly unknown[] }).entries.length;
  }

  test("submit nothing and read nothing, by script", async () => {
    const other = await visit("<h1>Other</h1>");
    const task = JSON.stringify({ route: "order", input: { item: "x", mood: "good" } });
    const tried = await other.evaluate(`Promise.all([
      ...["application/json", "text/plain"].flatMap((type) => ["cors", "no-cors"].map((mode) => fetch("${rig.origin}/tasks", {
        method: "POST", credentials: "include", mode, headers: { "content-type": type }, body: ${JSON.stringify(task)} }))),
      fetch("${rig.origin}/processes", { credentials: "include" }),
    ].map((answer) => answer.then((got) => got.text(), () => "refused")))`);
    expect((tried as readonly string[]).join()).not.toContain("order");
    expect(await count()).toBe(0);
  });

  test("submit nothing, by a form", async () => {
    const field = `<input name='{"route":"order","input":{"item":"x","mood":"good"},"x":"' value='"}'>`;
    const other = await visit(`<form method="post" action="${rig.origin}/tasks" enctype="text/plain">${field}<button>Win</button></form>`);
    await other.getByRole("button").click();
    await other.getByText("origin.foreign").waitFor();
    expect(await count()).toBe(0);
  });

  test("cannot show it in a frame", async () => {
    const other = await visit(`<iframe src="${rig.origin}/ui" width="800" height="600"></iframe>`);
    const frame = other.frames().at(-1);
    await frame?.waitForLoadState().catch(() => undefined);
    expect(await other.frameLocator("iframe").getByRole("navigation").count()).toBe(0);
    expect(await other.frameLocator("iframe").locator("#page").count()).toBe(0);
  });

  test("under a name that was made to resolve to this machine there is no page and no answer", async () => {
    const { port } = new URL(rig.origin);
    const other = await context.newPage();
    for (const path of ["/ui", "/ui/session", "/processes"]) {
      const response = await other.goto(`http://evil.example:${port}${path}`);
      expect([path, response?.status()]).toEqual([path, path === "/processes" ? 401 : 421]);
    }
  });

  test("the page itself runs no script and loads no file that is not its own", async () => {
    const refused = page.evaluate(
      `new Promise((done) => addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective), { once: true }))`,
    );
    await page.evaluate(`document.body.append(Object.assign(document.createElement("script"), { textContent: "window.pwned = 1" }))`);
    expect([await refused, await page.evaluate("window.pwned")]).toEqual(["script-src-elem", undefined]);
    expect(await page.locator("style").count()).toBe(0);
  });

  test("a script of the page cannot read the session", async () => {
    expect(await page.evaluate("document.cookie")).toBe("");
    const cookies = await context.cookies();
    expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Strict", path: "/" }]);
  });
});

test("a link of `troupe ui` logs in, and its code leaves the address at once", async () => {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  const rig = await startReal({ appToken: TOKEN, dashboard: await buildDashboard() });
  try {
    const { json } = await rig.call("POST", "/ui/codes", {}, { authorization: `Bearer ${TOKEN}` });
    const page = await browser.newPage();
    await page.goto(`${rig.origin}/ui/runs#code=${(json as { readonly code: string }).code}`);
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    expect(page.url()).toBe(`${rig.origin}/ui/runs`);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").waitFor();
    expect((await page.context().cookies()).length).toBe(0);
  } finally {
    await browser.close();
    await rig.stop();
  }
});
