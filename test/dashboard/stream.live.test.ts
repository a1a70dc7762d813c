/** @module The stream of changes that the page follows: after a refusal, which ends a browser's own stream, it is opened again. */
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, type Bed, fixtureApi, startBed } from "./browser.ts";
import { FULL } from "./fixtures.ts";
import { ALL_ROLES } from "./screens.ts";

let bed: Bed;
beforeAll(async () => {
  bed = await startBed();
});
afterAll(async () => {
  await bed.stop();
});

test("a page whose stream was refused by a host that stops is live again with the next host, and reads what it shows again", async () => {
  const opened: ("live" | "refused" | "again")[] = [];
  const openings = ["live", "refused", "again"] as const;
  const api = fixtureApi(FULL, ALL_ROLES);
  const asked: string[] = [];
  let first: ServerResponse | undefined;
  const events: Api = (request, response) => {
    if (request.url !== "/events") {
      asked.push(request.url ?? "");
      return api(request, response);
    }
    const opening = openings[Math.min(opened.length, 2)] ?? "again";
    opened.push(opening);
    if (opening === "again") asked.length = 0;
    if (opening === "refused") response.writeHead(503, { "content-type": "application/json" }).end("{}");
    else response.writeHead(200, { "content-type": "text/event-stream" }).write("retry: 100\n\n");
    if (opening === "live") first = response;
  };
  const page = await bed.open("/", events);
  await page.locator(".s-live[data-live=true]").waitFor();
  await expect.poll(() => asked.filter((url) => url.startsWith("/overview")).length).toBe(1);
  first?.end();
  await expect.poll(() => opened, { timeout: 15_000 }).toEqual(openings);
  await page.locator(".s-live[data-live=true]").waitFor();
  // The stream tells nothing more: what is read now is read because changes may have been lost.
  await expect.poll(() => asked.filter((url) => url.startsWith("/overview")).length).toBe(1);
  expect(bed.errors).toEqual([]);
  await page.close();
});
